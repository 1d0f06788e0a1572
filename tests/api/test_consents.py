"""Consents over the API: who answers for a child, the ledger, and events that cannot be."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from rest_framework.test import APIClient

from common.time import clock
from customers.consents import states_of
from customers.models import Consent, Customer, Guardianship, Purpose, PurposeChannel, Source
from labels.actions import create_label, give_label
from labels.models import Label, LabelGroup
from labels.system import families
from tests.factories import NOW, CustomerFactory

pytestmark = pytest.mark.django_db
EVENT = {
    "purpose": "newsletter", "channel": "email", "state": "granted", "source": "website",
    "event_at": "2026-06-01T10:00:00+02:00", "wording_version": "2026-1",
}  # fmt: skip


@pytest.fixture
def child() -> Customer:
    return CustomerFactory(birth_date=dt.date(2015, 3, 14))


@pytest.fixture
def parent(child: Customer) -> Customer:
    parent: Customer = CustomerFactory(birth_date=dt.date(1980, 3, 14))
    source = Source.objects.get(code="workbench")
    Guardianship.objects.create(child=child, guardian=parent, source=source, created_at=NOW)
    return parent


def say(api: APIClient, customer: Customer, **fields: object) -> object:
    return api.post(f"/api/v1/customers/{customer.number}/consents/", {**EVENT, **fields}, format="json")


def test_a_childs_own_yes_is_refused_and_the_parents_is_taken(
    api: APIClient, child: Customer, parent: Customer
) -> None:
    refused = say(api, child)
    assert (refused.status_code, refused.data["code"]) == (422, "needs_guardian")
    assert not Consent.objects.exists()
    taken = say(api, child, guardian=parent.number)
    assert taken.status_code == 201, taken.data
    assert Consent.objects.get().guardian_id == parent.pk
    [state] = [one for one in taken.data if (one["purpose"], one["channel"]) == ("newsletter", "email")]
    assert (state["allowed"], state["asks_guardian"]) == (True, True)
    assert str(parent) in state["explanation"]


def test_a_child_says_no_itself(api: APIClient, child: Customer) -> None:
    assert say(api, child, state="withdrawn").status_code == 201


def test_who_is_no_parent_answers_for_nobody(api: APIClient, child: Customer) -> None:
    answer = say(api, child, guardian=CustomerFactory().number)
    assert (answer.status_code, answer.data["code"]) == (422, "not_guardian")
    assert say(api, child, guardian="bestaat-niet").status_code == 400
    assert not Consent.objects.exists()


def test_a_parent_does_not_answer_for_who_is_sixteen(api: APIClient, child: Customer, parent: Customer) -> None:
    Customer.objects.filter(pk=child.pk).update(birth_date=dt.date(2009, 3, 14))
    answer = say(api, child, guardian=parent.number)
    assert (answer.status_code, answer.data["code"]) == (422, "grown")


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "retracted"}, {"event_at": "2999-01-01T00:00:00Z"}, {"evidence": {"x": "a\x00b"}},
        {"evidence": {"x": "a" * 5000}}, {"channel": "fax"}, {"purpose": "niets"},
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_bad_request(api: APIClient, wrong: dict[str, object]) -> None:
    assert say(api, CustomerFactory(), **wrong).status_code == 400
    assert not Consent.objects.exists()


def test_half_a_character_is_a_bad_request(api: APIClient) -> None:
    body = json.dumps({**EVENT, "evidence": {"x": "\ud800"}})
    url = f"/api/v1/customers/{CustomerFactory().number}/consents/"
    assert api.post(url, body, content_type="application/json").status_code == 400


def test_the_ledger_is_given_out_with_its_seals(api: APIClient, child: Customer, parent: Customer) -> None:
    say(api, child, guardian=parent.number)
    say(api, child, state="objected", event_at="2026-06-02T10:00:00+02:00", evidence={"letter": "12"})
    rows = api.get(f"/api/v1/customers/{child.number}/consents/ledger/").data["results"]
    assert [(row["state"], row["guardian"], row["position"]) for row in rows] == [
        ("objected", None, 2), ("granted", parent.number, 1),
    ]  # fmt: skip
    assert rows[0]["evidence"] == {"letter": "12"}
    assert len(rows[0]["hash"]) == 64
    assert api.post(f"/api/v1/customers/{child.number}/consents/ledger/", {}).status_code == 405


def test_no_to_profiling_takes_the_derived_labels_at_once(api: APIClient) -> None:
    group = next(code for family in families if family.is_profiling for code in family.all_groups)
    customer = CustomerFactory()
    label = create_label(code="x", name="x", kind="own", by=None, now=NOW)
    give_label(label, Customer.objects.filter(pk=customer.pk), by="test", reason="", now=NOW)
    Label.objects.filter(pk=label.pk).update(group=LabelGroup.objects.get_or_create(code=group)[0])
    say(api, customer, purpose="profiling", state="objected")
    assert not customer.label_assignments.filter(until=None).exists()
    [profiling] = [one for one in states_of(customer, now=clock()) if one.purpose.code == "profiling"]
    assert profiling.verdict == "objection"


def test_purposes_tell_their_grounds_and_words(api: APIClient, django_assert_max_num_queries: object) -> None:
    purpose = Purpose.objects.get(code="marketing")
    PurposeChannel.objects.filter(purpose=purpose, channel="email").update(basis="customer_relation", same_entity=False)
    purpose.wordings.create(version="2026-1", text="Ja, mail mij tips.", valid_from=NOW)
    purpose.wordings.create(version="2999-1", text="Later.", valid_from=NOW.replace(year=2999))
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        found = api.get("/api/v1/purposes/").data["results"]
    [marketing] = [one for one in found if one["code"] == "marketing"]
    grounds = {one["channel"]: one["basis"] for one in marketing["channels"]}
    assert (grounds["email"], grounds["post"]) == ("consent", "legitimate_interest")  # the relation is not confirmed
    assert [one["version"] for one in marketing["wordings"]] == ["2026-1"]
