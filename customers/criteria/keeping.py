"""How far back rows are kept, by the rules of retention: before that, the answer of a past day would be a guess."""

from __future__ import annotations

import datetime as dt

from common.time import local_date
from customers.criteria.moments import day_of
from customers.criteria.windows import WindowParams
from customers.privacy.periods import chosen_rules


def removed_before(rule: str, present: dt.datetime) -> dt.datetime | None:
    """Return the moment before which rows are removed by a rule of retention; None when it is switched off."""
    for chosen in chosen_rules():
        if chosen.rule.code == rule and chosen.is_on:
            return chosen.before(local_date(present))
    return None


def gap_of(rule: str, words: str, params: WindowParams, *, now: dt.datetime, present: dt.datetime) -> str:
    """Return ``words`` with the day since when rows are kept, when the window begins before it."""
    kept, start = removed_before(rule, present), params.happened(now=now)[0]
    return words % {"day": day_of(kept)} if kept and (start is None or start < kept) else ""
