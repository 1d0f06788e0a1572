"""Campaigns: starting and finishing within the limits, entering, re-entering and leaving."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from campaigns.actions import (
    MOST_OWN_CAMPAIGNS,
    LeaveReason,
    activate_trigger,
    add_step,
    change_campaign,
    create_campaign,
    create_trigger,
    deactivate_trigger,
    delete_campaign,
    enrol,
    finish_campaign,
    leave,
    pause_campaign,
    remove_step,
    start_campaign,
    would_enter,
)
from campaigns.models import Campaign, Enrolment, Step, Trigger
from common.errors import Refused
from customers.models import Customer
from tests.factories import happened

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]


def everybody() -> Any:
    return Customer.objects.all()


def states(campaign: Campaign) -> list[tuple[int, str]]:
    found = Enrolment.objects.filter(campaign=campaign).order_by("pk")
    return list(found.values_list("customer_id", "state"))


# Starting and finishing


def test_a_campaign_without_steps_does_not_start(make_campaign: Make, house: Any, now: dt.datetime) -> None:
    campaign = create_campaign(name="Leeg", by=None, now=now)
    with pytest.raises(Refused) as refusal:
        start_campaign(campaign, by=None, now=now)
    assert refusal.value.code == "no_steps"


def test_a_campaign_whose_step_has_no_content_does_not_start(make_action: Make, now: dt.datetime) -> None:
    campaign = create_campaign(name="Half af", by=None, now=now)
    add_step(campaign, action=make_action(blocks=[]), day=0, by=None, now=now)
    with pytest.raises(Refused) as refusal:
        start_campaign(campaign, by=None, now=now)
    assert refusal.value.code == "content_empty"


def test_at_most_eight_own_campaigns_are_under_way(make_campaign: Make, now: dt.datetime) -> None:
    running = [make_campaign() for _number in range(MOST_OWN_CAMPAIGNS)]
    one_more = make_campaign(start=False)
    with pytest.raises(Refused) as refusal:
        start_campaign(one_more, by=None, now=now)
    assert refusal.value.code == "too_many_campaigns"
    # a paused campaign still takes its place, a finished one does not
    pause_campaign(running[0], by=None, now=now)
    with pytest.raises(Refused):
        start_campaign(one_more, by=None, now=now)
    start_campaign(running[0], by=None, now=now)
    finish_campaign(running[1], by=None, now=now)
    assert start_campaign(one_more, by=None, now=now).state == Campaign.State.RUNNING


def test_of_each_base_campaign_one_is_under_way_beside_the_own_ones(make_campaign: Make, now: dt.datetime) -> None:
    for _number in range(MOST_OWN_CAMPAIGNS):
        make_campaign()
    base = {kind: make_campaign(kind=kind) for kind in ("welcome", "loyalty", "retention", "winback")}
    second = make_campaign(kind="welcome", start=False)
    with pytest.raises(Refused) as refusal:
        start_campaign(second, by=None, now=now)
    assert refusal.value.code == "base_campaign_running"
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.filter(pk=second.pk).update(state="running")
    finish_campaign(base["welcome"], by=None, now=now)
    assert start_campaign(second, by=None, now=now).state == Campaign.State.RUNNING


@pytest.mark.parametrize("state", ["running", "finished"])
def test_what_runs_or_is_finished_is_not_started_again(make_campaign: Make, now: dt.datetime, state: str) -> None:
    campaign = make_campaign()
    if state == "finished":
        finish_campaign(campaign, by=None, now=now)
    with pytest.raises(Refused) as refusal:
        start_campaign(campaign, by=None, now=now)
    assert refusal.value.code == "campaign_state"


def test_a_campaign_that_is_over_does_not_start(make_campaign: Make, now: dt.datetime) -> None:
    campaign = make_campaign(start=False, ends_on=now.date())
    with pytest.raises(Refused) as refusal:
        start_campaign(campaign, by=None, now=now + dt.timedelta(days=1))
    assert refusal.value.field == "ends_on"


def test_dates_stand_in_order(make_campaign: Make, now: dt.datetime) -> None:
    day = now.date()
    with pytest.raises(Refused) as refusal:
        create_campaign(name="Omgekeerd", starts_on=day, ends_on=day - dt.timedelta(days=1), by=None, now=now)
    assert refusal.value.field == "ends_on"


def test_a_running_campaign_keeps_its_start_and_a_finished_one_stays_as_it_was(
    make_campaign: Make, now: dt.datetime
) -> None:
    campaign = make_campaign()
    same = {"goal": "", "ends_on": None, "leave_when": None, "may_reenter": False, "by": None, "now": now}
    with pytest.raises(Refused) as refusal:
        change_campaign(campaign, name="Nieuw", starts_on=now.date(), **same)
    assert refusal.value.field == "starts_on"
    assert change_campaign(campaign, name="Nieuw", starts_on=None, **same).name == "Nieuw"
    finish_campaign(campaign, by=None, now=now)
    with pytest.raises(Refused):
        change_campaign(campaign, name="Weer anders", starts_on=None, **same)
    with pytest.raises(Refused):
        add_step(campaign, action=campaign.steps.get().action, day=3, by=None, now=now)


def test_finishing_lets_everybody_out_and_turns_the_triggers_off(
    make_campaign: Make, make_trigger: Make, member: Make, now: dt.datetime
) -> None:
    campaign, customer = make_campaign(5), member()
    trigger = make_trigger(campaign=campaign)
    enrol(campaign, everybody(), by="marketeer", now=now)
    finish_campaign(campaign, by=None, now=now)
    enrolment = Enrolment.objects.get()
    assert (enrolment.customer, enrolment.state, enrolment.left_reason) == (customer, "left", LeaveReason.FINISHED)
    assert enrolment.next_on is None
    assert not Trigger.objects.get(pk=trigger.pk).is_active


def test_only_a_draft_is_deleted(make_campaign: Make, now: dt.datetime) -> None:
    delete_campaign(make_campaign(start=False), by=None)
    running = make_campaign()
    with pytest.raises(Refused):
        delete_campaign(running, by=None)
    assert list(Campaign.objects.all()) == [running]


def test_triggers_that_were_on_count_from_the_start_of_the_campaign(
    make_campaign: Make, make_trigger: Make, now: dt.datetime
) -> None:
    campaign = make_campaign(start=False, starts_on=now.date() + dt.timedelta(days=10))
    trigger = make_trigger(campaign=campaign)
    start_campaign(campaign, by=None, now=now + dt.timedelta(days=3))
    trigger.refresh_from_db()
    assert trigger.active_since == campaign.starts_on
    assert trigger.activated_at == now + dt.timedelta(days=3)


# Entering and leaving


def test_enrolling_lets_each_customer_in_once(make_campaign: Make, member: Make, now: dt.datetime) -> None:
    campaign = make_campaign(0, 7)
    first = member()
    assert enrol(campaign, everybody(), by="marketeer", now=now) == 1
    second = member()
    assert would_enter(campaign, everybody(), now=now).get() == second
    assert enrol(campaign, everybody(), by="API", now=now) == 1
    assert enrol(campaign, everybody(), by="API", now=now) == 0
    assert states(campaign) == [(first.pk, "active"), (second.pk, "active")]
    assert list(Enrolment.objects.order_by("pk").values_list("entered_by", flat=True)) == ["marketeer", "API"]


def test_enrolling_is_a_fixed_number_of_statements(
    make_campaign: Make, member: Make, now: dt.datetime, django_assert_max_num_queries: Any
) -> None:
    campaign = make_campaign()
    for _number in range(25):
        member()
    with django_assert_max_num_queries(6):
        assert enrol(campaign, everybody(), by="marketeer", now=now) == 25


@pytest.mark.parametrize("state", ["draft", "finished"])
def test_nobody_enters_a_campaign_that_is_not_under_way(
    make_campaign: Make, member: Make, now: dt.datetime, state: str
) -> None:
    campaign = make_campaign(start=False)
    member()
    if state == "finished":
        finish_campaign(start_campaign(campaign, by=None, now=now), by=None, now=now)
    with pytest.raises(Refused):
        enrol(campaign, everybody(), by="marketeer", now=now)


def test_the_first_day_is_counted_from_the_start_date(make_campaign: Make, member: Make, now: dt.datetime) -> None:
    campaign = make_campaign(2, starts_on=now.date() + dt.timedelta(days=5))
    member()
    enrol(campaign, everybody(), by="marketeer", now=now)
    enrolment = Enrolment.objects.get()
    assert enrolment.entered_on == campaign.starts_on
    assert enrolment.next_on == campaign.starts_on + dt.timedelta(days=2)


@pytest.mark.parametrize(("may_reenter", "entered_again"), [(True, 1), (False, 0)])
@pytest.mark.parametrize("how", ["left", "completed"])
def test_entering_again_is_up_to_the_campaign(
    make_campaign: Make, member: Make, now: dt.datetime, may_reenter: bool, entered_again: int, how: str
) -> None:
    campaign, customer = make_campaign(may_reenter=may_reenter), member()
    enrol(campaign, everybody(), by="marketeer", now=now)
    if how == "left":
        assert leave(campaign, everybody(), reason=LeaveReason.CUSTOMER, now=now) == 1
    else:
        Enrolment.objects.update(state="completed", next_step=None, next_on=None)
    assert enrol(campaign, everybody(), by="marketeer", now=now) == entered_again
    assert states(campaign) == [(customer.pk, how), (customer.pk, "active")][: 1 + entered_again]


def test_leaving_concerns_only_those_named_and_only_once(make_campaign: Make, member: Make, now: dt.datetime) -> None:
    campaign, goes, stays = make_campaign(), member(), member()
    enrol(campaign, everybody(), by="marketeer", now=now)
    only = Customer.objects.filter(pk=goes.pk)
    assert leave(campaign, only, reason="Belde de balie", now=now) == 1
    assert leave(campaign, only, reason="Belde de balie", now=now) == 0
    assert states(campaign) == [(goes.pk, "left"), (stays.pk, "active")]
    gone = Enrolment.objects.get(customer=goes)
    assert (gone.left_at, gone.left_reason_words) == (now, "Belde de balie")


def test_who_meets_the_condition_for_leaving_does_not_enter(
    make_campaign: Make, member: Make, select: Make, now: dt.datetime
) -> None:
    selection = select("facts.count", kind="loan", op="at_least", times=1, within_days=30)
    campaign = make_campaign(leave_when=selection)
    borrower, idle = member(), member()
    happened(customer=borrower, occurred_at=now - dt.timedelta(days=3))
    assert enrol(campaign, everybody(), by="marketeer", now=now) == 1
    assert states(campaign) == [(idle.pk, "active")]


# Steps


def test_a_step_added_later_is_only_for_those_whose_day_has_yet_to_come(
    make_campaign: Make, make_action: Make, member: Make, now: dt.datetime
) -> None:
    campaign = make_campaign(30)
    early, late = member(), member()
    enrol(campaign, Customer.objects.filter(pk=early.pk), by="marketeer", now=now)
    later = now + dt.timedelta(days=10)
    enrol(campaign, Customer.objects.filter(pk=late.pk), by="marketeer", now=later)
    step = add_step(campaign, action=make_action(), day=5, by=None, now=later + dt.timedelta(days=1))
    next_steps = dict(Enrolment.objects.values_list("customer_id", "next_step__day"))
    assert next_steps == {early.pk: 30, late.pk: 5}
    assert Enrolment.objects.get(next_step=step).next_on == late_day(later, 5)


def late_day(moment: dt.datetime, days: int) -> dt.date:
    return moment.date() + dt.timedelta(days=days)


def test_taking_a_step_out_passes_everybody_on_to_the_next(make_campaign: Make, member: Make, now: dt.datetime) -> None:
    campaign = make_campaign(3, 9)
    member()
    enrol(campaign, everybody(), by="marketeer", now=now)
    remove_step(Step.objects.get(day=3), by=None, now=now)
    assert Enrolment.objects.get().next_on == late_day(now, 9)
    remove_step(Step.objects.get(day=9), by=None, now=now)
    assert Enrolment.objects.get().state == "completed"
    assert not Step.objects.exists()


def test_numbers_of_campaigns_and_steps_come_in_one_query_each(
    make_campaign: Make, member: Make, now: dt.datetime, django_assert_num_queries: Any
) -> None:
    campaign, other = make_campaign(1, 4), make_campaign(0)
    for _number in range(3):
        member()
    enrol(campaign, everybody(), by="marketeer", now=now)
    leave(campaign, Customer.objects.order_by("pk")[:1], reason="", now=now)
    with django_assert_num_queries(1):
        found = {one.pk: one for one in Campaign.objects.with_counts()}
    counted = found[campaign.pk]
    assert (counted.active_count, counted.left_count, counted.completed_count, counted.step_count) == (2, 1, 0, 2)
    assert found[other.pk].active_count == 0
    with django_assert_num_queries(1):
        steps = list(campaign.steps.with_progress())
    assert [(step.waiting_count, step.done_count) for step in steps] == [(2, 0), (0, 0)]


# Triggers


def test_a_trigger_has_one_effect(make_action: Make, make_campaign: Make, now: dt.datetime) -> None:
    both = {"action": make_action(), "campaign": make_campaign()}
    for effect in ({}, both):
        with pytest.raises(Refused) as refusal:
            create_trigger(name="Dubbel", kind="birthday", params={"days_before": 0}, by=None, now=now, **effect)
        assert refusal.value.code == "one_effect"


def test_a_trigger_is_not_turned_on_for_an_action_without_content(make_action: Make, make_trigger: Make) -> None:
    with pytest.raises(Refused) as refusal:
        make_trigger(action=make_action(blocks=[]))
    assert refusal.value.code == "content_empty"


def test_turning_on_a_trigger_that_is_on_changes_nothing(make_trigger: Make, now: dt.datetime) -> None:
    trigger = make_trigger()
    activate_trigger(trigger, by=None, now=now + dt.timedelta(days=20))
    trigger.refresh_from_db()
    assert (trigger.active_since, trigger.activated_at) == (now.date(), now)


def test_turning_a_trigger_off_and_on_looks_ahead(make_trigger: Make, now: dt.datetime) -> None:
    trigger = make_trigger()
    later = now + dt.timedelta(days=20)
    deactivate_trigger(trigger, by=None, now=later)
    activate_trigger(trigger, by=None, now=later)
    trigger.refresh_from_db()
    assert (trigger.active_since, trigger.activated_at) == (later.date(), later)
