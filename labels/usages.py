"""Which selections, and which labels by rule, ask for a label; and what else uses labels inside JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Model, Q

from common.criteria import criteria
from customers.facts import kind_users
from labels.criteria import ALL
from labels.models import Label, LabelGroup, ValueDefinition
from labels.rules import refuse_cycle_through
from labels.values import PREFIX
from selections.models import Selection
from selections.usages import KIND, Use, finders, guards, json_has, not_uses, selections_with

BY_CODE = "@.params.labels[*] == $code || @.params.from_labels[*] == $code || @.params.to_labels[*] == $code"
BY_GROUP = "@.params.label_group == $code"


def _in_rules(thing: Model) -> Iterator[Use]:
    """Yield the selections and labels in whose rule a label, or a group of labels, stands."""
    if not isinstance(thing, Label | LabelGroup):
        return
    condition = BY_CODE if isinstance(thing, Label) else BY_GROUP
    found = {one for criterion in ALL for one in selections_with(criterion.code, f"({condition})", code=thing.code)}
    for selection in sorted(found, key=lambda selection: selection.name):
        yield Use(str(Selection._meta.verbose_name), selection)
    wanted = Q()
    for criterion in ALL:
        wanted |= _rule_has(criterion.code, condition, code=thing.code)
    yield from (_use(label) for label in Label.objects.filter(wanted).exclude(_itself(thing)))


def _selection_in_rules(thing: Model) -> Iterator[Use]:
    """Yield the labels in whose own rule a selection stands."""
    if isinstance(thing, Selection) and "selections.in" in criteria:
        found = Label.objects.filter(_rule_has("selections.in", "@.params.selection == $id", id=thing.pk))
        yield from (_use(label) for label in found)


def _rule_has(criterion: str, condition: str, **values: Any) -> Q:
    path = f"$.** ? (@.criterion == $criterion && ({condition}))"
    return Q(json_has("rule", path, criterion=criterion, **values))


def _itself(thing: Model) -> Q:
    return Q(pk=thing.pk) if isinstance(thing, Label) else Q(pk__in=[])


def _use(label: Label) -> Use:
    return Use(str(Label._meta.verbose_name), label)


def _value_in_rules(thing: Model) -> Iterator[Use]:
    """Yield the selections and labels in whose rule a computed value is asked for, or that take the top by it."""
    if isinstance(thing, ValueDefinition):
        has = Q(json_has("rule", "$.** ? (@ == $code)", code=f"{PREFIX}{thing.code}"))
        yield from (Use(str(Selection._meta.verbose_name), one) for one in Selection.objects.filter(has))
        yield from (_use(label) for label in Label.objects.filter(has))


def _with_kind(code: str) -> Iterator[Use]:
    """Yield the labels in whose rule a kind of fact stands, and the computed values of which it is a term."""
    yield from (_use(label) for label in Label.objects.filter(json_has("rule", KIND, code=code)))
    for value in ValueDefinition.objects.filter(json_has("terms", "$[*].kinds[*] ? (@ == $code)", code=code)):
        yield Use(str(ValueDefinition._meta.verbose_name), value)


not_uses.add("labels.assignment")  # who has a label of an exclusive group
finders.extend([_in_rules, _selection_in_rules, _value_in_rules])
guards.append(refuse_cycle_through)
kind_users.append(_with_kind)
