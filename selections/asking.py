"""Ask a rule, a saved selection or a result set who is meant, now or at a past moment, in one way for every face."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import Customer
from selections.comparing import Side
from selections.compiler import compile_rule, entering, members
from selections.models import ResultMember, Selection
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


def people_of(thing: Side, *, now: dt.datetime) -> QuerySet[Customer]:
    """Return who are in a selection now, or were in a result set, as long as their data may be used.

    Raises Refused for a result set of which it is still being looked up who are in it.
    """
    if isinstance(thing, Selection):
        return members(thing, now=now)
    if thing.is_waiting:
        raise Refused("result_set_waits", _("Who are in it is still being looked up. Try again in a few minutes."))
    held = ResultMember.objects.filter(result_set=thing.pk).values("customer_id")
    return Customer.objects.usable().filter(pk__in=held).order_by()
