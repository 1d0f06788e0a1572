"""In which order labels by rule are worked out: one that asks for another after that other.

The labels by rule of one exclusive group are a unit: they are worked out together, since a customer gets only one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.utils.translation import gettext as _

from common.criteria import criteria
from common.errors import Refused
from labels.models import Label
from selections.models import Selection
from selections.rules import Condition, Group, Op, RuleRefused, parse_rule, pointer_of, walk

Unit = tuple[Label, ...]


def asked_labels(rule: dict[str, Any] | Group) -> set[str]:
    """Return the codes of the labels that a rule asks for, by themselves or by group, in selections inside it too."""
    waiting, seen, codes, groups = [parse_rule(rule)], set[int](), set[str](), set[str]()
    while waiting:
        for _path, node in walk(waiting.pop()):
            if not isinstance(node, Condition):
                continue
            if node.criterion == "selections.in" and node.params.selection not in seen:  # type: ignore[attr-defined]
                seen.add(node.params.selection)  # type: ignore[attr-defined]
                inner = Selection.objects.filter(pk=node.params.selection).first()  # type: ignore[attr-defined]
                waiting += [parse_rule(inner.rule)] if inner else []
            asks = getattr(criteria[node.criterion], "asks", None)
            if asks is not None:
                found, group = asks(node.params)
                codes |= set(found)
                groups |= {group} if group else set()
    return codes | set(Label.objects.filter(group__code__in=groups).values_list("code", flat=True))


def units(labels: Iterable[Label]) -> list[Unit]:
    """Return labels by rule in units, each after those it asks for; raises Refused ``label_cycle``."""
    by_unit: dict[object, list[Label]] = {}
    for label in labels:
        together = label.group is not None and label.group.is_exclusive
        by_unit.setdefault(("group", label.group_id) if together else ("label", label.pk), []).append(label)
    place = {label.code: unit for unit, members in by_unit.items() for label in members}
    asked = {unit: _asked(members) & place.keys() for unit, members in by_unit.items()}
    graph = {unit: {place[code] for code in codes} for unit, codes in asked.items()}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        inside = [str(label) for unit in dict.fromkeys(error.args[1]) for label in by_unit[unit]]
        message = _("These labels ask for each other, or for one of their own group: %s. Change one of the rules.")
        raise Refused("label_cycle", message % ", ".join(f"“{name}”" for name in inside), field="rule") from None
    return [tuple(sorted(by_unit[unit], key=lambda label: (label.rank, label.pk))) for unit in order]


def refuse_cycle(label: Label) -> None:
    """Raise Refused when this label, with the rule it has now in memory, would ask for itself."""
    others = Label.objects.by_rule().exclude(pk=label.pk).select_related("group", "selection")
    units([*others, label])


def refuse_cycle_through(selection: Selection) -> None:
    """Raise RuleRefused, with the pointer of a faulty node, when a label that a selection asks for, as it is saved now,
    would follow from that label itself.
    """
    labels = list(Label.objects.by_rule().select_related("group", "selection"))
    for path, node in walk(parse_rule(selection.rule)):
        if not labels or not isinstance(node, Condition):
            continue
        try:
            units(_reached(Group(op=Op.ALL, children=(node,)), labels))
        except Refused as refusal:
            raise RuleRefused(refusal.code, str(refusal), f"{pointer_of(path)}/params") from refusal


def _reached(rule: Group, labels: list[Label]) -> list[Label]:
    """Return the labels by rule that a rule asks for, with all of their exclusive groups, and what these ask for."""
    reached, waiting = list[Label](), asked_labels(rule)
    while waiting:
        groups = {one.group_id for one in labels if one.code in waiting and one.group and one.group.is_exclusive}
        found = [one for one in labels if one.code in waiting or one.group_id in groups]
        found = [one for one in found if one not in reached]
        reached += found
        waiting = _asked(found)
    return reached


def _asked(labels: Collection[Label]) -> set[str]:
    return set().union(*(asked_labels(label.rule_json) for label in labels if label.rule_json))
