"""The tick: each due run once, missed days made up for, one failure kept apart from the rest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from campaigns.actions import (
    advance,
    archive_action,
    candidates_of,
    deactivate_trigger,
    enrol,
    finish_campaign,
    pause_campaign,
    run_trigger,
    run_trigger_today,
    start_campaign,
)
from campaigns.models import Campaign, DayRun, Enrolment, StepDone, StepRun, Trigger, TriggerRun
from campaigns.tasks import DAY_BEGINS_AT_HOUR, run_due
from common.errors import Refused
from customers.models import Customer
from mailings.actions import save_content
from mailings.models import Mailing, Message
from tests.campaigns.conftest import TEXT, at, receivers
from tests.factories import SubscriptionFactory, happened

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]


def born(text: str) -> dict[str, dt.date]:
    return {"birth_date": dt.date.fromisoformat(text)}


def days(trigger: Trigger) -> list[str]:
    found = TriggerRun.objects.filter(trigger=trigger, error="").order_by("due_on")
    return [f"{run.due_on:%m-%d}" for run in found]


def test_a_trigger_reaches_those_it_concerns_today_and_once(make_trigger: Make, member: Make, now: dt.datetime) -> None:
    trigger, birthday, other = make_trigger(), member(**born("1980-06-15")), member(**born("1980-06-16"))
    first, second = advance(now=now), advance(now=now + dt.timedelta(minutes=1))
    assert (first.trigger_runs, second.trigger_runs) == (1, 0)
    assert receivers(trigger.action) == [birthday.pk]
    run = TriggerRun.objects.get()
    assert (run.candidate_count, run.mailing.due_key) == (1, f"trigger:{trigger.pk}:2026-06-15")
    advance(now=now + dt.timedelta(days=1))
    assert receivers(trigger.action) == [birthday.pk, other.pk]


def test_a_day_that_concerns_nobody_makes_no_mailing(make_trigger: Make, member: Make, now: dt.datetime) -> None:
    trigger = make_trigger()
    member(**born("1980-01-01"))
    advance(now=now)
    assert days(trigger) == ["06-15"]
    assert not Mailing.objects.exists()


def test_a_trigger_is_narrowed_by_its_selection(
    make_trigger: Make, member: Make, select: Make, now: dt.datetime
) -> None:
    trigger = make_trigger(selection=select("customer.age", at_least=18))
    grown_up, child = member(**born("1980-06-15")), member(**born("2016-06-15"))
    assert set(candidates_of(trigger, day=now.date(), now=now)) == {grown_up}
    advance(now=now)
    assert receivers(trigger.action) == [grown_up.pk]
    assert child.pk not in receivers(trigger.action)


def test_a_trigger_of_a_campaign_lets_customers_in_and_their_first_step_follows_at_once(
    make_trigger: Make, make_campaign: Make, member: Make, now: dt.datetime
) -> None:
    campaign = make_campaign(0, 7)
    trigger = make_trigger(
        "subscription_started", params={"days": 1, "which": "first"}, campaign=campaign, name="Nieuw lid"
    )
    fresh = member()
    SubscriptionFactory(customer=fresh, started_on=dt.date(2026, 6, 14))
    SubscriptionFactory(customer=member(), started_on=dt.date(2026, 6, 13))
    summary = advance(now=now)
    assert (summary.enrolled, summary.step_runs) == (1, 1)
    enrolment = Enrolment.objects.get()
    assert (enrolment.customer, enrolment.next_on) == (fresh, dt.date(2026, 6, 22))
    assert "Nieuw lid" in enrolment.entered_by
    assert TriggerRun.objects.get().enrolled_count == 1
    assert days(trigger) == ["06-15"]


@pytest.mark.parametrize("state", ["draft", "paused", "finished"])
def test_a_trigger_of_a_campaign_that_does_not_run_waits(
    make_trigger: Make, make_campaign: Make, member: Make, now: dt.datetime, state: str
) -> None:
    campaign = make_campaign(start=state != "draft")
    make_trigger(campaign=campaign)
    member(**born("1980-06-15"))
    if state == "paused":
        pause_campaign(campaign, by=None, now=now)
    if state == "finished":
        finish_campaign(campaign, by=None, now=now)
    summary = advance(now=now)
    assert (summary.trigger_runs, summary.failed) == (0, [])
    assert not Enrolment.objects.exists()


def test_an_inactive_trigger_and_an_archived_action_do_nothing(
    make_trigger: Make, member: Make, now: dt.datetime
) -> None:
    off, archived = make_trigger(), make_trigger()
    deactivate_trigger(off, by=None, now=now)
    archive_action(archived.action, by=None)
    member(**born("1980-06-15"))
    assert advance(now=now).trigger_runs == 0


# Missed days


def test_missed_days_are_made_up_for_once_and_in_order(make_trigger: Make, member: Make, now: dt.datetime) -> None:
    trigger = make_trigger("fact_days_ago", params={"kind": "loan", "days": 1, "which": "each"})
    people = [member() for _number in range(5)]
    for number, customer in enumerate(people):
        happened(customer=customer, occurred_at=now - dt.timedelta(days=1) + dt.timedelta(days=number))
    advance(now=now)
    back = now + dt.timedelta(days=4)
    assert advance(now=back).trigger_runs == 4
    assert advance(now=back).trigger_runs == 0
    assert days(trigger) == ["06-15", "06-16", "06-17", "06-18", "06-19"]
    assert receivers(trigger.action) == [customer.pk for customer in people]


def test_at_most_a_week_is_made_up_for(make_trigger: Make, now: dt.datetime) -> None:
    trigger = make_trigger("fact_days_ago", params={"kind": "loan", "days": 1, "which": "each"})
    advance(now=now)
    advance(now=now + dt.timedelta(days=40))
    assert days(trigger) == ["06-15", "07-18", "07-19", "07-20", "07-21", "07-22", "07-23", "07-24", "07-25"]


def test_a_birthday_that_has_passed_is_not_congratulated_on_late(
    make_trigger: Make, member: Make, now: dt.datetime
) -> None:
    on_the_day, before = make_trigger(), make_trigger(params={"days_before": 2})
    passed, coming = member(**born("1980-06-17")), member(**born("1980-06-18"))
    advance(now=now - dt.timedelta(days=1))
    TriggerRun.objects.all().delete()
    advance(now=at("2026-06-18T10:00"))
    assert days(on_the_day) == ["06-18"]
    assert days(before) == ["06-16", "06-17", "06-18"]
    assert receivers(on_the_day.action) == [coming.pk]
    assert receivers(before.action) == [coming.pk]
    assert not Message.objects.filter(customer=passed).exists()


def test_days_before_the_activation_are_not_made_up_for(make_trigger: Make, now: dt.datetime) -> None:
    trigger = make_trigger("subscription_ended", params={"days": 30})
    advance(now=now)
    assert days(trigger) == ["06-15"]


def test_days_on_which_a_campaign_was_paused_are_made_up_for(
    make_trigger: Make, make_campaign: Make, member: Make, now: dt.datetime
) -> None:
    campaign = make_campaign(0)
    make_trigger("subscription_started", params={"days": 1, "which": "each"}, campaign=campaign)
    SubscriptionFactory(customer=member(), started_on=dt.date(2026, 6, 15))
    advance(now=now)
    pause_campaign(campaign, by=None, now=now)
    for number in (1, 2):
        advance(now=now + dt.timedelta(days=number))
    assert not Enrolment.objects.exists()
    start_campaign(campaign, by=None, now=now + dt.timedelta(days=3))
    assert advance(now=now + dt.timedelta(days=3)).enrolled == 1
    assert Enrolment.objects.get().entered_on == dt.date(2026, 6, 18)


@pytest.mark.parametrize(
    "moments",
    [
        # 02:30 does not exist on 28 March 2027, and is there twice on 31 October 2027
        ["2027-03-27T02:30", "2027-03-28T01:59", "2027-03-28T03:01", "2027-03-29T02:30"],
        ["2027-10-30T02:30", "2027-10-31T02:30", "2027-10-31T02:30+01:00", "2027-11-01T02:30"],
    ],
)
def test_a_trigger_goes_off_once_a_day_also_when_the_clock_changes(make_trigger: Make, moments: list[str]) -> None:
    instants = [dt.datetime.fromisoformat(one) if "+" in one else at(one) for one in moments]
    trigger = make_trigger(active_from=instants[0])
    for instant in instants:
        advance(now=instant)
    found = list(TriggerRun.objects.filter(trigger=trigger).order_by("due_on").values_list("due_on", flat=True))
    first = instants[0].date()
    assert found == [first + dt.timedelta(days=number) for number in range(3)]


# Entering a selection


def test_entering_a_selection_is_noticed_the_next_day_and_once(
    make_trigger: Make, member: Make, select: Make, now: dt.datetime
) -> None:
    borrowers = select("facts.count", kind="loan", op="at_least", times=1, within_days=365)
    already = member()
    happened(customer=already, occurred_at=now - dt.timedelta(days=5))
    trigger = make_trigger("enters_selection", params={"selection": borrowers.pk})
    advance(now=now)
    assert receivers(trigger.action) == []

    fresh = member()
    happened(customer=fresh, occurred_at=now + dt.timedelta(hours=5))
    for number in (1, 2, 3):
        advance(now=now + dt.timedelta(days=number))
    assert receivers(trigger.action) == [fresh.pk]
    assert borrowers.memberships.filter(until=None).count() == 2


def test_entrances_during_the_days_the_scheduler_was_away_are_taken_once(
    make_trigger: Make, member: Make, select: Make, now: dt.datetime
) -> None:
    borrowers = select("facts.count", kind="loan", op="at_least", times=1, within_days=365)
    trigger = make_trigger("enters_selection", params={"selection": borrowers.pk})
    advance(now=now)
    fresh = member()
    happened(customer=fresh, occurred_at=now + dt.timedelta(days=1))
    advance(now=now + dt.timedelta(days=5))
    advance(now=now + dt.timedelta(days=6))
    assert receivers(trigger.action) == [fresh.pk]
    assert days(trigger) == ["06-15", "06-20", "06-21"]


def test_a_second_trigger_on_a_selection_does_not_take_the_entrances_of_the_first(
    make_trigger: Make, member: Make, select: Make, now: dt.datetime
) -> None:
    borrowers = select("facts.count", kind="loan", op="at_least", times=1, within_days=365)
    first = make_trigger("enters_selection", params={"selection": borrowers.pk})
    advance(now=now)
    fresh = member()
    happened(customer=fresh, occurred_at=now + dt.timedelta(hours=1))
    second = make_trigger(
        "enters_selection", params={"selection": borrowers.pk}, active_from=now + dt.timedelta(hours=2)
    )
    advance(now=now + dt.timedelta(days=1))
    assert receivers(first.action) == [fresh.pk]
    assert receivers(second.action) == []


def test_watched_selections_are_looked_at_once_a_day(
    make_trigger: Make, member: Make, select: Make, now: dt.datetime
) -> None:
    members_of = select("customer.kind", kinds=["member"])
    make_trigger("enters_selection", params={"selection": members_of.pk})
    advance(now=now)
    member()
    advance(now=now + dt.timedelta(hours=1))
    assert members_of.memberships.count() == 0
    advance(now=now + dt.timedelta(days=1))
    assert members_of.memberships.count() == 1
    assert DayRun.objects.count() == 2


# When something goes wrong


def test_a_failing_trigger_is_recorded_and_does_not_stop_the_others(
    make_trigger: Make, member: Make, now: dt.datetime
) -> None:
    broken, sound = make_trigger(), make_trigger()
    customer = member(**born("1980-06-15"))
    save_content(broken.action.content, name="leeg", subject="", blocks=[], now=now)
    summary = advance(now=now)
    assert summary.failed == [f"trigger {broken.pk} 2026-06-15"]
    assert receivers(sound.action) == [customer.pk]
    run = broken.runs.get()
    assert run.error
    assert (run.candidate_count, run.mailing, run.attempts) == (0, None, 1)

    assert advance(now=now + dt.timedelta(minutes=5)).failed == []
    assert len(advance(now=now + dt.timedelta(minutes=20)).failed) == 1
    assert broken.runs.get().attempts == 2

    save_content(broken.action.content, name="vol", subject="Dag", blocks=[TEXT], now=now)
    assert advance(now=now + dt.timedelta(minutes=40)).trigger_runs == 1
    assert broken.runs.get().error == ""
    assert receivers(broken.action) == [customer.pk]


def test_a_fault_in_the_program_leaves_nothing_half_done(make_trigger: Make, member: Make, now: dt.datetime) -> None:
    broken, sound = make_trigger(), make_trigger()
    customer = member(**born("1980-06-15"))
    Trigger.objects.filter(pk=broken.pk).update(params={"days_before": "zeven"})
    Trigger.objects.filter(pk=sound.pk).update(kind="birthday")
    summary = advance(now=now)
    assert summary.failed == [f"trigger {broken.pk} 2026-06-15"]
    assert "TypeError" in broken.runs.get().error
    assert receivers(sound.action) == [customer.pk]


def test_a_kind_that_is_not_there_any_more_is_left_alone(make_trigger: Make, now: dt.datetime) -> None:
    trigger = make_trigger()
    Trigger.objects.filter(pk=trigger.pk).update(kind="vanished")
    summary = advance(now=now)
    assert (summary.trigger_runs, summary.failed) == (0, [])


def test_a_condition_for_leaving_that_no_longer_works_stops_only_its_own_campaign(
    make_trigger: Make, make_campaign: Make, member: Make, select: Make, now: dt.datetime
) -> None:
    condition = select("customer.age", at_least=150)
    broken, sound = make_campaign(0, leave_when=condition), make_campaign(0)
    trigger, customer = make_trigger(), member(**born("1980-06-15"))
    for campaign in (broken, sound):
        enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    rule = {
        "version": 1,
        "op": "all",
        "children": [{"criterion": "selections.in", "params": {"selection": condition.pk}}],
    }
    type(condition).objects.filter(pk=condition.pk).update(rule=rule)
    summary = advance(now=now)
    assert summary.failed == [f"leaving campaign {broken.pk}", f"step {broken.steps.get().pk} 2026-06-15"]
    assert receivers(sound.steps.get().action) == receivers(trigger.action) == [customer.pk]
    assert receivers(broken.steps.get().action) == []
    assert StepRun.objects.get(step__campaign=broken).error


# By hand


def test_running_a_trigger_by_hand_does_the_day_of_the_scheduler(
    make_trigger: Make, member: Make, now: dt.datetime
) -> None:
    trigger, customer = make_trigger(), member(**born("1980-06-15"))
    assert run_trigger_today(trigger, by=None, now=now).candidate_count == 1
    with pytest.raises(Refused) as refusal:
        run_trigger_today(trigger, by=None, now=now)
    assert refusal.value.code == "trigger_ran"
    assert advance(now=now).trigger_runs == 0
    assert receivers(trigger.action) == [customer.pk]
    deactivate_trigger(trigger, by=None, now=now)
    with pytest.raises(Refused):
        run_trigger_today(trigger, by=None, now=now + dt.timedelta(days=1))


def test_a_run_that_is_done_is_not_done_again(make_trigger: Make, now: dt.datetime) -> None:
    trigger = make_trigger()
    assert run_trigger(trigger, day=now.date(), now=now) is not None
    assert run_trigger(trigger, day=now.date(), now=now) is None


def test_the_scheduler_begins_its_day_in_the_morning(
    make_trigger: Make, member: Make, now: dt.datetime, time_machine: Any
) -> None:
    trigger = make_trigger()
    member(**born("1980-06-16"))
    time_machine.move_to(at(f"2026-06-16T0{DAY_BEGINS_AT_HOUR - 1}:59"), tick=False)
    run_due()
    assert days(trigger) == []
    time_machine.move_to(at(f"2026-06-16T0{DAY_BEGINS_AT_HOUR}:00"), tick=False)
    run_due()
    assert days(trigger) == ["06-16"]


# Several at once


def together(work: Callable[[], Any], number: int) -> list[Any]:
    """Do the same in so many threads, each on a connection of its own, begun at the same moment."""
    gate = Barrier(number)

    def one() -> Any:
        gate.wait()
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as threads:
        return [future.result() for future in [threads.submit(one) for _number in range(number)]]


@pytest.mark.django_db(transaction=True)
def test_ticks_at_the_same_moment_send_once(
    make_trigger: Make, make_campaign: Make, member: Make, now: dt.datetime
) -> None:
    trigger, campaign = make_trigger(), make_campaign(0, 0)
    people = [member(**born("1980-06-15")).pk for _number in range(5)]
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    summaries = together(lambda: advance(now=now), 4)
    assert all(not summary.failed for summary in summaries)
    assert sum(summary.trigger_runs for summary in summaries) == 1
    assert sum(summary.step_runs for summary in summaries) == 2
    assert receivers(trigger.action) == people
    assert [receivers(step.action) for step in campaign.steps.all()] == [people, people]
    assert (StepDone.objects.count(), DayRun.objects.count()) == (10, 1)
    assert not StepRun.objects.filter(candidate_count=0).exists()


@pytest.mark.django_db(transaction=True)
def test_enrolments_at_the_same_moment_let_everybody_in_once(
    make_campaign: Make, member: Make, now: dt.datetime
) -> None:
    campaign = make_campaign(3)
    for _number in range(5):
        member()
    counts = together(lambda: enrol(campaign, Customer.objects.all(), by="API", now=now), 4)
    assert sorted(counts) == [0, 0, 0, 5]
    assert Enrolment.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_two_people_who_start_the_last_campaign_allowed_are_not_both_let_through(
    make_campaign: Make, now: dt.datetime
) -> None:
    for _number in range(7):
        make_campaign()
    drafts = iter([make_campaign(start=False), make_campaign(start=False)])

    def start() -> str:
        try:
            start_campaign(next(drafts), by=None, now=now)
        except Refused as refusal:
            return refusal.code
        return "started"

    assert sorted(together(start, 2)) == ["started", "too_many_campaigns"]
    assert Campaign.objects.current().count() == 8
