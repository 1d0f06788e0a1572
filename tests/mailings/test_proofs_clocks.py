"""Clocks that are wrong, nights that are an hour shorter or longer, and two schedulers: everything once, and nobody
against his will.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from campaigns.actions import activate_trigger, advance, create_action, create_trigger
from campaigns.models import TriggerRun
from campaigns.tasks import DAY_BEGINS_AT_HOUR
from common.time import AMSTERDAM, local_date
from customers.consents import record_consent
from customers.models import Customer, Purpose
from mailings.actions import save_content
from mailings.models import Mailing, Message
from mailings.worker import send_ready
from tests.factories import CustomerFactory
from tests.mailings.conftest import TEXT
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def now() -> dt.datetime:
    return timezone.now()


@pytest.mark.parametrize("skew", [-HOUR, HOUR])
def test_a_worker_whose_clock_is_wrong_hears_every_no(
    start: Callable[..., Mailing],
    reader: Callable[..., Customer],
    marketing: Purpose,
    smtp_sink: Sink,
    skew: dt.timedelta,
) -> None:  # fmt: skip
    stays, objects = reader(email="blijft@example.nl"), reader(email="wil-niet@example.nl")
    start()
    record_consent(
        objects, purpose=marketing, channel="email", state="objected", source_code="mijnmenu", actor="customer",
        event_at=timezone.now(),
    )  # fmt: skip
    Message.objects.update(next_attempt_at=timezone.now())
    with time_machine.travel(timezone.now() + skew, tick=True):
        send_ready(seconds=30)
    assert [mail.recipients for mail in smtp_sink.received] == [["blijft@example.nl"]]
    assert Message.objects.get(customer=stays).state == "sent"
    assert Message.objects.get(customer=objects).withdrawn_because == "no_permission"


@pytest.mark.parametrize("night", [dt.date(2027, 3, 28), dt.date(2027, 10, 31)])
def test_two_schedulers_whose_clocks_differ_run_each_day_once(house: Any, night: dt.date) -> None:
    """From noon before the night on which the clock is changed to noon after it; one of them is an hour behind."""
    begin = dt.datetime.combine(night - dt.timedelta(days=1), dt.time(12), tzinfo=AMSTERDAM)
    end = dt.datetime.combine(night, dt.time(12), tzinfo=AMSTERDAM)
    for day in (night - dt.timedelta(days=1), night):
        CustomerFactory(birth_date=day.replace(year=1980))
    trigger = birthday_trigger(begin)
    moment = begin.astimezone(dt.UTC)
    while moment <= end:
        ring_twice(moment, moment - HOUR)
        moment += HOUR / 2
    days = Counter(TriggerRun.objects.filter(trigger=trigger, error="").values_list("due_on", flat=True))
    assert days == {night - dt.timedelta(days=1): 1, night: 1}
    assert Counter(Mailing.objects.values_list("due_key", flat=True)) == {
        f"trigger:{trigger.pk}:{day}": 1 for day in (night - dt.timedelta(days=1), night)
    }
    runs = TriggerRun.objects.filter(due_on=night).values_list("mailing__created_at", flat=True)
    assert [(local_date(at), at.astimezone(AMSTERDAM).hour) for at in runs] == [(night, DAY_BEGINS_AT_HOUR)]


def birthday_trigger(now: dt.datetime) -> Any:
    purpose = Purpose.objects.get(code="service")
    action = create_action(name="Verjaardag", purpose=purpose, channels="email", by=None, now=now)
    save_content(action.content, name="Verjaardag", subject="Gefeliciteerd", blocks=[TEXT], now=now)
    trigger = create_trigger(
        name="Verjaardag", kind="birthday", params={"days_before": 0}, action=action, by=None, now=now
    )
    return activate_trigger(trigger, by=None, now=now)


def ring_twice(*moments: dt.datetime) -> None:
    def ring(moment: dt.datetime) -> None:
        try:
            assert advance(now=moment, from_hour=DAY_BEGINS_AT_HOUR).failed == []
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(ring, moments))
