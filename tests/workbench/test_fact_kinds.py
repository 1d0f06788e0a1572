from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.time import clock, local_date
from customers.actions import ensure_base_data, record_fact
from customers.actions.kinds import add_kind
from customers.actions.tallies import tally_facts
from customers.models import FactCount, KindSetting
from selections.actions import create_selection
from tests.factories import CustomerFactory
from tests.workbench.conftest import Nudged

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_of: Callable[[User], Client], administrator: User) -> Client:
    return client_of(administrator)


def url(name: str, *args: Any) -> str:
    return reverse(f"workbench:fact_kind_{name}", args=args)


def text(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def loans(number: int, *, when: dt.datetime | None = None) -> None:
    customer = CustomerFactory()
    for n in range(number):
        record_fact(
            customer, kind="loan", occurred_at=when or clock(), source_code="library",
            external_id=f"{customer.number}-{n}",
        )  # fmt: skip


def test_the_list_tells_per_kind_from_which_source_how_many_and_since_when(client: Client, nudged: Nudged) -> None:
    ensure_base_data()
    loans(3)
    assert "Uitlening uitlening – 0" in text(client.get(url("list")))
    with nudged():
        assert client.post(url("count")).status_code == 302
    page = text(client.get(url("list")))
    assert "Geteld op" in page
    assert re.search(r"Uitlening uitlening Bibliotheeksysteem 3 \d+ \w+ \d{4} zo lang als de klant", page), page
    assert "Paginabezoek paginabezoek – 0 – 13 maanden" in page


def test_an_own_kind_is_made_used_changed_and_removed(client: Client) -> None:
    body = {"name": "Workshop", "verb": "deed een workshop", "participle": "een workshop gedaan", "icon": "palette"}
    answer = client.post(url("add"), body)
    assert answer.headers["Location"] == url("detail", "workshop")
    assert "eigen soort" in text(client.get(url("list")))
    customer = CustomerFactory()
    told = {"kind": "workshop", "occurred_at": clock(), "source_code": "library"}
    rule = {"version": 2, "op": "all", "children": [{"criterion": "facts.count", "params": {"kind": "workshop"}}]}
    assert str(create_selection(name="Makers", rule=rule, by=None, now=clock()))
    assert client.post(url("change", "workshop"), body | {"name": "Atelier"}).status_code == 302
    assert KindSetting.objects.get(code="workshop").name == "Atelier"
    assert "Gewijzigd" in text(client.get(url("detail", "workshop")))
    record_fact(customer, external_id="1", **told)
    assert client.post(url("remove", "workshop")).status_code == 302
    assert KindSetting.objects.filter(code="workshop").exists(), "somebody did it"


def test_a_kind_that_nobody_did_can_be_removed(client: Client) -> None:
    add_kind(name="Vergissing", verb="vergiste zich", by=None, now=clock())
    client.post(url("remove", "vergissing"))
    assert not KindSetting.objects.exists()


@pytest.mark.parametrize("name", ["Uitlening", "loan", "uitlening", "???"])
def test_a_name_that_means_something_else_is_refused(client: Client, name: str) -> None:
    answer = client.post(url("add"), {"name": name, "verb": "deed iets"})
    assert answer.status_code == 422
    assert not KindSetting.objects.exists()


def test_kinds_of_the_product_are_not_changed(client: Client) -> None:
    KindSetting.objects.create(code="loan", keep_months=24)
    for name in ("change", "remove"):
        assert client.post(url(name, "loan"), {"name": "Diefstal", "verb": "stal"}).status_code == 404


def test_a_term_is_set_with_its_history_and_what_looks_further_is_told(client: Client, administrator: User) -> None:
    params = {"kind": "loan", "op": "at_least", "times": 5, "within_days": 1500}
    rule = {"version": 2, "op": "all", "children": [{"criterion": "facts.count", "params": params}]}
    create_selection(name="Trouwe lezers", rule=rule, by=None, now=clock())
    assert client.post(url("retention", "loan"), {"months": "12"}).status_code == 422
    assert client.post(url("retention", "loan"), {"months": "24"}).status_code == 302
    page = text(client.get(url("detail", "loan")))
    assert "24 maanden" in page
    assert "Trouwe lezers" in page
    assert client.post(url("retention", "loan"), {"months": ""}).status_code == 302
    assert KindSetting.objects.get(code="loan").keep_months is None


def test_the_months_of_a_kind_include_what_became_a_count(client: Client) -> None:
    month = local_date(clock()).replace(day=1)
    loans(2)
    tally_facts(now=clock())
    FactCount.objects.create(
        month=month, kind="loan", sector="", world="reizen", count=5, quantity=5, amount_cents=0, duration_seconds=0
    )
    response = client.get(url("detail", "loan"))
    assert response.context["chart"]["datasets"][0]["data"][-1] == 7
    assert len(response.context["chart"]["labels"]) == 24
    assert client.get(url("detail", "niets")).status_code == 404


def test_the_list_asks_as_much_for_many_kinds_as_for_few(client: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(url("list")).status_code == 200
        return len(found)

    client.get(url("list"))
    before = asked()
    for number in range(8):
        add_kind(name=f"Soort {number}", verb="deed iets", by=None, now=clock())
    assert asked() <= before + 1  # own kinds are read anew
    assert before < 20


def test_a_marketeer_looks_but_does_not_change(client_of: Callable[[User], Client], marketeer: User) -> None:
    client = client_of(marketeer)
    assert client.get(url("list")).status_code == 200
    assert client.get(url("add")).status_code == 403
    assert client.post(url("retention", "loan"), {"months": "24"}).status_code == 403
