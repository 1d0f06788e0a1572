from __future__ import annotations

import datetime as dt

import pytest
from rest_framework.test import APIClient

from customers.actions import ensure_base_data
from customers.models import Consent, Customer, Fact, Guardianship
from labels.actions import create_label
from tests.factories import (
    NOW,
    BranchFactory,
    CustomerFactory,
    HouseholdFactory,
    SourceFactory,
    SubscriptionFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def base_data() -> None:
    ensure_base_data()


def test_a_customer_is_created_by_putting_him_at_his_number(api: APIClient) -> None:
    BranchFactory(code="EDAM")
    body = {
        "kind": "member", "first_name": "Noor", "last_name": "Bakker", "email": "Noor@Example.nl", "branch": "EDAM",
        "postal_code": "1135 ab", "house_number": "3", "street": "Dam", "city": "Edam",
    }  # fmt: skip
    answer = api.put("/api/v1/customers/K-77/", body, format="json")
    assert answer.status_code == 201, answer.data
    customer = Customer.objects.get(number="K-77")
    assert (customer.branch.code, customer.postal_code) == ("EDAM", "1135AB")
    assert answer.data["email"] == "noor@example.nl"
    assert api.put("/api/v1/customers/K-77/", body, format="json").status_code == 200
    assert Customer.objects.filter(number="K-77").count() == 1


def test_a_patch_changes_only_what_it_names(api: APIClient) -> None:
    customer = CustomerFactory(first_name="Anna", last_name="Smit", source=SourceFactory(code="theatre"))
    answer = api.patch(f"/api/v1/customers/{customer.number}/", {"last_name": "de Vries"}, format="json")
    assert answer.status_code == 200, answer.data
    assert (answer.data["first_name"], answer.data["last_name"]) == ("Anna", "de Vries")
    assert answer.data["overruled"] == []
    assert answer.data["email"] == f"klant{customer.number}@example.nl"


def test_a_field_that_another_source_owns_stays_and_is_told(api: APIClient) -> None:
    customer = CustomerFactory(last_name="Smit", source=SourceFactory(code="library"))
    url = f"/api/v1/customers/{customer.number}/"
    answer = api.patch(url, {"last_name": "de Vries", "card_number": "2900 1"}, format="json")
    assert answer.status_code == 200, answer.data
    assert (answer.data["last_name"], answer.data["card_number"]) == ("Smit", "2900 1")
    assert answer.data["overruled"] == [{"field": "last_name", "source": "library", "value": "Smit"}]
    told = {row["field"]: row for row in api.get(f"{url}provenance/").data}
    assert (told["last_name"]["source"], told["last_name"]["value"]) == ("library", "Smit")
    assert [(one["source"], one["value"]) for one in told["last_name"]["others"]] == [("api", "de Vries")]
    assert told["card_number"]["source"] == "api"
    answer = api.patch(url, {"last_name": "de Vries", "source": "counter"}, format="json")
    assert (answer.data["last_name"], answer.data["overruled"]) == ("de Vries", [])


def test_a_change_cannot_be_written_in_the_name_of_the_product(api: APIClient) -> None:
    customer = CustomerFactory()
    body = {"last_name": "de Vries", "source": "mailings"}
    assert api.patch(f"/api/v1/customers/{customer.number}/", body, format="json").status_code == 400


def test_a_customer_is_found_by_his_card(api: APIClient) -> None:
    customer = CustomerFactory(card_number="29001")
    assert api.get("/api/v1/customers/29001/").data["number"] == customer.number
    assert api.get("/api/v1/customers/?card=29001").data["count"] == 1
    CustomerFactory(card_number="29001")
    assert api.get("/api/v1/customers/29001/").status_code == 404  # a family card: nobody in particular
    assert api.get("/api/v1/customers/?card=29001").data["count"] == 2


def test_the_number_of_somebody_who_was_merged_leads_to_who_was_kept(api: APIClient) -> None:
    kept, gone = CustomerFactory(), CustomerFactory()
    Customer.objects.filter(pk=gone.pk).update(merged_into=kept)
    assert api.get(f"/api/v1/customers/{gone.number}/").data["number"] == kept.number


def test_searching_narrows_what_the_other_filters_leave(api: APIClient) -> None:
    CustomerFactory(last_name="Pietersen", kind="member")
    wanted = CustomerFactory(last_name="Pietersen", kind="prospect")
    found = api.get("/api/v1/customers/?search=pietersn&kind=prospect").data["results"]
    assert [row["number"] for row in found] == [wanted.number]


def test_contact_points_household_and_guardians_are_shown(api: APIClient) -> None:
    home = HouseholdFactory()
    child = CustomerFactory(household=home, phone="+31612345678", birth_date=dt.date(2018, 1, 1))
    parent = CustomerFactory(household=home)
    Guardianship.objects.create(child=child, guardian=parent, source=SourceFactory(), created_at=NOW)
    url = f"/api/v1/customers/{child.number}/"
    assert {row["channel"] for row in api.get(f"{url}contact-points/").data} == {"email", "phone"}
    assert [row["number"] for row in api.get(f"{url}household/").data] == [parent.number]
    assert [row["number"] for row in api.get(f"{url}guardians/").data["guardians"]] == [parent.number]
    other = api.get(f"/api/v1/customers/{parent.number}/guardians/").data
    assert [row["number"] for row in other["children"]] == [child.number]


@pytest.mark.parametrize(("language", "words"), [("nl", "Er is geen klant"), ("en", "There is no customer")])
def test_an_unknown_customer_is_told_in_the_language_of_the_caller(api: APIClient, language: str, words: str) -> None:
    answer = api.get("/api/v1/customers/niemand/", headers={"Accept-Language": language})
    assert answer.status_code == 404
    assert words in answer.data["message"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "geen adres"), ("branch", "BESTAAT-NIET"), ("birth_date", "31-02-2020"), ("kind", "vriend")],
)
def test_what_is_not_right_is_named_by_its_field(api: APIClient, field: str, value: str) -> None:
    customer = CustomerFactory()
    answer = api.patch(f"/api/v1/customers/{customer.number}/", {field: value}, format="json")
    assert answer.status_code in {400, 422}
    assert field in str(answer.data)


def test_customers_are_found_by_kind_branch_and_email(api: APIClient) -> None:
    BranchFactory(code="EDAM")
    wanted = CustomerFactory(kind="prospect", branch=BranchFactory(code="EDAM"))
    CustomerFactory(kind="member")
    for query in ("kind=prospect", "branch=EDAM", f"email=klant{wanted.number}@example.nl"):
        found = api.get(f"/api/v1/customers/?{query}").data["results"]
        assert [row["number"] for row in found] == [wanted.number], query


def test_a_list_of_customers_takes_a_fixed_number_of_queries(
    api: APIClient, django_assert_max_num_queries: object
) -> None:
    for _n in range(20):
        CustomerFactory(branch=BranchFactory())
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        assert len(api.get("/api/v1/customers/").data["results"]) == 20


def test_an_unknown_customer_is_not_found(api: APIClient) -> None:
    assert api.get("/api/v1/customers/nobody/").status_code == 404


def test_a_consent_event_changes_the_present_state_and_is_taken_in_once(api: APIClient) -> None:
    customer = CustomerFactory()
    event = {
        "purpose": "newsletter", "channel": "email", "state": "granted", "source": "website",
        "event_at": "2026-06-01T10:00:00+02:00", "wording_version": "2026-1",
    }  # fmt: skip
    for _time in range(2):
        answer = api.post(f"/api/v1/customers/{customer.number}/consents/", event, format="json")
        assert answer.status_code == 201, answer.data
    assert Consent.objects.filter(customer=customer).count() == 1
    states = api.get(f"/api/v1/customers/{customer.number}/consents/").data
    [newsletter] = [s for s in states if (s["purpose"], s["channel"]) == ("newsletter", "email")]
    assert newsletter["allowed"] is True
    assert newsletter["explanation"]


def test_a_label_is_given_and_taken(api: APIClient) -> None:
    customer = CustomerFactory()
    create_label(code="nederland-leest", name="Nederland leest", kind="own", by=None, now=NOW)
    url = f"/api/v1/customers/{customer.number}/labels/"
    given = api.post(url, {"label": "nederland-leest"}, format="json")
    assert given.status_code == 201, given.data
    assert [label["code"] for label in given.data] == ["nederland-leest"]
    taken = api.post(f"{url}take/", {"label": "nederland-leest"}, format="json")
    assert taken.data == []


def test_subscriptions_are_shown(api: APIClient) -> None:
    subscription = SubscriptionFactory()
    shown = api.get(f"/api/v1/customers/{subscription.customer.number}/subscriptions/").data
    assert [s["number"] for s in shown] == [subscription.number]


def fact(holder: Customer, n: int, **fields: object) -> dict[str, object]:
    return {
        "customer": holder.number, "kind": "ticket", "occurred_at": "2026-06-01T20:15:00+02:00", "source": "theatre",
        "external_id": f"T{n}", "quantity": 2, "amount_cents": 4500, "sector": "theater", **fields,
    }  # fmt: skip


def test_facts_come_in_once_however_often_they_are_sent(api: APIClient) -> None:
    customer = CustomerFactory()
    facts = [fact(customer, n) for n in range(3)]
    assert api.post("/api/v1/facts/", facts, format="json").data == {"new": 3, "changed": 0, "known": 0}
    assert api.post("/api/v1/facts/", [*facts, fact(customer, 3)], format="json").data == {
        "new": 1,
        "changed": 0,
        "known": 3,
    }
    assert Fact.objects.filter(customer=customer).count() == 4
    assert customer.fact_totals.get(kind="ticket").amount_cents == 4 * 4500
    assert len(api.get(f"/api/v1/customers/{customer.number}/facts/").data["results"]) == 4


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("customer", "nobody"),
        ("kind", "click"),
        ("source", "nowhere"),
        ("occurred_at", "gisteren"),
        ("branch", "X"),
    ],
)
def test_one_wrong_fact_keeps_all_out_and_names_row_and_field(api: APIClient, field: str, value: str) -> None:
    customer = CustomerFactory()
    answer = api.post("/api/v1/facts/", [fact(customer, 0), fact(customer, 1, **{field: value})], format="json")
    assert answer.status_code == 400
    assert {row: list(fields) for row, fields in answer.json()["errors"].items()} == {"1": [field]}
    assert not Fact.objects.exists()


def test_many_facts_take_few_queries(api: APIClient, django_assert_max_num_queries: object) -> None:
    customer = CustomerFactory(branch=BranchFactory(code="EDAM"))
    with django_assert_max_num_queries(25):  # type: ignore[operator]
        answer = api.post("/api/v1/facts/", [fact(customer, n, branch="EDAM") for n in range(200)], format="json")
    assert answer.data == {"new": 200, "changed": 0, "known": 0}


def test_more_than_a_thousand_facts_at_once_are_refused(api: APIClient) -> None:
    customer = CustomerFactory()
    answer = api.post("/api/v1/facts/", [fact(customer, n) for n in range(1001)], format="json")
    assert answer.status_code == 400
    assert not Fact.objects.exists()
