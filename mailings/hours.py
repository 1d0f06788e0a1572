"""Sending hours: between which hours of the Amsterdam day anything but service mail goes out. Pure."""

from __future__ import annotations

import datetime as dt

from common.time import AMSTERDAM


def is_open(now: dt.datetime, *, from_hour: int, until_hour: int) -> bool:
    """Say whether ``now`` lies within the sending hours (``until_hour`` 24 is midnight)."""
    return from_hour <= now.astimezone(AMSTERDAM).hour < until_hour


def next_opening(now: dt.datetime, *, from_hour: int, until_hour: int) -> dt.datetime:
    """Return ``now`` when it lies within the sending hours, else the moment at which they begin again."""
    local = now.astimezone(AMSTERDAM)
    if is_open(now, from_hour=from_hour, until_hour=until_hour):
        return now
    day = local.date() if local.hour < from_hour else local.date() + dt.timedelta(days=1)
    return dt.datetime.combine(day, dt.time(from_hour), tzinfo=AMSTERDAM)
