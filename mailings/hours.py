"""Sending hours: on which days and between which hours of Amsterdam anything but service mail goes out. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from common.time import AMSTERDAM

WEEK = frozenset(range(1, 8))
_FURTHEST = 400  # days; who is closed for longer sends nothing by himself


@dataclass(frozen=True)
class Hours:
    """``until_hour`` 24 is midnight; ``days`` are 1 (Monday) to 7; ``closed`` are first and last days, included."""

    from_hour: int = 0
    until_hour: int = 24
    days: frozenset[int] = WEEK
    closed: tuple[tuple[dt.date, dt.date], ...] = ()

    def is_open(self, now: dt.datetime) -> bool:
        """Say whether ``now`` lies within the sending hours."""
        local = now.astimezone(AMSTERDAM)
        return self.from_hour <= local.hour < self.until_hour and self._is_sending_day(local.date())

    def next_opening(self, now: dt.datetime) -> dt.datetime:
        """Return ``now`` when it lies within the sending hours, else the moment at which they begin again."""
        if self.is_open(now):
            return now
        local = now.astimezone(AMSTERDAM)
        day = local.date() if local.hour < self.from_hour else local.date() + dt.timedelta(days=1)
        for _day in range(_FURTHEST):
            if self._is_sending_day(day):
                break
            day += dt.timedelta(days=1)
        return dt.datetime.combine(day, dt.time(self.from_hour), tzinfo=AMSTERDAM)

    def also_closed(self, closed: Iterable[tuple[dt.date, dt.date]]) -> Hours:
        """Return the same hours with more days closed."""
        return Hours(self.from_hour, self.until_hour, self.days, (*self.closed, *closed))

    def _is_sending_day(self, day: dt.date) -> bool:
        return day.isoweekday() in self.days and not any(first <= day <= last for first, last in self.closed)
