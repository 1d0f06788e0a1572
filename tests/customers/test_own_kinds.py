"""A kind of the organisation's own goes the whole way: from a page to file, API, timeline, selection and retention."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from common.actions import add_integration
from common.time import clock, local_date
from customers.actions import ensure_base_data, run_import, upload_import
from customers.actions.retention import retention_of_facts
from customers.actions.tallies import tally_facts
from customers.models import Customer, Fact, FactCount, FactTotal
from customers.timeline import Timeline
from selections.actions import create_selection
from selections.compiler import members
from selections.explain import describe
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

COURSE = {
    "name": "Cursus gevolgd", "verb": "volgde een cursus", "participle": "een cursus gevolgd", "icon": "graduation-cap",
    "unit": "dagdelen", "has_amount": "on", "has_duration": "on",
}  # fmt: skip
HEADER = "id;klantnummer;soort;tijdstip;wereld;genre;aantal;bedrag;duur"


@pytest.fixture(autouse=True)
def _start(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    ensure_base_data()


@pytest.fixture
def course(client_of: Callable[[User], Client], administrator: User) -> Client:
    """The kind, made by an administrator on the page; the client goes on."""
    client = client_of(administrator)
    assert client.post("/kinds/add/", COURSE).status_code == 302
    return client


def take(*lines: str, now: dt.datetime) -> Any:
    file = io.BytesIO("\n".join([HEADER, *lines, ""]).encode())
    run = upload_import(format="facts", source_code="library", file=file, file_name="x.csv", by=None, now=now)
    return run_import(run, now=now)


def text(client: Client, url: str) -> str:
    return client.get(url).content.decode()


def test_it_goes_the_whole_way(course: Client, administrator: User) -> None:
    now = clock()
    customer, other = CustomerFactory(), CustomerFactory()
    day, old = f"{now - dt.timedelta(days=9):%Y-%m-%d}", f"{now - relativedelta(months=30):%Y-%m-%d}"
    lines = [
        f"C1;{customer.number};Cursus gevolgd;{day};makers;pottenbakken;3;45,00;7200",
        f"C2;{customer.number};cursus-gevolgd;{old};makers;naaien;2;30,00;",
    ]
    run = take(*lines, now=now)
    assert (run.new_count, run.refused_count) == (2, 0), list(run.errors.values())
    assert take(*lines, now=now).same_count == 2

    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {add_integration(name='kassa', by=administrator)[1]}")
    [kind] = [row for row in api.get("/api/v1/kinds/").data if row["code"] == "cursus-gevolgd"]
    assert (kind["unit"], kind["has_amount"], kind["has_duration"], kind["is_own"]) == ("dagdelen", True, True, True)
    fact = {
        "customer": other.number, "kind": "cursus-gevolgd", "occurred_at": now.isoformat(), "source": "library",
        "external_id": "C3", "world": "makers", "quantity": 1, "amount_cents": 1500, "duration_seconds": 3600,
    }  # fmt: skip
    assert api.post("/api/v1/facts/", [fact], format="json").data == {"new": 1, "changed": 0, "known": 0}

    [latest, _earlier] = [moment for moment in Timeline(customer).page(20).moments if "cursus" in moment.title]
    assert latest.title == "Volgde een cursus"
    assert latest.text == "3 dagdelen · Makers · pottenbakken · €\u00a045,00 · 120 min"
    assert "Volgde een cursus" in text(course, f"/customers/{customer.pk}/timeline/")

    params = {"kind": "cursus-gevolgd", "times": 2, "world": "makers"}
    rule = {"version": 2, "op": "all", "children": [{"criterion": "facts.count", "params": params}]}
    assert "een cursus gevolgd" in describe(rule)
    assert set(members(create_selection(name="Makers", rule=rule, by=None, now=now), now=now)) == {customer}

    tally_facts(now=now)
    assert "dagdelen" in text(course, "/kinds/of/cursus-gevolgd/")
    assert course.post("/kinds/of/cursus-gevolgd/retention/", {"months": "24"}).status_code == 302
    before = FactTotal.objects.get(customer=customer).count
    assert retention_of_facts(day=local_date(now), now=now) == {"cursus-gevolgd": 1}
    counted = FactCount.objects.get()
    assert (counted.world, counted.count, counted.quantity, counted.amount_cents) == ("makers", 1, 2, 3000)
    assert FactTotal.objects.get(customer=customer).count == before == 2
    assert take(*lines, now=now).new_count == 0
    assert Fact.objects.count() == 2


def test_it_stands_in_a_copy_and_is_changed_without_losing_anything(course: Client) -> None:
    customer: Customer = CustomerFactory()
    now = clock()
    take(f"C1;{customer.number};cursus gevolgd;{now:%Y-%m-%d};;;3;;", now=now)
    assert course.post("/kinds/of/cursus-gevolgd/change/", COURSE | {"name": "Cursus", "unit": ""}).status_code == 302
    [moment] = [one for one in Timeline(customer).page(9).moments if "cursus" in one.title]
    assert moment.text == "3 stuks"
    assert Fact.objects.get().kind == "cursus-gevolgd"
    assert take(f"C2;{customer.number};Cursus;{now:%Y-%m-%d};;;1;;", now=now).new_count == 1
    assert take(f"C3;{customer.number};cursus-gevolgd;{now:%Y-%m-%d};;;1;;", now=now).new_count == 1
