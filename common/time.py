"""Instants are UTC, days are Amsterdam's. Nothing here reads the clock except ``clock``."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.utils import timezone

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def clock() -> dt.datetime:
    """Return the present instant; called at the entrances (views, tasks, commands) and passed on as ``now``."""
    return timezone.now()


def local_date(instant: dt.datetime) -> dt.date:
    """Return the Amsterdam calendar day in which ``instant`` falls."""
    return instant.astimezone(AMSTERDAM).date()


def years_before(day: dt.date, years: int) -> dt.date:
    """Return the latest birth date of somebody who is ``years`` old on that day; the first day there is at worst."""
    if day.year <= years:
        return dt.date.min
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def start_of_day(day: dt.date) -> dt.datetime:
    """Return the first instant of an Amsterdam day (days of 23 and 25 hours included)."""
    return dt.datetime.combine(day, dt.time.min, tzinfo=AMSTERDAM)


def end_of_day(day: dt.date) -> dt.datetime:
    """Return the first instant after an Amsterdam day, so ``start <= t < end`` holds for the day; of the last day that
    there is, its last instant.
    """
    if day == dt.date.max:
        return dt.datetime.max.replace(tzinfo=AMSTERDAM)
    return start_of_day(day + dt.timedelta(days=1))


def last_of_day(day: dt.date) -> dt.datetime:
    """Return the last instant of an Amsterdam day: what is asked as of it still has that day for its today."""
    return end_of_day(day) - dt.timedelta(microseconds=1)


def start_of_months(now: dt.datetime, months: int) -> dt.datetime:
    """Return the first instant of as many months as are asked for, of which the present one is the last."""
    count = now.astimezone(AMSTERDAM).year * 12 + now.astimezone(AMSTERDAM).month - months
    return start_of_day(dt.date(count // 12, count % 12 + 1, 1))
