"""Every operator of every type of field finds whom it should, and of hostile text no more than that."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from common.criteria import criteria
from common.errors import Refused
from customers.criteria.fields.patterns import require_pattern
from customers.models import Customer
from tests.customers.test_criteria import found
from tests.factories import NOW, BranchFactory, CustomerFactory, HouseholdFactory, SubscriptionFactory
from tests.tries import tries

pytestmark = pytest.mark.django_db

Person = Callable[..., Customer]


@pytest.fixture
def person() -> Person:
    def make(number: str, **fields: Any) -> Customer:
        return CustomerFactory(number=number, **fields)

    return make


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"op": "is", "value": "CAFE"}, {"café"}),
        ({"op": "is", "value": " café "}, {"café"}),
        ({"op": "not", "value": "cafe"}, {"bar", "100%", "a_b", "none"}),
        ({"op": "in", "values": ["CAFÉ", "Bär"]}, {"café", "bar"}),
        ({"op": "not_in", "values": ["cafe", "bar"]}, {"100%", "a_b", "none"}),
        ({"op": "contains", "value": "A"}, {"café", "bar", "a_b"}),
        ({"op": "contains", "value": "%"}, {"100%"}),
        ({"op": "contains", "value": "_"}, {"a_b"}),
        ({"op": "contains", "value": "\\"}, set()),
        ({"op": "not_contains", "value": "a"}, {"100%", "none"}),
        ({"op": "starts", "value": "1_"}, set()),
        ({"op": "starts", "value": "ca"}, {"café"}),
        ({"op": "not_starts", "value": "ca"}, {"bar", "100%", "a_b", "none"}),
        ({"op": "ends", "value": "É"}, {"café"}),
        ({"op": "not_ends", "value": "e"}, {"bar", "100%", "a_b", "none"}),
        ({"op": "matches", "value": "^[a-c]+é?F"}, {"café"}),
        ({"op": "matches", "value": "^\\d{3}\\%$"}, {"100%"}),
        ({"op": "not_matches", "value": "a"}, {"100%", "none"}),
        ({"op": "empty"}, {"none"}),
        ({"op": "filled"}, {"café", "bar", "100%", "a_b"}),
        ({"op": "is", "value": "x' OR '1'='1"}, set()),
    ],
)
@pytest.mark.parametrize("code", ["customer.city", "customer.street", "customer.first_name"])
def test_text(person: Person, code: str, params: dict[str, Any], expected: set[str]) -> None:
    column = code.partition(".")[2]
    for number, text in (("café", "Café"), ("bar", "bar"), ("100%", "100%"), ("a_b", "a_b"), ("none", "")):
        person(number, **{column: text})
    assert found(code, params) == expected


def test_email_and_its_domain_are_those_of_the_primary_address(person: Person) -> None:
    person("gmail", email="anna@gmail.com")
    person("work", email="b@werk.nl")
    person("none", email="")
    assert found("customer.email_domain", {"value": "GMAIL.com"}) == {"gmail"}
    assert found("customer.email_domain", {"op": "not", "value": "gmail.com"}) == {"work", "none"}
    assert found("customer.email_domain", {"op": "ends", "value": ".nl"}) == {"work"}
    assert found("customer.email", {"op": "starts", "value": "Anna@"}) == {"gmail"}
    assert found("customer.email", {"op": "empty"}) == {"none"}
    assert found("customer.email", {"op": "filled"}) == {"gmail", "work"}


def test_phone_numbers_and_postal_codes_may_be_typed_as_people_write_them(person: Person) -> None:
    person("mobile", phone="+31612345678", postal_code="1441AB")
    person("home", phone="+31299123456", postal_code="1135XY")
    assert found("customer.phone", {"op": "starts", "value": "06"}) == {"mobile"}
    assert found("customer.phone", {"op": "is", "value": "0299-123456"}) == {"home"}
    assert found("customer.phone", {"op": "contains", "value": "abc"}) == set()
    person("end", phone="+31299100678", postal_code="")
    assert found("customer.phone", {"op": "ends", "value": "06-78"}) == {"end"}
    assert found("customer.phone", {"op": "contains", "value": "006"}) == {"end"}
    assert found("customer.phone", {"op": "contains", "value": "06-1234"}) == {"mobile"}
    assert found("customer.postal_code", {"op": "is", "value": "1441 ab"}) == {"mobile"}
    assert found("customer.postal_code", {"op": "in", "values": ["1135 xy"]}) == {"home"}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"op": "exactly", "number": 12}, {"12", "12a"}),
        ({"op": "not", "number": 12}, {"3"}),
        ({"op": "less", "number": 12}, {"3"}),
        ({"op": "at_most", "number": 12}, {"3", "12", "12a"}),
        ({"op": "more", "number": 3}, {"12", "12a"}),
        ({"op": "at_least", "number": 3}, {"3", "12", "12a"}),
        ({"op": "between", "number": 3, "number_to": 11}, {"3"}),
        ({"op": "outside", "number": 3, "number_to": 11}, {"12", "12a"}),
        ({"op": "empty"}, {"none", "boat"}),
        ({"op": "filled"}, {"3", "12", "12a"}),
    ],
)
def test_numbers_and_who_has_none(person: Person, params: dict[str, Any], expected: set[str]) -> None:
    for number, shown in (("3", "3"), ("12", "12"), ("12a", "12a"), ("none", ""), ("boat", "t/o 4")):
        person(number, house_number=shown)
    assert found("customer.house_number", params) == expected


def test_amounts_of_subscriptions_that_run_and_of_all(person: Person) -> None:
    SubscriptionFactory(customer=person("dear"), price_cents=5800)
    SubscriptionFactory(customer=person("free"), price_cents=0, payment_method="free", type="jeugd", name="Jeugd")
    SubscriptionFactory(customer=person("was"), price_cents=5800, ended_on=NOW.date() - dt.timedelta(days=1))
    person("never")
    assert found("subscription.price", {"number": 5000}) == {"dear"}
    assert found("subscription.price", {"number": 5000, "which": "any"}) == {"dear", "was"}
    assert found("subscription.price", {"op": "exactly", "number": 0}) == {"free"}
    assert found("subscription.type", {"choices": ["jeugd"]}) == {"free"}
    assert found("subscription.type", {"op": "none", "choices": ["jeugd"]}) == {"dear"}
    assert found("subscription.name", {"op": "not_contains", "value": "JEUGD", "which": "any"}) == {"dear", "was"}
    assert found("subscription.payment_method", {"choices": ["free"]}) == {"free"}
    assert found("subscription.ended_on", {"period": "yesterday", "which": "any"}) == {"was"}
    assert found("subscription.ended_on", {"op": "empty"}) == {"dear", "free"}
    with pytest.raises(Refused, match="gone"):
        criteria["subscription.type"].check(criteria["subscription.type"].params.model_validate({"choices": ["gone"]}))


def test_a_subscription_speaks_of_one_and_the_same(person: Person) -> None:
    both = person("both")
    SubscriptionFactory(customer=both, type="jeugd")
    SubscriptionFactory(customer=both, type="volwassen")
    assert found("subscription.type", {"op": "none", "choices": ["jeugd"]}) == {"both"}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"period": "this_month"}, {"today", "1st"}),
        ({"op": "outside", "period": "this_month"}, {"long ago", "next month"}),
        ({"period": "next_month"}, {"next month"}),
        ({"op": "empty"}, {"unknown"}),
        ({"op": "filled"}, {"today", "1st", "long ago", "next month"}),
        ({"period": "between", "until": "2000-01-01"}, {"long ago"}),
        ({"period": "after_next", "number": 1}, {"next month"}),
        ({"period": "start_this_month"}, {"1st"}),
    ],
)
def test_dates(person: Person, params: dict[str, Any], expected: set[str]) -> None:
    for number, day in (
        ("today", NOW.date()), ("1st", dt.date(2026, 6, 1)), ("long ago", dt.date(2000, 1, 1)),
        ("next month", dt.date(2026, 7, 1)), ("unknown", None),
    ):  # fmt: skip
        person(number, registered_on=day)
    assert found("customer.registered_on", params) == expected


def test_who_died_later_had_not_died_then(person: Person) -> None:
    person("dead", deceased_on=NOW.date())
    person("alive")
    before = NOW - dt.timedelta(days=3)
    assert found("customer.deceased_on", {"op": "filled"}) == {"dead"}
    assert found("customer.deceased_on", {"op": "filled"}, before) == set()
    assert found("customer.deceased_on", {"op": "empty"}, before) == {"dead", "alive"}
    assert found("customer.deceased_on", {"period": "this_week"}, before) == set()
    assert found("quality.deceased", {}, before) == set()


def test_moments_are_asked_by_the_day_in_amsterdam(person: Person) -> None:
    midnight = dt.datetime(2026, 6, 14, 0, 0, tzinfo=NOW.tzinfo)
    person("sunday", created_at=midnight)
    person("saturday", created_at=midnight - dt.timedelta(seconds=1))
    assert found("customer.created_at", {"period": "yesterday"}) == {"sunday"}
    assert found("customer.created_at", {"period": "last_week", "op": "outside"}) == set()
    assert found("customer.created_at", {"period": "today", "op": "outside"}) == {"sunday", "saturday"}


def test_branches_and_who_has_none(person: Person) -> None:
    person("edam", branch=BranchFactory(code="EDA", name="Bieb Edam", city="Edam"))
    person("nowhere", branch=BranchFactory(code="X", name="Bus", city=""))
    person("none")
    assert found("branch.city", {"value": "edam"}) == {"edam"}
    assert found("branch.city", {"op": "not", "value": "edam"}) == {"nowhere", "none"}
    assert found("branch.city", {"op": "empty"}) == {"nowhere", "none"}
    assert found("branch.name", {"op": "starts", "value": "bieb"}) == {"edam"}


def test_none_of_kinds_branches_and_genders(person: Person) -> None:
    person("member", branch=BranchFactory(code="EDA"), gender="f")
    person("former", kind="former", gender="")
    assert found("customer.kind", {"kinds": ["member"], "op": "none"}) == {"former"}
    assert found("customer.branch", {"branches": ["EDA"], "op": "none"}) == {"former"}
    assert found("customer.gender", {"genders": ["f"], "op": "none"}) == {"former"}
    assert found("customer.brought_by", {"choices": ["library"]}) == {"member", "former"}


def test_age_of_babies_in_months(person: Person) -> None:
    person("5 months", birth_date=dt.date(2025, 12, 16))
    person("6 months", birth_date=dt.date(2025, 12, 15))
    person("grown")
    assert found("customer.age", {"at_most": 5, "unit": "month"}) == {"5 months"}
    assert found("customer.age", {"at_least": 6, "at_most": 12, "unit": "month"}) == {"6 months"}


def test_children_in_the_household_are_others(person: Person) -> None:
    home, alone = HouseholdFactory(), HouseholdFactory()
    person("mother", household=home)
    person("child", household=home, birth_date=dt.date(2020, 1, 1))
    person("baby", household=home, birth_date=dt.date(2026, 1, 1))
    person("only child", household=alone, birth_date=dt.date(2020, 1, 1))
    person("no home", household=None)
    assert found("household.children", {"at_least": 1, "under": 12}) == {"mother", "child", "baby"}
    assert found("household.children", {"at_least": 2, "under": 12}) == {"mother"}
    assert found("household.children", {"at_most": 0, "under": 12}) == {"only child", "no home"}
    assert found("household.children", {"at_least": 1, "at_most": 1, "under": 3}) == {"mother", "child"}


def test_a_city_is_looked_up_in_its_index(person: Person) -> None:
    person("edam", city="Edam")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for params in ({"value": "Édam"}, {"op": "starts", "value": "ed"}, {"op": "in", "values": ["edam", "x"]}):
        criterion = criteria["customer.city"]
        q = criterion.to_q(criterion.params.model_validate(params), now=NOW)
        assert "customer_city_plain" in Customer.objects.filter(q).explain()


@pytest.mark.parametrize(
    "pattern",
    ["a**", "*a", "(a", "a)", "(?i)a", "(a)\\1", "a{2", "a{200}", "(a{9}){9}", "[a", "[[:alpha:]]", "a|*", "^*", "a++",
     "a*?", "\\y", "]", "}", "a{5,2}", "[z-a]", "\\"],
)  # fmt: skip
def test_patterns_that_are_heavy_or_read_differently_elsewhere_are_refused(pattern: str) -> None:
    with pytest.raises(ValidationError):
        criteria["customer.city"].params.model_validate({"op": "matches", "value": pattern})


_SIGNS = st.text(alphabet="ab1 .^$|()[]{}*+?\\dws-,2Z_%'", min_size=1, max_size=14)


@settings(max_examples=tries(120), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pattern=_SIGNS, text=st.text(alphabet="ab1 Z-", max_size=8))
def test_a_pattern_that_is_allowed_means_the_same_here_and_in_the_database(pattern: str, text: str) -> None:
    try:
        require_pattern(pattern)
    except ValueError:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s ~* %s", [text, pattern])
        [(answer,)] = cursor.fetchall()
    assert answer == bool(re.search(pattern, text, re.IGNORECASE | re.ASCII))


@pytest.mark.parametrize(
    ("code", "params"),
    [
        ("customer.city", {"op": "is"}),
        ("customer.city", {"op": "in", "values": ["  "]}),
        ("customer.city", {"op": "in", "values": ["x" * 201]}),
        ("customer.city", {"op": "like", "value": "x"}),
        ("customer.house_number", {"op": "at_least"}),
        ("customer.house_number", {"op": "between", "number": 5, "number_to": 3}),
        ("customer.registered_on", {"op": "within"}),
        ("subscription.price", {"number": 1, "which": "some"}),
        ("subscription.type", {"choices": []}),
        ("customer.age", {"at_least": 500}),
        ("household.children", {"under": 12, "at_least": None}),
    ],
)
def test_params_without_meaning_are_refused(code: str, params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        criteria[code].params.model_validate(params)


@pytest.mark.parametrize("typed", ["1e999999", "99999999999", "-1e30", "NaN"])
def test_an_amount_beyond_all_prices_is_refused_at_its_field(typed: str) -> None:
    form = criteria["subscription.price"].form({"op": "at_least", "number": typed})
    assert not form.is_valid()
    assert list(form.errors) == ["number"]


def test_spaces_around_what_was_typed_are_no_part_of_a_number(person: Person) -> None:
    person("K1", card_number="29001")
    assert found("customer.number", {"op": "is", "value": " K1 "}) == {"K1"}
    assert found("customer.card_number", {"op": "in", "values": [" 29001"]}) == {"K1"}


def test_who_became_known_later_was_not_known_then(person: Person) -> None:
    person("later", created_at=NOW, registered_on=dt.date(2019, 1, 1))
    person("before", created_at=NOW - dt.timedelta(days=400))
    then = NOW - dt.timedelta(days=100)
    assert found("customer.created_at", {"op": "filled"}, then) == {"before"}
    assert found("customer.created_at", {"op": "empty"}, then) == {"later"}
    assert found("customer.created_at", {"op": "outside", "period": "last_week"}, then) == {"before"}
    criterion = criteria["customer.created_at"]
    later = Customer.objects.get(number="later")
    params = criterion.params.model_validate({"op": "filled"})
    assert criterion.seen(params, later, now=then) != criterion.seen(params, later, now=NOW)
