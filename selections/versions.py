"""The versions of a selection, out of the events that the database keeps: who saved what when, and what was different.

A version is a state of name, description and rule; moving to a folder or another owner makes none.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from common.errors import Refused
from selections.explain import clause, describe, pick_clause
from selections.models import Selection
from selections.rules import Condition, Group, parse_rule, walk

MOST = 200  # that are read back; older ones are in the database


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


def versions_of(selection: Selection) -> list[Version]:
    """Return the versions, latest first; one query."""
    events = list(_states(selection))
    told: list[Version] = []
    sentences: dict[str, tuple[str, str]] = {}  # several versions may ask the same
    for number, (before, event) in enumerate(pairwise([None, *events]), start=1):
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
                is_present=number == len(events),
                sentence=sentence,
                problem=problem,
                changed=_changed(before, event) if before is not None else [],
            )
        )
    return told[::-1]


def version_of(selection: Selection, key: int) -> Version:
    """Return one version; raises Refused ``unknown`` when the selection has none with that key."""
    found = next((version for version in versions_of(selection) if version.key == key), None)
    if found is None:
        raise Refused("unknown", _("There is no such version of this selection."))
    return found


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


def _states(selection: Selection) -> list[Any]:
    """Return the events that made another name, description or rule, oldest first."""
    events = selection.events.select_related("pgh_context").order_by("-pgh_id")[:MOST]  # type: ignore[attr-defined]
    states: list[Any] = []
    for event in reversed(events):
        if not states or _contents(event) != _contents(states[-1]):
            states.append(event)
    return states


def _contents(event: Any) -> tuple[Any, ...]:
    return event.name, event.description, event.rule


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
