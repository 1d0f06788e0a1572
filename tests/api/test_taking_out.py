"""Files of everybody in a selection or a result set, and sending them an action, over the API."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pypdf import PdfReader
from rest_framework.test import APIClient

from campaigns.actions import create_action
from campaigns.models import Action
from common.time import clock
from customers.actions import ensure_base_data
from customers.models import Customer, Purpose
from labels.actions import create_label, give_label
from mailings.actions import change_sending_settings, plan_experiment, save_content
from mailings.models import Decision, Mailing, SeenWarnings, SendingSettings
from selections.actions import create_selection, keep_selection
from selections.models import Export, ResultSet, Selection
from tests.factories import NOW, ConsentFactory, CustomerFactory, PurposeFactory, begin
from tests.selections.test_rules import MEMBERS, rule

pytestmark = [pytest.mark.django_db, pytest.mark.rights("export_customers", "manage_campaigns")]


@pytest.fixture
def members() -> Selection:
    return create_selection(name="Leden", rule=rule(MEMBERS), now=clock())


@pytest.fixture
def anna() -> Customer:
    home = {"street": "Dorpsstraat", "house_number": 3, "postal_code": "1441AA", "city": "Purmerend"}
    kept: Customer = CustomerFactory(number="41", first_name="Anna", phone="+31612345678", **home)
    CustomerFactory(number="42", first_name="Bert", street="")
    CustomerFactory(number="43", kind="prospect")
    return kept


@pytest.fixture
def purpose(anna: Customer) -> Purpose:
    made: Purpose = PurposeFactory(code="actie")
    for channel in ("phone", "post"):
        ConsentFactory(customer=anna, purpose=made, channel=channel)
    return made


def url(thing: Any, what: str) -> str:
    return f"/api/v1/{'selections' if isinstance(thing, Selection) else 'result-sets'}/{thing.pk}/{what}/"


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def lines_of(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body_of(answer).decode("utf-8-sig")), delimiter=";"))


def sets(selection: Selection) -> ResultSet:
    return keep_selection(selection, name="Toen", by=None, now=clock())


@pytest.mark.parametrize("kept", [False, True])
def test_everybody_as_a_file_with_the_columns_labels_and_values_asked_for(
    api: APIClient, members: Selection, anna: Customer, kept: bool
) -> None:
    label = create_label(name="Lezer", code="lezer", kind="own", now=NOW)
    give_label(label, Customer.objects.filter(pk=anna.pk), by="test", now=NOW)
    thing = sets(members) if kept else members
    asked = {"columns": ["first_name", "number"], "labels": ["lezer"], "values": ["customer.household_size"]}
    answer = api.post(url(thing, "export"), asked)
    assert answer.status_code == 200
    assert [line[:3] for line in lines_of(answer)[1:]] == [["41", "Anna", "ja"], ["42", "Bert", ""]]
    taken = Export.objects.get()
    assert (taken.row_count, taken.kind, taken.user.username if taken.user else "") == (2, "file", "website")
    assert taken.columns == ["number", "first_name", "label:lezer", "value:customer.household_size"]
    assert (taken.result_set is not None) == kept


def test_everybody_as_a_workbook(api: APIClient, members: Selection, anna: Customer) -> None:
    answer = api.post(url(members, "export"), {"columns": ["number"], "format": "xlsx"})
    assert "spreadsheetml" in answer["Content-Type"]
    assert answer["Content-Disposition"].endswith('.xlsx"')
    with zipfile.ZipFile(io.BytesIO(body_of(answer))) as package:
        assert package.testzip() is None
        assert any("41" in package.read(name).decode() for name in package.namelist() if name.endswith(".xml"))


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"columns": []},
        {"columns": ["secret"]},
        {"columns": ["number"], "labels": ["nowhere"]},
        {"columns": ["number"], "values": ["nowhere"]},
        {"columns": ["number"], "values": ["customer.age"] * 26},
        {"columns": ["number"], "format": "pdf"},
    ],
)
def test_a_file_of_nothing_that_is_known_is_refused_and_not_recorded(
    api: APIClient, members: Selection, wrong: dict[str, Any]
) -> None:
    assert api.post(url(members, "export"), wrong).status_code == 400
    assert not Export.objects.exists()


def test_a_call_list_holds_only_who_may_be_called(
    api: APIClient, members: Selection, anna: Customer, purpose: Purpose
) -> None:
    told = api.get(url(members, "call-list"), {"purpose": "actie"}).data
    assert (told["total"], told["usable"], told["parts"]) == (2, 1, [])
    assert sum(told["decisions"].values()) == 2
    assert not Export.objects.exists()
    lines = lines_of(api.post(url(members, "call-list"), {"purpose": "actie"}))
    assert [line[0] for line in lines[1:]] == ["41"]
    taken = Export.objects.get()
    assert (taken.kind, taken.row_count, taken.columns) == ("calls", 1, ["purpose:actie"])
    assert api.post(url(members, "call-list"), {}).status_code == 400


def test_address_labels_are_sheets_of_who_may_be_written(
    api: APIClient, members: Selection, anna: Customer, purpose: Purpose
) -> None:
    told = api.get(url(members, "address-labels"), {"purpose": "actie", "one_per_household": "true"}).data
    assert told["parts"] == [{"number": 1, "first": 1, "last": 1}]
    answer = api.post(url(sets(members), "address-labels"), {"purpose": "actie", "skip": 3})
    assert answer["Content-Type"] == "application/pdf"
    assert "Anna" in PdfReader(io.BytesIO(body_of(answer))).pages[0].extract_text()
    assert Export.objects.get().kind == "addresses"
    beyond = api.post(url(members, "address-labels"), {"purpose": "actie", "part": 2})
    assert (beyond.status_code, beyond.data["code"]) == (422, "nobody")
    assert Export.objects.count() == 1


def test_a_result_set_that_waits_gives_nothing(api: APIClient, members: Selection) -> None:
    kept = sets(members)
    ResultSet.objects.update(is_waiting=True)
    for what, asked in (("export", {"columns": ["number"]}), ("call-list", {"purpose": "service"})):
        ensure_base_data()
        assert api.post(url(kept, what), asked).data["code"] == "result_set_waits"


def test_nobody_takes_them_out_without_the_permission(
    client_of: Callable[[User], Client], marketeer: User, members: Selection
) -> None:
    client = client_of(marketeer)  # who exports in the workbench, and has no business here
    assert client.post(url(members, "export"), {"columns": ["number"]}, "application/json").status_code == 403


# --- sending an action ---


@pytest.fixture
def house() -> SendingSettings:
    begin()
    return change_sending_settings(
        organisation="Bibliotheek Waterland",
        postal_address="Postbus 12, 1440 AA Purmerend",
        sender_name="Bibliotheek Waterland",
        sender_email="nieuws@waterland.example",
        privacy_url="https://www.example.nl/privacy",
    )


@pytest.fixture
def action(house: SendingSettings, marketeer: User) -> Action:
    made = create_action(
        name="Groet",
        purpose=Purpose.objects.get(code="service"),
        channels="email",
        subject="Dag",
        by=marketeer,
        now=NOW,
    )
    blocks = [
        {"type": "heading", "data": {"text": "Dag!"}},
        {"type": "text", "data": {"text": "Wij zijn er weer. Tot ziens in de bibliotheek."}},
    ]
    save_content(made.content, name="Groet", subject="Wij zijn er weer", blocks=blocks, by=marketeer, now=NOW)
    return made


def test_an_action_is_sent_once_to_everybody_in_a_selection(
    api: APIClient, action: Action, members: Selection, anna: Customer
) -> None:
    run = f"/api/v1/actions/{action.pk}/run/"
    told = api.get(run, {"selection": members.pk}).data
    assert (told["candidates"], told["accepted"]) == (2, 2)
    assert not [one for one in told["findings"] if one["severity"] == "error"]
    assert not Mailing.objects.exists()
    wish = {"selection": members.pk, "key": "nacht-1", "confirmed": told["fingerprint"]}
    first, again = api.post(run, wish), api.post(run, wish)
    assert first.status_code == again.status_code == 201
    mailing = Mailing.objects.get()
    assert first.data["id"] == again.data["id"] == mailing.pk
    assert (mailing.origin, mailing.created_by and mailing.created_by.username) == (f"action:{action.pk}", "website")
    assert Decision.objects.filter(outcome="accepted").count() == 2
    kept = sets(members)
    other = api.post(run, {"result_set": kept.pk, "key": "nacht-1", "confirmed": told["fingerprint"]})
    assert other.data["id"] != mailing.pk
    assert [one["name"] for one in api.get("/api/v1/actions/").data["results"]] == ["Groet"]


@pytest.mark.parametrize("wrong", [{}, {"key": "een twee"}, {"selection": 0, "key": "a"}])
def test_without_an_audience_or_a_key_nothing_is_sent(api: APIClient, action: Action, wrong: dict[str, Any]) -> None:
    assert api.post(f"/api/v1/actions/{action.pk}/run/", wrong).status_code in (400, 422)
    assert not Mailing.objects.exists()


def test_errors_and_warnings_that_nobody_saw_stop_it(
    api: APIClient, action: Action, members: Selection, anna: Customer, marketeer: User
) -> None:
    save_content(action.content, name="Groet", subject="", blocks=[], by=marketeer, now=NOW)
    answer = api.post(f"/api/v1/actions/{action.pk}/run/", {"selection": members.pk, "key": "a"})
    assert (answer.status_code, answer.data["code"]) == (422, "content_empty")
    change_sending_settings(postal_address="")
    blocks = [{"type": "text", "data": {"text": "Wij zijn er weer."}}]
    save_content(action.content, name="Groet", subject="Dag", blocks=blocks, by=marketeer, now=NOW)
    answer = api.post(f"/api/v1/actions/{action.pk}/run/", {"selection": members.pk, "key": "a"})
    assert (answer.status_code, answer.data["code"]) == (422, "check_errors")
    assert not Mailing.objects.exists()


def test_warnings_that_are_confirmed_are_kept_with_who_did(
    api: APIClient, action: Action, members: Selection, anna: Customer, marketeer: User
) -> None:
    Customer.objects.update(city="")
    blocks = [{"type": "text", "data": {"text": "Wij zijn er weer in {{ city }}. Tot ziens."}}]
    save_content(action.content, name="Groet", subject="Wij zijn er weer", blocks=blocks, by=marketeer, now=NOW)
    run = f"/api/v1/actions/{action.pk}/run/"
    wish = {"selection": members.pk, "key": "a"}
    assert api.post(run, wish).data["code"] == "check_warnings"
    assert not SeenWarnings.objects.exists()
    wish["confirmed"] = api.get(run, {"selection": members.pk}).data["fingerprint"]
    assert api.post(run, wish).status_code == 201
    seen = SeenWarnings.objects.of_mailing(Mailing.objects.get()).get()
    assert getattr(seen.confirmed_by, "username", "") == "website"
    assert "fields.empty" in {one["code"] for one in seen.warnings}


def test_a_test_of_versions_that_cannot_start_is_told_beforehand(
    api: APIClient, action: Action, members: Selection, anna: Customer
) -> None:
    run = f"/api/v1/actions/{action.pk}/run/"
    plan_experiment(action.content, now=NOW)  # two versions that are still the same
    told = api.get(run, {"selection": members.pk}).data["findings"]
    assert [one["severity"] for one in told if one["code"].startswith("test.")] == ["error"]
    assert api.post(run, {"selection": members.pk, "key": "a"}).data["code"] == "check_errors"
    assert not Mailing.objects.exists()
