"""The base campaigns a library starts with: drafts that can be started as they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from campaigns.actions import activate_trigger, advance, delete_campaign, start_campaign
from campaigns.models import Action, Campaign, Enrolment, Trigger
from campaigns.standard import install_standard_campaigns
from mailings.models import Message
from tests.factories import FactFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]


def test_the_four_base_campaigns_are_drafts_with_steps_and_triggers_that_are_off(house: Any, now: dt.datetime) -> None:
    made = install_standard_campaigns(by=None, now=now)
    assert [campaign.kind for campaign in made] == ["welcome", "loyalty", "retention", "winback"]
    assert {campaign.state for campaign in Campaign.objects.all()} == {"draft"}
    assert all(campaign.steps.count() >= 2 for campaign in made)
    assert [trigger.is_active for trigger in Trigger.objects.all()] == [False] * 4


def test_installing_again_adds_only_what_is_missing(house: Any, now: dt.datetime) -> None:
    made = install_standard_campaigns(by=None, now=now)
    actions = Action.objects.count()
    assert install_standard_campaigns(by=None, now=now) == []
    delete_campaign(made[0], by=None)
    [again] = install_standard_campaigns(by=None, now=now)
    assert again.kind == "welcome"
    assert Action.objects.count() == actions


def test_each_can_be_started_as_it_is_and_takes_in_whom_it_is_meant_for(
    house: Any, member: Make, now: dt.datetime
) -> None:
    fresh, faithful, idle, gone = member(), member(), member(), member(kind="former")
    SubscriptionFactory(customer=fresh, started_on=dt.date(2026, 6, 14))
    SubscriptionFactory(customer=faithful, started_on=dt.date(2016, 6, 15))
    SubscriptionFactory(customer=idle, started_on=dt.date(2020, 1, 1))
    SubscriptionFactory(customer=gone, started_on=dt.date(2020, 1, 1), ended_on=dt.date(2026, 5, 16))
    FactFactory(customer=idle, occurred_at=now - dt.timedelta(days=180))
    for campaign in install_standard_campaigns(by=None, now=now):
        start_campaign(campaign, by=None, now=now)
        activate_trigger(campaign.triggers.get(), by=None, now=now)
    summary = advance(now=now)
    assert summary.failed == []
    entered = {one.campaign.kind: one.customer for one in Enrolment.objects.select_related("campaign")}
    assert entered == {"welcome": fresh, "loyalty": faithful, "retention": idle, "winback": gone}
    assert Message.objects.filter(customer=fresh).get().channel == "email"


def test_who_comes_back_leaves_the_winback(house: Any, member: Make, now: dt.datetime) -> None:
    gone = member(kind="former")
    SubscriptionFactory(customer=gone, started_on=dt.date(2020, 1, 1), ended_on=dt.date(2026, 5, 16))
    campaign = install_standard_campaigns(by=None, now=now)[3]
    start_campaign(campaign, by=None, now=now)
    activate_trigger(campaign.triggers.get(), by=None, now=now)
    advance(now=now)
    SubscriptionFactory(customer=gone, started_on=dt.date(2026, 7, 1))
    advance(now=now + dt.timedelta(days=20))
    assert Enrolment.objects.get().left_reason == "selection"
