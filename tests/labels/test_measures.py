"""Measures: days as the calendar has them, any number of sets of kinds, windows taken apart and put together again."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from common.sql import rows
from customers.models import Customer, Fact
from labels.actions import refresh_system_labels
from labels.computing import Computing
from labels.models import ValueDefinition
from labels.system.measures import Measure
from labels.system.moments import EPOCH, day_sql, months_before
from tests.factories import NOW, CustomerFactory, FactFactory, WorldFactory

pytestmark = pytest.mark.django_db
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
KINDS = ("loan", "ticket", "fee", "visit", "reservation", "request")
WHAT = st.sampled_from(["amount", "quantity", "count", "duration", "days", "last"])
MONTHS = st.sampled_from([1, 2, 3, 6, 12, 24])


@given(st.lists(st.integers(0, 800 * 24 * 60), min_size=1, max_size=40))
@limits(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_day_is_that_of_amsterdam_summer_and_winter(minutes: list[int]) -> None:
    first, last = dt.date(2024, 3, 30), dt.date(2026, 10, 26)
    began = dt.datetime(2024, 3, 29, 23, tzinfo=dt.UTC)
    changes = [dt.datetime(2025, 10, 25, 22, tzinfo=dt.UTC), dt.datetime(2024, 3, 31, 22, tzinfo=dt.UTC)]
    moments = [began + dt.timedelta(minutes=n) for n in minutes]
    moments += [one + dt.timedelta(microseconds=n) for one in changes for n in (-1, 0, 1)]
    told = rows(
        f"SELECT {day_sql('moment', first, last)} AS day FROM unnest(%s::timestamptz[]) AS moment",  # noqa: S608
        [moments],
    )
    assert [row["day"] for row in told] == [(one.astimezone(AMSTERDAM).date() - EPOCH).days for one in moments]


@given(
    st.lists(st.tuples(WHAT, st.sets(st.sampled_from(KINDS), min_size=1), MONTHS, MONTHS, st.booleans()), max_size=12),
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.integers(0, 760 * 24), st.integers(-2, 5), st.integers(0, 900)),
        max_size=12,
    ),
)
@limits(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_measures_of_any_windows_together_are_what_each_is_alone(
    asked: list[tuple[str, set[str], int, int, bool]], done: list[tuple[str, int, int, int]]
) -> None:
    Fact.objects.all().delete()
    customer = CustomerFactory()
    facts = [
        FactFactory(
            customer=customer, kind=kind, occurred_at=NOW - dt.timedelta(hours=hours), quantity=quantity,
            amount_cents=amount, duration_seconds=amount // 2,
        )
        for kind, hours, quantity, amount in done
    ]  # fmt: skip
    measures = [
        Measure(what, tuple(sorted(kinds)), max(a, b), 0 if a == b else min(a, b), bought)  # type: ignore[arg-type]
        for what, kinds, a, b, bought in asked
    ]
    assert measured(customer, measures) == [plainly(one, facts) for one in measures]


def test_forty_sets_of_kinds_are_told_apart() -> None:
    customer = CustomerFactory()
    for number, kind in enumerate(KINDS):
        FactFactory.create_batch(number + 1, customer=customer, kind=kind, occurred_at=NOW - dt.timedelta(days=9))
    sets = [tuple(kind for place, kind in enumerate(KINDS) if number >> place & 1) for number in range(1, 41)]
    measures = [Measure("count", kinds, 3) for kinds in sets]
    wanted = [sum(KINDS.index(kind) + 1 for kind in kinds) for kinds in sets]
    assert measured(customer, measures) == wanted


def test_a_full_run_passes_over_all_facts_three_times_however_many_families_there_are() -> None:
    WorldFactory(code="reizen")
    FactFactory(customer=CustomerFactory(), kind="loan", occurred_at=NOW - dt.timedelta(days=9), world="reizen")
    with CaptureQueriesContext(connection) as said:
        refresh_system_labels(now=NOW, due_key="1")
    passes = [query["sql"] for query in said if re.search(r"FROM customers_fact\b", query["sql"])]
    assert len(passes) == 3, passes  # sectors and genres there are, and what was done


def measured(customer: Customer, measures: Sequence[Measure]) -> list[object]:
    """Return what the run measures of somebody who may be profiled."""
    work = Computing([], ValueDefinition.objects.none(), now=NOW)
    work.measures = type(work.measures)(measures)
    work.prepare()
    told = {row["customer_id"]: row for row in rows("SELECT * FROM label_measure")}.get(customer.pk)
    return [told[work.measures.column(one)] if told else None for one in measures]


def plainly(one: Measure, facts: Sequence[Fact]) -> object:
    """Return the same, fact by fact."""
    since = months_before(NOW, one.months)
    until = months_before(NOW, one.until_months) if one.until_months else NOW + dt.timedelta(seconds=1)
    mine = [
        fact
        for fact in facts
        if fact.kind in one.kinds and since <= fact.occurred_at < until and (fact.quantity > 0 or not one.bought)
    ]
    days = {(fact.occurred_at.astimezone(AMSTERDAM).date() - EPOCH).days for fact in mine}
    return (
        {
            "amount": lambda: sum(fact.amount_cents for fact in mine),
            "quantity": lambda: sum(fact.quantity for fact in mine),
            "count": lambda: len(mine),
            "duration": lambda: sum(fact.duration_seconds for fact in mine),
            "days": lambda: len(days),
            "last": lambda: max(days),
        }[one.what]()
        if mine
        else None
    )
