"""Computed values: equal to a plain calculation, kept by the run, and known to selections."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2
import pytest
from dateutil.relativedelta import relativedelta
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from common.errors import Refused
from common.money import format_cents
from common.personal import personal_tables
from common.time import clock
from common.values import values
from customers.actions.kinds import set_retention
from customers.models import Customer, Fact, Purpose
from customers.privacy.copies import read
from customers.privacy.persons import identify
from labels.actions import refresh_system_labels, take_profiling_labels
from labels.actions.computed import change_value, create_value, preview_thresholds, preview_value, remove_value
from labels.formulas import STANDARD, read_terms
from labels.models import CustomerValue, RefreshRun, ValueDefinition
from labels.system import families
from labels.system.kinds import resolve
from labels.system.moments import day_number
from selections.compiler import compile_rule
from selections.models import Selection
from tests.factories import NOW, ConsentFactory, CustomerFactory, FactFactory
from tests.tries import tries

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
KINDS = ("loan", "ticket", "fee", "visit")
TERM = st.fixed_dictionaries(
    {
        "weight": st.sampled_from([1, 0.5, -2, 100]),
        "what": st.sampled_from(["amount", "quantity", "count", "days", "duration", "recency", "interval"]),
        "kinds": st.sampled_from([["loan"], ["ticket", "fee"], ["income"], ["deeds"], list(KINDS)]),
        "months": st.sampled_from([1, 6, 24]),
    }
)
FACT = st.tuples(
    st.integers(0, 2), st.sampled_from(KINDS), st.integers(-30, 24 * 800), st.integers(-2, 9), st.integers(0, 900)
)


def refresh(now: dt.datetime = NOW, key: str = "test") -> RefreshRun:
    return refresh_system_labels(now=now, due_key=key)


def number_of(customer: Customer, code: str, now: dt.datetime = NOW) -> Any:
    value = values[f"computed.{code}"]
    return Customer.objects.annotate(n=value.expression(now=now)).get(pk=customer.pk).n


def own(name: str = "Punten", unit: str = "number", **term: Any) -> ValueDefinition:
    terms = [{"weight": 1, "what": "count", "kinds": ["loan"], "months": 12, **term}]
    return create_value(name=name, unit=unit, terms=terms, now=NOW)


def plainly(terms: list[dict[str, Any]], facts: list[Fact], now: dt.datetime) -> float | None:
    """The formula as a person would work it out."""
    today = now.astimezone(AMSTERDAM).date()
    result, found, needed = 0.0, False, False
    for term in terms:
        start = today - relativedelta(months=term["months"])
        since = dt.datetime(start.year, start.month, start.day, tzinfo=AMSTERDAM)
        mine = [fact for fact in facts if fact.kind in resolve(term["kinds"]) and since <= fact.occurred_at <= now]
        days = sorted({fact.occurred_at.astimezone(AMSTERDAM).date() for fact in mine})
        found = found or bool(mine)
        if term["what"] == "recency":
            needed = True
            if not days:
                return None
            number: float = (today - days[-1]).days
        elif term["what"] == "interval":
            needed = True
            if len(days) < 2:
                return None
            number = (days[-1] - days[0]).days / (len(days) - 1)
        else:
            number = {
                "amount": sum(fact.amount_cents for fact in mine),
                "quantity": sum(fact.quantity for fact in mine),
                "count": len(mine),
                "days": len(days),
                "duration": sum(fact.duration_seconds for fact in mine),
            }[term["what"]]
        result += term["weight"] * number
    return result if found or needed else None


@limits(max_examples=tries(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(terms=st.lists(TERM, min_size=1, max_size=3), facts=st.lists(FACT, max_size=14))
def test_a_value_is_what_a_plain_calculation_gives(
    terms: list[dict[str, Any]], facts: list[tuple[int, str, int, int, int]]
) -> None:
    RefreshRun.objects.all().delete()
    ValueDefinition.objects.filter(is_standard=False).delete()
    people = CustomerFactory.create_batch(3)
    for who, kind, hours, quantity, cents in facts:
        FactFactory(
            customer=people[who], kind=kind, occurred_at=NOW - dt.timedelta(hours=hours), quantity=quantity,
            amount_cents=cents, duration_seconds=cents * 3,
        )  # fmt: skip
    create_value(name="Punten", unit="number", terms=terms, now=NOW)
    values_known = {value.code for value in values}
    assert "computed.punten" in values_known
    refresh()
    for customer in people:
        expected = plainly(terms, list(Fact.objects.filter(customer=customer)), NOW)
        found = number_of(customer, "punten")
        assert found == (None if expected is None else pytest.approx(expected, abs=1e-6)), terms


def test_the_standard_values_are_there() -> None:
    customer, once, nobody = CustomerFactory.create_batch(3)
    for days in (100, 40, 10):
        FactFactory(customer=customer, occurred_at=NOW - days * DAY)
    FactFactory(customer=customer, kind="ticket", amount_cents=2500, occurred_at=NOW - 10 * DAY)
    FactFactory(customer=customer, kind="fee", amount_cents=5800, occurred_at=NOW - 700 * DAY)
    FactFactory(customer=once, occurred_at=NOW - 5 * DAY)
    refresh()
    assert number_of(customer, "customer-value") == 8300
    assert number_of(customer, "frequency") == 3
    assert number_of(customer, "recency") == 10
    assert number_of(customer, "interval") == 45
    assert (number_of(once, "customer-value"), number_of(once, "interval"), number_of(once, "recency")) == (
        None,
        None,
        5,
    )
    assert [number_of(nobody, code) for code in STANDARD] == [None] * 4
    assert values["computed.customer-value"].words(8300) == "€\u00a083,00"
    assert values["computed.interval"].words(45.25) == "45,2"


def test_days_since_the_last_time_grow_without_being_written() -> None:
    customer = CustomerFactory()
    FactFactory(customer=customer, occurred_at=NOW - 5 * DAY)
    refresh()
    rows = set(CustomerValue.objects.values_list())
    refresh(NOW + 3 * DAY, "later")
    assert set(CustomerValue.objects.values_list()) == rows
    assert number_of(customer, "recency", NOW + 3 * DAY) == 8


def test_a_number_goes_when_there_is_nothing_to_tell_any_more(profiling: Purpose) -> None:
    customer, objecting = CustomerFactory.create_batch(2)
    for one in (customer, objecting):
        FactFactory(customer=one, occurred_at=NOW - 5 * DAY)
    refresh()
    assert number_of(customer, "frequency") == number_of(objecting, "frequency") == 1
    Fact.objects.filter(customer=customer).delete()
    ConsentFactory(customer=objecting, purpose=profiling, state="objected", event_at=NOW)
    refresh(NOW + DAY, "later")
    assert CustomerValue.objects.filter(customer__in=[customer, objecting]).count() == 0


def test_who_objects_loses_his_numbers_at_once() -> None:
    customer = CustomerFactory()
    FactFactory(customer=customer)
    refresh()
    assert customer.computed_values.exists()
    take_profiling_labels(customer, now=NOW)
    assert not customer.computed_values.exists()


def test_a_selection_takes_the_top_by_a_computed_value() -> None:
    few, many, none = CustomerFactory.create_batch(3)
    FactFactory.create_batch(2, customer=few)
    FactFactory.create_batch(5, customer=many)
    own()
    refresh()
    rule = {"version": 2, "op": "all", "children": [], "picks": [{"pick": "top", "by": "computed.punten", "size": 2}]}
    assert set(compile_rule(rule, now=NOW)) == {few, many}
    rule["picks"][0]["size"] = 1  # type: ignore[index]
    assert set(compile_rule(rule, now=NOW)) == {many}
    assert none.pk


@pytest.mark.parametrize(
    "term",
    [
        {"what": "nothing"},
        {"kinds": []},
        {"kinds": ["gone"]},
        {"months": 0},
        {"months": 121},
        {"weight": 0},
        {"weight": "much"},
        {"weight": 2_000_000},
        {"months": float("inf")},
        {"weight": float("nan")},
    ],
)
def test_a_formula_that_is_none_is_refused(term: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        own(**term)
    assert not ValueDefinition.objects.filter(is_standard=False).exists()


def test_what_a_standard_value_measures_stays() -> None:
    refresh()
    definition = ValueDefinition.objects.get(code="customer-value")
    months = [{"weight": 1, "what": "amount", "kinds": ["ticket"], "months": 36}]
    change_value(definition, name="Waarde", unit="cents", terms=months)
    assert str(ValueDefinition.objects.get(code="customer-value")) == "Waarde"
    with pytest.raises(Refused):
        change_value(definition, name="Waarde", unit="cents", terms=[{**months[0], "what": "days"}])
    with pytest.raises(Refused):
        change_value(definition, name="Waarde", unit="number", terms=months)
    with pytest.raises(Refused):
        remove_value(definition)


def test_a_value_in_use_stays() -> None:
    definition = own()
    rule = {"version": 2, "op": "all", "children": [], "picks": [{"pick": "top", "by": "computed.punten", "size": 2}]}
    selection = Selection.objects.create(name="Top", rule=rule, created_at=NOW, updated_at=NOW)
    with pytest.raises(Refused, match="Top"):
        remove_value(definition)
    selection.delete()
    remove_value(definition)
    assert "computed.punten" not in values


def test_a_preview_gives_what_the_run_writes_and_writes_nothing() -> None:
    people: list[Customer] = CustomerFactory.create_batch(4)
    for n, customer in enumerate(people):
        FactFactory.create_batch(n, customer=customer)
    terms = [{"weight": 2, "what": "count", "kinds": ["loan"], "months": 12}]
    told = preview_value(terms, now=NOW)
    assert CustomerValue.objects.count() == 0
    assert (told.known, told.quartiles[0], told.quartiles[-1]) == (3, 2, 6)
    first, number = told.examples[0]
    assert (first.pk, number) == (people[3].pk, 6)
    create_value(name="Punten", unit="number", terms=terms, now=NOW)
    refresh()
    assert sorted(CustomerValue.objects.filter(value__code="punten").values_list("number", flat=True)) == [2, 4, 6]


def test_facts_are_kept_as_long_as_a_value_looks_back() -> None:
    own(months=30)
    with pytest.raises(Refused):
        set_retention("loan", months=29, by=None, now=NOW)
    set_retention("loan", months=30, by=None, now=NOW)


def test_every_standard_formula_can_be_read() -> None:
    for definition in ValueDefinition.objects.all():
        assert read_terms(definition.terms) == STANDARD[definition.code][3]
    assert ValueDefinition.objects.count() == len(STANDARD)


def test_a_preview_that_takes_too_long_is_given_up() -> None:
    with closing(psycopg2.connect(**connection.get_connection_params())) as other, other.cursor() as cursor:
        cursor.execute("SET lock_timeout = '5s'; LOCK customers_fact IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Refused) as refused:
            preview_value([{"weight": 1, "what": "count", "kinds": ["loan"], "months": 1}], now=NOW, seconds=0.2)
        assert refused.value.code == "too_heavy"
        with pytest.raises(Refused) as refused:
            preview_thresholds(families["tickets"], numbers={}, now=NOW, seconds=0.2)
        assert refused.value.code == "too_heavy"


def test_a_copy_for_the_customer_says_values_in_days_and_euros() -> None:
    customer = CustomerFactory()
    days = ValueDefinition.objects.get(code="recency")
    CustomerValue.objects.create(customer=customer, value=days, number=12 - day_number(clock()))
    euros = ValueDefinition.objects.filter(unit="cents")[0]
    CustomerValue.objects.create(customer=customer, value=euros, number=32_600)
    found = list(read(personal_tables["labels_customervalue"], identify([customer.pk], now=clock())))
    assert {row["number"] for row in found} == {"12 dagen", format_cents(32_600)}
