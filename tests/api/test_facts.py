from __future__ import annotations

import datetime as dt

import pytest
from rest_framework.test import APIClient

from common.time import clock
from customers.actions import ensure_base_data
from customers.actions.kinds import add_kind
from customers.models import Fact, FactTotal, Source, SourceRecord
from tests.factories import NOW, CustomerFactory
from website.tokens import VALID, read_web_token

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def base_data() -> None:
    ensure_base_data()


def fact(**fields: object) -> dict[str, object]:
    return {
        "customer": "X1", "kind": "workshop", "occurred_at": "2026-06-01T20:15:00+02:00", "source": "theatre",
        "external_id": "W1", **fields,
    }  # fmt: skip


def test_facts_of_an_own_kind_come_in_once(api: APIClient) -> None:
    customer = CustomerFactory(number="X1")
    refused = api.post("/api/v1/facts/", [fact()], format="json").json()
    assert refused["errors"] == {"0": {"kind": ["‘workshop’ bestaat niet."]}}
    add_kind(name="Workshop", verb="deed een workshop", has_amount=True, by=None, now=NOW)
    assert api.post("/api/v1/facts/", [fact()], format="json").data == {"new": 1, "changed": 0, "known": 0}
    assert api.post("/api/v1/facts/", [fact()], format="json").data == {"new": 0, "changed": 0, "known": 1}
    assert Fact.objects.get().customer == customer


def test_what_a_source_says_later_of_a_fact_replaces_what_it_said(api: APIClient) -> None:
    customer = CustomerFactory(number="X1")
    sold = fact(kind="ticket", quantity=2, amount_cents=5000)
    api.post("/api/v1/facts/", [sold], format="json")
    answer = api.post("/api/v1/facts/", [{**sold, "quantity": 3, "amount_cents": 7500}], format="json")
    assert answer.data == {"new": 0, "changed": 1, "known": 0}
    total = FactTotal.objects.get(customer=customer, kind="ticket")
    assert (total.count, total.quantity, total.amount_cents) == (1, 3, 7500)


def test_two_different_words_about_one_fact_are_refused(api: APIClient) -> None:
    CustomerFactory(number="X1")
    answer = api.post("/api/v1/facts/", [fact(kind="ticket"), fact(kind="ticket", quantity=2)], format="json")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["1"]
    assert "field" not in answer.json(), "the number of a row is no field"
    assert not Fact.objects.exists()


def test_kinds_are_listed_with_those_of_the_organisation(api: APIClient) -> None:
    add_kind(name="Workshop", verb="deed een workshop", has_amount=True, by=None, now=NOW)
    kinds = {row["code"]: row for row in api.get("/api/v1/kinds/").json()}
    assert kinds["workshop"]["is_own"]
    assert (kinds["workshop"]["word"], kinds["workshop"]["has_amount"]) == ("workshop", True)
    assert (kinds["loan"]["word"], kinds["loan"]["keep_months"]) == ("uitlening", None)
    assert kinds["page_view"]["keep_months"] == 13
    assert not kinds["click"]["importable"]


def test_a_customer_is_known_by_the_number_of_the_source(api: APIClient) -> None:
    customer, other = CustomerFactory(number="100"), CustomerFactory(number="T7")
    theatre = Source.objects.get(code="theatre")
    SourceRecord.objects.create(source=theatre, key="T7", customer=customer, created_at=NOW, updated_at=NOW)
    body = [fact(customer="T7", kind="ticket"), fact(customer="T7", kind="loan", source="library", external_id="L1")]
    assert api.post("/api/v1/facts/", body, format="json").data == {"new": 2, "changed": 0, "known": 0}
    assert Fact.objects.get(source=theatre).customer == customer
    assert Fact.objects.get(source__code="library").customer == other


def test_a_website_gets_a_token_for_who_logged_in(api: APIClient) -> None:
    customer = CustomerFactory()
    answer = api.post("/api/v1/web-tokens/", {"customer": customer.number}, format="json")
    assert answer.status_code == 201, answer.data
    assert read_web_token(answer.data["token"], now=clock()) == customer.pk
    expires = dt.datetime.fromisoformat(answer.json()["expires_at"])
    assert abs(expires - clock() - VALID) < dt.timedelta(minutes=1)
    assert api.post("/api/v1/web-tokens/", {"customer": "niemand"}, format="json").status_code == 400
