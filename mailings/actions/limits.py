"""Set how many messages a customer gets at most in how many days, and on which days nothing is sent."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import Branch, Purpose
from mailings.actions.history import By, noted
from mailings.models import CapRule, ClosingDay

LONGEST = 366  # days
LONGEST_CLOSED = 92  # days


@transaction.atomic
def save_cap_rule(
    known: CapRule | None, *, purpose: Purpose | None = None, channel: str = "", messages: int, days: int, by: By = None
) -> CapRule:
    """Make a limit, or change one; it holds from the next decision on. Raises Refused for one that is there already."""
    if messages < 1 or not 1 <= days <= LONGEST:
        raise Refused("cap", _("A limit is at least one message, in at most %d days.") % LONGEST, field="days")
    if purpose and purpose.rule == Purpose.Rule.SERVICE:
        raise Refused("service", _("Service messages are not limited: the customer has to get them."), field="purpose")
    same = CapRule.objects.filter(purpose=purpose, channel=channel, days=days)
    if (same.exclude(pk=known.pk) if known else same).exists():
        raise Refused("twice", _("There is a limit of this kind for this period already; change that one."))
    rule = known or CapRule()
    rule.purpose, rule.channel, rule.messages, rule.days = purpose, channel, messages, days
    with noted(by):
        rule.save()
    return rule


@transaction.atomic
def remove_cap_rule(rule: CapRule, *, by: By = None) -> None:
    """Remove a limit; it holds for no decision any more."""
    with noted(by):
        rule.delete()


@transaction.atomic
def save_closing_day(
    known: ClosingDay | None,
    *,
    name: str,
    branch: Branch | None = None,
    first_day: dt.date,
    last_day: dt.date,
    by: By = None,
) -> ClosingDay:
    """Make a closing day, or change one; it holds for what starts from now on. Raises Refused on days out of order."""
    if last_day < first_day:
        raise Refused("order", _("The last day must not lie before the first."), field="last_day")
    if (last_day - first_day).days >= LONGEST_CLOSED:
        raise Refused("too_long", _("At most %d days in a row can be closed.") % LONGEST_CLOSED, field="last_day")
    closing = known or ClosingDay()
    closing.name, closing.branch, closing.first_day, closing.last_day = name, branch, first_day, last_day
    with noted(by):
        closing.save()
    return closing


@transaction.atomic
def remove_closing_day(closing: ClosingDay, *, by: By = None) -> None:
    """Remove a closing day; what waits because of it still leaves at the moment that was set."""
    with noted(by):
        closing.delete()
