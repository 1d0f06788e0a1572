"""When it happened: what left, who clicked for the first time, and who did something for the first time."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from common.time import AMSTERDAM
from mailings.reports.figures import Hours, figures
from mailings.reports.scope import Scope

MOST_HOURS = 72
Unit = Literal["hour", "day"]
WHATS = ("sent", "clicked", "did")


@dataclass(frozen=True)
class Course:
    """Hours or days of Amsterdam in a row, and for each how many people; ``is_cut``: it went on after the last hour."""

    unit: Unit
    moments: list[dt.datetime]
    counts: dict[str, list[int]]
    is_cut: bool


def course(scope: Scope, *, unit: Unit, now: dt.datetime, hours: Hours | None = None) -> Course | None:
    """Return the course from the first message until the days are over or it is now; hours only for the first three
    days. None before anything has left. ``hours``: those of the ``figures``, where they are known.
    """
    first, until = scope.sent[0], scope.until
    if first is None or until is None:
        return None
    end = min(until, max(now, first))
    cut = min(end, first + dt.timedelta(hours=MOST_HOURS)) if unit == "hour" else end
    moments = _moments(unit, first, cut)
    counted: Counter[tuple[str, dt.datetime]] = Counter()
    for what, people in (figures(scope).hours if hours is None else hours).items():
        for hour, count in people.items():
            counted[what, hour if unit == "hour" else hour.replace(hour=0)] += count
    counts = {what: [counted[what, moment] for moment in moments] for what in WHATS}
    return Course(unit, moments, counts, is_cut=cut < end)


def _moments(unit: Unit, first: dt.datetime, last: dt.datetime) -> list[dt.datetime]:
    """Return every hour or day by the clock of Amsterdam, as the database names them."""
    step = dt.timedelta(hours=1) if unit == "hour" else dt.timedelta(days=1)
    start, end = (moment.astimezone(AMSTERDAM).replace(tzinfo=None, minute=0, second=0, microsecond=0)
                  for moment in (first, last))  # fmt: skip
    if unit == "day":
        start, end = start.replace(hour=0), end.replace(hour=0)
    return [start + step * number for number in range(int((end - start) / step) + 1)]
