import datetime as dt
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from customers.models import Customer
from mailings import worker
from mailings.actions import brake_mailings, change_sending_settings, resume, unsubscribe
from mailings.brake import Overrun
from mailings.models import Bounce, Mailing, Message
from mailings.tasks import recover_stale
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]
Readers = Callable[[int], list[Customer]]


@pytest.fixture
def mailing(start: Start, readers: Readers, now: dt.datetime) -> Mailing:
    """Twenty messages that were sent and one that waits; the brake looks from twenty on."""
    change_sending_settings(brake_after=20, brake_bounces=100, brake_complaints=50, brake_unsubscribes=100)
    readers(21)
    made = start()
    ids = list(Message.objects.order_by("pk").values_list("pk", flat=True)[:20])
    Message.objects.filter(pk__in=ids).update(state="sent", attempts=1, sent_at=now)
    return made


def state(mailing: Mailing) -> tuple[str, str]:
    mailing.refresh_from_db()
    return mailing.state, mailing.brake


_keys = count()


def bounce(messages: Any, now: dt.datetime, kind: str = "hard") -> None:
    for message in messages:
        report(now, kind=kind, message=message, address=message.address.lower())


def report(now: dt.datetime, **fields: Any) -> None:
    Bounce.objects.create(key=f"bounce {next(_keys)}", received_at=now, **{"kind": "hard", "source": "smtp", **fields})


def sent() -> list[Message]:
    return list(Message.objects.filter(state="sent").order_by("pk"))


def test_what_bounces_stops_a_mailing_above_the_limit_and_not_at_it(mailing: Mailing, now: dt.datetime) -> None:
    Message.objects.filter(pk=sent()[0].pk).update(state="failed")
    bounce(sent()[:1], now)
    assert brake_mailings(now=now) == 0  # two of twenty are exactly ten percent
    bounce(sent()[1:2], now)
    assert brake_mailings(now=now) == 1
    assert state(mailing) == ("paused", "held")
    assert mailing.pause_reason == "De rem: 3 van de 20 berichten kwamen terug, meer dan 10%."
    assert mailing.events.order_by("-pgh_id")[0].state == "paused"  # type: ignore[attr-defined]


def test_a_limit_below_one_percent_is_written_as_staff_write_it() -> None:
    assert Overrun("complaints", 1, 49, 1).words.endswith("meer dan 0,1%.")


def test_a_refused_address_is_one_bounce_though_it_is_blocked_as_well(mailing: Mailing, now: dt.datetime) -> None:
    twice = sent()[:2]
    bounce(twice, now)
    Message.objects.filter(pk__in=[one.pk for one in twice]).update(state="failed")
    assert brake_mailings(now=now) == 0


def test_complaints_and_unsubscribes_stop_it_too(mailing: Mailing, now: dt.datetime) -> None:
    bounce(sent()[:2], now, kind="complaint")
    assert brake_mailings(now=now) == 1
    assert "spam" in Mailing.objects.get().pause_reason
    resume(mailing, now=now)
    Mailing.objects.update(brake="")
    Bounce.objects.all().delete()
    for message in sent()[:3]:
        unsubscribe(message, scope="purpose", method="page", now=now)
        unsubscribe(message, scope="purpose", method="page", now=now)  # saying it twice is one no
    assert Mailing.objects.get().unsubscribe_count == 3
    assert brake_mailings(now=now) == 1
    assert "meldden zich af" in Mailing.objects.get().pause_reason


def test_what_was_blocked_before_or_elsewhere_does_not_count(mailing: Mailing, now: dt.datetime) -> None:
    bounce(sent()[:5], now - dt.timedelta(days=1))
    for number in range(9):
        report(now, address=f"elders{number}@example.nl", source="provider")
        report(now, address=sent()[number].address.lower(), source="mailbox")  # anybody can write this
    assert brake_mailings(now=now) == 0


def test_what_came_back_for_now_counts_and_what_is_late_or_answers_by_itself_does_not(
    mailing: Mailing, now: dt.datetime
) -> None:
    for kind in ("delayed", "auto_reply", "unknown"):
        bounce(sent()[:5], now, kind=kind)
    assert brake_mailings(now=now) == 0
    bounce(sent()[:3] * 2, now, kind="soft")  # twice of one message is one bounce
    assert brake_mailings(now=now) == 1
    assert state(mailing) == ("paused", "held")
    assert "3 van de 20" in mailing.pause_reason


def test_a_provider_may_name_the_address_alone(mailing: Mailing, now: dt.datetime) -> None:
    for message in sent()[:3]:
        report(now, address=message.address.lower(), source="provider")
    assert brake_mailings(now=now) == 1


def test_a_mailing_within_its_limits_is_not_counted_again_until_it_might_be_over(
    mailing: Mailing, now: dt.datetime, django_assert_num_queries: Any
) -> None:
    change_sending_settings(brake_after=10)
    bounce(sent()[:2], now)
    assert brake_mailings(now=now) == 0  # two of ten would be too many, of twenty they are not
    mailing.refresh_from_db()
    assert mailing.brake_tried == 20
    with django_assert_num_queries(5):
        brake_mailings(now=now)
    bounce(sent()[2:3], now)
    assert brake_mailings(now=now) == 1


def test_a_few_messages_say_too_little(mailing: Mailing, now: dt.datetime) -> None:
    change_sending_settings(brake_after=21)
    Message.objects.filter(state="sent").update(state="failed")
    assert brake_mailings(now=now) == 0


def test_a_limit_of_nothing_never_brakes(mailing: Mailing, now: dt.datetime) -> None:
    change_sending_settings(brake_bounces=0)
    Message.objects.filter(state="sent").update(state="failed")
    assert brake_mailings(now=now) == 0


def test_who_goes_on_is_not_stopped_again(mailing: Mailing, now: dt.datetime) -> None:
    Message.objects.filter(state="sent").update(state="failed")
    recover_stale()
    assert state(mailing) == ("paused", "held")
    resume(mailing, now=now)
    assert state(mailing) == ("sending", "released")
    assert brake_mailings(now=now) == 0


def test_it_costs_two_queries_while_all_is_well(
    mailing: Mailing, now: dt.datetime, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(5):  # savepoint, running, settings, at most, savepoint
        brake_mailings(now=now)


@pytest.mark.django_db(transaction=True)
def test_a_worker_stops_within_a_chunk(start: Start, readers: Readers, smtp_sink: Sink) -> None:
    customers = readers(30)
    change_sending_settings(brake_after=10, brake_bounces=100)
    for customer in customers:
        smtp_sink.at_recipient[f"klant{customer.number}@example.nl"] = ["550 5.1.1 no such user"]
    mailing = start(now=dt.datetime.now(dt.UTC))
    assert worker.send_ready(seconds=30, chunk=10).counts == {"failed": 10}
    assert state(mailing) == ("paused", "held")
    assert Message.objects.filter(state="queued").count() == 20
