"""The history of a configuration object in words, out of the events that the database keeps of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.contrib.auth.models import User
from django.db.models import BooleanField, Field, IntegerField, Model
from django.utils.translation import gettext as _

EVENTS_SHOWN = 20
_OWN_FIELDS = ("pgh_id", "pgh_created_at", "pgh_label", "pgh_obj", "pgh_context", "id")


@dataclass(frozen=True)
class Moment:
    """One line of a history."""

    icon: str
    title: str
    when: dt.datetime
    who: str = ""
    text: str = ""


def changes_of(thing: Model, *, ignore: Collection[str] = ()) -> list[Moment]:
    """Return what happened to ``thing``, latest first: made, or which fields were changed, and by whom."""
    events = list(thing.events.select_related("pgh_context").order_by("-pgh_id")[: EVENTS_SHOWN + 1])  # type: ignore[attr-defined]
    names = user_names(event.pgh_context.metadata.get("user") for event in events if event.pgh_context)
    moments = []
    for event, before in pairwise([*events, None]):
        who = _who(event.pgh_context.metadata, names) if event.pgh_context else ""
        title, icon, text = _("Made"), "plus", ""
        if event.pgh_label != "insert":
            fields = _differing(event, before, ignore)
            title, icon, text = _changed(fields), "pencil", _from_what_to_what(event, before, fields)
        moments.append(Moment(icon, title, event.pgh_created_at, who, text))
    return moments[:EVENTS_SHOWN]


def _who(told: dict[str, Any], names: dict[int, str]) -> str:
    """Return the name of the person; over the API only the action tells who it was, "system" is nobody."""
    by = str(told.get("by", ""))
    return names.get(told.get("user"), "") or ("" if by == "system" else by)  # type: ignore[arg-type]


def user_names(keys: Iterable[Any]) -> dict[int, str]:
    """Return names of users by key, in one query."""
    users = User.objects.filter(pk__in={key for key in keys if key})
    return {user.pk: user.get_full_name() or user.get_username() for user in users}


def _differing(event: Any, before: Any, ignore: Collection[str]) -> list[Field[Any, Any]]:
    """Return the fields that changed; the oldest event that is still shown has nothing to compare with."""
    if before is None:
        return []
    fields = [field for field in event._meta.fields if field.name not in (*_OWN_FIELDS, *ignore)]
    return [field for field in fields if getattr(event, field.attname) != getattr(before, field.attname)]


def _changed(fields: list[Field[Any, Any]]) -> str:
    """Return "Changed: name, rule"."""
    return _("Changed: %s") % ", ".join(str(field.verbose_name) for field in fields) if fields else _("Changed")


def _from_what_to_what(event: Any, before: Any, fields: list[Field[Any, Any]]) -> str:
    """Return "draft → active", with the name of the field when several changed; only of what reads well in a line."""
    told = [
        (field.verbose_name, f"{_in_words(field, before)} → {_in_words(field, event)}")
        for field in fields
        if field.choices or field.name == "name" or _is_number(field) or isinstance(field, BooleanField)
    ]
    return ", ".join(words if len(fields) == 1 else f"{name}: {words}" for name, words in told)


def _is_number(field: Field[Any, Any]) -> bool:
    return isinstance(field, IntegerField) and not field.name.endswith(("_cents", "_id"))


def _in_words(field: Field[Any, Any], event: Any) -> str:
    value = getattr(event, field.attname)
    if isinstance(field, BooleanField):
        return _("yes") if value else _("no")
    if value is None or value == "":
        return "–"
    return str(dict(field.flatchoices).get(value, value)) if field.choices else str(value)
