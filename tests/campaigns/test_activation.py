"""What begins by itself: the checks before it is turned on, and who answers for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from campaigns.actions import (
    activate_trigger,
    add_step,
    advance,
    change_trigger,
    create_trigger,
    enrol,
    run_trigger_today,
    start_campaign,
)
from campaigns.actions.links import ask_links_ahead
from campaigns.models import Action, Campaign, StepRun, Trigger, TriggerRun
from common.errors import Refused
from customers.models import Customer
from mailings.actions import change_sending_settings, check_links, save_content
from mailings.checks import check_content
from mailings.delivery import Answer
from mailings.models import LinkCheck, Mailing, SeenWarnings, StaffNotice
from workbench.figures import attention

pytestmark = pytest.mark.django_db

LOUD = "LAATSTE KANS VANDAAG"
Make = Callable[..., Any]


@pytest.fixture
def loud(make_action: Make, now: dt.datetime) -> Action:
    """An action with a warning about its subject."""
    action: Action = make_action()
    content = action.content
    save_content(content, name=content.name, subject=LOUD, blocks=content.blocks, now=now)
    action.content.refresh_from_db()
    return action


def seen(action: Action, now: dt.datetime) -> str:
    return check_content(action.content, purpose=action.purpose, channels="email", now=now).fingerprint


def birthday(action: Action, now: dt.datetime) -> Trigger:
    return create_trigger(name="Jarig", kind="birthday", params={"days_before": 0}, action=action, by=None, now=now)


def born_today(now: dt.datetime) -> dt.date:
    return now.date().replace(year=1980)


def test_a_trigger_asks_the_checks_of_the_action_that_it_runs(loud: Action, now: dt.datetime) -> None:
    trigger = birthday(loud, now)
    with pytest.raises(Refused) as refusal:
        activate_trigger(trigger, confirmed="", by=None, now=now)
    assert refusal.value.code == "check_warnings"
    assert activate_trigger(trigger, confirmed=seen(loud, now), by=None, now=now).is_active


def test_an_error_keeps_a_trigger_off_whoever_asks(make_action: Make, now: dt.datetime) -> None:
    trigger = birthday(make_action(), now)
    change_sending_settings(postal_address="")
    for confirmed in (None, ""):
        with pytest.raises(Refused) as refusal:
            activate_trigger(trigger, confirmed=confirmed, by=None, now=now)
        assert refusal.value.code == "check_errors"
    trigger.refresh_from_db()
    assert not trigger.is_active


def test_confirmed_warnings_are_kept_with_who_did_and_belong_to_all_its_mailings(
    loud: Action, member: Make, marketeer: User, now: dt.datetime
) -> None:
    member(birth_date=born_today(now))
    trigger = activate_trigger(birthday(loud, now), confirmed=seen(loud, now), by=marketeer, now=now)
    kept = SeenWarnings.objects.get()
    assert (kept.about, kept.confirmed_by, kept.confirmed_at) == (f"trigger:{trigger.pk}", marketeer, now)
    assert "subject.capitals" in {one["code"] for one in kept.warnings}
    run_trigger_today(trigger, by=None, now=now)
    mailing = Mailing.objects.get()
    assert list(SeenWarnings.objects.of_mailing(mailing)) == [kept]
    Mailing.objects.update(created_at=now - dt.timedelta(minutes=1))  # one from before it was confirmed
    assert not SeenWarnings.objects.of_mailing(Mailing.objects.get()).exists()


def test_a_mailing_of_a_trigger_knows_who_turned_it_on_last(
    make_action: Make, member: Make, marketeer: User, administrator: User, now: dt.datetime
) -> None:
    member(birth_date=born_today(now))
    trigger = activate_trigger(birthday(make_action(), now), by=marketeer, now=now)
    change_trigger(trigger, name="Jarig!", params={"days_before": 0}, by=administrator, now=now)
    advance(now=now)
    mailing = Mailing.objects.get()
    assert (mailing.created_by, mailing.planned_by) == (None, administrator)


def test_who_runs_a_trigger_by_hand_started_it_as_well(
    make_action: Make, member: Make, marketeer: User, administrator: User, now: dt.datetime
) -> None:
    member(birth_date=born_today(now))
    trigger = activate_trigger(birthday(make_action(), now), by=marketeer, now=now)
    run_trigger_today(trigger, by=administrator, now=now)
    mailing = Mailing.objects.get()
    assert (mailing.created_by, mailing.planned_by) == (administrator, marketeer)
    assert mailing.was_set_going_by(marketeer)
    assert mailing.was_set_going_by(administrator)


def test_a_campaign_asks_the_checks_of_each_step(make_campaign: Make, loud: Action, now: dt.datetime) -> None:
    campaign = make_campaign(0, start=False)
    step = add_step(campaign, action=loud, day=7, confirmed="", by=None, now=now)  # a draft asks nothing yet
    with pytest.raises(Refused) as refusal:
        start_campaign(campaign, confirmed="", by=None, now=now)
    assert refusal.value.code == "check_warnings"
    start_campaign(campaign, confirmed=seen(loud, now), by=None, now=now)
    assert SeenWarnings.objects.get().about == f"step:{step.pk}"


def test_a_step_that_joins_a_campaign_under_way_is_checked_at_once(
    make_campaign: Make, loud: Action, now: dt.datetime
) -> None:
    campaign: Campaign = make_campaign(0)
    with pytest.raises(Refused):
        add_step(campaign, action=loud, day=7, confirmed="", by=None, now=now)
    assert campaign.steps.count() == 1
    add_step(campaign, action=loud, day=7, confirmed=seen(loud, now), by=None, now=now)
    assert campaign.steps.count() == 2


def test_mailings_of_steps_know_who_started_the_campaign_or_added_the_step(
    make_campaign: Make, make_action: Make, member: Make, marketeer: User, administrator: User, now: dt.datetime
) -> None:
    campaign = start_campaign(make_campaign(0, start=False), by=marketeer, now=now)
    add_step(campaign, action=make_action(), day=0, by=administrator, now=now)
    member()
    enrol(campaign, Customer.objects.all(), by="test", now=now)
    advance(now=now)
    assert [one.planned_by for one in Mailing.objects.order_by("pk")] == [marketeer, administrator]


def test_what_runs_by_itself_is_looked_at_again_and_an_error_stops_it_with_the_reason(
    make_action: Make, make_campaign: Make, member: Make, now: dt.datetime, marketeer: User
) -> None:
    link = {"type": "button", "data": {"text": "Kijk", "url": "https://example.nl/weg"}}
    action, campaign = make_action(blocks=[link]), make_campaign(start=False)
    add_step(campaign, action=action, day=1, by=None, now=now)
    start_campaign(campaign, by=marketeer, now=now)
    trigger = birthday(action, now)
    activate_trigger(trigger, by=marketeer, now=now)
    enrol(campaign, Customer.objects.filter(pk=member().pk), by="proef", now=now)
    member(birth_date=born_today(now) + dt.timedelta(days=1))
    advance(now=now)  # the first step, and nobody's birthday
    tomorrow = now + dt.timedelta(days=1)
    assert ask_links_ahead(now=tomorrow - dt.timedelta(hours=1)) == 1
    check_links(ask=lambda _url: Answer(410, "410 Gone"), now=tomorrow - dt.timedelta(hours=1))
    advance(now=tomorrow)
    assert "Er is geen pagina op https://example.nl/weg" in TriggerRun.objects.exclude(error="").get().error
    assert "Er is geen pagina op https://example.nl/weg" in StepRun.objects.exclude(error="").get().error
    assert not Mailing.objects.filter(content=action.content).exists()
    assert [one.recipient for one in StaffNotice.objects.all()] == [marketeer, marketeer]
    assert {one.error for one in attention(tomorrow).stopped} == {one.reason for one in StaffNotice.objects.all()}
    LinkCheck.objects.update(state=LinkCheck.State.FINE)
    advance(now=tomorrow + dt.timedelta(minutes=15))
    assert Mailing.objects.filter(content=action.content).count() == 2
    assert attention(tomorrow).stopped == []
