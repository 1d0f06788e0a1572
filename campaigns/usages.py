"""Which actions and triggers use a selection or a label in their content or settings, where no key can tell."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Model, Q

from campaigns.models import Action, Trigger
from campaigns.triggers.moves import LabelMove
from campaigns.triggers.selections import EntersSelection
from customers.facts import kind_users
from labels.actions.rules import givers
from labels.models import Label, LabelGroup
from selections.models import Selection
from selections.usages import Use, finders, json_has

_AUDIENCE = "$.**.audience ? (@.kind == $kind && @.id == $id)"


def _as_audience(thing: Model) -> Iterator[Use]:
    """Yield actions with a block that only this selection or label sees."""
    kind = {Selection: "selection", Label: "label"}.get(type(thing))
    if kind is not None:
        found = Action.objects.filter(json_has("content__blocks", _AUDIENCE, kind=kind, id=thing.pk))
        yield from (Use(str(Action._meta.verbose_name), action) for action in found)


def _as_door(thing: Model) -> Iterator[Use]:
    """Yield triggers that wait for somebody to enter this selection."""
    if isinstance(thing, Selection):
        found = Trigger.objects.filter(
            json_has("params", "$ ? (@.selection == $id)", id=thing.pk), kind=EntersSelection.code
        )
        yield from (Use(str(Trigger._meta.verbose_name), trigger) for trigger in found)


def _as_move(thing: Model) -> Iterator[Use]:
    """Yield triggers that wait for a move to or from this label, or within this group."""
    if isinstance(thing, Label | LabelGroup):
        path = "$.label_group" if isinstance(thing, LabelGroup) else "$.from_label, $.to_label"
        wanted = Q()
        for one in path.split(", "):
            wanted |= Q(json_has("params", f"{one} ? (@ == $code)", code=thing.code))
        found = Trigger.objects.filter(wanted, kind=LabelMove.code)
        yield from (Use(str(Trigger._meta.verbose_name), trigger) for trigger in found)


def _as_giver(label: Label) -> Iterator[Use]:
    """Yield the actions that give a label to whom they reach."""
    yield from (Use(str(Action._meta.verbose_name), one) for one in Action.objects.filter(gives_label=label))


def _with_kind(code: str) -> Iterator[Use]:
    """Yield triggers that wait for somebody to do something of a kind."""
    for trigger in Trigger.objects.filter(json_has("params", "$.kind ? (@ == $code)", code=code)):
        yield Use(str(Trigger._meta.verbose_name), trigger)


finders.extend([_as_audience, _as_door, _as_move])
givers.append(_as_giver)
kind_users.append(_with_kind)
