"""Ask a rule or a saved selection who is meant, now or at a past moment, in one way for every face."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from customers.models import Customer
from selections.compiler import compile_rule, entering
from selections.models import Selection
from selections.past import as_of as at_a_past_moment
from selections.rules import Group, parse_rule


def who_are_in(
    asked: Selection | Group, *, as_of: dt.datetime | None, assume_present: bool = False, now: dt.datetime
) -> QuerySet[Customer]:
    """Return who is in now, or was at a past moment. Raises Refused as ``past.as_of`` and ``compile_rule``."""
    if isinstance(asked, Selection):
        with entering(asked):
            return who_are_in(parse_rule(asked.rule), as_of=as_of, assume_present=assume_present, now=now)
    if as_of is None:
        return compile_rule(asked, now=now)
    return at_a_past_moment(asked, now=as_of, present=now, assume_present=assume_present)
