"""Steps: taken in order, once, on their day; made up for one day at a time after a pause."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.actions import (
    add_step,
    advance,
    create_campaign,
    enrol,
    pause_campaign,
    remove_step,
    run_action,
    start_campaign,
)
from campaigns.models import Campaign, Enrolment, Step, StepRun
from customers.models import Customer, Purpose
from mailings.actions import save_content
from mailings.models import Mailing, Message
from mailings.tasks import send_queued
from tests.campaigns.conftest import TEXT, at, receivers
from tests.factories import ConsentFactory, happened
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]


def days_of(campaign: Campaign, customer: Customer) -> list[tuple[int, str]]:
    """On which day the customer got which step, as (day of the step, date)."""
    runs = StepRun.objects.filter(step__campaign=campaign, done__customer=customer).order_by(
        "due_on", "step__day", "pk"
    )
    return [(run.step.day, f"{run.due_on:%m-%d}") for run in runs.select_related("step")]


def tick(start: dt.datetime, days: int) -> None:
    for number in range(days):
        advance(now=start + dt.timedelta(days=number))


def test_steps_go_out_on_their_days_and_then_the_campaign_is_completed(
    make_campaign: Make, member: Make, now: dt.datetime
) -> None:
    campaign, customer = make_campaign(0, 2, 5), member()
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    tick(now, 5)
    assert Enrolment.objects.get().state == "active"
    tick(now + dt.timedelta(days=5), 3)
    assert days_of(campaign, customer) == [(0, "06-15"), (2, "06-17"), (5, "06-20")]
    enrolment = Enrolment.objects.get()
    assert (enrolment.state, enrolment.next_step, enrolment.next_on) == ("completed", None, None)
    for step in campaign.steps.all():
        assert receivers(step.action) == [customer.pk]


def test_two_ticks_send_a_step_once(make_campaign: Make, member: Make, now: dt.datetime) -> None:
    campaign, customer = make_campaign(0), member()
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    first, second = advance(now=now), advance(now=now + dt.timedelta(minutes=1))
    assert (first.step_runs, first.completed, second.step_runs) == (1, 1, 0)
    assert receivers(campaign.steps.get().action) == [customer.pk]
    assert Mailing.objects.get().due_key == f"step:{campaign.steps.get().pk}:2026-06-15:1"


def test_who_enters_later_the_same_day_gets_the_first_step_in_a_next_part(
    make_campaign: Make, member: Make, now: dt.datetime
) -> None:
    campaign, morning = make_campaign(0), member()
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    advance(now=now)
    afternoon = member()
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now + dt.timedelta(hours=4))
    advance(now=now + dt.timedelta(hours=4))
    assert receivers(campaign.steps.get().action) == [morning.pk, afternoon.pk]
    assert sorted(StepRun.objects.values_list("part", flat=True)) == [1, 2]


def test_two_steps_on_one_day_both_go_out_that_day(make_campaign: Make, member: Make, now: dt.datetime) -> None:
    campaign, customer = make_campaign(1, 1), member()
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    advance(now=now + dt.timedelta(days=1))
    assert days_of(campaign, customer) == [(1, "06-16"), (1, "06-16")]


def test_customers_who_entered_on_different_days_each_have_their_own_calendar(
    make_campaign: Make, member: Make, now: dt.datetime
) -> None:
    campaign = make_campaign(0, 3)
    customers = []
    for number in range(4):
        customers.append(member())
        enrol(campaign, Customer.objects.all(), by="marketeer", now=now + dt.timedelta(days=number))
        advance(now=now + dt.timedelta(days=number))
    tick(now + dt.timedelta(days=4), 4)
    days = [f"06-{15 + number}" for number in range(7)]
    for number, customer in enumerate(customers):
        assert days_of(campaign, customer) == [(0, days[number]), (3, days[number + 3])]


def test_nothing_goes_out_while_a_campaign_is_paused(make_campaign: Make, member: Make, now: dt.datetime) -> None:
    campaign, customer = make_campaign(0), member()
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    pause_campaign(campaign, by=None, now=now)
    tick(now, 3)
    assert days_of(campaign, customer) == []


def test_after_a_pause_missed_steps_follow_one_day_after_another_in_order(
    make_campaign: Make, member: Make, now: dt.datetime
) -> None:
    campaign = make_campaign(0, 7, 14, 60)
    early, late = member(), member()
    enrol(campaign, Customer.objects.filter(pk=early.pk), by="marketeer", now=now)
    advance(now=now)
    pause_campaign(campaign, by=None, now=now)
    enrol(campaign, Customer.objects.filter(pk=late.pk), by="marketeer", now=now + dt.timedelta(days=10))
    back = now + dt.timedelta(days=20)
    start_campaign(campaign, by=None, now=back)
    tick(back, 50)
    assert days_of(campaign, early) == [(0, "06-15"), (7, "07-05"), (14, "07-06"), (60, "08-14")]
    # entered on 25 June: the step of day 0 was ten days late, that of day 7 three, that of day 14 is on time
    assert days_of(campaign, late) == [(0, "07-05"), (7, "07-06"), (14, "07-09")]


def test_a_scheduler_that_was_away_loses_no_step(make_campaign: Make, member: Make, now: dt.datetime) -> None:
    campaign, customer = make_campaign(0, 1, 2), member()
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    tick(now + dt.timedelta(days=30), 5)
    assert days_of(campaign, customer) == [(0, "07-15"), (1, "07-16"), (2, "07-17")]


@pytest.mark.parametrize(
    ("entered", "tick_before", "tick_on"),
    [
        # midnight in Amsterdam is 22:00 UTC in summer and 23:00 in winter
        ("2026-06-15T12:00", "2026-06-16T23:59:59", "2026-06-17T00:00"),
        ("2026-01-15T12:00", "2026-01-16T23:59:59", "2026-01-17T00:00"),
        # entered just before and just after midnight
        ("2026-06-15T23:59:59", "2026-06-16T23:59:59", "2026-06-17T00:00"),
        ("2026-06-16T00:00", "2026-06-17T23:59:59", "2026-06-18T00:00"),
        # the nights of 23 and 25 hours
        ("2026-03-27T12:00", "2026-03-28T23:59:59", "2026-03-29T00:00"),
        ("2026-03-28T12:00", "2026-03-29T23:59:59", "2026-03-30T00:00"),
        ("2026-10-24T12:00", "2026-10-25T23:59:59", "2026-10-26T00:00"),
    ],
)
def test_a_day_is_a_day_in_amsterdam(
    make_campaign: Make, member: Make, entered: str, tick_before: str, tick_on: str
) -> None:
    moment = at(entered)
    campaign = make_campaign(2, started=moment)
    member()
    enrol(campaign, Customer.objects.all(), by="marketeer", now=moment)
    assert advance(now=at(tick_before)).step_runs == 0
    assert advance(now=at(tick_on)).step_runs == 1


def test_who_reaches_the_goal_leaves_before_the_next_step(
    make_campaign: Make, member: Make, select: Make, now: dt.datetime
) -> None:
    selection = select("facts.count", kind="loan", op="at_least", times=1, within_days=30)
    campaign = make_campaign(0, 3, leave_when=selection)
    borrower, idle = member(), member()
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    advance(now=now)
    happened(customer=borrower, occurred_at=now + dt.timedelta(days=2))
    tick(now + dt.timedelta(days=1), 4)
    assert receivers(campaign.steps.get(day=0).action) == [borrower.pk, idle.pk]
    assert receivers(campaign.steps.get(day=3).action) == [idle.pk]
    gone = Enrolment.objects.get(customer=borrower)
    assert (gone.state, gone.left_reason) == ("left", "selection")


def test_the_condition_for_leaving_is_asked_again_at_the_moment_of_a_step(
    make_campaign: Make, member: Make, select: Make, now: dt.datetime
) -> None:
    selection = select("facts.count", kind="loan", op="at_least", times=1, within_days=30)
    campaign, borrower = make_campaign(0, leave_when=selection), member()
    advance(now=now)  # the daily preparation has been
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    happened(customer=borrower, occurred_at=now)
    summary = advance(now=now + dt.timedelta(minutes=1))
    assert (summary.left, summary.step_runs) == (1, 0)
    assert not Mailing.objects.exists()


def test_who_reaches_the_goal_while_his_mail_waits_does_not_get_it(
    make_campaign: Make, member: Make, select: Make, now: dt.datetime, smtp_sink: Sink
) -> None:
    """The cart was bought in the store; also when the campaign has no further step for him."""
    selection = select("facts.count", kind="loan", op="at_least", times=1, within_days=30)
    campaign = make_campaign(0, leave_when=selection)
    buyer, other = member(), member()
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    advance(now=now)
    assert advance(now=now + dt.timedelta(minutes=1)).withdrawn == 0
    happened(customer=buyer, occurred_at=now + dt.timedelta(minutes=1))
    assert advance(now=now + dt.timedelta(minutes=2)).withdrawn == 1
    send_queued()
    message = Message.objects.get(customer=buyer)
    assert (message.state, message.withdrawn_because) == ("withdrawn", "left")
    assert Message.objects.get(customer=other).state == "sent"
    assert len(smtp_sink.received) == 1
    assert advance(now=now + dt.timedelta(minutes=3)).withdrawn == 0


def test_a_campaign_ends_after_its_last_day(make_campaign: Make, member: Make, now: dt.datetime) -> None:
    campaign = make_campaign(0, 5, ends_on=now.date() + dt.timedelta(days=2))
    customer = member()
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    tick(now, 3)
    campaign.refresh_from_db()
    assert campaign.state == "running"
    tick(now + dt.timedelta(days=3), 4)
    campaign.refresh_from_db()
    assert campaign.state == "finished"
    assert days_of(campaign, customer) == [(0, "06-15")]
    assert Enrolment.objects.get().left_reason == "finished"


def test_a_step_taken_out_after_it_was_sent_stays_visible(make_campaign: Make, member: Make, now: dt.datetime) -> None:
    campaign = make_campaign(0, 4)
    member()
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    advance(now=now)
    first = campaign.steps.get(day=0)
    remove_step(first, by=None, now=now)
    first.refresh_from_db()
    assert first.removed_on == now.date()
    late = member()
    enrol(campaign, Customer.objects.filter(pk=late.pk), by="marketeer", now=now)
    advance(now=now + dt.timedelta(minutes=1))
    assert late.pk not in receivers(first.action)


def test_the_frequency_limit_of_a_customer_holds_over_campaigns_and_actions(
    make_action: Make, member: Make, now: dt.datetime
) -> None:
    customer = member()
    ConsentFactory(customer=customer, purpose=Purpose.objects.get(code="marketing"))
    campaign = create_campaign(name="Druk", by=None, now=now)
    for day in range(5):
        add_step(campaign, action=make_action(f"Stap {day}", purpose="marketing"), day=day, by=None, now=now)
    start_campaign(campaign, by=None, now=now)
    run_action(make_action(purpose="marketing"), Customer.objects.all(), due_key="los", by=None, now=now)
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    tick(now, 5)
    # three messages in seven days: one of the action, two of the campaign
    outcomes = [mailing.decisions.get().outcome for mailing in Mailing.objects.order_by("pk")]
    assert outcomes == ["accepted"] * 3 + ["frequency_cap"] * 3
    assert Enrolment.objects.get().state == "completed"


def test_a_step_that_cannot_go_out_says_why_waits_and_is_tried_again(
    make_campaign: Make, member: Make, now: dt.datetime
) -> None:
    broken, sound = make_campaign(0), make_campaign(0)
    customer = member()
    for campaign in (broken, sound):
        enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    content = broken.steps.get().action.content
    save_content(content, name="leeg", subject="", blocks=[], now=now)

    summary = advance(now=now)
    assert summary.failed == [f"step {broken.steps.get().pk} 2026-06-15"]
    assert receivers(sound.steps.get().action) == [customer.pk]
    run = StepRun.objects.get(step__campaign=broken)
    assert "nog geen inhoud" in run.error or "no content yet" in run.error
    assert Enrolment.objects.get(campaign=broken).state == "active"

    # a minute later it is left alone, after a quarter of an hour it is tried again
    assert advance(now=now + dt.timedelta(minutes=1)).failed == []
    assert len(advance(now=now + dt.timedelta(minutes=15)).failed) == 1
    run.refresh_from_db()
    assert run.attempts == 2

    save_content(content, name="vol", subject="Dag", blocks=[TEXT], now=now)
    assert advance(now=now + dt.timedelta(minutes=31)).step_runs == 1
    run.refresh_from_db()
    assert (run.error, run.candidate_count) == ("", 1)
    assert receivers(broken.steps.get().action) == [customer.pk]


def test_before_the_day_has_begun_only_first_steps_go_out(make_campaign: Make, member: Make, now: dt.datetime) -> None:
    campaign = make_campaign(0, 1)
    known, fresh = member(), member()
    enrol(campaign, Customer.objects.filter(pk=known.pk), by="marketeer", now=now)
    advance(now=now)
    night = at("2026-06-16T00:30")
    enrol(campaign, Customer.objects.filter(pk=fresh.pk), by="API", now=night)
    assert advance(now=night, from_hour=7).step_runs == 1
    assert days_of(campaign, fresh) == [(0, "06-16")]
    assert days_of(campaign, known) == [(0, "06-15")]
    assert advance(now=at("2026-06-16T07:00"), from_hour=7).step_runs == 1
    assert days_of(campaign, known) == [(0, "06-15"), (1, "06-16")]


def test_a_tick_with_nothing_to_do_costs_few_queries(
    make_campaign: Make, member: Make, now: dt.datetime, django_assert_max_num_queries: Any
) -> None:
    campaign = make_campaign(0, 30)
    for _number in range(5):
        member()
    enrol(campaign, Customer.objects.all(), by="marketeer", now=now)
    advance(now=now)
    with django_assert_max_num_queries(8):
        advance(now=now + dt.timedelta(minutes=1))


def test_a_step_costs_the_same_number_of_queries_for_one_as_for_many(
    make_campaign: Make, member: Make, now: dt.datetime
) -> None:
    def queries(people: int) -> int:
        campaign = make_campaign(0)
        made = [member().pk for _number in range(people)]
        enrol(campaign, Customer.objects.filter(pk__in=made), by="marketeer", now=now)
        with CaptureQueriesContext(connection) as captured:
            advance(now=now)
        return len(captured)

    queries(1)
    assert queries(1) == queries(20)


def test_step_days_of_a_campaign_are_listed_in_order(make_campaign: Make) -> None:
    campaign = make_campaign(14, 0, 7)
    assert list(Step.objects.filter(campaign=campaign).values_list("day", flat=True)) == [0, 7, 14]
