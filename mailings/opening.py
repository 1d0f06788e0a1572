"""The sending hours as they are set: of the organisation, and of each branch that is closed on other days."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from common.time import local_date
from mailings.hours import Hours
from mailings.models import ClosingDay, SendingSettings


def opening_hours(*, now: dt.datetime) -> tuple[Hours, dict[int, Hours]]:
    """Return the hours of the organisation, and by branch those of branches with closing days of their own."""
    settings = SendingSettings.load()
    closed: dict[int | None, list[tuple[dt.date, dt.date]]] = defaultdict(list)
    for one in ClosingDay.objects.filter(last_day__gte=local_date(now)):
        closed[one.branch_id].append((one.first_day, one.last_day))
    days = frozenset(int(day) for day in settings.send_days)
    ours = Hours(settings.send_from_hour, settings.send_until_hour, days, tuple(closed.pop(None, ())))
    return ours, {branch: ours.also_closed(own) for branch, own in closed.items() if branch}


def closed_now(*, now: dt.datetime) -> dict[int, dt.datetime]:
    """Return when the branches open that are closed while the organisation sends; outside its hours nothing leaves."""
    ours, branches = opening_hours(now=now)
    if not ours.is_open(now):
        return {}
    return {branch: hours.next_opening(now) for branch, hours in branches.items() if not hours.is_open(now)}


def openings(*, now: dt.datetime) -> tuple[dt.datetime, dict[int, dt.datetime]]:
    """Return when a message may leave at the earliest, and by branch where that is another moment."""
    ours, branches = opening_hours(now=now)
    first = ours.next_opening(now)
    own = {branch: hours.next_opening(now) for branch, hours in branches.items()}
    return first, {branch: moment for branch, moment in own.items() if moment != first}
