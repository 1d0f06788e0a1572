"""How regularly somebody comes, and whether he is later than he usually is.

A visit is an Amsterdam day on which something of the kind happened. Of somebody with n visits the usual interval is
the number of days from the first to the last, divided by n - 1; it needs at least two. Visits are counted in the facts
themselves, for a total does not know how many of its facts lie on one day. Where each fact counts as a visit (``per``
is "fact"), and the window has no beginning and nothing is narrowed, totals answer it exactly, and at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal

from django import forms
from django.db.models import BigIntegerField, DateField, F, Max, Min, Q, QuerySet, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Cast
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThanOrEqual
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, model_validator

from common.time import local_date
from customers.criteria.facts import totals
from customers.criteria.facts.common import (
    FactCriterion,
    FactForm,
    FactParams,
    NarrowForm,
    Per,
    facts_of,
    narrowed,
    what,
)
from customers.criteria.facts.counting import times_of
from customers.criteria.facts.shapes import DAY, Among, DaysBetween, local_day
from customers.criteria.windows import WindowForm
from customers.models import Customer, FactTotal

PERCENT = 100
GAPS = Cast(F("times") - 1, BigIntegerField())


class RhythmParams(FactParams):
    """Of whom there are at least ``visits`` in the window; ``per``: what counts as one."""

    visits: int = Field(default=3, ge=2, le=10000)
    per: Per = "day"

    @model_validator(mode="after")
    def _counted(self) -> RhythmParams:
        if self.per == "order":
            raise ValueError(_("A visit is a day or a single time."))
        return self

    @property
    def is_total(self) -> bool:
        """Whether totals know it, as far as the window goes."""
        return self.per == "fact" and not self.is_narrowed


class RhythmForm(FactForm):
    visits = forms.IntegerField(label=gettext_lazy("At least … visits"), min_value=2, max_value=10000, initial=3)
    per = forms.ChoiceField(
        label=gettext_lazy("What counts as a visit"),
        choices=[
            ("day", gettext_lazy("a day, whatever happened on it")),
            ("fact", gettext_lazy("each time")),
        ],
        required=False,
        initial="day",
    )


#: (number, how it compares, number, factor): ("span", "lte", "gaps", 30) is span <= gaps * 30.
Comparison = tuple[Literal["span", "late"], Literal["gte", "lte", "gt"], Literal["span", "gaps"], int]


class RhythmCriterion(FactCriterion):
    """What both ask: visits, the days from the first to the last, and the last."""

    def visitors(self, params: Any, now: dt.datetime, asked: Sequence[Comparison]) -> Q:
        """Return who came often enough and of whom all comparisons hold: of ``gaps`` (one less than the visits),
        ``span`` (days from the first to the last) and ``late`` (days since the last, times the gaps, times 100).
        """
        start, end = params.happened(now=now)
        condition = Q(times__gte=params.visits)
        for number, compares, other, factor in asked:
            condition &= Q(**{f"{number}__{compares}": F(other) * factor})
        today = Value(local_date(now), output_field=DateField())
        if params.is_total and start is None:
            first, last = local_day("first_at"), local_day("last_then")
            known = (
                totals_then.alias(gaps=GAPS, span=DaysBetween(last, first), late=_late(DaysBetween(today, last)))
                for totals_then in totals.totals_at(params.kind, end)
            )
            return Q(Among(*(found.filter(condition).values("customer_id") for found in known)))
        facts = facts_of(params, start, end)
        if start is None and not params.is_narrowed:
            facts = facts.filter(customer__in=_possible(params, asked, end, local_date(now)))
        visits = facts.values("customer_id").annotate(times=times_of(params.per), span=DaysBetween(Max(DAY), Min(DAY)))
        visits = visits.annotate(gaps=GAPS, late=_late(DaysBetween(today, Max(DAY))))
        return Q(Among(visits.filter(condition).values("customer_id")))

    def rows_since(self, params: Any, *, now: dt.datetime) -> dict[str, dt.datetime | None]:
        """Return what it must see: only what happened since the window, where totals know the rest."""
        start, end = params.happened(now=now)
        return {params.kind: end if params.is_total and start is None else start}

    def seen(self, params: Any, customer: Customer, *, now: dt.datetime) -> str:
        times, first, last = visits_of(params, customer, now)
        if first is None or last is None:
            return _("never")
        ago = (local_date(now) - last).days
        values: dict[str, Any] = {"day": date_format(last), "ago": ngettext("%d day ago", "%d days ago", ago) % ago}
        if times < 2:
            return _("one visit, on %(day)s (%(ago)s)") % values
        values |= {"n": times, "interval": days((last - first).days / (times - 1))}
        return _("%(n)d visits, every %(interval)s on average; last on %(day)s (%(ago)s)") % values


def _possible(
    params: RhythmParams, asked: Sequence[Comparison], end: dt.datetime, today: dt.date
) -> QuerySet[FactTotal, Any]:
    """Return whom totals do not rule out, so that fewer facts need to be looked at.

    A total knows the first and the last day, and that there are no more visits than facts. So with the most gaps there
    can be, or the fewest there must be, a comparison that fails, fails for certain.
    """
    span = DaysBetween(local_day("last_at"), local_day("first_at"))
    idle = DaysBetween(Value(today, output_field=DateField()), local_day("last_at"))
    most, fewest = Cast(F("count") - 1, BigIntegerField()), Value(params.visits - 1, output_field=BigIntegerField())
    may_be = Q(count__gte=params.visits)
    for number, compares, other, factor in asked:
        gaps = most if compares == "gt" or (number, compares) == ("span", "lte") else fewest
        sides = {"gaps": gaps, "span": span, "late": idle * gaps * PERCENT}
        may_be &= Q(_COMPARED[compares](sides[number], sides[other] * factor))
    known = FactTotal.objects.filter(kind=params.kind, first_at__lt=end).order_by()
    return known.filter(Q(last_at__gte=end) | may_be).values("customer_id")


_COMPARED: dict[str, Any] = {"gte": GreaterThanOrEqual, "lte": LessThanOrEqual, "gt": GreaterThan}


def _late(idle: DaysBetween) -> CombinedExpression:
    return idle * GAPS * PERCENT


def visits_of(params: RhythmParams, customer: Customer, now: dt.datetime) -> tuple[int, dt.date | None, dt.date | None]:
    """Return how many visits one customer made, the day of the first, and of the last."""
    start, end = params.happened(now=now)
    if params.is_total and start is None:
        known = totals.of_customer(params.kind, customer, end)
        if not known:
            return 0, None, None
        return known["times"], local_date(known["first"]), local_date(known["last"])
    facts = facts_of(params, start, end).filter(customer=customer)
    found = facts.aggregate(times=times_of(params.per), first=Min(DAY), last=Max(DAY))
    return found["times"], found["first"], found["last"]


def days(number: float) -> str:
    """Return a number of days with at most one decimal: "20.5 days"."""
    rounded = round(number, 1)
    if rounded == int(rounded):
        return ngettext("%d day", "%d days", int(rounded)) % rounded
    return _("%s days") % number_format(rounded, 1)


class IntervalParams(RhythmParams):
    """On average ``at_least`` to ``at_most`` days between two visits."""

    at_least: int | None = Field(default=None, ge=0, le=36500)
    at_most: int | None = Field(default=None, ge=0, le=36500)

    @model_validator(mode="after")
    def _bounded(self) -> IntervalParams:
        if self.at_least is None and self.at_most is None:
            raise ValueError(_("Fill in a least or a most number of days."))
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(_("Fill in two numbers, the lowest first."))
        return self


class IntervalForm(RhythmForm):
    at_least = forms.IntegerField(
        label=gettext_lazy("At least … days between two visits"), required=False, min_value=0, max_value=36500
    )
    at_most = forms.IntegerField(
        label=gettext_lazy("At most … days between two visits"), required=False, min_value=0, max_value=36500
    )
    field_order = ("kind", "at_least", "at_most", "visits", "per", *WindowForm.WINDOW, *NarrowForm.NARROW)


class Interval(RhythmCriterion):
    """Comes on average every so many days."""

    code = "facts.interval"
    label = gettext_lazy("How often they come: days between visits")
    params = IntervalParams
    form = IntervalForm

    def to_q(self, params: IntervalParams, *, now: dt.datetime) -> Q:
        asked: list[Comparison] = []  # span / gaps within the bounds, in whole numbers
        if params.at_least is not None:
            asked.append(("span", "gte", "gaps", params.at_least))
        if params.at_most is not None:
            asked.append(("span", "lte", "gaps", params.at_most))
        return self.visitors(params, now, asked)

    def sentence(self, params: IntervalParams) -> str:
        values = {
            "when": params.words(),
            "what": what(params.kind),
            "days": _between_days(params.at_least, params.at_most),
            "visits": _visits(params),
        }
        return narrowed(_("have %(what)s %(when)s with %(days)s between on average (%(visits)s)") % values, params)


def _between_days(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return _("%(low)s to %(high)s days") % {"low": low, "high": high}
    if low is not None:
        return ngettext("at least %d day", "at least %d days", low) % low
    return ngettext("at most %d day", "at most %d days", high or 0) % (high or 0)


def _visits(params: RhythmParams) -> str:
    if params.per == "fact":
        return ngettext("at least %d time", "at least %d times", params.visits) % params.visits
    return ngettext("on at least %d day", "on at least %d days", params.visits) % params.visits


class DueParams(RhythmParams):
    """Later than ``percent`` of the usual interval after the last visit, and no later than ``percent_to`` of it."""

    percent: int = Field(default=100, ge=10, le=10000)
    percent_to: int | None = Field(default=None, ge=10, le=10000)

    @model_validator(mode="after")
    def _rising(self) -> DueParams:
        if self.percent_to is not None and self.percent_to <= self.percent:
            raise ValueError(_("Fill in two numbers, the lowest first."))
        return self


class DueForm(RhythmForm):
    percent = forms.IntegerField(
        label=gettext_lazy("Later than … % of the usual interval"),
        min_value=10,
        max_value=10000,
        initial=100,
        help_text=gettext_lazy("100: later than usual. 150: half as much again."),
    )
    percent_to = forms.IntegerField(
        label=gettext_lazy("But no later than … %"),
        required=False,
        min_value=10,
        max_value=10000,
        help_text=gettext_lazy("Leave empty for however late."),
    )
    field_order = ("kind", "percent", "percent_to", "visits", "per", *WindowForm.WINDOW, *NarrowForm.NARROW)


class Due(RhythmCriterion):
    """Stays away longer than he usually does: last visit plus the usual interval times a factor lies in the past."""

    code = "facts.due"
    label = gettext_lazy("Stays away longer than usual")
    params = DueParams
    form = DueForm

    def to_q(self, params: DueParams, *, now: dt.datetime) -> Q:
        # days since the last > span / gaps * percent / 100, in whole numbers
        asked: list[Comparison] = [("late", "gt", "span", params.percent)]
        if params.percent_to is not None:
            asked.append(("late", "lte", "span", params.percent_to))
        return self.visitors(params, now, asked)

    def sentence(self, params: DueParams) -> str:
        values = {
            "when": params.words(),
            "what": what(params.kind),
            "visits": _visits(params),
            "low": _factor(params.percent),
        }
        if params.percent_to is not None:
            values["high"] = _factor(params.percent_to)
            words = _(
                "have %(what)s %(when)s (%(visits)s) and stay away %(low)s to %(high)s times their usual interval"
            )
        else:
            words = _("have %(what)s %(when)s (%(visits)s) and stay away more than %(low)s times their usual interval")
        return narrowed(words % values, params)


def _factor(percent: int) -> str:
    """Return a percentage as a factor: "1.5"."""
    return number_format(f"{percent / PERCENT:g}")
