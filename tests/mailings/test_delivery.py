import datetime as dt
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from common.time import AMSTERDAM
from customers.actions import change_customer
from customers.consents import record_consent
from customers.models import Customer, Purpose
from mailings import queue, worker
from mailings.actions import (
    cancel,
    change_sending_settings,
    pause,
    resume,
    save_closing_day,
    save_style,
    suppress_address,
    unsubscribe,
    withdraw_cancelled,
)
from mailings.links import read_bounce_address
from mailings.models import CapRule, Decision, Mailing, Message, Suppression
from mailings.queue import Outcome
from mailings.tasks import recover_stale, send_queued
from tests.factories import BranchFactory
from tests.faults.scripted_smtp import scripted_smtp
from tests.smtp_sink import Sink

# Workers keep connections of their own, so what tests leave must be committed.
pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[..., Mailing]
Reader = Callable[..., Customer]


@pytest.fixture
def now() -> dt.datetime:
    """Delivery reads the clock of the database, so these tests live in the present."""
    return timezone.now()


def send(**options: Any) -> worker.Summary:
    return worker.send_ready(seconds=30, **options)


def states(mailing: Mailing) -> dict[str, int]:
    return dict(Counter(Message.objects.filter(mailing=mailing).values_list("state", flat=True)))


def test_every_accepted_reader_gets_one_mail(start: Start, readers: Any, smtp_sink: Sink) -> None:
    customers = readers(25)
    mailing = start()
    assert send().counts == {"sent": 25}
    assert Counter(mail.recipients[0] for mail in smtp_sink.received) == {
        f"klant{customer.number}@example.nl": 1 for customer in customers
    }
    assert states(mailing) == {"sent": 25}
    mailing.refresh_from_db()
    assert mailing.state == "finished"
    assert send().counts == {}


def test_a_message_keeps_what_the_server_said(start: Start, reader: Reader, smtp_sink: Sink) -> None:
    customer = reader()
    start()
    send()
    message = Message.objects.get(customer=customer)
    assert (message.reply, message.attempts) == ("250 2.0.0 queued", 1)
    assert message.sent_at is not None


def test_every_mail_that_left_is_in_order(start: Start, readers: Any, smtp_sink: Sink, settings: Any) -> None:
    readers(10)
    start()
    send()
    identities = set()
    for received in smtp_sink.received:
        lines = received.content.split(b"\r\n")
        assert max(map(len, lines)) <= 998
        assert b"\n" not in received.content.replace(b"\r\n", b"")
        message = received.message
        assert message.defects == []
        assert [part.get_content_type() for part in message.walk()] == [
            "multipart/alternative",
            "text/plain",
            "text/html",
        ]
        assert message["From"].addresses[0].addr_spec == received.sender == "nieuws@waterland.example"
        assert message["To"] == received.recipients[0]
        assert re.fullmatch(rf"<{re.escape(settings.BASE_URL)}/m/u/[^>]+>", message["List-Unsubscribe"])
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        for name in ("Date", "Message-ID", "List-Id", "Subject"):
            assert message[name]
        identities.add(message["Message-ID"])
    assert len(identities) == 10


def test_each_mail_has_a_return_path_of_its_own_and_tells_providers_what_it_belongs_to(
    start: Start, readers: Any, smtp_sink: Sink, settings: Any, marketing: Purpose
) -> None:
    settings.BOUNCE_ADDRESS = "bounce@waterland.example"
    readers(3)
    mailing = start()
    send()
    found = {read_bounce_address(mail.sender): mail for mail in smtp_sink.received}
    assert set(found) == set(Message.objects.values_list("pk", flat=True))
    for pk, mail in found.items():
        assert pk
        assert mail.recipients == [Message.objects.get(pk=pk).address]
        assert mail.message["From"].addresses[0].addr_spec == "nieuws@waterland.example"
        assert mail.message["Feedback-ID"] == f"{mailing.pk}:{marketing.code}:bulk:wisemarketing"


def test_dots_at_the_start_of_a_line_arrive_as_they_were(
    start: Start, make_content: Any, reader: Reader, smtp_sink: Sink
) -> None:
    reader()
    text = {"type": "quote", "data": {"text": ".begin\n..twee\n.\neind", "source": ""}}
    start(content=make_content(text))
    send()
    plain = smtp_sink.received[0].message.get_body(("plain",))
    assert plain is not None
    assert "“.begin\n..twee\n.\neind”" in plain.get_content().replace("\r\n", "\n")


def test_a_branch_with_its_own_address_is_the_sender(start: Start, reader: Reader, smtp_sink: Sink) -> None:
    edam = BranchFactory()
    save_style(edam, sender_email="edam@waterland.example", sender_name="Bieb Edam")
    reader(branch=edam, email="a@example.nl")
    reader(branch=BranchFactory(), email="b@example.nl")
    start()
    send()
    assert smtp_sink.to("a@example.nl")[0]["From"] == "Bieb Edam <edam@waterland.example>"
    assert smtp_sink.to("b@example.nl")[0]["From"] == "Bibliotheek Waterland <nieuws@waterland.example>"


def test_not_now_is_tried_again_later(start: Start, reader: Reader, smtp_sink: Sink) -> None:
    reader(email="grijs@example.nl")
    smtp_sink.at_recipient["grijs@example.nl"] = ["451 4.7.1 greylisted"]
    smtp_sink.at_data["grijs@example.nl"] = ["452 4.3.1 full"]
    mailing = start()
    for attempt, words in ((1, "451 4.7.1 greylisted"), (2, "452 4.3.1 full")):
        send()
        message = Message.objects.get(mailing=mailing)
        assert (message.state, message.reply, message.attempts) == ("deferred", words, attempt)
        wait = message.next_attempt_at - timezone.now()
        assert dt.timedelta(minutes=3 * attempt) < wait < dt.timedelta(minutes=8 * attempt)
        assert send().counts == {}
        Message.objects.update(next_attempt_at=timezone.now())
    send()
    assert states(mailing) == {"sent": 1}
    mailing.refresh_from_db()
    assert mailing.state == "finished"


def test_after_three_days_of_not_now_it_is_given_up(start: Start, reader: Reader, smtp_sink: Sink) -> None:
    reader(email="vol@example.nl")
    smtp_sink.at_recipient["vol@example.nl"] = ["452 4.2.2 mailbox full"] * 2
    mailing = start()
    send()
    Message.objects.update(first_attempt_at=timezone.now() - dt.timedelta(hours=73), next_attempt_at=timezone.now())
    send()
    assert states(mailing) == {"failed": 1}
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("answer", "is_suppressed"),
    [
        ("550 5.1.1 unknown user", True),
        ("550 no such user here", True),
        ("550 5.2.1 mailbox disabled", True),
        ("554 5.7.1 relay access denied", False),
        ("552 5.2.2 mailbox full", False),
    ],
)
def test_a_reader_refused_for_good_fails_alone(
    start: Start, reader: Reader, smtp_sink: Sink, answer: str, is_suppressed: bool
) -> None:
    reader(email="weg@example.nl"), reader(email="hier@example.nl")
    smtp_sink.at_recipient["weg@example.nl"] = [answer]
    mailing = start()
    send()
    found = dict(Message.objects.filter(mailing=mailing).values_list("address", "state"))
    assert found == {"weg@example.nl": "failed", "hier@example.nl": "sent"}
    assert Message.objects.get(state="failed").reply == answer
    assert Suppression.objects.filter(address="weg@example.nl", reason="bounce").exists() is is_suppressed


def test_content_refused_for_good_fails_without_blocking_the_address(
    start: Start, reader: Reader, smtp_sink: Sink
) -> None:
    reader(email="streng@example.nl")
    smtp_sink.at_data["streng@example.nl"] = ["550 5.7.1 looks like spam"]
    mailing = start()
    send()
    assert states(mailing) == {"failed": 1}
    assert not Suppression.objects.exists()


def test_a_dead_address_that_staff_released_is_blocked_again(start: Start, reader: Reader, smtp_sink: Sink) -> None:
    reader(email="weg@example.nl")
    Suppression.objects.create(
        address="weg@example.nl", reason="manual", since=timezone.now(), released_at=timezone.now(), released_by="x"
    )
    smtp_sink.at_recipient["weg@example.nl"] = ["550 5.1.1 unknown user"]
    start()
    send()
    suppression = Suppression.objects.get()
    assert (suppression.reason, suppression.released_at) == ("bounce", None)


def test_a_sender_refused_for_good_puts_the_mailing_on_pause(start: Start, readers: Any, smtp_sink: Sink) -> None:
    smtp_sink.at_sender = "550 5.7.1 <nieuws@waterland.example>: sender not allowed"
    readers(20)
    mailing = start()
    send()
    mailing.refresh_from_db()
    assert (mailing.state, mailing.pause_reason) == ("paused", "550 5.7.1 <…>: sender not allowed")
    assert set(states(mailing)) <= {"queued", "deferred"}
    smtp_sink.at_sender = ""
    resume(mailing, now=timezone.now())
    Message.objects.update(next_attempt_at=timezone.now())
    assert send().counts == {"sent": 20}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ('554 5.7.1 <"Anna V"@example.nl>: Relay access denied [192.0.2.10]',
         "554 5.7.1 <…>: Relay access denied [192.0.2.10]"),
        ("550 anna=example.nl@srs.example.org, see https://x.example/?to=anna%40example.nl", "550 … see …"),
        ("401 no credit for +31 6 12345678", "401 no credit for …"),
        ("421 4.3.2 " + "@" * 70_000, "421 4.3.2 …"),
        ("535 5.7.8 wrong password", "535 5.7.8 wrong password"),
    ],
)  # fmt: skip
def test_why_a_mailing_stopped_names_nobody(said: str, kept: str) -> None:
    assert queue.without_people(said) == kept


def test_without_a_server_messages_wait_and_no_attempt_is_lost(start: Start, readers: Any) -> None:
    readers(30)
    mailing = start()
    for _ in range(3):
        summary = send(connections=4)
        assert summary.is_unreachable
        assert summary.counts == {"deferred": 4}
        assert states(mailing) == {"queued": 26, "deferred": 4}
        assert set(Message.objects.values_list("attempts", flat=True)) == {0}
        assert "refused" in Message.objects.filter(state="deferred")[0].reply
        Message.objects.update(next_attempt_at=timezone.now(), state="queued")


def test_a_server_that_takes_few_connections_is_served_by_few(
    start: Start, readers: Any, settings: Settings, tmp_path: Path
) -> None:
    readers(40)
    mailing = start()
    with scripted_smtp(tmp_path / "ledger", most_connections=2) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        summary = send(connections=6)
        assert not summary.is_unreachable
        assert states(mailing) == {"sent": 36, "deferred": 4}
        assert len(server.accepted()) == 36


def test_who_said_no_after_the_gate_gets_nothing(
    start: Start, reader: Reader, marketing: Purpose, smtp_sink: Sink, now: dt.datetime
) -> None:
    stays, objects = reader(), reader()
    mailing = start()
    record_consent(
        objects, purpose=marketing, channel="email", state="objected", source_code="mijnmenu", actor="customer",
        event_at=timezone.now(),
    )  # fmt: skip
    send()
    assert Message.objects.get(customer=stays).state == "sent"
    withdrawn = Message.objects.get(customer=objects)
    assert (withdrawn.state, withdrawn.withdrawn_because) == ("withdrawn", "no_permission")
    mailing.refresh_from_db()
    assert mailing.state == "finished"


def test_an_address_blocked_after_the_gate_is_not_used(start: Start, reader: Reader, smtp_sink: Sink) -> None:
    reader(email="dicht@example.nl")
    start()
    suppress_address("dicht@example.nl", now=timezone.now())
    send()
    assert Message.objects.get().withdrawn_because == "suppressed"
    assert smtp_sink.received == []


def test_who_has_another_address_since_the_gate_gets_the_mail_there_only(
    start: Start, reader: Reader, smtp_sink: Sink, now: dt.datetime
) -> None:
    customer = reader(email="oud@example.nl")
    mailing = start()
    change_customer(customer, by="customer", now=now, source_code="mijnmenu", email="nieuw@example.nl")
    send()
    send()
    assert smtp_sink.to("oud@example.nl") == []
    assert len(smtp_sink.to("nieuw@example.nl")) == 1
    assert states(mailing) == {"sent": 1}


def test_who_has_no_address_any_more_gets_nothing(start: Start, reader: Reader, smtp_sink: Sink) -> None:
    customer = reader(email="weg@example.nl")
    start()
    customer.contact_points.all().delete()
    send()
    assert smtp_sink.received == []
    assert Message.objects.get().withdrawn_because == "no_address"


def test_unsubscribing_during_sending_is_heard_at_once(start: Start, readers: Any, smtp_sink: Sink) -> None:
    """While a worker has everything claimed, somebody at the end of the row unsubscribes."""
    readers(30)
    mailing = start()
    last = Message.objects.order_by("-id")[0]
    states_seen: list[str] = []

    def unsubscribe_the_last() -> None:
        states_seen.append(Message.objects.get(pk=last.pk).state)
        unsubscribe(last, scope="purpose", method="page", now=timezone.now())

    smtp_sink.meanwhile[2] = unsubscribe_the_last
    send(connections=3)
    assert states_seen == ["claimed"]
    assert states(mailing) == {"sent": 29, "withdrawn": 1}
    assert smtp_sink.to(last.address) == []


def in_own_connection(work: Callable[[], Any]) -> Any:
    try:
        return work()
    finally:
        connections.close_all()


def test_a_pause_holds_the_rest_and_resuming_sends_only_that(start: Start, readers: Any, smtp_sink: Sink) -> None:
    readers(40)
    mailing = start()
    smtp_sink.meanwhile[3] = lambda: pause(mailing, reason="Fout in de tekst", now=timezone.now())
    send(connections=2)
    sent_before = len(smtp_sink.received)
    assert 3 <= sent_before <= 6
    assert states(mailing) == {"sent": sent_before, "queued": 40 - sent_before}
    assert send().counts == {}
    resume(mailing, now=timezone.now())
    send()
    assert states(mailing) == {"sent": 40}
    assert max(Counter(mail.recipients[0] for mail in smtp_sink.received).values()) == 1


def test_a_cancelled_mailing_sends_nothing_more(start: Start, readers: Any, smtp_sink: Sink) -> None:
    readers(5)
    mailing = start()
    assert cancel(mailing, now=timezone.now()) == 5
    assert send().counts == {}
    assert states(mailing) == {"withdrawn": 5}


def test_what_a_cancel_leaves_is_withdrawn_soon_and_takes_no_turn(
    start: Start, readers: Any, smtp_sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailings.actions.states.AT_ONCE", 2)
    readers(5)
    CapRule.objects.update(messages=1)
    mailing, now = start(), timezone.now()
    assert cancel(mailing, now=now) == 5
    assert states(mailing) == {"withdrawn": 2, "queued": 3}
    assert send().counts == {}
    assert start(due_key="another").decisions.by_outcome() == {"accepted": 5}
    assert withdraw_cancelled(now=now) == 3
    assert states(mailing) == {"withdrawn": 5}


def test_outside_sending_hours_only_service_mail_leaves(
    start: Start, reader: Reader, service: Purpose, smtp_sink: Sink
) -> None:
    reader()
    change_sending_settings(send_from_hour=9, send_until_hour=18)
    night = timezone.now().replace(hour=1)  # UTC
    marketing_mail = start(now=night)
    service_mail = start(now=night, purpose=service)
    waiting, ready = Message.objects.get(mailing=marketing_mail), Message.objects.get(mailing=service_mail)
    assert waiting.next_attempt_at.astimezone(AMSTERDAM).hour == 9
    assert ready.next_attempt_at == night
    is_morning = timezone.now().astimezone(AMSTERDAM).hour < 12
    change_sending_settings(send_from_hour=20 if is_morning else 3, send_until_hour=22 if is_morning else 5)
    Message.objects.update(next_attempt_at=timezone.now())
    assert send().counts == {"sent": 1}
    assert states(service_mail) == {"sent": 1}


def test_readers_of_a_branch_that_closed_since_wait_and_others_do_not(
    start: Start, reader: Reader, service: Purpose, smtp_sink: Sink
) -> None:
    edam, today = BranchFactory(), timezone.now().astimezone(AMSTERDAM).date()
    there = [reader(branch=edam, email=f"daar{number}@example.nl") for number in range(12)]
    reader(branch=BranchFactory(), email="elders@example.nl")
    mailing = start()
    save_closing_day(None, name="Storm", branch=edam, first_day=today, last_day=today)
    assert send(chunk=4).counts == {"sent": 1}
    assert states(mailing) == {"sent": 1, "queued": 12}
    waiting = Message.objects.filter(mailing=mailing, state="queued")
    tomorrow = dt.datetime.combine(today + dt.timedelta(days=1), dt.time(), tzinfo=AMSTERDAM)
    assert all(abs(one.next_attempt_at - tomorrow) < dt.timedelta(minutes=1) for one in waiting)
    assert set(waiting.values_list("attempts", flat=True)) == {0}
    assert send().counts == {}
    start(there[0], purpose=service)
    assert send().counts == {"sent": 1}


def test_many_workers_at_once_send_each_mail_once(start: Start, readers: Any, smtp_sink: Sink) -> None:
    readers(150)
    mailing = start()
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(in_own_connection, lambda: send(connections=3, chunk=20)) for _ in range(4)]
        summaries = [run.result() for run in runs]
    assert sum(summary.counts.get("sent", 0) for summary in summaries) == 150
    assert Counter(Counter(mail.recipients[0] for mail in smtp_sink.received).values()) == {1: 150}
    assert states(mailing) == {"sent": 150}


def test_no_message_is_claimed_twice(start: Start, readers: Any) -> None:
    readers(30)
    mailing = start()
    first = queue.claim(mailing, token=uuid4(), limit=20)
    second = queue.claim(mailing, token=uuid4(), limit=20)
    assert (len(first), len(second)) == (20, 10)
    assert not set(first) & set(second)


def expire_leases() -> None:
    Message.objects.exclude(lease_until=None).update(lease_until=timezone.now() - dt.timedelta(seconds=1))


def test_what_a_dead_worker_had_claimed_goes_back_and_what_it_was_sending_is_in_doubt(
    start: Start, readers: Any, smtp_sink: Sink
) -> None:
    readers(5)
    mailing = start()
    token = uuid4()
    ids = [message_id for message_id, _customer in queue.claim(mailing, token=token, limit=5)]
    assert queue.mark(mailing, ids[:2], token=token, now=timezone.now()) == set(ids[:2])
    recover_stale()
    assert states(mailing) == {"claimed": 3, "sending": 2}
    expire_leases()
    recover_stale()
    assert states(mailing) == {"queued": 3, "in_doubt": 2}
    send()
    assert states(mailing) == {"sent": 3, "in_doubt": 2}
    mailing.refresh_from_db()
    assert mailing.state == "finished"


def test_a_worker_that_wakes_after_its_lease_can_mark_nothing(start: Start, readers: Any) -> None:
    readers(3)
    mailing = start()
    asleep, awake = uuid4(), uuid4()
    ids = [message_id for message_id, _customer in queue.claim(mailing, token=asleep, limit=3)]
    expire_leases()
    queue.recover()
    queue.claim(mailing, token=awake, limit=3)
    assert queue.mark(mailing, ids, token=asleep, now=timezone.now()) == set()
    assert queue.record(mailing, [Outcome(ids[0], "sent")], token=asleep) == 0
    assert queue.mark(mailing, ids, token=awake, now=timezone.now()) == set(ids)


def test_a_late_outcome_ends_a_doubt(start: Start, readers: Any) -> None:
    readers(2)
    mailing = start()
    token = uuid4()
    ids = [message_id for message_id, _customer in queue.claim(mailing, token=token, limit=2)]
    queue.mark(mailing, ids, token=token, now=timezone.now())
    expire_leases()
    queue.recover()
    queue.record(mailing, [Outcome(ids[0], "sent", "250 taken"), Outcome(ids[1], "deferred", "451 later")], token=token)
    assert states(mailing) == {"sent": 1, "deferred": 1}


def test_marking_again_after_a_lost_commit_answer_is_possible(start: Start, readers: Any) -> None:
    readers(1)
    mailing = start()
    token = uuid4()
    [(message_id, _customer)] = queue.claim(mailing, token=token, limit=1)
    for _ in range(2):
        assert queue.mark(mailing, [message_id], token=token, now=timezone.now()) == {message_id}


def test_a_message_that_cannot_be_written_fails_alone(
    start: Start, reader: Reader, readers: Any, smtp_sink: Sink
) -> None:
    readers(1)
    edam = BranchFactory()
    save_style(edam, sender_email="café@waterland.example")  # no mail can come from there
    unlucky = reader(branch=edam)
    readers(2)
    mailing = start()
    send()
    assert states(mailing) == {"sent": 3, "failed": 1}
    failed = Message.objects.get(state="failed")
    assert failed.customer == unlucky
    assert "UnicodeEncodeError" in failed.reply


def test_content_that_cannot_be_written_for_anybody_pauses_its_mailing_only(
    start: Start, readers: Any, smtp_sink: Sink
) -> None:
    readers(3)
    broken, fine = start(), start()
    Mailing.objects.filter(pk=broken.pk).update(compiled={"version": 1})
    send()
    broken.refresh_from_db()
    assert broken.state == "paused"
    assert "KeyError" in broken.pause_reason
    assert states(broken) == {"queued": 3}
    assert states(fine) == {"sent": 3}


def test_an_address_that_is_none_never_reaches_the_server(start: Start, reader: Reader, smtp_sink: Sink) -> None:
    wrong = "a@example.nl>\r\nRCPT TO:<b@example.nl"
    reader().contact_points.update(value=wrong)
    mailing = start()
    assert Message.objects.get().address == wrong
    send()
    assert states(mailing) == {"failed": 1}
    assert smtp_sink.received == []


def test_one_click_in_the_mail_itself_unsubscribes_without_cookies(
    start: Start, reader: Reader, smtp_sink: Sink, marketing: Purpose
) -> None:
    customer = reader(email="a@example.nl")
    start()
    send()
    address = smtp_sink.to("a@example.nl")[0]["List-Unsubscribe"].strip("<>")
    client = Client(enforce_csrf_checks=True)
    path = address.partition("/m/")[2]
    response = client.post(f"/m/{path}", {"List-Unsubscribe": "One-Click"})
    assert (response.status_code, response.cookies) == (200, {})
    later = start(now=timezone.now())
    assert Decision.objects.get(mailing=later, customer=customer).outcome == "withdrawn"


def test_the_task_sends_and_closes_the_mailing(start: Start, readers: Any, smtp_sink: Sink) -> None:
    readers(3)
    mailing = start()
    assert send_queued() == {"sent": 3}
    mailing.refresh_from_db()
    assert mailing.state == "finished"


def test_statements_per_message_stay_few(
    start: Start, readers: Any, smtp_sink: Sink, django_assert_max_num_queries: Any
) -> None:
    readers(60)
    start()
    with django_assert_max_num_queries(60 * 5 + 30):
        send(connections=4)
