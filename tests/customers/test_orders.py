"""Profile, order, order line: lines of one order are known as such, from file to selection."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from common.actions import add_integration
from customers.actions import record_fact, run_import, undo_import, upload_import
from customers.actions.feeds import save_feed
from customers.imports import FORMATS
from customers.imports.templates import TEMPLATES, guess
from customers.models import Customer, Fact, Feed, ImportRun
from customers.timeline import Timeline, Wish
from selections.actions import create_selection
from selections.compiler import members
from selections.explain import describe
from tests.factories import NOW, CustomerFactory, SourceFactory

pytestmark = pytest.mark.django_db

HEADER = "Orderregel;Ordernummer;Relatienummer;Besteldatum;Genre;Aantal;Bedrag"
LINES = (
    "1044-1;1044;{0};2026-05-01 10:00;cabaret;2;41,00",
    "1044-2;1044;{0};2026-05-01 10:00;theaterdiner;2;60,00",
    "1051-1;1051;{0};2026-05-20 10:00;dans;1;25,00",
)


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT, settings.IMPORT_FOLDER = tmp_path / "media", tmp_path / "imports"


@pytest.fixture
def feed() -> Feed:
    template = TEMPLATES["theatre-tickets"]
    return save_feed(
        None, source=SourceFactory(code="theatre"), name="Kaartjes", delivers="facts", mapping=template.mapping,
        needs_approval=False, matching="number", now=NOW,
    )  # fmt: skip


def take(feed: Feed, *lines: str, header: str = HEADER) -> ImportRun:
    file = io.BytesIO("\n".join([header, *lines, ""]).encode())
    run = upload_import(format="facts", source_code="", file=file, file_name="x.csv", by=None, now=NOW, feed=feed)
    return run_import(run, now=NOW)


def who(criterion: str, **params: Any) -> set[Customer]:
    rule = {"version": 2, "op": "all", "children": [{"criterion": criterion, "params": {"kind": "ticket", **params}}]}
    selection = create_selection(name=f"{criterion} {params}", rule=rule, by=None, now=NOW)
    return set(members(selection, now=NOW))


def sentence(criterion: str, **params: Any) -> str:
    rule = {"version": 2, "op": "all", "children": [{"criterion": criterion, "params": {"kind": "ticket", **params}}]}
    return describe(rule)


def test_the_template_of_a_theatre_brings_lines_with_their_order(feed: Feed) -> None:
    customer = CustomerFactory()
    run = take(feed, *(line.format(customer.number) for line in LINES))
    assert (run.new_count, run.refused_count) == (3, 0), list(run.errors.values())
    assert list(Fact.objects.order_by("external_id").values_list("order_number", flat=True)) == ["1044", "1044", "1051"]
    assert take(feed, *(line.format(customer.number) for line in LINES)).same_count == 3


def test_a_file_tells_the_order_of_facts_that_were_known_without_and_it_can_be_undone(
    feed: Feed, administrator: User
) -> None:
    customer = CustomerFactory()
    without = [line.format(customer.number).replace(";1044;", ";;") for line in LINES[:2]]
    assert take(feed, *without).new_count == 2
    assert set(Fact.objects.values_list("order_number", flat=True)) == {None}
    run = take(feed, *(line.format(customer.number) for line in LINES[:2]))
    assert run.changed_count == 2
    assert set(Fact.objects.values_list("order_number", flat=True)) == {"1044"}
    run_import(undo_import(run, by=administrator, now=NOW), now=NOW)
    assert set(Fact.objects.values_list("order_number", flat=True)) == {None}


def test_columns_of_an_order_are_recognised() -> None:
    found = guess(FORMATS["facts"], HEADER.split(";"))
    assert found["bestelling"] == {"column": "Ordernummer"}
    assert found["id"] == {"column": "Orderregel"}


def test_lines_of_one_order_count_once_and_an_order_has_an_amount(feed: Feed) -> None:
    one, two, none = CustomerFactory(), CustomerFactory(), CustomerFactory()
    take(feed, *(line.format(one.number) for line in LINES[:2]))
    take(feed, *(line.format(two.number).replace("1044", "2044").replace("1051", "2051") for line in LINES[1:]))
    lately = NOW - dt.timedelta(days=1)
    record_fact(none, kind="ticket", occurred_at=lately, source_code="theatre", external_id="los", amount_cents=100)
    assert who("facts.count", times=2) == {one, two}
    assert who("facts.count", times=2, per_order=True) == {two}
    assert who("facts.count", times=1, op="exactly", per_order=True) == {one, none}
    assert who("facts.sum", at_least=8000) == {one, two}
    assert who("facts.sum", at_least=8000, per_order=True) == {one}
    assert who("facts.sum", at_least=100, per_order=True, within_days=5) == {none}


def test_the_same_number_at_two_sources_is_two_orders() -> None:
    customer = CustomerFactory()
    for code in ("theatre", "library"):
        SourceFactory(code=code)
        record_fact(
            customer, kind="ticket", occurred_at=NOW - dt.timedelta(days=1), source_code=code, external_id="1",
            order_number="7", amount_cents=600,
        )  # fmt: skip
    assert who("facts.count", times=2, per_order=True) == {customer}
    assert who("facts.sum", at_least=1000, per_order=True) == set()


def test_it_is_said_in_words() -> None:
    assert "minstens 2 bestellingen" in sentence("facts.count", times=2, per_order=True)
    assert "in één bestelling" in sentence("facts.sum", at_least=5000, per_order=True)


def test_the_api_takes_and_gives_orders(administrator: User) -> None:
    customer = CustomerFactory()
    SourceFactory(code="theatre")
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {add_integration(name='kassa', by=administrator)[1]}")
    fact = {"customer": customer.number, "kind": "ticket", "occurred_at": "2026-05-01T10:00:00Z", "source": "theatre"}
    sent = [fact | {"external_id": "1", "order": "1044"}, fact | {"external_id": "2"}]
    assert api.post("/api/v1/facts/", sent, format="json").data == {"new": 2, "changed": 0, "known": 0}
    told = api.get(f"/api/v1/customers/{customer.number}/facts/").data["results"]
    assert {row["external_id"]: row["order"] for row in told} == {"1": "1044", "2": None}
    long = [fact | {"external_id": "3", "order": "x" * 41}]
    assert api.post("/api/v1/facts/", long, format="json").status_code == 400


def test_the_timeline_shows_an_order_as_one(feed: Feed) -> None:
    customer = CustomerFactory()
    take(feed, *(line.format(customer.number) for line in LINES))
    tickets = [one for one in Timeline(customer).page(20).moments if one.icon == "ticket"]
    assert len(tickets) == 2
    assert "bestelling 1051" in tickets[0].text
    assert tickets[1].text == "bestelling 1044 · 2 regels · €\u00a0101,00"
    first = Timeline(customer).page(1)
    second = Timeline(customer).page(1, before=first.next)
    assert [first.moments, second.moments] == [tickets[:1], tickets[1:]], "no page is empty"
    assert second.next is None, "no line is told again after its order"


def test_a_period_shows_the_lines_of_an_order_that_lie_in_it() -> None:
    customer = CustomerFactory()
    SourceFactory(code="theatre")
    for days in (1, 5, 6):
        record_fact(
            customer, kind="ticket", occurred_at=NOW - dt.timedelta(days=days), source_code="theatre",
            external_id=str(days), order_number="7", amount_cents=600,
        )  # fmt: skip
    wish = Wish(kind="ticket", end=NOW - dt.timedelta(days=3))
    assert [one.text for one in Timeline(customer, wish).page(20).moments] == ["bestelling 7 · 2 regels · €\u00a012,00"]
