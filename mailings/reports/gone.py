"""What a report cannot count any more: figures get smaller when their rows are removed, and then the report says so."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from common.time import AMSTERDAM, local_date
from customers.models import RetentionRun
from customers.privacy.periods import chosen_rules
from mailings.models import Mailing
from mailings.reports.scope import Scope

#: The rules of retention that take rows a report counts.
_COUNTED = ("clicks", "bounces", "decisions", "facts")


@dataclass(frozen=True)
class Gone:
    """Rows of one kind (``code``: a rule of retention) from before ``until`` were removed. ``mailings``: how many of
    the report began before that; ``rows``: how many went since the first of them, of all mailings together.
    """

    code: str
    until: dt.date | None
    mailings: int
    rows: int

    @property
    def words(self) -> str:
        """What that means for the figures."""
        told = {
            "clicks": _("who clicked"),
            "bounces": _("what bounced and what was reported as spam"),
            "decisions": _("who were candidates and why somebody got nothing"),
            "facts": _("what people did afterwards"),
        }
        return told[self.code]


def gone_of(scope: Scope, *, now: dt.datetime) -> list[Gone]:
    """Return what is not counted any more of these mailings: what was removed since, as the retention of each night
    told. Kinds of activity have periods of their own, so of those ``until`` is None.
    """
    started = list(Mailing.objects.filter(pk__in=scope.mailings).order_by().values_list("created_at", flat=True))
    if not started:
        return []
    removed = _removed_since(min(started))
    found = []
    for one in chosen_rules():
        code = one.rule.code
        if code not in _COUNTED or not removed.get(code):
            continue
        until = one.before(local_date(now)) if one.rule.unit else None
        touched = sum(moment < until for moment in started) if until else len(started)
        if touched:
            found.append(Gone(code, until and until.astimezone(AMSTERDAM).date(), touched, removed[code]))
    return found


def _removed_since(first: dt.datetime) -> dict[str, int]:
    """Return rule -> rows that the nights since then removed."""
    total: dict[str, int] = {}
    for counts in RetentionRun.objects.filter(day__gte=local_date(first)).values_list("counts", flat=True):
        for code in _COUNTED:
            total[code] = total.get(code, 0) + int(counts.get(code, 0) or 0)
    return total
