"""What the API tells of one customer besides his fields: parents and children, what he paid, and his merges."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from rest_framework.test import APIClient

from common.time import clock
from customers.actions import ensure_base_data, record_fact
from customers.actions.merging import merge_customers
from customers.models import CustomerChange, Guardianship, Purpose, World
from customers.quality import count_issues
from labels.actions import create_label
from labels.models import Assignment
from mailings.models import Content, Decision, Mailing, Message
from selections.compiler import compile_rule
from tests.factories import NOW, BranchFactory, ConsentFactory, CustomerFactory, FactFactory, VoucherFactory, happened
from workbench import customer_figures

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


def test_the_timeline_is_the_one_of_the_workbench(
    api: APIClient, client: Client, marketeer: User, django_assert_max_num_queries: Any
) -> None:
    World.objects.get_or_create(code="reizen", defaults={"name": "Reizen"})
    customer = CustomerFactory()
    for number in range(30):
        FactFactory(
            customer=customer, occurred_at=NOW - dt.timedelta(days=number), world="reizen" if number % 2 else ""
        )
    VoucherFactory.create_batch(3, customer=customer, issued_at=NOW)
    url = f"/api/v1/customers/{customer.number}/timeline/"
    with django_assert_max_num_queries(14):
        first = api.get(url).json()
    client.force_login(marketeer)
    shown = client.get(f"/customers/{customer.pk}/timeline/").context["page"]
    assert [(row["title"], row["text"]) for row in first["results"]] == [(one.title, one.text) for one in shown.moments]
    assert first["next"] == str(shown.next)
    rest = api.get(url, {"before": first["next"]}).json()
    assert (len(first["results"]), len(rest["results"]), rest["next"]) == (25, 8, None)
    keys = [row["key"] for row in (*first["results"], *rest["results"])]
    assert len(set(keys)) == 33
    assert {row["kind"] for row in first["results"]} == {"voucher", "loan"}
    assert api.get(url, {"page_size": 200, "kind": "fact", "world": "reizen"}).json()["next"] is None
    day = (NOW - dt.timedelta(days=5)).date().isoformat()
    [row] = api.get(url, {"kind": "loan", "source": "library", "start": day, "end": day}).json()["results"]
    assert (row["kind"], row["day_only"], row["about"]) == ("loan", False, None)
    unescaped = f"{url}?before={first['next']}"  # its plus comes in as a space
    assert api.get(unescaped).json() == rest
    ends = {"start": "0001-01-01", "end": "9999-12-31"}
    assert api.get(url, ends).json() == api.get(url).json()
    assert client.get(f"/customers/{customer.pk}/timeline/", ends).status_code == 200
    [told] = api.get(url, {"kind": "voucher", "page_size": 1}).json()["results"]
    assert told["title"].startswith("Kreeg de bon")
    ways = ("inbound", "outbound")
    came, went = ({row["kind"] for row in api.get(url, {"kind": way}).json()["results"]} for way in ways)
    assert (came, went) == ({"loan"}, {"voucher"})


def test_a_timeline_page_by_page_is_the_whole_of_it_also_where_all_happened_at_once(api: APIClient) -> None:
    customer, other = CustomerFactory(), CustomerFactory()
    label = create_label(name="Rood", kind="own", now=NOW)
    for one in (customer, other):
        FactFactory.create_batch(3, customer=one, occurred_at=NOW)
        FactFactory.create_batch(2, customer=one, occurred_at=NOW, order_number="1044")
        VoucherFactory.create_batch(2, customer=one, issued_at=NOW)
        ConsentFactory(customer=one, event_at=NOW)
        Assignment.objects.create(customer=one, label=label, since=NOW, until=NOW)
    merge_customers(customer, other, by="system", now=NOW)
    url = f"/api/v1/customers/{other.number}/timeline/"  # of who was taken up: that of who was kept
    for asked in ({}, {"kind": "label"}, {"kind": "fact"}, {"source": "library"}, {"end": NOW.date().isoformat()}):
        whole = api.get(url, {"page_size": 200, **asked}).json()
        assert whole["next"] is None
        keys: list[str] = []
        following: str | None = ""
        while following is not None:
            page = api.get(url, {"page_size": 1, **({"before": following} if following else {}), **asked}).json()
            keys += [row["key"] for row in page["results"]]
            following = page["next"]
        assert len(set(keys)) == len(keys) > 3
        assert keys == [row["key"] for row in whole["results"]]


def test_activity_and_worlds_are_those_of_the_charts(api: APIClient, client: Client, marketeer: User) -> None:
    World.objects.get_or_create(code="reizen", defaults={"name": "Reizen"})
    customer = CustomerFactory()
    for days, kind, world in ((1, "loan", "reizen"), (40, "loan", "reizen"), (40, "visit", ""), (1000, "loan", "x")):
        happened(customer=customer, kind=kind, world=world, occurred_at=clock() - dt.timedelta(days=days))
    url = f"/api/v1/customers/{customer.number}/activity/"
    told = api.get(url).json()
    client.force_login(marketeer)
    page = client.get(f"/customers/{customer.pk}/").context
    shown = {kind["label"]: sum(kind["data"]) for kind in page["activity"]["datasets"]}
    assert sorted(shown.values()) == [1, 2]
    assert sum(row["count"] for row in told["months"] if row["kind"] == "loan") == 2
    assert {row["month"][-2:] for row in told["months"]} == {"01"}
    assert told["worlds"] == [{"world": "reizen", "count": 2}]
    assert [(row["label"], row["value"]) for row in page["worlds"]["rows"]] == [("Reizen", 2)]
    assert told["since"] == customer_figures.start_of_activity(clock()).date().isoformat()
    assert len(api.get(url, {"months": 120}).json()["worlds"]) == 2
    assert api.get(url, {"months": 0}).json()["field"] == "months"
    assert api.get("/api/v1/customers/nobody/activity/").status_code == 404


@pytest.mark.parametrize(
    "asked",
    [{"kind": "nothing"}, {"source": "nobody"}, {"world": "nowhere"}, {"before": "x"}, {"start": "soon"},
     {"page_size": 201}],
)  # fmt: skip
def test_a_timeline_is_not_told_for_what_does_not_exist(api: APIClient, asked: dict[str, Any]) -> None:
    answer = api.get(f"/api/v1/customers/{CustomerFactory().number}/timeline/", asked)
    assert (answer.status_code, answer.json()["field"]) == (400, next(iter(asked)))


def test_a_timeline_needs_a_token() -> None:
    customer = CustomerFactory()
    assert APIClient().get(f"/api/v1/customers/{customer.number}/timeline/").status_code == 401
