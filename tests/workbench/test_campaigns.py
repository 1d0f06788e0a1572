"""The pages of campaigns, their participants and the calendar."""

# ruff: noqa: F401, F811 - fixtures are imported, and asked for by name

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.actions import add_step, advance, enrol, finish_campaign, pause_campaign
from campaigns.models import Campaign, Enrolment, Step, StepRun
from common.time import clock, local_date
from customers.models import Customer
from selections.models import Selection
from tests.campaigns.conftest import house, make_action, make_campaign, make_trigger, member, select

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


def test_the_list_shows_what_runs_against_the_limits(client: Client, make_campaign: Make) -> None:
    make_campaign(name="Zomerlezen"), make_campaign(name="Welkom thuis", kind="welcome"), make_campaign(start=False)
    page = text(client.get(url("campaign_list")))
    assert "Zomerlezen" in page
    assert "van hoogstens 8" in page
    assert "minder dan drie" in page
    assert "Zomerlezen" not in text(client.get(url("campaign_list"), {"kind": "welcome"}))
    assert "Welkom thuis" not in text(client.get(url("campaign_list"), {"state": "draft"}))


def test_the_list_costs_the_same_for_few_and_for_many(
    client: Client, make_campaign: Make, django_assert_max_num_queries: Any
) -> None:
    for _number in range(10):
        make_campaign(start=False)
    with django_assert_max_num_queries(10):
        client.get(url("campaign_list"))


def test_the_base_campaigns_are_made_with_one_button(client: Client, house: Any) -> None:
    assert "Basiscampagnes aanmaken" in text(client.get(url("campaign_list")))
    response = client.post(url("campaign_install"), follow=True)
    assert "Er zijn 4 basiscampagnes gemaakt" in text(response)
    assert Campaign.objects.count() == 4
    assert "Basiscampagnes aanmaken" not in text(response)


def test_a_campaign_is_made_filled_and_started(client: Client, make_action: Make, members: Selection) -> None:
    data = {"name": "Zomerlezen", "kind": "free", "goal": "Meer lezen", "starts_on": "", "ends_on": ""}
    response = client.post(url("campaign_add"), {**data, "leave_when": members.pk})
    campaign = Campaign.objects.get()
    assert response.headers["Location"] == url("campaign_detail", campaign.pk)
    assert (campaign.leave_when, campaign.may_reenter, campaign.state) == (members, False, "draft")

    client.post(url("campaign_start", campaign.pk))
    campaign.refresh_from_db()
    assert campaign.state == "draft"
    assert "nog geen stappen" in text(client.get(url("campaign_list")))

    action = make_action("Tip van de week")
    client.post(url("step_add", campaign.pk), {"action": action.pk, "day": "7"})
    assert list(Step.objects.values_list("action", "day")) == [(action.pk, 7)]
    page = text(client.get(url("campaign_detail", campaign.pk)))
    assert "Tip van de week" in page
    assert "Dag 7" in page
    client.post(url("campaign_start", campaign.pk))
    campaign.refresh_from_db()
    assert campaign.state == "running"


def test_dates_in_the_wrong_order_stand_at_their_field(client: Client, house: Any) -> None:
    data = {"name": "Om", "kind": "free", "starts_on": "2026-12-31", "ends_on": "2026-01-01"}
    response = client.post(url("campaign_add"), data)
    assert response.status_code == 422
    assert 'id="id_ends_on_error"' in text(response)


def test_a_campaign_is_changed_paused_and_finished(client: Client, make_campaign: Make) -> None:
    campaign = make_campaign(name="Zomer")
    assert 'value="Zomer"' in text(client.get(url("campaign_change", campaign.pk)))
    client.post(url("campaign_change", campaign.pk), {"name": "Herfst", "goal": "Lezen", "may_reenter": "on"})
    campaign.refresh_from_db()
    assert (campaign.name, campaign.may_reenter) == ("Herfst", True)
    for name, state in (("pause", "paused"), ("start", "running"), ("finish", "finished")):
        client.post(url(f"campaign_{name}", campaign.pk))
        campaign.refresh_from_db()
        assert campaign.state == state
        text(client.get(url("campaign_detail", campaign.pk)))
    assert url("campaign_change", campaign.pk) not in text(client.get(url("campaign_detail", campaign.pk)))


def test_only_a_draft_is_deleted(client: Client, make_campaign: Make) -> None:
    draft, running = make_campaign(start=False), make_campaign()
    for campaign in (draft, running):
        client.post(url("campaign_delete", campaign.pk))
    assert list(Campaign.objects.all()) == [running]


def test_a_selection_is_let_in_after_seeing_how_many_are_new(
    client: Client, make_campaign: Make, member: Make, members: Selection, now: dt.datetime
) -> None:
    campaign = make_campaign(3)
    known, _fresh = member(), member()
    enrol(campaign, Customer.objects.filter(pk=known.pk), by="marketeer", now=now)
    page = text(client.get(url("campaign_enrol", campaign.pk), {"selection": members.pk}))
    assert "1 klant laten instromen?" in page
    assert Enrolment.objects.count() == 1
    response = client.post(url("campaign_enrol", campaign.pk), {"selection": members.pk}, follow=True)
    assert "Er is 1 klant ingestroomd." in text(response)
    assert sorted(Enrolment.objects.values_list("entered_by", flat=True)) == ["marketeer", "marketeer"]


def test_a_draft_takes_nobody_in_and_says_so(
    client: Client, make_campaign: Make, members: Selection, member: Make
) -> None:
    campaign = make_campaign(start=False)
    member()
    response = client.post(url("campaign_enrol", campaign.pk), {"selection": members.pk})
    assert response.status_code == 422
    assert "Start hem eerst" in text(response)


def test_the_page_shows_progress_per_step_and_participants_with_what_is_next(
    client: Client, make_campaign: Make, member: Make, now: dt.datetime
) -> None:
    campaign = make_campaign(0, 14)
    anna = member(first_name="Anna", last_name="de Wit")
    joris = member(first_name="Joris", last_name="Bakker")
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    advance(now=now)
    page = text(client.get(url("campaign_detail", campaign.pk)))
    assert "2 van 2" in page
    assert "0 van 2" in page
    participants = text(client.get(url("campaign_participants", campaign.pk)))
    assert "Anna de Wit" in participants
    assert campaign.steps.get(day=14).action.name in participants
    assert "Joris Bakker" not in text(client.get(url("campaign_participants", campaign.pk), {"q": "de Wit"}))

    enrolment = Enrolment.objects.get(customer=joris)
    client.post(url("enrolment_leave", enrolment.pk))
    enrolment.refresh_from_db()
    assert (enrolment.state, enrolment.left_reason) == ("left", "staff")
    left = text(client.get(url("campaign_participants", campaign.pk), {"state": "left"}))
    assert "Eruit gehaald door een medewerker" in left
    assert anna.full_name not in left


def test_pages_with_participants_cost_the_same_for_few_and_for_many(
    client: Client, make_campaign: Make, member: Make, now: dt.datetime, django_assert_max_num_queries: Any
) -> None:
    campaign = make_campaign(0, 7, 14, 21)
    for _number in range(25):
        member()
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    advance(now=now)
    with django_assert_max_num_queries(9):
        client.get(url("campaign_participants", campaign.pk))
    with django_assert_max_num_queries(11):
        client.get(url("campaign_detail", campaign.pk))


def test_a_step_that_failed_is_shown_with_its_reason(client: Client, make_campaign: Make, now: dt.datetime) -> None:
    campaign = make_campaign()
    step = campaign.steps.get()
    StepRun.objects.create(step=step, due_on=local_date(now), error="De bon is gesloten.", ran_at=now)
    assert "De bon is gesloten." in text(client.get(url("campaign_detail", campaign.pk)))


def test_a_step_is_taken_out(client: Client, make_campaign: Make) -> None:
    campaign = make_campaign(0, 7)
    client.post(url("step_remove", campaign.steps.get(day=7).pk))
    assert list(campaign.steps.values_list("day", flat=True)) == [0]


# The calendar


def test_the_calendar_shows_what_went_out_and_what_is_to_come(
    client: Client, make_campaign: Make, make_trigger: Make, member: Make, now: dt.datetime
) -> None:
    today = local_date(now)
    campaign = make_campaign(0, 3, name="Zomer", ends_on=today + dt.timedelta(days=5))
    member(birth_date=dt.date(1980, today.month, min(today.day, 28)))
    make_trigger(name="Zes dagen terug", params={"days_before": 0})
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    advance(now=now)
    shown = {today, today + dt.timedelta(days=3), today + dt.timedelta(days=5)}
    pages = {day: text(client.get(url("calendar"), {"month": f"{day:%Y-%m}"})) for day in shown}
    assert "Zomer stap 1" in pages[today]
    assert "Zomer, 1 klant" in pages[today]
    assert "Zomer stap 2" in pages[today + dt.timedelta(days=3)]
    assert "Einde van Zomer" in pages[today + dt.timedelta(days=5)]


@pytest.mark.parametrize("month", ["", "2026-13", "onzin", "0001-01", "9999-12"])
def test_a_month_that_does_not_exist_does_not_break_the_calendar(client: Client, house: Any, month: str) -> None:
    assert client.get(url("calendar"), {"month": month}).status_code == 200


def test_the_calendar_costs_the_same_for_few_and_for_many(
    client: Client, make_campaign: Make, member: Make, now: dt.datetime, django_assert_max_num_queries: Any
) -> None:
    for _number in range(6):
        campaign = make_campaign(0, 1, 2)
        member()
        enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    advance(now=now)
    with django_assert_max_num_queries(9):
        client.get(url("calendar"))


# Access


def test_looking_changes_nothing_and_buttons_are_posts(client: Client, make_campaign: Make) -> None:
    campaign = make_campaign()
    for name in ("start", "pause", "finish", "delete"):
        assert client.get(url(f"campaign_{name}", campaign.pk)).status_code == 405
    assert client.get(url("campaign_install")).status_code == 405
    assert client.get(url("step_remove", campaign.steps.get().pk)).status_code == 405


@pytest.mark.parametrize("role", ["counter", "integrator", None])
def test_others_are_turned_away(make_campaign: Make, make_user: Make, client_of: Make, role: str | None) -> None:
    campaign = make_campaign()
    visitor = client_of(make_user(role))
    for address in (url("campaign_list"), url("calendar"), url("campaign_detail", campaign.pk)):
        assert visitor.get(address).status_code == 403
    for name in ("pause", "finish"):
        assert visitor.post(url(f"campaign_{name}", campaign.pk)).status_code == 403
    campaign.refresh_from_db()
    assert campaign.state == "running"


# In a browser


@pytest.mark.django_db(transaction=True)
def test_the_pages_of_a_campaign_are_accessible_and_the_kind_of_a_trigger_changes_its_form(
    page: Any,
    sign_in: Make,
    axe: Make,
    marketeer: Any,
    make_campaign: Make,
    member: Make,
    now: dt.datetime,
) -> None:
    campaign = make_campaign(0, 14)
    member()
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    advance(now=now)
    sign_in(marketeer)
    for address in (url("campaign_list"), url("campaign_detail", campaign.pk), url("calendar")):
        page.goto(address)
        axe()
    page.goto(url("campaign_trigger_add", campaign.pk))
    page.get_by_label("Waardoor hij afgaat").select_option("subscription_ended")
    page.get_by_label("Dagen na het einde").fill("45")
    page.get_by_label("Naam").fill("Terugwinnen")
    axe()
    page.get_by_role("button", name="Trigger maken").click()
    page.get_by_role("heading", name="Terugwinnen").wait_for()
    assert campaign.triggers.get().params == {"days": 45}
