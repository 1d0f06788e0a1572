"""What the API tells of one customer besides his fields: parents and children, what he paid, and his merges."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from rest_framework.test import APIClient

from customers.actions import ensure_base_data, record_fact
from customers.actions.merging import merge_customers
from customers.models import CustomerChange, Guardianship, Purpose
from customers.quality import count_issues
from mailings.models import Content, Decision, Mailing, Message
from selections.compiler import compile_rule
from tests.factories import NOW, BranchFactory, CustomerFactory, VoucherFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(integrator: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(integrator)
    return client


def test_a_parent_is_recorded_and_taken_away(api: APIClient) -> None:
    child = CustomerFactory(birth_date=dt.date(2018, 1, 1))
    parent = CustomerFactory(birth_date=dt.date(1985, 1, 1))
    url = f"/api/v1/customers/{child.number}/guardians/"
    answer = api.post(url, {"guardian": parent.number, "source": "library"}, format="json")
    assert answer.status_code == 201
    assert [one["number"] for one in answer.json()["guardians"]] == [parent.number]
    assert Guardianship.objects.get().source.code == "library"
    again = api.post(url, {"guardian": parent.number}, format="json")
    assert (again.status_code, again.json()["code"]) == (422, "known_already")
    itself = api.post(url, {"guardian": child.number}, format="json")
    assert itself.json()["code"] == "same_customer"
    assert api.post(url, {"guardian": "nobody"}, format="json").status_code == 400
    assert api.post(f"{url}end/", {"guardian": parent.number}, format="json").json() == {
        "guardians": [], "children": [],
    }  # fmt: skip
    assert api.post(f"{url}end/", {"guardian": parent.number}, format="json").status_code == 404
    assert CustomerChange.objects.filter(customer=child).count() == 2


def test_what_was_paid_adds_up(api: APIClient) -> None:
    customer = CustomerFactory()
    for year, kind, cents in ((2025, "fee", 5800), (2026, "fee", 5900), (2026, "ticket", 2500), (2026, "loan", 0)):
        record_fact(
            customer, kind=kind, occurred_at=dt.datetime(year, 3, 1, tzinfo=dt.UTC), source_code="library",
            external_id=f"{kind}{year}", amount_cents=cents,
        )  # fmt: skip
    told = api.get(f"/api/v1/customers/{customer.number}/value/").json()
    assert told["amount_cents"] == 14200
    assert [(row["kind"], row["amount_cents"]) for row in told["kinds"]] == [("fee", 11700), ("ticket", 2500)]
    assert told["years"] == [{"year": 2026, "amount_cents": 8400}, {"year": 2025, "amount_cents": 5800}]
    nothing = api.get(f"/api/v1/customers/{CustomerFactory().number}/value/").json()
    assert nothing == {"amount_cents": 0, "kinds": [], "years": []}


def test_merges_of_a_customer_say_why(api: APIClient) -> None:
    kept, absorbed = (CustomerFactory(last_name="Zwart", email="zwart@example.nl") for _one in range(2))
    merge = merge_customers(kept, absorbed, by="Mia", now=NOW)
    [told] = api.get(f"/api/v1/customers/{absorbed.number}/merges/").json()
    assert (told["id"], told["score"], told["merged_by"]) == (merge.pk, merge.score, "Mia")
    assert {"code": "email", "points": 25, "text": "Hetzelfde e-mailadres"} in told["reasons"]
    assert api.get("/api/v1/merges/", {"since": "2026-01-01T00:00:00Z"}).json()["results"] == [told]
    assert api.get("/api/v1/merges/", {"since": "2036-01-01T00:00:00Z"}).json()["results"] == []


def test_who_may_not_use_the_api_learns_nothing(counter_staff: User) -> None:
    client, customer = APIClient(), CustomerFactory()
    client.force_authenticate(counter_staff)
    for path in ("guardians", "value", "merges", "household"):
        assert client.get(f"/api/v1/customers/{customer.number}/{path}/").status_code == 403
    assert client.post(f"/api/v1/customers/{customer.number}/guardians/", {}, format="json").status_code == 403


def mailing(name: str) -> Mailing:
    ensure_base_data()
    content = Content.objects.create(name=name, subject=name, updated_at=NOW)
    purpose = Purpose.objects.get(code="marketing")
    return Mailing.objects.create(
        name=name, origin="by hand", due_key=name, purpose=purpose, channels="email", content=content, created_at=NOW
    )


def test_what_somebody_was_sent_and_was_not_is_told_with_the_reason(
    api: APIClient,
) -> None:
    customer = CustomerFactory()
    sent, refused = mailing("Zomer"), mailing("Herfst")
    Decision.objects.create(mailing=sent, customer=customer, outcome="accepted", channel="email", decided_at=NOW)
    Decision.objects.create(mailing=refused, customer=customer, outcome="no_permission", decided_at=NOW)
    Message.objects.create(
        mailing=sent, customer=customer, channel="email", state="sent", sent_at=NOW, state_at=NOW,
        next_attempt_at=NOW, address="anna@example.nl",
    )  # fmt: skip
    rows = api.get(f"/api/v1/customers/{customer.number}/messages/").json()["results"]
    assert {(row["name"], row["outcome"], row["state"]) for row in rows} == {
        ("Zomer", "accepted", "sent"), ("Herfst", "no_permission", None),
    }  # fmt: skip
    [moments] = [(row["sent_at"], row["decided_at"]) for row in rows if row["state"]]
    assert moments[0] == moments[1], "moments are written in one way"


def test_the_vouchers_of_somebody_are_told(api: APIClient) -> None:
    customer = CustomerFactory()
    voucher = VoucherFactory(customer=customer)
    VoucherFactory(customer=CustomerFactory())
    rows = api.get(f"/api/v1/customers/{customer.number}/vouchers/").json()["results"]
    assert [row["code"] for row in rows] == [voucher.code]


def test_counts_of_quality_come_with_a_rule_that_finds_those_customers(api: APIClient) -> None:
    assert api.get("/api/v1/quality/").json()["day"] is None
    branch = BranchFactory(code="PUR")
    without = CustomerFactory(email="", branch=branch)
    CustomerFactory(branch=branch)
    with transaction.atomic():
        count_issues(NOW.date(), now=NOW)
    told = {row["code"]: row for row in api.get("/api/v1/quality/").json()["issues"]}
    missing = told["missing_email"]
    assert (missing["count"], missing["branches"]) == (1, [{"branch": "PUR", "count": 1}])
    assert [one.pk for one in compile_rule(missing["rule"], now=NOW)] == [without.pk]
