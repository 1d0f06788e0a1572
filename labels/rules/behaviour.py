"""Whether a rule looks at what people do: then its label is profiling, and only for who permits that (AVG 21)."""

from __future__ import annotations

from typing import Any

from labels.models import Label
from labels.rules.order import asked_labels
from labels.system import families
from selections.models import ResultSet, Selection
from selections.rules import Condition, Group, Top, parse_rule, walk

#: First parts of codes of criteria about who somebody is and what was agreed, not about what he does. Anything else
#: counts as behaviour, also what is added later.
ADMINISTRATION = frozenset(
    {"customer", "household", "branch", "subscription", "subscriptions", "consents", "quality", "labels", "selections"}
)
#: Values that follow from who somebody is; all others, kept or defined by the organisation, from what he does.
PLAIN_VALUES = frozenset({"customer.age", "customer.member_years", "customer.household_size"})


def is_behaviour(rule: dict[str, Any] | None) -> bool:
    """Tell whether a rule, or a selection or label it asks for, looks at behaviour."""
    return rule is not None and _is_behaviour(rule, frozenset())


def _is_behaviour(rule: dict[str, Any], seen: frozenset[int]) -> bool:
    criteria, values = _asked(parse_rule(rule))
    if values - PLAIN_VALUES or any(code.partition(".")[0] not in ADMINISTRATION for code in criteria):
        return True
    asked = Label.objects.filter(code__in=asked_labels(rule)).select_related("group", "selection")
    profiling = {code for family in families if family.is_profiling for code in family.all_groups}
    for label in asked:
        if label.kind == Label.Kind.IMPORTED or (label.group and label.group.code in profiling):
            return True
        if label.pk not in seen and label.rule_json and _is_behaviour(label.rule_json, seen | {label.pk}):
            return True
    return False


def _asked(tree: Group) -> tuple[set[str], set[str]]:
    """Return the codes of all criteria, and of all values that are compared or picked by; those of selections inside
    too, and of the rules by which result sets were made.
    """
    criteria, compared = set[str](), set[str]()
    waiting, seen = [tree], set[tuple[str, int]]()
    while waiting:
        for _path, node in walk(waiting.pop()):
            if not isinstance(node, Condition):
                compared |= {pick.by for pick in node.picks if isinstance(pick, Top)}
                continue
            criteria.add(node.criterion)
            params: Any = node.params
            if node.criterion == "customer.value":
                compared.add(params.value)
            for code, model, field in _RULED:
                if node.criterion == code and (key := (code, getattr(params, field))) not in seen:
                    seen.add(key)
                    waiting += [parse_rule(inner.rule) for inner in model._default_manager.filter(pk=key[1])]
    return criteria, compared


#: Criteria that ask for what has a rule of its own: code, model, setting.
_RULED: tuple[tuple[str, type[Any], str], ...] = (
    ("selections.in", Selection, "selection"),
    ("selections.in_set", ResultSet, "result_set"),
)
