"""Numbers that are known of every customer: age, years as a member, how much and how often ever, days of quiet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from dateutil.relativedelta import relativedelta
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    DateField,
    Exists,
    F,
    FilteredRelation,
    Func,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.db.models import Value as Constant
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest, TruncDate
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from common.time import AMSTERDAM, local_date, start_of_day
from common.values import Bounds, Measured, Value, values
from customers.facts import FactKind, fact_kinds
from customers.models import Customer, FactTotal, Subscription

TOTALS_FORGET = _("Of what was done ever only the present totals are kept.")
HOMES_FORGET = _("Who lived with whom before is not kept.")


class Years(Func):
    """Whole years from a date until a day; NULL when the date is."""

    template = "extract(year FROM age(%(expressions)s))::int"
    output_field = IntegerField()

    def __init__(self, day: dt.date, since: Combinable) -> None:
        super().__init__(Constant(day, output_field=DateField()), since)


class Days(Func):
    """Days from a date until a day; NULL when the date is."""

    template = "(%(expressions)s)"
    arg_joiner = " - "
    output_field = IntegerField()

    def __init__(self, day: dt.date, since: Combinable) -> None:
        super().__init__(Constant(day, output_field=DateField()), since)


class Age(Value):
    """Age in whole years; unknown of who is still to be born at that moment."""

    code = "customer.age"
    label = _("age")
    unit: Measured = "years"

    def expression(self, *, now: dt.datetime) -> Combinable:
        years = Years(local_date(now), F("birth_date"))
        return Case(When(self.known(now=now), then=years), output_field=IntegerField())

    def known(self, *, now: dt.datetime) -> Q:
        return Q(birth_date__isnull=False, birth_date__lte=local_date(now))

    def within(self, bounds: Bounds, *, now: dt.datetime) -> Q:
        return self.known(now=now) & since_years("birth_date", bounds, now)


def since_years(field: str, bounds: Bounds, now: dt.datetime) -> Q:
    """Return the condition that a date lies so many whole years back."""
    today, (low, high) = local_date(now), bounds.whole()
    q = Q(**{f"{field}__lte": years_back(today, low)}) if low is not None else Q()
    return q & Q(**{f"{field}__gt": years_back(today, high + 1)}) if high is not None else q


def years_back(day: dt.date, years: int) -> dt.date:
    """Return the day so many years earlier, or the first or last one there is."""
    if years > day.year - 2:
        return dt.date.min
    return dt.date.max if years < -7000 else day - relativedelta(years=years)


class MemberYears(Value):
    """Whole years since the first subscription, of who has one that runs."""

    code = "customer.member_years"
    label = _("years as a member")
    unit: Measured = "years"

    def expression(self, *, now: dt.datetime) -> Combinable:
        today, own = local_date(now), Subscription.objects.filter(customer=OuterRef("pk")).order_by()
        first = own.values("customer").annotate(first=Min("started_on")).values("first")
        since = Subquery(first, output_field=DateField())
        return Case(When(Exists(own.active_on(today)), then=Years(today, since)), output_field=IntegerField())

    def known(self, *, now: dt.datetime) -> Q:
        own = Subscription.objects.filter(customer=OuterRef("pk")).order_by()
        return Q(Exists(own.active_on(local_date(now))))

    def within(self, bounds: Bounds, *, now: dt.datetime) -> Q:
        today, (low, high) = local_date(now), bounds.whole()
        own = Subscription.objects.filter(customer=OuterRef("pk")).order_by()
        q = self.known(now=now)
        if low is not None:
            q &= Q(Exists(own.filter(started_on__lte=years_back(today, low))))
        if high is not None:
            q &= ~Q(Exists(own.filter(started_on__lte=years_back(today, high + 1))))
        return q

    def annotated(self, customers: QuerySet[Any], *, now: dt.datetime) -> QuerySet[Any]:
        today = local_date(now)
        runs = Q(subscriptions__started_on__lte=today) & (
            Q(subscriptions__ended_on__isnull=True) | Q(subscriptions__ended_on__gte=today)
        )
        grouped = customers.annotate(member_since=Min("subscriptions__started_on"), running=Count("pk", filter=runs))
        years = Case(When(running__gt=0, then=Years(today, F("member_since"))), output_field=IntegerField())
        annotated: QuerySet[Any] = grouped.annotate(worth=years)
        return annotated


class HouseholdSize(Value):
    """How many known customers share the address; who has no complete address counts as one."""

    code = "customer.household_size"
    label = _("people in the household")
    forgets = HOMES_FORGET

    def expression(self, *, now: dt.datetime) -> Combinable:
        living_there = Customer.objects.filter(household=OuterRef("household")).order_by()
        counted = living_there.values("household").annotate(many=Count("pk")).values("many")
        return Coalesce(Subquery(counted, output_field=IntegerField()), Constant(1))

    def known(self, *, now: dt.datetime) -> Q:
        return Q(pk__isnull=False)

    def within(self, bounds: Bounds, *, now: dt.datetime) -> Q:
        homes = Customer.objects.filter(household__isnull=False).order_by().values("household")
        found = homes.annotate(many=Count("pk")).filter(bounds.on("many")).values("household")
        return Q(household__in=found) | Q(household__isnull=True) if bounds.holds(1) else Q(household__in=found)

    def annotated(self, customers: QuerySet[Any], *, now: dt.datetime) -> QuerySet[Any]:
        known = Q(household__customer__merged_into__isnull=True)
        living_there = Count("household__customer", filter=known)
        annotated: QuerySet[Any] = customers.annotate(living_there=living_there).annotate(
            worth=Greatest(F("living_there"), Constant(1), output_field=IntegerField())
        )
        return annotated


class QuietDays(Value):
    """Days since the customer last did anything; unknown of who never did."""

    code = "customer.quiet_days"
    label = _("days since the last activity")
    unit: Measured = "days"
    forgets = TOTALS_FORGET

    def expression(self, *, now: dt.datetime) -> Combinable:
        own = FactTotal.objects.filter(customer=OuterRef("pk")).order_by().values("customer")
        last = own.annotate(last=Max("last_at")).values(day=TruncDate("last", tzinfo=AMSTERDAM))
        return Days(local_date(now), Subquery(last, output_field=DateField()))

    def known(self, *, now: dt.datetime) -> Q:
        return Q(Exists(FactTotal.objects.filter(customer=OuterRef("pk"))))

    def within(self, bounds: Bounds, *, now: dt.datetime) -> Q:
        today, (low, high) = local_date(now), bounds.whole()
        own = FactTotal.objects.filter(customer=OuterRef("pk"))
        q = self.known(now=now) if high is None else Q(Exists(own.filter(last_at__gte=_days_back(today, high))))
        return q & ~Q(Exists(own.filter(last_at__gte=_days_back(today, low - 1)))) if low is not None else q

    def annotated(self, customers: QuerySet[Any], *, now: dt.datetime) -> QuerySet[Any]:
        grouped = customers.annotate(last_done=Max("fact_totals__last_at"))
        day = TruncDate(F("last_done"), tzinfo=AMSTERDAM)
        annotated: QuerySet[Any] = grouped.annotate(worth=Days(local_date(now), day))
        return annotated


def _days_back(today: dt.date, days: int) -> dt.datetime:
    """Return when the day so many days ago began; within what the database can tell."""
    return start_of_day(today - dt.timedelta(days=min(max(days, -36500), (today - dt.date(1, 1, 2)).days)))


class OfTotal(Value):
    """What somebody did ever of one kind: how often, or for how much; 0 when never. Outlives the facts themselves."""

    forgets = TOTALS_FORGET

    def __init__(self, kind: FactKind, column: str) -> None:
        self.kind, self.column = kind.code, column
        is_money = column == "amount_cents"
        self.code = f"facts.{kind.code}.{'amount' if is_money else 'count'}"
        self.unit = "cents" if is_money else "number"
        words = _("{kind}: amount ever") if is_money else _("{kind}: how often ever")
        self.label = format_lazy(words, kind=kind.name)

    def expression(self, *, now: dt.datetime) -> Combinable:
        own = FactTotal.objects.filter(customer=OuterRef("pk"), kind=self.kind).order_by()
        return Coalesce(Subquery(own.values(self.column)[:1], output_field=BigIntegerField()), Constant(0))

    def known(self, *, now: dt.datetime) -> Q:
        return Q(pk__isnull=False)

    def within(self, bounds: Bounds, *, now: dt.datetime) -> Q:
        own = FactTotal.objects.filter(customer=OuterRef("pk"), kind=self.kind)
        found = Q(Exists(own.filter(bounds.on(self.column))))
        return found | ~Q(Exists(own)) if bounds.holds(0) else found

    def annotated(self, customers: QuerySet[Any], *, now: dt.datetime) -> QuerySet[Any]:
        joined = customers.annotate(of_kind=FilteredRelation("fact_totals", condition=Q(fact_totals__kind=self.kind)))
        number = Coalesce(F(f"of_kind__{self.column}"), Constant(0), output_field=BigIntegerField())
        annotated: QuerySet[Any] = joined.annotate(worth=number)
        return annotated


def of_kind(kind: FactKind) -> Iterator[Value]:
    """Yield the values of one kind of fact: how often, and for how much when customers pay for it."""
    yield OfTotal(kind, "count")
    if kind.is_income:
        yield OfTotal(kind, "amount_cents")


def of_own_kinds() -> Iterator[Value]:
    """Yield the values of the kinds that the organisation made itself."""
    for kind in fact_kinds.own().values():
        yield from of_kind(kind)


for _value in (Age(), MemberYears(), HouseholdSize(), QuietDays()):
    values.register(_value)
for _kind in fact_kinds.declared():
    for _of_kind in of_kind(_kind):
        values.register(_of_kind)
values.provide(of_own_kinds)
