"""A visit is linked to a customer only after he identified, only while he allows it, and each hit once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from common.time import clock
from customers.actions.privacy import restrict
from customers.consents import record_consent
from customers.models import Customer, Fact, FactTotal, Purpose, World
from selections.actions import create_selection
from selections.compiler import members
from tests.factories import CustomerFactory
from tests.website.conftest import Send
from website.actions import record_visits
from website.models import Hit, Identification, Site
from website.tokens import make_web_token

LATER = dt.timedelta(hours=1)


def says(customer: Customer, state: str, *, at: dt.datetime | None = None) -> None:
    record_consent(
        customer, purpose=Purpose.objects.get(code="profiling"), channel="email", state=state, source_code="website",
        actor="customer", event_at=at or clock() - dt.timedelta(minutes=5),
    )  # fmt: skip


@pytest.fixture
def customer(db: None) -> Customer:
    customer = CustomerFactory()
    says(customer, "granted")
    return customer


def test_with_consent_the_whole_visit_becomes_facts(send: Send, customer: Customer, site: Site) -> None:
    send(p="/catalogus/reizen/noorwegen", i="pagina-een")
    send("time", i="pagina-een", d=75)
    send("identify", c=make_web_token(customer, now=clock()))
    send("search", r=4)
    send(v="ander-bezoek")
    assert record_visits(now=clock()) == 0, "a visit that goes on is left alone"
    assert record_visits(now=clock() + LATER) == 2
    view = Fact.objects.get(kind="page_view")
    assert (view.customer, view.world, view.genre, view.sector) == (customer, "reizen", "reisboeken", "website")
    assert (view.duration_seconds, view.source.code, view.external_id) == (75, "website", "pagina-een")
    assert Fact.objects.get(kind="search").customer == customer
    assert FactTotal.objects.get(kind="page_view").count == 1
    assert record_visits(now=clock() + LATER) == 0


@pytest.mark.parametrize("answer", ["", "withdrawn", "objected"])
def test_without_consent_nothing_is_linked(send: Send, site: Site, answer: str) -> None:
    customer = CustomerFactory()
    if answer:
        says(customer, "granted", at=clock() - dt.timedelta(days=9))
        says(customer, answer)
    send()
    assert send("identify", c=make_web_token(customer, now=clock())).status_code == 204
    assert not Identification.objects.exists()
    record_visits(now=clock() + LATER)
    assert not Fact.objects.exists()
    assert Hit.objects.count() == 1, "it stays, without anybody in it"


def test_who_takes_back_his_yes_before_the_visit_is_over_is_not_linked(send: Send, customer: Customer) -> None:
    send()
    send("identify", c=make_web_token(customer, now=clock()))
    says(customer, "withdrawn", at=clock())
    assert record_visits(now=clock() + LATER) == 0
    assert not Fact.objects.exists()
    assert not Identification.objects.exists()


@pytest.mark.parametrize("wrong", ["", "gelogen", "a:b:c"])
def test_a_proof_that_is_not_ours_links_nothing(send: Send, customer: Customer, wrong: str) -> None:
    assert send("identify", c=wrong).status_code == 204
    assert not Identification.objects.exists()


def test_an_old_proof_links_nothing(send: Send, customer: Customer) -> None:
    send("identify", c=make_web_token(customer, now=clock() - dt.timedelta(hours=2)))
    assert not Identification.objects.exists()


def test_two_people_after_each_other_in_one_tab_are_kept_apart(send: Send, customer: Customer) -> None:
    second = CustomerFactory()
    says(second, "granted")
    send(i="pagina-a")
    send("identify", c=make_web_token(customer, now=clock()))
    send(i="pagina-b")
    send("identify", c=make_web_token(second, now=clock()))
    send(i="pagina-c")
    record_visits(now=clock() + LATER)
    whose = dict(Fact.objects.values_list("external_id", "customer_id"))
    assert whose == {"pagina-a": customer.pk, "pagina-b": customer.pk, "pagina-c": second.pk}


def test_whose_data_are_restricted_is_not_linked_also_when_that_came_in_between(send: Send, customer: Customer) -> None:
    send()
    send("identify", c=make_web_token(customer, now=clock()))
    restrict(customer, reason="Loopt een klacht", by="Anna", now=clock())
    assert record_visits(now=clock() + LATER) == 0
    send(v="nog-een-bezoek")
    send("identify", c=make_web_token(customer, now=clock()), v="nog-een-bezoek")
    assert not Identification.objects.exists()
    assert not Fact.objects.exists()


def test_a_merged_number_leads_to_who_was_kept(send: Send, customer: Customer) -> None:
    old = CustomerFactory(merged_into=customer)
    send("identify", c=make_web_token(old, now=clock()))
    assert Identification.objects.get().customer == customer


def test_a_selection_finds_who_looked_at_a_world(send: Send, customer: Customer) -> None:
    World.objects.get_or_create(code="reizen", defaults={"name": "Reizen"})
    send(p="/catalogus/reizen/x")
    send("identify", c=make_web_token(customer, now=clock()))
    record_visits(now=clock() + LATER)
    params: dict[str, Any] = {"kind": "page_view", "op": "at_least", "times": 1, "within_days": 7, "world": "reizen"}
    rule = {"version": 2, "op": "all", "children": [{"criterion": "facts.count", "params": params}]}
    selection = create_selection(name="Reizigers", rule=rule, by=None, now=clock())
    assert list(members(selection, now=clock() + LATER)) == [customer]
