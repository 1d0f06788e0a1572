"""Triggers over the API, those on a cell of the shift matrix among them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from campaigns.actions import advance, create_action
from campaigns.models import Action, Trigger
from common.time import clock, local_date
from customers.actions import ensure_base_data
from customers.models import Customer, Purpose
from labels.actions import create_group, create_label, give_label
from labels.models import Label
from labels.tasks import refresh_system_labels_nightly
from mailings.actions import change_sending_settings, save_content
from mailings.models import SeenWarnings
from mailings.tasks import send_queued
from tests.factories import NOW, CustomerFactory
from tests.smtp_sink import Sink

pytestmark = [pytest.mark.django_db, pytest.mark.rights("manage_campaigns")]

DAY = dt.timedelta(days=1)
URL = "/api/v1/triggers/"


@pytest.fixture
def action(marketeer: User) -> Action:
    ensure_base_data()
    change_sending_settings(  # without it nothing goes out, and no trigger is turned on
        organisation="Bibliotheek Waterland",
        postal_address="Postbus 12, 1440 AA Purmerend",
        sender_name="Bibliotheek Waterland",
        sender_email="nieuws@waterland.example",
        privacy_url="https://www.example.nl/privacy",
    )
    purpose = Purpose.objects.get(code="service")
    made = create_action(name="Groet", purpose=purpose, channels="email", subject="Dag", by=marketeer, now=NOW)
    blocks = [{"type": "heading", "data": {"text": "Dag!"}}]
    save_content(made.content, name="Groet", subject="Dag", blocks=blocks, by=marketeer, now=NOW)
    return made


@pytest.fixture
def cell(action: Action) -> dict[str, Any]:
    group = create_group(name="Trap", code="trap", is_exclusive=True)
    for name in ("Laag", "Hoog"):
        create_label(name=name, kind="own", group=group, now=clock())
    params = {"label_group": "trap", "from_label": "laag", "to_label": "hoog"}
    return {"name": "Klom", "kind": "label_move", "params": params, "action": action.pk}


def test_a_cell_of_the_shift_matrix_becomes_a_trigger(api: APIClient, cell: dict[str, Any]) -> None:
    made = api.post(URL, cell)
    assert made.status_code == 201, made.data
    assert made.data["params"] == {**cell["params"], "with_recounts": False}
    assert "Trap" in made.data["sentence"]
    assert made.data["is_active"] is False
    page = f"{URL}{made.data['id']}/"
    assert api.post(f"{page}on/").data["is_active"] is True
    assert Trigger.objects.get().events.latest("pgh_id").pgh_context.metadata["user"]  # type: ignore[attr-defined]
    assert api.get(URL, {"kind": "label_move"}).data["count"] == 1
    assert api.post(f"{page}off/").data["is_active"] is False
    assert api.delete(page).status_code == 204
    assert not Trigger.objects.exists()


def test_who_moves_in_the_night_gets_what_was_hung_on_a_cell_over_the_api(
    api: APIClient, cell: dict[str, Any], smtp_sink: Sink
) -> None:
    low, _high = group_labels = list(Label.objects.filter(group__code="trap").order_by("rank"))
    people = [CustomerFactory(email=f"{name}@example.nl", created_at=clock() - 300 * DAY) for name in ("an", "ben")]
    give_label(low, Customer.objects.all(), by="Petra", now=clock() - 5 * DAY)
    page = f"{URL}{api.post(URL, cell).data['id']}/"
    assert api.post(f"{page}on/").data["is_active"] is True
    assert api.get(page).data["last_due_on"] is None
    give_label(group_labels[1], Customer.objects.filter(pk=people[0].pk), by="Petra", now=clock())
    for _night in range(2):  # the same move twice is one message
        refresh_system_labels_nightly()
        advance(now=clock())
        send_queued()
    assert [one.recipients for one in smtp_sink.received] == [["an@example.nl"]]
    told = api.get(page).data
    assert (told["last_due_on"], told["last_count"], told["last_error"]) == (local_date(clock()).isoformat(), 1, "")


def test_warnings_are_confirmed_before_it_is_turned_on(api: APIClient, cell: dict[str, Any], action: Action) -> None:
    save_content(action.content, name="Groet", subject="LAATSTE KANS VANDAAG", now=NOW)
    page = f"{URL}{api.post(URL, cell).data['id']}/on/"
    assert api.post(page).data["code"] == "check_warnings"
    found = api.get(page).data
    assert "warning" in {one["severity"] for one in found["findings"]}
    assert api.post(page, {"confirmed": found["fingerprint"]}).data["is_active"] is True
    assert SeenWarnings.objects.get().confirmed_by


def test_it_is_changed_but_not_into_something_else(api: APIClient, cell: dict[str, Any]) -> None:
    page = f"{URL}{api.post(URL, cell).data['id']}/"
    down = {**cell["params"], "from_label": "hoog", "to_label": "laag"}
    changed = api.patch(page, {"params": down, "name": "Zakte"})
    assert (changed.data["name"], changed.data["params"]["to_label"]) == ("Zakte", "laag")
    answer = api.patch(page, {"kind": "birthday"})
    assert (answer.status_code, answer.data["field"]) == (422, "kind")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"params": {"label_group": "nergens"}}, "label_group"),
        ({"params": {"label_group": "trap", "to_label": "elders"}}, "to_label"),
        ({"params": {"label_group": "trap", "from_label": "laag", "to_label": "laag"}}, "to_label"),
        ({"kind": "full_moon"}, "kind"),
        ({"name": ""}, "name"),
        ({"selection": 0}, "selection"),
    ],
)
def test_what_cannot_be_a_trigger_is_refused_with_its_field(
    api: APIClient, cell: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    answer = api.post(URL, {**cell, **change})
    assert answer.status_code in (400, 422)
    assert answer.data["field"] == field
    assert not Trigger.objects.exists()


def test_a_trigger_has_one_effect(api: APIClient, cell: dict[str, Any]) -> None:
    del cell["action"]
    assert api.post(URL, cell).data["code"] == "one_effect"


def test_the_kinds_tell_their_settings(api: APIClient, cell: dict[str, Any]) -> None:
    kinds = {kind["code"]: kind for kind in api.get(f"{URL}kinds/").data}
    settings = {one["name"]: one for one in kinds["label_move"]["settings"]}
    assert settings["label_group"]["is_required"] is True
    assert "trap" in settings["label_group"]["choices"]
    assert "laag" in settings["from_label"]["choices"]
    assert {one["name"]: one["preset"] for one in kinds["fact_days_ago"]["settings"]}["days"] == 1
