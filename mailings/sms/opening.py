"""When text messages leave: within hours of their own, on the days on which anything is sent."""

from __future__ import annotations

import datetime as dt

from customers.models import Purpose
from mailings.hours import Hours
from mailings.models import TextSettings
from mailings.opening import opening_hours


def rules_open(*, now: dt.datetime) -> list[str]:
    """Return the rules of the purposes whose text messages may go now; at night none, on a closed day service only."""
    limits = TextSettings.load()
    if not Hours(limits.from_hour, limits.until_hour).is_open(now):
        return []
    ours, _branches = opening_hours(now=now)
    return [rule.value for rule in Purpose.Rule if rule == Purpose.Rule.SERVICE or ours.is_open(now)]
