"""Call lists: who is on one, that two callers never have the same customer, and what follows from a call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from common.errors import Refused
from customers.models import Consent, Customer, Fact, Purpose
from mailings import queue
from mailings.actions import cancel, change_call_settings, pause, put_back_call, record_call, take_call
from mailings.calling import in_hand, progress, script_of, still_to_call
from mailings.models import Call, Decision, Mailing, Message, Suppression
from tests.factories import ConsentFactory, CustomerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def callee(marketing: Purpose) -> Callable[..., Customer]:
    """Give a customer with a number who said yes to being called."""
    numbers = iter(range(100000, 200000))

    def make(**fields: Any) -> Customer:
        customer: Customer = CustomerFactory(**{"phone": f"+31299{next(numbers)}", **fields})
        ConsentFactory(customer=customer, purpose=marketing, channel="phone")
        return customer

    return make


@pytest.fixture
def begin_list(start: Callable[..., Mailing]) -> Callable[..., Mailing]:
    def make(*customers: Customer, **fields: Any) -> Mailing:
        change_call_settings(from_hour=9, until_hour=21)
        return start(*customers, channels="calls", **fields)

    return make


def test_only_who_may_be_called_and_has_a_number_is_on_the_list(
    callee: Callable[..., Customer], begin_list: Callable[..., Mailing], marketing: Purpose
) -> None:
    marketing.channels.filter(channel="phone").update(basis="consent")
    allowed, silent, without = callee(), CustomerFactory(phone="+31299123123"), callee(phone="")
    mailing = begin_list()
    found = dict(Decision.objects.filter(mailing=mailing).values_list("customer", "outcome"))
    assert found == {allowed.pk: "accepted", silent.pk: "no_permission", without.pk: "no_address"}
    assert Message.objects.get().address == allowed.contact_points.get(channel="phone").value
    assert queue.next_mailing(has_hours=True) is None


def test_two_callers_get_different_customers_and_keep_the_one_they_have(
    callee: Callable[..., Customer],
    begin_list: Callable[..., Mailing],
    marketeer: User,
    administrator: User,
    now: dt.datetime,
) -> None:
    mailing = begin_list(callee(), callee())
    first, second = (take_call(mailing, by=user, now=now) for user in (marketeer, administrator))
    assert first
    assert second
    assert first.pk != second.pk
    assert take_call(mailing, by=marketeer, now=now) == first
    with pytest.raises(Refused):
        record_call(first, outcome="reached", by=administrator, now=now)
    put_back_call(first, by=marketeer, now=now)
    assert in_hand(mailing, marketeer) is None
    assert take_call(mailing, by=marketeer, now=now) == first


def test_who_leaves_the_page_gives_the_customer_back_after_half_an_hour(
    callee: Callable[..., Customer], begin_list: Callable[..., Mailing], marketeer: User, now: dt.datetime
) -> None:
    mailing = begin_list(callee())
    take_call(mailing, by=marketeer, now=now)
    Message.objects.update(lease_until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert queue.recover() == (1, 0)
    assert in_hand(mailing, marketeer) is None


def test_a_call_that_reaches_somebody_is_a_fact_and_ends_the_list(
    callee: Callable[..., Customer], begin_list: Callable[..., Mailing], marketeer: User, now: dt.datetime
) -> None:
    customer = callee()
    mailing = begin_list(customer)
    message = take_call(mailing, by=marketeer, now=now)
    assert message
    assert script_of(message, now=now).startswith("Dag Anna, er is iets te doen.")
    record_call(message, outcome="reached", note="Komt zaterdag", by=marketeer, now=now)
    assert Fact.objects.get(kind="call").customer == customer
    mailing.refresh_from_db()
    assert (mailing.state, Message.objects.get().state) == ("finished", "sent")
    assert progress(mailing, now=now).today == 1


def test_who_is_not_reached_comes_back_the_next_day_until_he_was_tried_often_enough(
    callee: Callable[..., Customer], begin_list: Callable[..., Mailing], marketeer: User, now: dt.datetime
) -> None:
    mailing = begin_list(callee())
    change_call_settings(most_attempts=2)
    message = take_call(mailing, by=marketeer, now=now)
    assert message
    record_call(message, outcome="not_reached", by=marketeer, now=now)
    assert take_call(mailing, by=marketeer, now=now) is None
    assert (progress(mailing, now=now).now, progress(mailing, now=now).later) == (0, 1)
    tomorrow = now + dt.timedelta(days=1)
    again = take_call(mailing, by=marketeer, now=tomorrow)
    assert again == message
    record_call(again, outcome="not_reached", by=marketeer, now=tomorrow)
    assert Message.objects.get().state == "failed"
    mailing.refresh_from_db()
    assert mailing.state == "finished"


def test_a_customer_may_choose_the_day_on_which_he_is_called_again(
    callee: Callable[..., Customer], begin_list: Callable[..., Mailing], marketeer: User, now: dt.datetime
) -> None:
    mailing = begin_list(callee())
    message = take_call(mailing, by=marketeer, now=now)
    assert message
    for day in (None, now.date(), now.date() + dt.timedelta(days=400)):
        with pytest.raises(Refused):
            record_call(message, outcome="later", again_on=day, by=marketeer, now=now)
    record_call(message, outcome="later", again_on=now.date() + dt.timedelta(days=5), by=marketeer, now=now)
    assert take_call(mailing, by=marketeer, now=now + dt.timedelta(days=4)) is None
    assert take_call(mailing, by=marketeer, now=now + dt.timedelta(days=5)) == message


def test_a_no_on_the_telephone_holds_at_once_for_who_says_it_and_only_for_calls(
    callee: Callable[..., Customer],
    begin_list: Callable[..., Mailing],
    marketeer: User,
    marketing: Purpose,
    now: dt.datetime,
) -> None:
    customer = callee()
    mate = callee(phone=customer.contact_points.get(channel="phone").value)
    mailing, other = begin_list(customer, mate), begin_list(customer)
    message = take_call(mailing, by=marketeer, now=now)
    assert message
    assert message.customer == customer
    record_call(message, outcome="wants_none", by=marketeer, now=now)
    said = Consent.objects.filter(evidence__method="call")
    assert set(said.values_list("customer", "channel")) == {(customer.pk, "phone")}
    assert Message.objects.get(mailing=other).state == "withdrawn"
    following = take_call(mailing, by=marketeer, now=now)
    assert following
    assert following.customer == mate


def test_a_wrong_number_is_blocked(
    callee: Callable[..., Customer], begin_list: Callable[..., Mailing], marketeer: User, now: dt.datetime
) -> None:
    customer = callee()
    mailing = begin_list(customer)
    message = take_call(mailing, by=marketeer, now=now)
    assert message
    record_call(message, outcome="wrong_number", by=marketeer, now=now)
    assert Suppression.objects.in_force().get().address == message.address
    assert Decision.objects.get(mailing=begin_list(customer)).outcome == "suppressed"


def test_a_no_counts_when_the_list_ended_or_somebody_else_has_him_and_once(
    callee: Callable[..., Customer],
    begin_list: Callable[..., Mailing],
    marketeer: User,
    administrator: User,
    now: dt.datetime,
) -> None:
    first, second = callee(), callee()
    mailing = begin_list(first, second)
    message = take_call(mailing, by=marketeer, now=now)
    assert message
    cancel(mailing, now=now)
    for _again in range(2):
        record_call(message, outcome="wants_none", by=marketeer, now=now)
    other = Message.objects.get(customer=second)
    record_call(other, outcome="wants_none", is_elsewhere=True, by=administrator, now=now)
    assert set(Consent.objects.filter(evidence__method="call").values_list("customer", flat=True)) == {
        first.pk, second.pk,
    }  # fmt: skip
    assert Call.objects.count() == 2
    with pytest.raises(Refused):
        record_call(other, outcome="reached", is_elsewhere=True, by=administrator, now=now)


def test_who_talks_longer_than_half_an_hour_still_writes_down_what_came_of_it_and_once(
    callee: Callable[..., Customer], begin_list: Callable[..., Mailing], marketeer: User, now: dt.datetime
) -> None:
    message = take_call(begin_list(callee()), by=marketeer, now=now)
    assert message
    Message.objects.update(lease_until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    queue.recover()
    record_call(message, outcome="not_reached", by=marketeer, now=now)
    with pytest.raises(Refused):
        record_call(message, outcome="not_reached", by=marketeer, now=now)
    assert Message.objects.get().attempts == 1


def test_who_said_no_since_is_blocked_or_lost_his_number_does_not_go_along_in_a_file(
    callee: Callable[..., Customer], begin_list: Callable[..., Mailing], marketing: Purpose, now: dt.datetime
) -> None:
    stays, gone, blocked, without = callee(), callee(), callee(), callee()
    mailing = begin_list()
    ConsentFactory(customer=gone, purpose=marketing, channel="phone", state="withdrawn", event_at=now)
    number = blocked.contact_points.get(channel="phone").value
    Suppression.objects.create(address=number, reason="manual", since=now)
    without.contact_points.filter(channel="phone").delete()
    assert set(still_to_call(mailing, now=now)) == {stays}
    pause(mailing, now=now)
    mailing.refresh_from_db()
    with pytest.raises(Refused):
        still_to_call(mailing, now=now)


def test_who_said_no_since_or_has_another_number_is_asked_again_when_it_is_his_turn(
    callee: Callable[..., Customer],
    begin_list: Callable[..., Mailing],
    marketeer: User,
    marketing: Purpose,
    now: dt.datetime,
) -> None:
    gone, moved = callee(), callee()
    mailing = begin_list(gone, moved)
    ConsentFactory(customer=gone, purpose=marketing, channel="phone", state="withdrawn", event_at=now)
    moved.contact_points.filter(channel="phone").update(value="+31299999999")
    message = take_call(mailing, by=marketeer, now=now)
    assert message
    assert (message.customer, message.address) == (moved, "+31299999999")
    assert Message.objects.get(mailing=mailing, customer=gone).withdrawn_because == "no_permission"


def test_nobody_is_called_at_night_on_pause_or_when_it_has_been_enough(
    callee: Callable[..., Customer], begin_list: Callable[..., Mailing], marketeer: User, now: dt.datetime
) -> None:
    mailing = begin_list(callee(), callee())
    with pytest.raises(Refused) as night:
        take_call(mailing, by=marketeer, now=now.replace(hour=22))
    message = take_call(mailing, by=marketeer, now=now)
    assert message
    record_call(message, outcome="reached", by=marketeer, now=now)
    change_call_settings(per_day=1)
    with pytest.raises(Refused) as enough:
        take_call(mailing, by=marketeer, now=now)
    pause(mailing, now=now)
    with pytest.raises(Refused) as held:
        take_call(mailing, by=marketeer, now=now)
    assert [one.value.code for one in (night, enough, held)] == ["hours", "enough_today", "wrong_state"]
    assert Call.objects.count() == 1
