"""What people changed here is given out once, in order, to who asks on from the last change he saw."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from common.time import clock
from customers.actions import change_customer
from customers.actions.privacy import erase_customer
from customers.models import Customer
from tests.factories import BranchFactory, CustomerFactory

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
URL = "/api/v1/changes/"


@pytest.fixture
def anna() -> Customer:
    return CustomerFactory(number="1001", first_name="Anna", email="oud@example.nl")


@pytest.fixture
def client(administrator: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(administrator)


def change(customer: Customer, source: str = "mijnmenu", ago: dt.timedelta = MINUTE, **fields: Any) -> None:
    by = "customer" if source == "mijnmenu" else "Petra"
    change_customer(customer, by=by, source_code=source, now=clock() - ago, **fields)


def test_each_field_is_told_with_old_and_new(api: APIClient, anna: Customer) -> None:
    change(anna, email="nieuw@example.nl", first_name="Ánna 🌷")
    answer = api.get(URL).data
    told = [{name: row[name] for name in ("customer", "field", "old", "new", "source", "by_customer")}
            for row in answer["results"]]  # fmt: skip
    assert told == [
        {"customer": "1001", "field": "email", "old": "oud@example.nl", "new": "nieuw@example.nl",
         "source": "mijnmenu", "by_customer": True},
        {"customer": "1001", "field": "first_name", "old": "Anna", "new": "Ánna 🌷",
         "source": "mijnmenu", "by_customer": True},
    ]  # fmt: skip
    assert (answer["after"], answer["more"]) == (answer["results"][0]["id"], False)


def test_asking_on_gives_what_is_new_and_nothing_twice(api: APIClient, anna: Customer) -> None:
    for number in range(5):
        change(anna, city=f"Plaats {number}", street="Kade", postal_code="1441 AB", house_number="1")
    seen, after, more = [], 0, True
    while more:
        page = api.get(URL, {"after": after, "limit": 2}).data
        seen += [row["new"] for row in page["results"] if row["field"] == "city"]
        after, more = page["after"], page["more"]
    assert seen == [f"Plaats {number}" for number in range(5)]
    again = api.get(URL, {"after": after}).data
    assert (again["results"], again["after"]) == ([], after)


def test_what_was_changed_just_now_waits_until_it_is_settled(api: APIClient, anna: Customer) -> None:
    change(anna, email="nieuw@example.nl", ago=dt.timedelta(seconds=2))
    assert api.get(URL).data["results"] == []


def test_what_a_system_said_is_told_only_when_asked(api: APIClient, anna: Customer) -> None:
    change(anna, source="library", last_name="Vos")
    change(anna, source="counter", last_name="Bos")
    assert [row["new"] for row in api.get(URL).data["results"]] == ["Bos"]
    assert [row["new"] for row in api.get(URL, {"source": "library"}).data["results"]] == ["Vos"]


@pytest.mark.parametrize("wrong", [{"after": "-1"}, {"limit": "0"}, {"source": "niets"}, {"since": "gisteren"}])
def test_what_cannot_be_asked_is_a_bad_request(api: APIClient, wrong: dict[str, str]) -> None:
    assert api.get(URL, wrong).status_code == 400


def test_who_was_erased_is_not_told_of_any_more(api: APIClient, anna: Customer) -> None:
    change(anna, email="nieuw@example.nl")
    erase_customer(anna, ground="request", by="test", now=clock())
    assert api.get(URL).data["results"] == []


def test_the_page_and_the_file_show_them_harmlessly(client: Client, anna: Customer) -> None:
    change(anna, phone="0612345678", first_name="=HYPERLINK(1)")
    page = client.get("/handover/").content.decode()
    assert "Wijzigingen om over te nemen" in page
    assert "06 12 34 56 78" in page
    assert "30 seconden" in page
    lines = b"".join(client.get("/handover/file/").streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "Klantnummer;Veld;Oud;Nieuw;Wanneer;Bron"
    assert [line.split(";")[:4] for line in lines[1:]] == [
        ["1001", "first_name", "Anna", "'=HYPERLINK(1)"], ["1001", "phone", "", "+31612345678"],
    ]  # fmt: skip
    assert client.get("/handover/", {"since": "2999-01-01"}).content.decode().count("1001") == 0
    assert client.get("/handover/", {"since": "geen dag"}).status_code == 200


def test_the_page_tells_values_in_words_and_the_file_keeps_the_codes(
    client: Client, anna: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    change(anna, branch=BranchFactory(code="PUR", name="Purmerend"), birth_date=dt.date(1979, 3, 14))
    page = client.get("/handover/").content.decode()
    assert "14 maart 1979" in page
    assert "Purmerend" in page
    with caplog.at_level("INFO", logger="wise.exports"):
        lines = b"".join(client.get("/handover/file/").streaming_content).decode("utf-8-sig").splitlines()
    assert [line.split(";")[1:4:2] for line in lines[1:]] == [["birth_date", "1979-03-14"], ["branch", "PUR"]]
    assert "handover user=" in caplog.text, "who takes data away is known"


def test_who_may_not_export_sees_nothing(
    make_user: Callable[..., User], client_of: Callable[[User], Client], anna: Customer
) -> None:
    clerk = client_of(make_user("counter"))
    assert clerk.get("/handover/").status_code == 403
    assert clerk.get("/handover/file/").status_code == 403
