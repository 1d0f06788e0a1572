"""Counts that a page does not wait for: asked once, made by a worker, kept for a while.

A ticket stands for one question (a rule on a day); who asks it again gets the same answer.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core.cache import cache

from common.errors import Refused
from customers.criteria.moments import known_at
from selections.figures import Measure, measure
from selections.rules import Group

SECONDS = 600.0  # what a worker may take
KEPT = 3600
GIVEN_UP = 2 * dt.timedelta(seconds=SECONDS)  # a worker that did not answer by then was stopped


@dataclass(frozen=True)
class Answer:
    """Where a question stands: still waiting, or counted ``at`` a moment, or given up with the reason."""

    at: dt.datetime
    measure: Measure | None = None
    problem: str = ""

    @property
    def is_waiting(self) -> bool:
        """Whether nobody has counted it yet."""
        return self.measure is None and not self.problem


def answer_of(ticket: str) -> Answer | None:
    """Return where a question stands; None when it was not asked, or too long ago."""
    found = cache.get(_key(ticket))
    return found if isinstance(found, Answer) else None


def ask(ticket: str, *, now: dt.datetime) -> bool:
    """Note that a question is asked; False when somebody waits for it already, and a worker may still be at it."""
    known = answer_of(ticket)
    if known is not None and known.is_waiting and now - known.at < GIVEN_UP:
        return False
    cache.set(_key(ticket), Answer(at=now), KEPT)
    return True


def count(rule: Group, *, ticket: str, now: dt.datetime, is_past: bool = False) -> Answer:
    """Count a rule and keep the answer under its ticket; of a past day among those who were known then."""
    among = known_at(now) if is_past else None
    try:
        answer = Answer(at=now, measure=measure(rule, now=now, among=among, seconds=SECONDS))
    except Refused as refused:
        answer = Answer(at=now, problem=str(refused))
    cache.set(_key(ticket), answer, KEPT)
    return answer


def _key(ticket: str) -> str:
    return f"counted:{ticket}"
