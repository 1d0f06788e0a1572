"""Birthdays and anniversaries come back on the right day, on leap days too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from common.criteria import criteria
from customers.models import Customer
from tests.customers.test_criteria import found
from tests.factories import NOW, CustomerFactory, SubscriptionFactory
from tests.tries import tries

pytestmark = pytest.mark.django_db

CODE = "customer.anniversary"
DAY = dt.timedelta(days=1)


@pytest.fixture
def person() -> Callable[..., Customer]:
    def make(number: str, **fields: Any) -> Customer:
        return CustomerFactory(number=number, **fields)

    return make


Person = Callable[..., Customer]


def on(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(9), tzinfo=NOW.tzinfo)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"period": "today"}, {"0615"}),
        ({"period": "tomorrow"}, {"0616"}),
        ({"period": "next", "number": 7}, {"0615", "0616", "0622"}),
        ({"period": "ahead", "number": 7, "number_to": 7}, {"0622"}),
        ({"period": "this_week"}, {"0615", "0616"}),
        ({"period": "this_month"}, {"0615", "0616", "0622"}),
        ({"period": "next_month"}, {"0701"}),
        ({"period": "this_year"}, {"0615", "0616", "0622", "0701", "0229"}),
        ({"period": "today", "years": [46]}, {"0615"}),
        ({"period": "today", "years": [45, 47]}, set()),
        ({"period": "this_month", "every": 23}, {"0615", "0616", "0622"}),
        ({"period": "this_month", "every": 50}, set()),
    ],
)
def test_birthdays(person: Person, params: dict[str, Any], expected: set[str]) -> None:
    for month, day in ((6, 15), (6, 16), (6, 22), (7, 1), (2, 29)):
        person(f"{month:02d}{day:02d}", birth_date=dt.date(1980, month, day))
    person("baby", birth_date=NOW.date())
    person("unknown", birth_date=None)
    assert found(CODE, params) == expected


@pytest.mark.parametrize(
    ("today", "params", "is_found"),
    [
        (dt.date(2026, 2, 28), {"period": "today"}, True),
        (dt.date(2026, 3, 1), {"period": "today"}, False),
        (dt.date(2028, 2, 28), {"period": "today"}, False),
        (dt.date(2028, 2, 29), {"period": "today"}, True),
        (dt.date(2026, 2, 28), {"period": "today", "years": [26]}, True),
        (dt.date(2028, 2, 29), {"period": "today", "years": [28]}, True),
        (dt.date(2028, 2, 28), {"period": "today", "years": [28]}, False),
        (dt.date(2026, 2, 1), {"period": "this_month", "every": 13}, True),
    ],
)
def test_somebody_of_29_february(person: Person, today: dt.date, params: dict[str, Any], is_found: bool) -> None:
    person("leap", birth_date=dt.date(2000, 2, 29))
    assert found(CODE, params, on(today)) == ({"leap"} if is_found else set())


def test_ten_years_a_member_counts_from_the_first_subscription_of_who_has_one_that_runs(person: Person) -> None:
    ten = person("ten")
    SubscriptionFactory(customer=ten, started_on=dt.date(2016, 6, 15), ended_on=dt.date(2020, 1, 1))
    SubscriptionFactory(customer=ten, started_on=dt.date(2021, 6, 15))
    SubscriptionFactory(customer=person("five"), started_on=dt.date(2021, 6, 15))
    SubscriptionFactory(customer=person("gone"), started_on=dt.date(2016, 6, 15), ended_on=dt.date(2020, 1, 1))
    assert found(CODE, {"of": "member", "years": [10]}) == {"ten"}
    assert found(CODE, {"of": "member", "every": 5}) == {"ten", "five"}
    assert found(CODE, {"of": "member"}) == {"ten", "five"}
    assert found(CODE, {"of": "member"}, on(dt.date(2026, 6, 14))) == set()


def test_an_anniversary_of_registration(person: Person) -> None:
    person("one", registered_on=dt.date(2025, 6, 15))
    person("today", registered_on=NOW.date())
    assert found(CODE, {"of": "registered_on"}) == {"one"}


def anniversary(base: dt.date, years: int) -> dt.date:
    try:
        return base.replace(year=base.year + years)
    except ValueError:
        return dt.date(base.year + years, 2, 28)


_near_leap_days = st.sampled_from(
    [dt.date(2024, 2, 28), dt.date(2024, 2, 29), dt.date(2025, 2, 28), dt.date(2025, 3, 1)]
)


@settings(max_examples=tries(50), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    base=st.one_of(st.dates(dt.date(1930, 1, 1), dt.date(2026, 12, 31)), st.just(dt.date(2000, 2, 29))),
    today=st.one_of(st.dates(dt.date(2020, 1, 1), dt.date(2032, 12, 31)), _near_leap_days),
    length=st.integers(0, 364),
    years=st.lists(st.integers(1, 60), max_size=3),
    every=st.none() | st.integers(1, 60),
)
def test_anniversaries_agree_with_counting_them_one_by_one(
    base: dt.date, today: dt.date, length: int, years: list[int], every: int | None
) -> None:
    customer = CustomerFactory(birth_date=base)
    params = criteria[CODE].params.model_validate({"period": "next", "number": length, "years": years, "every": every})
    wanted = set(years) | (set(range(every, 151, every)) if every else set())
    counted = wanted or set(range(1, 151))
    expected = any(today <= anniversary(base, year) <= today + length * DAY for year in counted)
    q = criteria[CODE].to_q(params, now=on(today))
    assert Customer.objects.filter(q, pk=customer.pk).exists() == expected


@pytest.mark.parametrize(
    "params",
    [
        {"period": "ever"},
        {"period": "before_last", "number": 3},
        {"period": "from_month"},
        {"period": "between", "since": "2026-01-01"},
        {"period": "last", "number": 2, "unit": "year"},
        {"period": "last", "number": 30000, "unit": "year"},
        {"years": [0]},
        {"years": [151]},
        {"every": 0},
        {"of": "first_loan"},
    ],
)
def test_a_stretch_without_end_and_impossible_years_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        criteria[CODE].params.model_validate(params)


@pytest.mark.parametrize("params", [{}, {"years": [1]}, {"every": 1}])
def test_in_the_first_year_of_the_calendar_nobody_has_an_anniversary(person: Person, params: dict[str, Any]) -> None:
    person("0615", birth_date=dt.date(1980, 6, 15))
    window = {"period": "between", "since": "0001-01-01", "until": "0001-12-30"}
    assert found(CODE, {**window, **params}) == set()
