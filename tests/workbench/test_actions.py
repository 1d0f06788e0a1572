"""The pages of actions and triggers."""

# ruff: noqa: F401, F811 - fixtures are imported, and asked for by name

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.actions import create_trigger
from campaigns.models import Action, Trigger, TriggerRun
from common.time import clock, local_date
from customers.models import Customer, Purpose
from mailings.models import Mailing, Message
from selections.models import Selection
from tests.campaigns.conftest import (
    house,
    make_action,
    make_campaign,
    make_trigger,
    member,
    select,
)

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]


@pytest.fixture
def now() -> dt.datetime:
    """Pages read the clock."""
    return clock()


@pytest.fixture
def client(marketeer: Any, client_of: Make) -> Client:
    return client_of(marketeer)


@pytest.fixture
def members(select: Make) -> Selection:
    found: Selection = select("customer.kind", name="Alle leden", kinds=["member"])
    return found


def url(name: str, *args: Any) -> str:
    return reverse(f"workbench:{name}", args=args)


def text(response: Any) -> str:
    assert response.status_code in (200, 422), response.status_code
    return str(response.content.decode())


# Actions


def test_the_list_shows_actions_with_their_reach_and_can_be_filtered(client: Client, make_action: Make) -> None:
    make_action("Verjaardag"), make_action("Welkom", purpose="marketing")
    Action.objects.filter(name="Welkom").update(is_archived=True)
    page = text(client.get(url("action_list")))
    assert "Verjaardag" in page
    assert "Welkom" in page
    assert "Welkom" not in text(client.get(url("action_list"), {"state": "in_use"}))
    assert "Verjaardag" not in text(client.get(url("action_list"), {"state": "archived"}))
    assert "Verjaardag" not in text(client.get(url("action_list"), {"q": "welk"}))


def test_the_list_costs_the_same_for_few_and_for_many(
    client: Client,
    make_action: Make,
    django_assert_max_num_queries: Any,
) -> None:
    for _number in range(12):
        make_action()
    with django_assert_max_num_queries(9):
        client.get(url("action_list"))


def test_an_action_is_made_and_then_asks_for_its_content(client: Client, house: Any) -> None:
    purpose = Purpose.objects.get(code="service")
    given = {"name": "Welkom", "purpose": purpose.pk, "channels": "email", "priority": 2}
    response = client.post(url("action_add"), given)
    action = Action.objects.get()
    assert response.headers["Location"] == url("action_detail", action.pk)
    page = text(client.get(url("action_detail", action.pk)))
    assert url("content", action.content_id) in page
    assert "nog geen inhoud" in page
    assert url("action_run", action.pk) not in page


def test_an_action_is_for_a_purpose_for_which_people_are_reached(client: Client, house: Any) -> None:
    offered = set(client.get("/actions/add/").context["form"].fields["purpose"].queryset.values_list("code", flat=True))
    assert {"marketing", "service"} <= offered
    assert not offered & {"profiling", "open_tracking"}


def test_a_name_in_use_stands_at_its_field(client: Client, make_action: Make) -> None:
    action = make_action("Welkom")
    given = {"name": "welkom", "purpose": action.purpose_id, "channels": "email", "priority": 2}
    response = client.post(url("action_add"), given)
    assert response.status_code == 422
    assert 'id="id_name_error"' in text(response)


def test_an_action_is_changed_archived_and_restored(client: Client, make_action: Make) -> None:
    action = make_action("Welkom")
    assert 'value="Welkom"' in text(client.get(url("action_change", action.pk)))
    given = {"name": "Hallo", "purpose": action.purpose_id, "channels": "email_or_letter", "priority": 3}
    client.post(url("action_change", action.pk), given)
    action.refresh_from_db()
    assert (action.name, action.channels, action.priority) == ("Hallo", "email_or_letter", 3)
    client.post(url("action_archive", action.pk))
    action.refresh_from_db()
    assert action.is_archived
    client.post(url("action_restore", action.pk))
    action.refresh_from_db()
    assert not action.is_archived


def test_running_by_hand_first_shows_the_funnel_and_sends_nothing(
    client: Client,
    make_action: Make,
    member: Make,
    members: Selection,
) -> None:
    action = make_action()
    member(), member(), member(email="")
    page = text(client.get(url("action_run", action.pk), {"selection": members.pk}))
    assert "Van 3 klanten mag je er 2 bereiken." in page
    assert "Geen adres voor dit kanaal" in page
    assert not Mailing.objects.exists()


def test_running_by_hand_twice_from_one_page_is_one_mailing(
    client: Client,
    make_action: Make,
    member: Make,
    members: Selection,
) -> None:
    action, customer = make_action("Proef"), member()
    data = {"selection": members.pk, "key": "pagina1"}
    for _click in range(2):
        response = client.post(url("action_run", action.pk), data)
        assert response.headers["Location"] == url("action_detail", action.pk)
    mailing = Mailing.objects.get()
    assert list(Message.objects.values_list("customer", flat=True)) == [customer.pk]
    assert mailing.created_by.username == "marketeer"
    page = text(client.get(url("action_detail", action.pk)))
    assert url("mailing_detail", mailing.pk) in page
    client.post(url("action_run", action.pk), {**data, "key": "pagina2"})
    assert Mailing.objects.count() == 2


def test_an_action_that_is_not_ready_is_not_run(client: Client, make_action: Make, members: Selection) -> None:
    action = make_action(blocks=[])
    response = client.post(url("action_run", action.pk), {"selection": members.pk, "key": "x"})
    assert response.status_code == 422
    assert "nog geen inhoud" in text(response)
    assert not Mailing.objects.exists()


# Triggers


@pytest.mark.parametrize(
    ("kind", "data", "params"),
    [
        (
            "birthday",
            {"params_days_before": "7", "params_ages": "50, 18"},
            {"days_before": 7, "ages": [18, 50]},
        ),
        (
            "membership_years",
            {"params_years": "", "params_counted_from": "registration"},
            {"years": [], "counted_from": "registration"},
        ),
        (
            "fact_days_ago",
            {"params_kind": "loan", "params_days": "7", "params_which": "first"},
            {"kind": "loan", "days": 7, "which": "first", "world": "", "sector": ""},
        ),
        ("subscription_ends", {"params_days": "30"}, {"days": 30}),
    ],
)
def test_a_trigger_is_made_with_the_settings_of_its_kind(
    client: Client,
    make_action: Make,
    kind: str,
    data: dict[str, str],
    params: dict[str, Any],
) -> None:
    action = make_action()
    address = url("action_trigger_add", action.pk)
    part = client.get(address, {"kind": kind}, headers={"HX-Request": "true"})
    for field in data:
        assert f'name="{field}"' in text(part)
    assert "<h1" not in text(part)
    response = client.post(f"{address}?kind={kind}", {"name": "Elke dag", **data})
    trigger = Trigger.objects.get()
    assert response.headers["Location"] == url("trigger_detail", trigger.pk)
    assert (trigger.kind, trigger.params, trigger.action, trigger.is_active) == (kind, params, action, False)


def test_a_trigger_that_waits_at_a_selection(client: Client, make_campaign: Make, members: Selection) -> None:
    campaign = make_campaign()
    address = url("campaign_trigger_add", campaign.pk)
    client.post(f"{address}?kind=enters_selection", {"name": "Nieuw", "params_selection": members.pk})
    trigger = Trigger.objects.get()
    assert (trigger.campaign, trigger.params) == (campaign, {"selection": members.pk})
    assert "Alle leden" in text(client.get(url("trigger_detail", trigger.pk)))


def test_a_faulty_setting_stands_at_its_field(client: Client, make_action: Make) -> None:
    address = url("action_trigger_add", make_action().pk) + "?kind=birthday"
    response = client.post(address, {"name": "Jarig", "params_days_before": "7", "params_ages": "veel"})
    assert response.status_code == 422
    assert 'id="id_params_ages_error"' in text(response)
    assert not Trigger.objects.exists()


def test_a_trigger_is_turned_on_run_for_today_and_turned_off(
    client: Client,
    make_action: Make,
    member: Make,
    now: dt.datetime,
) -> None:
    today = local_date(now)
    born = today.replace(year=1980) if (today.month, today.day) != (2, 29) else dt.date(1980, 2, 29)
    customer = member(birth_date=born)
    trigger = create_trigger(
        name="Jarig", kind="birthday", params={"days_before": 0}, action=make_action(), by=None, now=now
    )
    page = text(client.get(url("trigger_detail", trigger.pk)))
    assert "Het gaat vandaag om 1 klant." in page
    assert url("trigger_run", trigger.pk) not in page
    client.post(url("trigger_activate", trigger.pk))
    assert url("trigger_run", trigger.pk) in text(client.get(url("trigger_detail", trigger.pk)))
    client.post(url("trigger_run", trigger.pk))
    client.post(url("trigger_run", trigger.pk))
    assert list(Message.objects.values_list("customer", flat=True)) == [customer.pk]
    page = text(client.get(url("trigger_detail", trigger.pk)))
    assert "Voor vandaag is hij uitgevoerd." in page
    client.post(url("trigger_deactivate", trigger.pk))
    trigger.refresh_from_db()
    assert not trigger.is_active


def test_a_failed_run_is_shown_with_its_reason(client: Client, make_trigger: Make, now: dt.datetime) -> None:
    trigger = make_trigger()
    TriggerRun.objects.create(trigger=trigger, due_on=local_date(now), error="De bon is gesloten.", ran_at=now)
    for address in (url("trigger_detail", trigger.pk), url("action_detail", trigger.action_id)):
        assert "Mislukt" in text(client.get(address))
    assert "De bon is gesloten." in text(client.get(url("trigger_detail", trigger.pk)))


def test_a_trigger_is_changed_and_deleted_as_long_as_it_never_ran(
    client: Client,
    make_trigger: Make,
    now: dt.datetime,
) -> None:
    trigger, ran = make_trigger(params={"days_before": 3, "ages": "18"}), make_trigger()
    page = text(client.get(url("trigger_change", trigger.pk)))
    assert 'value="18"' in page
    data = {"name": "Vooraf", "params_days_before": "5", "params_ages": ""}
    client.post(url("trigger_change", trigger.pk), data)
    trigger.refresh_from_db()
    assert (trigger.name, trigger.params) == ("Vooraf", {"days_before": 5, "ages": []})
    TriggerRun.objects.create(trigger=ran, due_on=local_date(now), ran_at=now)
    client.post(url("trigger_delete", trigger.pk))
    client.post(url("trigger_delete", ran.pk))
    assert list(Trigger.objects.all()) == [ran]


def test_a_trigger_of_a_kind_that_is_gone_can_still_be_looked_at(client: Client, make_trigger: Make) -> None:
    trigger = make_trigger()
    Trigger.objects.filter(pk=trigger.pk).update(kind="vanished")
    assert "bestaat niet meer" in text(client.get(url("trigger_detail", trigger.pk)))
    assert client.get(url("trigger_change", trigger.pk)).status_code == 302


# Access


def test_looking_changes_nothing_and_buttons_are_posts(client: Client, make_trigger: Make) -> None:
    trigger = make_trigger()
    for name in ("action_archive", "action_restore"):
        assert client.get(url(name, trigger.action_id)).status_code == 405
    for name in ("trigger_activate", "trigger_deactivate", "trigger_run", "trigger_delete"):
        assert client.get(url(name, trigger.pk)).status_code == 405


@pytest.mark.parametrize("role", ["counter", "integrator", None])
def test_others_are_turned_away(make_trigger: Make, make_user: Make, client_of: Make, role: str | None) -> None:
    trigger = make_trigger()
    visitor = client_of(make_user(role))
    for name, pk in (("action_detail", trigger.action_id), ("trigger_detail", trigger.pk)):
        assert visitor.get(url(name, pk)).status_code == 403
    assert visitor.post(url("trigger_run", trigger.pk)).status_code == 403
    assert visitor.post(url("action_run", trigger.action_id), {"selection": 1}).status_code == 403
    assert not Customer.objects.exists()
    assert not Mailing.objects.exists()
