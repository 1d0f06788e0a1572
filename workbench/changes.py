"""The history of a configuration object in words, out of the events that the database keeps of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model
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
        who = names.get(event.pgh_context.metadata.get("user"), "") if event.pgh_context else ""
        title, icon = _("Made"), "plus"
        if event.pgh_label != "insert":
            title, icon = _changed(event, before, ignore), "pencil"
        moments.append(Moment(icon, title, event.pgh_created_at, who))
    return moments[:EVENTS_SHOWN]


def user_names(keys: Iterable[Any]) -> dict[int, str]:
    """Return names of users by key, in one query."""
    users = User.objects.filter(pk__in={key for key in keys if key})
    return {user.pk: user.get_full_name() or user.get_username() for user in users}


def _changed(event: Any, before: Any, ignore: Collection[str]) -> str:
    """Return "Changed: name, rule"; the oldest event that is still shown has nothing to compare with."""
    fields = [field for field in event._meta.fields if field.name not in (*_OWN_FIELDS, *ignore)]
    differing = [
        str(field.verbose_name)
        for field in fields
        if before is not None and getattr(event, field.attname) != getattr(before, field.attname)
    ]
    return _("Changed: %s") % ", ".join(differing) if differing else _("Changed")
