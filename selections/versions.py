"""The versions of a selection, out of the events that the database keeps: who saved what when, and what was different.

A version is a state of name, description and rule; moving to a folder or another owner makes none.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import rows
from selections.explain import clause, describe, pick_clause
from selections.models import Selection
from selections.rules import Condition, Group, parse_rule, walk

MOST = 50  # on one page

# A version is an event that differs from the one before in what counts; the first event is one.
_NUMBERED = """
SELECT pgh_id AS key, row_number() OVER (ORDER BY pgh_id) AS number
  FROM (SELECT pgh_id,
               row_number() OVER w = 1 OR name <> lag(name) OVER w OR description <> lag(description) OVER w
               OR rule <> lag(rule) OVER w AS is_new
          FROM {events} WHERE pgh_obj_id = %(selection)s WINDOW w AS (ORDER BY pgh_id)) AS event
 WHERE is_new
"""


@dataclass(frozen=True)
class Version:
    """``key`` names it; ``number`` counts from 1; ``user`` is the key of who saved it, None for the product itself.

    ``sentence`` is empty and ``problem`` says why when its rule cannot be read any more. ``changed`` tells in words
    what was different from the version before.
    """

    key: int
    number: int
    at: dt.datetime
    user: int | None
    name: str
    description: str
    rule: dict[str, Any]
    is_present: bool
    sentence: str = ""
    problem: str = ""
    changed: list[str] = field(default_factory=list)


def versions_of(selection: Selection, *, before: int | None = None) -> list[Version]:
    """Return the latest versions, or the latest of those before a number, latest first; at most ``MOST``, two queries.

    The last one, when its number is not 1, has others before it.
    """
    numbers = _numbers(selection)
    latest = max(numbers.values(), default=0)
    last = latest if before is None else min(before - 1, latest)
    return _told(selection, {key: n for key, n in numbers.items() if last - MOST <= n <= last}, latest=latest)[:MOST]


def version_of(selection: Selection, key: int) -> Version:
    """Return one version; raises Refused ``unknown`` when the selection has none with that key."""
    numbers = _numbers(selection)
    number = numbers.get(key)
    if number is None:
        raise Refused("unknown", _("There is no such version of this selection."))
    wanted = {found: n for found, n in numbers.items() if n in (number - 1, number)}
    return _told(selection, wanted, latest=max(numbers.values()))[0]


def _numbers(selection: Selection) -> dict[int, int]:
    """Return key -> number of all versions, which count from 1 however many there are."""
    events = selection.events.model._meta.db_table  # type: ignore[attr-defined]
    found = rows(_NUMBERED.format(events=events), {"selection": selection.pk})
    return {row["key"]: row["number"] for row in found}


def _told(selection: Selection, numbers: dict[int, int], *, latest: int) -> list[Version]:
    """Return these versions, latest first; the oldest of them does not tell what it changed."""
    found = selection.events.filter(pgh_id__in=numbers).select_related("pgh_context")  # type: ignore[attr-defined]
    told: list[Version] = []
    sentences: dict[str, tuple[str, str]] = {}  # several versions may ask the same
    before: Any = None
    for event in found.order_by("pgh_id"):
        number = numbers[event.pgh_id]
        asked = json.dumps(event.rule)
        if asked not in sentences:
            sentences[asked] = _sentence(event.rule)
        sentence, problem = sentences[asked]
        told.append(
            Version(
                key=event.pgh_id,
                number=number,
                at=event.pgh_created_at,
                user=_user(event),
                name=event.name,
                description=event.description,
                rule=event.rule,
                is_present=number == latest,
                sentence=sentence,
                problem=problem,
                changed=_changed(before, event) if before is not None else [],
            )
        )
        before = event
    return told[::-1]


def differences(before: object, after: object) -> list[str]:
    """Return in words what one rule asks that another does not: "added: …", "gone: …"."""
    try:
        old, new = _asked(parse_rule(before)), _asked(parse_rule(after))
    except Refused:
        return [_("the rule")]
    told = [_("added: %s") % words for words in (new - old).elements()]
    told += [_("gone: %s") % words for words in (old - new).elements()]
    return told or [_("the same parts, put together in another way")]


def _asked(rule: Group) -> Counter[str]:
    """Return the clauses of all criteria and of what thins groups out, each as often as it stands there."""
    clauses: Counter[str] = Counter()
    for _path, node in walk(rule):
        if isinstance(node, Condition):
            clauses[clause(node)] += 1
        else:
            clauses.update(map(pick_clause, node.picks))
    return clauses


def _user(event: Any) -> int | None:
    return event.pgh_context.metadata.get("user") if event.pgh_context else None


def _changed(before: Any, event: Any) -> list[str]:
    told = []
    if before.name != event.name:
        told.append(_("name: “%(old)s” → “%(new)s”") % {"old": before.name, "new": event.name})
    if before.description != event.description:
        told.append(_("the description"))
    if before.rule != event.rule:
        told += differences(before.rule, event.rule)
    return told


def _sentence(rule: object) -> tuple[str, str]:
    try:
        return describe(parse_rule(rule)), ""
    except Refused as refused:
        return "", str(refused)
