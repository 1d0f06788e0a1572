"""Numbers of customers: what they are, comparing with them, and the top of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import translation

from common.criteria import criteria
from common.errors import Refused
from common.values import Bounds, values
from customers.actions import record_fact
from customers.actions.kinds import add_kind
from customers.models import Customer
from selections.compiler import compile_rule
from tests.customers.test_criteria import found
from tests.factories import NOW, CustomerFactory, HouseholdFactory, SourceFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db

CODE = "customer.value"


def paid(customer: Customer, kind: str, days_ago: int, cents: int = 0) -> None:
    moment = NOW - dt.timedelta(days=days_ago)
    record_fact(
        customer, kind=kind, occurred_at=moment, source_code="library", external_id=f"{kind}{customer.pk}{days_ago}",
        amount_cents=cents,
    )  # fmt: skip


def worth(code: str, customer: Customer) -> Any:
    row = Customer.objects.filter(pk=customer.pk).annotate(worth=values[code].expression(now=NOW))
    return row.values_list("worth", flat=True).get()


@pytest.fixture
def people() -> dict[str, Customer]:
    SourceFactory(code="library")
    home = HouseholdFactory()
    anna = CustomerFactory(number="anna", birth_date=dt.date(1980, 6, 15), household=home)
    bram = CustomerFactory(number="bram", birth_date=dt.date(1980, 6, 16), household=home)
    carla = CustomerFactory(number="carla", birth_date=None, household=None)
    SubscriptionFactory(customer=anna, started_on=dt.date(2016, 6, 16))
    SubscriptionFactory(customer=bram, started_on=dt.date(2000, 1, 1), ended_on=dt.date(2010, 1, 1))
    paid(anna, "fee", 10, 2500)
    paid(anna, "fee", 400, 2500)
    paid(anna, "loan", 3)
    paid(bram, "loan", 20)
    return {"anna": anna, "bram": bram, "carla": carla}


@pytest.mark.parametrize(
    ("code", "anna", "bram", "carla"),
    [
        ("customer.age", 46, 45, None),
        ("customer.member_years", 9, None, None),
        ("customer.household_size", 2, 2, 1),
        ("customer.quiet_days", 3, 20, None),
        ("facts.loan.count", 1, 1, 0),
        ("facts.fee.count", 2, 0, 0),
        ("facts.fee.amount", 5000, 0, 0),
    ],
)
def test_what_is_known_of_each(people: dict[str, Customer], code: str, anna: Any, bram: Any, carla: Any) -> None:
    assert [worth(code, people[name]) for name in ("anna", "bram", "carla")] == [anna, bram, carla]


def test_who_is_still_to_be_born_is_of_no_age() -> None:
    ahead = CustomerFactory(number="ahead", birth_date=dt.date(2026, 6, 16))
    today = CustomerFactory(number="today", birth_date=dt.date(2026, 6, 15))
    assert [worth("customer.age", one) for one in (ahead, today)] == [None, 0]
    age = values["customer.age"]
    for q in (age.known(now=NOW), age.within(Bounds(high=0), now=NOW), ~age.within(Bounds(low=1), now=NOW)):
        assert today in Customer.objects.filter(q)
    assert ahead not in Customer.objects.filter(age.known(now=NOW))
    assert ahead not in Customer.objects.filter(age.within(Bounds(high=0), now=NOW))
    assert ahead in Customer.objects.filter(~age.within(Bounds(high=0), now=NOW))


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"value": "customer.age", "op": "at_least", "number": 46}, {"anna"}),
        ({"value": "customer.age", "op": "less", "number": 46}, {"bram"}),
        ({"value": "customer.age", "op": "not", "number": 46}, {"bram"}),
        ({"value": "customer.age", "op": "between", "number": 40, "number_to": 45}, {"bram"}),
        ({"value": "customer.age", "op": "outside", "number": 40, "number_to": 45}, {"anna"}),
        ({"value": "customer.age", "op": "empty"}, {"carla"}),
        ({"value": "customer.age", "op": "filled"}, {"anna", "bram"}),
        ({"value": "facts.fee.amount", "op": "exactly", "number": 0}, {"bram", "carla"}),
        ({"value": "facts.fee.amount", "op": "more", "number": 4999.5}, {"anna"}),
        ({"value": "customer.quiet_days", "op": "at_most", "number": 3}, {"anna"}),
        ({"value": "gone", "number": 1}, set()),
    ],
)
def test_comparing(people: dict[str, Customer], params: dict[str, Any], expected: set[str]) -> None:
    assert found(CODE, params) == expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"op": "top", "percent": 10}, {"20"}),
        ({"op": "top", "percent": 25}, {"20", "19", "18", "17", "16"}),
        ({"op": "bottom", "percent": 5}, {"1"}),
        ({"op": "top", "percent": 0.1}, {"20"}),
    ],
)
def test_the_highest_and_lowest_share_of_whom_it_is_known(params: dict[str, Any], expected: set[str]) -> None:
    for age in range(1, 21):
        CustomerFactory(number=str(age), birth_date=dt.date(2026 - age, 1, 1))
    CustomerFactory(number="unknown", birth_date=None)
    CustomerFactory(number="restricted", birth_date=dt.date(1900, 1, 1), restricted_at=NOW)
    top = found(CODE, {"value": "customer.age", **params})
    assert top == (expected if params["percent"] != 10 else {"20", "19"})


def test_who_are_equal_are_in_or_out_together() -> None:
    for number in range(10):
        CustomerFactory(number=str(number), birth_date=dt.date(1980 if number < 4 else 2000, 1, 1))
    assert found(CODE, {"value": "customer.age", "op": "top", "percent": 10}) == {"0", "1", "2", "3"}


def test_kinds_of_the_organisation_have_values_as_soon_as_they_are_there(people: dict[str, Customer]) -> None:
    add_kind(name="Workshop", verb="deed een workshop", has_amount=True, by=None, now=NOW)
    paid(people["carla"], "workshop", 1, 1500)
    assert worth("facts.workshop.amount", people["carla"]) == 1500
    assert found(CODE, {"value": "facts.workshop.count", "number": 1}) == {"carla"}


def test_a_selection_takes_the_top_by_a_value(people: dict[str, Customer]) -> None:
    rule = {"version": 2, "op": "all", "children": [], "picks": [{"pick": "top", "size": 1, "by": "facts.fee.amount"}]}
    assert [customer.number for customer in compile_rule(rule, now=NOW)] == ["anna"]


def test_it_says_which_value_it_saw_and_when_it_is_a_guess(people: dict[str, Customer]) -> None:
    criterion = criteria[CODE]
    given = criterion.params.model_validate({"value": "facts.fee.amount", "number": 100})
    with translation.override("nl"):
        assert criterion.seen(given, people["anna"], now=NOW) == "Contributie: bedrag ooit: €\u00a050,00"
    earlier = NOW - dt.timedelta(days=100)
    assert criterion.gap(given, now=earlier, present=NOW)
    by_age = criterion.params.model_validate({"value": "customer.age", "number": 1})
    assert not criterion.gap(by_age, now=earlier, present=NOW)


def test_a_value_that_is_not_there_is_refused_when_a_rule_is_saved() -> None:
    with pytest.raises(Refused, match=r"gone\.value"):
        criteria[CODE].check(criteria[CODE].params.model_validate({"value": "gone.value", "number": 1}))


def test_every_value_can_be_asked_of_everybody(people: dict[str, Customer]) -> None:
    ask: Callable[[str], set[str]] = lambda code: found(CODE, {"value": code, "number": 0})  # noqa: E731
    for value in values:
        assert ask(value.code) <= set(people)
        assert value.words(None) == "–"


@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(low=0),
        Bounds(low=1),
        Bounds(low=2, is_open=True),
        Bounds(high=0),
        Bounds(high=45.5),
        Bounds(high=1, is_open=True),
        Bounds(1, 1),
        Bounds(2, 45),
        Bounds(0, 3),
        Bounds(46, 46),
        Bounds(low=-5),
        Bounds(high=9, is_open=True),
    ],
)
def test_the_quick_ways_say_what_the_number_itself_says(people: dict[str, Customer], bounds: Bounds) -> None:
    add_kind(name="Workshop", verb="deed een workshop", has_amount=True, by=None, now=NOW)
    for value in values:
        numbers = dict(Customer.objects.annotate(worth=value.expression(now=NOW)).values_list("number", "worth"))
        known = {number for number, one in numbers.items() if one is not None}
        expected = {number for number in known if bounds.holds(numbers[number])}
        found_by = Customer.objects.filter(value.within(bounds, now=NOW)).values_list("number", flat=True)
        assert set(found_by) == expected, value.code
        assert set(Customer.objects.filter(value.known(now=NOW)).values_list("number", flat=True)) == known
        ranked = value.annotated(Customer.objects.all(), now=NOW).values_list("number", "worth")
        assert dict(ranked) == numbers
        others = Customer.objects.filter(~value.within(bounds, now=NOW)).values_list("number", flat=True)
        assert set(others) == set(numbers) - expected
