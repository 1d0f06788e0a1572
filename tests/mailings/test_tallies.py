from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from common.sql import execute
from mailings import actions
from mailings.actions import keep_tallies
from mailings.actions.tallies import TALLY_LOCK
from mailings.models import Mailing, Message, Settlement, Tally, TallyChange

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]


def told(mailing: Mailing) -> dict[str, int]:
    states: dict[str, int] = Mailing.objects.with_counts().get(pk=mailing.pk).states
    return states


def counted(mailing: Mailing) -> dict[str, int]:
    return Counter(Message.objects.filter(mailing=mailing).values_list("state", flat=True))


def finish(mailing: Mailing, now: dt.datetime) -> None:
    mailing.messages.filter(state__in=Message.OPEN).update(state="sent", sent_at=now, state_at=now)
    actions.finish_mailings(now=now)


def test_a_mailing_that_is_over_is_counted_once(start: Start, readers: Any, now: dt.datetime) -> None:
    readers(3)
    over, going = start(), start()
    assert keep_tallies() == 0
    finish(over, now)
    assert (keep_tallies(), keep_tallies()) == (1, 0)
    assert Tally.objects.get().states == {"sent": 3}
    Tally.objects.update(states={"sent": 5})  # this is what is read
    assert (told(over), told(going)) == ({"sent": 5}, {"queued": 3})


def test_one_that_goes_on_is_counted_as_it_is(start: Start, readers: Any, now: dt.datetime) -> None:
    readers(2)
    mailing = start()
    first = mailing.messages.first()
    assert first
    mailing.messages.exclude(pk=first.pk).update(state="sent", sent_at=now)
    Message.objects.filter(pk=first.pk).update(state="in_doubt")
    actions.finish_mailings(now=now)
    keep_tallies()
    assert told(mailing) == {"sent": 1, "in_doubt": 1}
    actions.settle_doubts(mailing.messages.all(), decision=Settlement.Decision.AGAIN, now=now)
    assert told(mailing) == counted(mailing) == {"sent": 1, "queued": 1}
    assert keep_tallies() == 0  # it is under way again
    assert not Tally.objects.exists()
    assert not TallyChange.objects.exists()
    finish(mailing, now)
    assert told(mailing) == {"sent": 2}
    assert keep_tallies() == 1
    assert told(mailing) == {"sent": 2}


def test_what_is_still_on_its_way_in_a_cancelled_mailing_is_waited_for(
    start: Start, readers: Any, now: dt.datetime
) -> None:
    one, _other = readers(2)
    mailing = start()
    mailing.messages.filter(customer=one).update(state="sending")
    actions.cancel(mailing, now=now)
    assert keep_tallies() == 0
    mailing.messages.filter(customer=one).update(state="sent")
    assert keep_tallies() == 1
    assert told(mailing) == {"sent": 1, "withdrawn": 1}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_afterwards_it_is_what_a_plain_count_says(
    start: Start, readers: Any, now: dt.datetime, seed: int
) -> None:
    chance = random.Random(seed)
    people = readers(6)
    mailings = [start(), start()]
    for mailing in mailings:
        mailing.messages.update(state="sent", sent_at=now)
    actions.finish_mailings(now=now)
    keep_tallies()

    def change() -> None:
        message = chance.choice(list(Message.objects.all()))
        Message.objects.filter(pk=message.pk).update(state=chance.choice(Message.State.values))

    def remove() -> None:
        Message.objects.filter(customer=chance.choice(people)).delete()

    def close_or_open() -> None:
        state = chance.choice([Mailing.State.SENDING, Mailing.State.FINISHED, Mailing.State.CANCELLED])
        Mailing.objects.filter(pk=chance.choice(mailings).pk).update(state=state)

    def work() -> None:  # what workers do, only while it is being sent
        execute(
            "UPDATE mailings_message SET state = 'sent' WHERE state IN ('queued', 'claimed', 'sending', 'deferred')"
            " AND mailing_id IN (SELECT id FROM mailings_mailing WHERE state = 'sending')"
        )

    for _turn in range(25):
        chance.choice([change, remove, close_or_open, work, keep_tallies, keep_tallies])()
        if not Message.objects.exists():
            break
        for mailing in mailings:
            assert told(mailing) == counted(mailing)


def test_one_that_counts_waits_for_another_so_that_no_older_count_is_written_last(
    start: Start, readers: Any, now: dt.datetime
) -> None:
    readers(1)
    finish(start(), now)
    execute("SET LOCAL lock_timeout = '50ms'")
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [TALLY_LOCK])
            with pytest.raises(OperationalError), transaction.atomic():
                keep_tallies()
            cursor.execute("SELECT pg_advisory_unlock(%s)", [TALLY_LOCK])
    finally:
        other.close()
    assert keep_tallies() == 1


def test_the_list_can_be_put_in_the_order_of_its_counts(start: Start, readers: Any, now: dt.datetime) -> None:
    people = readers(3)
    small, large = start(people[0]), start()
    finish(small, now)
    ordered = Mailing.objects.by_count("sent", is_descending=True)
    assert list(ordered) == [small, large]
    assert list(Mailing.objects.by_count(is_descending=True)) == [large, small]
