"""Whether a rule looks at what people do: then its label is profiling, and only for who permits that (AVG 21)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labels.models import Label
from labels.rules.order import asked_labels
from labels.system import families
from selections.models import Selection
from selections.rules import Condition, Group, Top, parse_rule, walk

#: First parts of codes of criteria about who somebody is and what was agreed, not about what he does. Anything else
#: counts as behaviour, also what is added later.
ADMINISTRATION = frozenset({"customer", "subscriptions", "consents", "quality", "labels", "selections"})


def is_behaviour(rule: dict[str, Any] | None) -> bool:
    """Tell whether a rule, or a selection or label it asks for, looks at behaviour."""
    return rule is not None and _is_behaviour(rule, frozenset())


def _is_behaviour(rule: dict[str, Any], seen: frozenset[int]) -> bool:
    tree = parse_rule(rule)
    if any(code.partition(".")[0] not in ADMINISTRATION for code in _codes(tree)):
        return True
    asked = Label.objects.filter(code__in=asked_labels(rule)).select_related("group", "selection")
    profiling = {code for family in families if family.is_profiling for code in family.all_groups}
    for label in asked:
        if label.kind == Label.Kind.IMPORTED or (label.group and label.group.code in profiling):
            return True
        if label.pk not in seen and label.rule_json and _is_behaviour(label.rule_json, seen | {label.pk}):
            return True
    return False


def _codes(tree: Group) -> Iterator[str]:
    """Yield the codes of all criteria, those of selections inside too, and of the values somebody is picked by."""
    waiting, seen = [tree], set[int]()
    while waiting:
        for _path, node in walk(waiting.pop()):
            if not isinstance(node, Condition):
                yield from (pick.by for pick in node.picks if isinstance(pick, Top))
                continue
            yield node.criterion
            if node.criterion == "selections.in" and node.params.selection not in seen:  # type: ignore[attr-defined]
                seen.add(node.params.selection)  # type: ignore[attr-defined]
                inner = Selection.objects.filter(pk=node.params.selection).first()  # type: ignore[attr-defined]
                if inner is not None:
                    waiting.append(parse_rule(inner.rule))
