"""Text messages: how long they are, who gets one, that each leaves once, and what comes back."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import Refused
from common.retention import retention_rules
from common.time import clock, local_date
from common.tokens import BadToken
from customers.actions.privacy import erase_customer
from customers.models import Consent, Customer, Purpose
from mailings import queue
from mailings.actions import (
    brake_mailings,
    change_sending_settings,
    change_text_settings,
    judge_hits,
    pause,
    record_text_events,
    save_closing_day,
    save_content,
    save_short_text,
    start_mailing,
)
from mailings.actions.texts import forget_in_texts
from mailings.checks import check_content
from mailings.delivery.texts import FolderProvider, RestProvider, Text, TextOutcome
from mailings.delivery.texts.rest import Api
from mailings.delivery.texts.setting import api_of
from mailings.models import (
    Click,
    Content,
    Decision,
    Mailing,
    Message,
    SendingSettings,
    SentText,
    Suppression,
    TextReply,
)
from mailings.sms.composing import example
from mailings.sms.counting import GSM, UNICODE, measure, simplified
from mailings.sms.events import Answer, TextReport, Words, read_event
from mailings.sms.opening import rules_open
from mailings.sms.short_links import read_code, short_url
from mailings.sms.worker import send_ready_texts
from mailings.tasks import read_text_events
from tests.factories import BranchFactory, ConsentFactory, CustomerFactory, DefinitionFactory
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db
BROWSER = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) Chrome/140", "Accept-Language": "nl"}


# --- how long a text is ---


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", GSM, 0, 0),
        ("a" * 160, GSM, 160, 1),
        ("a" * 161, GSM, 161, 2),
        ("a" * 306, GSM, 306, 2),
        ("a" * 307, GSM, 307, 3),
        ("€" * 80, GSM, 160, 1),  # two each
        ("a" * 152 + "€" + "a" * 152, GSM, 306, 3),  # the euro is not cut in two
        ("č" * 70, UNICODE, 70, 1),
        ("č" * 71, UNICODE, 71, 2),
        ("😀" * 35, UNICODE, 70, 1),
        ("😀" * 67, UNICODE, 134, 3),  # 33 in a part of 67
    ],
)
def test_a_text_takes_as_many_parts_as_networks_count(text: str, encoding: str, units: int, parts: int) -> None:
    size = measure(text)
    assert (size.encoding, size.units, size.parts) == (encoding, units, parts)


@settings(deadline=None)
@given(st.text(max_size=400))
def test_parts_hold_what_is_in_them_and_no_part_too_many(text: str) -> None:
    size = measure(text)
    room = {GSM: (160, 153), UNICODE: (70, 67)}[size.encoding]
    least = 1 if size.units <= room[0] else -(-size.units // room[1])
    assert (size.parts == 0) == (not text)
    assert not text or least <= size.parts <= least + size.units // room[1] + 1
    assert size.room >= 0


def test_signs_of_word_processors_do_not_make_a_text_twice_as_dear() -> None:
    said = simplified("‘Kom’ – “nu”… • één\u00a0keer")
    assert (said, measure(said).encoding) == ("'Kom' - \"nu\"... - één keer", GSM)
    assert measure("Čapek").odd == "Č"


# --- short addresses ---


@settings(deadline=None)
@given(st.integers(0, 2**53), st.integers(0, 15))
def test_a_short_address_says_which_message_and_which_link(message_id: int, slot: int) -> None:
    code = short_url(message_id, slot).rpartition("/s/")[2]
    assert read_code(code) == (message_id, slot)


def test_a_code_that_is_not_ours_is_turned_away() -> None:
    code = short_url(123, 1).rpartition("/s/")[2]
    for wrong in ("", "0", code[:-1], code[:-1] + ("a" if code[-1] != "a" else "b"), "é" * 9, "!" + code, code + "0"):
        with pytest.raises(BadToken):
            read_code(wrong)


# --- who gets one, and what it says ---


@pytest.fixture
def caller(marketing: Purpose) -> Callable[..., Customer]:
    """Give a customer with a mobile number who said yes to marketing by text message."""
    numbers = iter(range(100000, 200000))

    def make(**fields: Any) -> Customer:
        customer: Customer = CustomerFactory(**{"phone": f"+31612{next(numbers)}", **fields})
        ConsentFactory(customer=customer, purpose=marketing, channel="sms")
        return customer

    return make


@pytest.fixture
def texts(house: SendingSettings, now: dt.datetime, settings: Any, tmp_path: Path) -> Path:
    """Settings of text messages, and the folder in which they arrive."""
    settings.SMS_FOLDER, settings.SMS_API = tmp_path, ""
    change_text_settings(sender="Bieb", price_mills=80, from_hour=0, until_hour=24)
    return tmp_path


@pytest.fixture
def text_of(texts: Path, now: dt.datetime) -> Callable[..., Content]:
    def make(
        text: str = "Dag {{ first_name }}, kom kijken: https://www.example.nl/agenda?a=1&b=2.", **fields: Any
    ) -> Content:
        content = save_content(None, name="Kom", now=now)
        save_short_text(content, text=text, now=now, **fields)
        return content

    return make


@pytest.fixture
def begin_texts(text_of: Callable[..., Content], marketing: Purpose, now: dt.datetime) -> Callable[..., Mailing]:
    numbers = iter(range(1000))

    def make(*customers: Customer, content: Content | None = None, **fields: Any) -> Mailing:
        people = Customer.objects.filter(pk__in=[one.pk for one in customers]) if customers else Customer.objects.all()
        given = {
            "name": "Kom", "origin": "action:1", "due_key": f"texts:{next(numbers)}", "purpose": marketing,
            "channels": "sms", "content": content or text_of(), "candidates": people, "now": now,
        }  # fmt: skip
        return start_mailing(**{**given, **fields})

    return make


def outcomes(mailing: Mailing) -> dict[int, str]:
    return dict(Decision.objects.filter(mailing=mailing).values_list("customer", "outcome"))


def written(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line) for path in sorted((folder / "out").glob("*.jsonl")) for line in path.read_text().splitlines()
    ]


def test_the_gate_asks_permission_for_text_messages_and_a_mobile_number(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], marketing: Purpose
) -> None:
    allowed, landline, shared = caller(), caller(phone="+31299123456"), caller()
    twin = caller(phone=shared.contact_points.get(channel="phone").value)
    silent = CustomerFactory(phone="+31687654321")
    blocked = caller(phone="+31611111111")
    Suppression.objects.create(address="+31611111111", reason="bounce", since=blocked.created_at)
    marketing.channels.filter(channel="sms").update(basis="consent")
    mailing = begin_texts()
    assert outcomes(mailing) == {
        allowed.pk: "accepted", landline.pk: "no_address", shared.pk: "accepted", twin.pk: "duplicate",
        silent.pk: "no_permission", blocked.pk: "suppressed",
    }  # fmt: skip
    first = Message.objects.get(mailing=mailing, customer=allowed)
    assert (first.channel, first.address) == ("sms", allowed.contact_points.get(channel="phone").value)


def test_each_reader_gets_his_own_text_once_with_short_links_and_a_way_out(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], texts: Path
) -> None:
    anna, bea = caller(first_name="Anna"), caller(first_name="Bea")
    mailing = begin_texts(anna, bea)
    assert send_ready_texts(seconds=20) == {"sent": 2}
    assert send_ready_texts(seconds=20) == {}
    first, second = written(texts)
    message = Message.objects.get(mailing=mailing, customer=anna)
    link, stop = short_url(message.pk, 1), short_url(message.pk, 0)
    assert first == {
        "id": message.pk, "to": message.address, "from": "Bieb",
        "text": f"Dag Anna, kom kijken: {link}.\nNiet meer? {stop}",
    }  # fmt: skip
    assert second["text"].startswith("Dag Bea")
    mailing.refresh_from_db()
    assert mailing.state == "finished"
    assert SentText.objects.filter(message__mailing=mailing).figures() == {
        "count": 2, "parts": 2, "cost_mills": 160, "delivered": 0, "undelivered": 0,
    }  # fmt: skip


def test_a_sender_that_can_be_answered_offers_stop_and_service_messages_offer_nothing(
    text_of: Callable[..., Content], marketing: Purpose, service: Purpose, now: dt.datetime, settings: Any
) -> None:
    change_text_settings(sender="+31612345678")
    short = text_of("Uw reservering ligt klaar").short_text
    assert example(short, purpose=marketing, now=now).text == "Uw reservering ligt klaar\nNiet meer? Antwoord STOP"
    assert example(short, purpose=service, now=now).text == "Uw reservering ligt klaar"
    settings.SMS_API, settings.SMS_WEBHOOK_SECRET = '{"url": "https://sms.example"}', ""
    assert "\nNiet meer? http" in example(short, purpose=marketing, now=now).text  # nobody would hear it


def test_a_text_may_bring_each_reader_a_voucher_of_his_own(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], text_of: Callable[..., Content], texts: Path
) -> None:
    anna, bea = caller(), caller()
    content = text_of("Koffie op ons! Code {{ voucher }}", voucher=DefinitionFactory())
    begin_texts(anna, bea, content=content)
    send_ready_texts(seconds=20)
    codes = {voucher.customer_id: voucher.code for voucher in Voucher.objects.all()}
    assert len(set(codes.values())) == 2
    said = [line["text"].replace("-", "").replace(" ", "") for line in written(texts)]
    assert [codes[anna.pk] in said[0], codes[bea.pk] in said[1]] == [True, True]


@pytest.mark.parametrize(
    ("text", "with_voucher", "code"),
    [
        ("Dag {{ naam }}", False, "merge_field"),
        ("Kijk: https://example.nl/{{ first_name }}", False, "link"),
        ("Code: {{ voucher }}", False, "voucher"),
        ("Geen code", True, "voucher"),
        ("a" * 600, False, "parts"),
        ("a" * 1001, False, "too_long"),
        (" ".join(["https://example.nl/x"] * 16), False, "links"),
    ],
)
def test_what_cannot_be_sent_is_refused_while_writing(
    text_of: Callable[..., Content], text: str, with_voucher: bool, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        text_of(text, voucher=DefinitionFactory() if with_voucher else None)
    assert refused.value.code == code


def test_without_text_or_sender_nothing_starts(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], texts: Path, now: dt.datetime
) -> None:
    with pytest.raises(Refused, match="leeg"):
        begin_texts(caller(), content=save_content(None, name="Leeg", now=now))
    change_text_settings(sender="")
    with pytest.raises(Refused, match="afzender"):
        begin_texts(caller())


@pytest.mark.parametrize(
    "fields",
    [{"sender": "Bibliotheek Waterland"}, {"sender": "0 1"}, {"from_hour": 22, "until_hour": 8}, {"most_parts": 0}],
)
def test_settings_that_cannot_work_are_refused(texts: Path, fields: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        change_text_settings(**fields)


def test_a_space_that_does_not_break_stays_a_space(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], text_of: Callable[..., Content], texts: Path
) -> None:
    begin_texts(caller(first_name="Anna\u00a0Maria"), content=text_of("Dag {{ first_name }}, voor €\u00a05"))
    send_ready_texts(seconds=20)
    [line] = written(texts)
    assert line["text"].startswith("Dag Anna Maria, voor € 5")


def test_hostile_names_stay_what_they_are(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], texts: Path
) -> None:
    begin_texts(caller(first_name='"},{"to":"+31600000000"}\n{{ voucher }}\x07'))
    send_ready_texts(seconds=20)
    [line] = written(texts)
    assert line["text"].startswith('Dag "},{"to":"+31600000000"}\n{{ voucher }}, kom kijken: ')


def test_who_sends_is_told_that_no_provider_carries_it(
    text_of: Callable[..., Content], marketing: Purpose, now: dt.datetime, settings: Any
) -> None:
    def codes() -> list[str]:
        return [one.code for one in check_content(content, purpose=marketing, channels="sms", now=now).findings]

    content = text_of("Dag {{ first_name }}, kom kijken.")
    assert codes() == ["texts.folder"]
    settings.SMS_API = '{"url": "https://sms.example"}'
    assert codes() == []


# --- when, and that nobody gets it who may not ---


def test_text_messages_keep_to_hours_of_their_own(texts: Path) -> None:
    change_text_settings(from_hour=9, until_hour=20)
    night, noon = (dt.datetime(2026, 6, 15, hour, tzinfo=dt.UTC) for hour in (20, 10))
    assert rules_open(now=night) == []
    assert set(rules_open(now=noon)) == set(Purpose.Rule.values)


class Broken:
    """Carries nothing, and says why."""

    name, at_once = "broken", 10

    def __init__(self, state: str, **more: Any) -> None:
        self.state, self.more = state, more
        self.got: list[Text] = []

    def send(self, texts: Sequence[Text]) -> list[TextOutcome]:
        self.got += texts
        return [TextOutcome(one.message_id, self.state, "weg", **self.more) for one in texts]


def test_who_says_no_or_gets_another_number_before_it_leaves_is_not_reached_at_the_old_one(
    caller: Callable[..., Customer],
    begin_texts: Callable[..., Mailing],
    texts: Path,
    marketing: Purpose,
    now: dt.datetime,
) -> None:
    gone, moved = caller(), caller()
    mailing = begin_texts(gone, moved)
    ConsentFactory(customer=gone, purpose=marketing, channel="sms", state="withdrawn", event_at=now)
    moved.contact_points.filter(channel="phone").update(value="+31698765432")
    assert send_ready_texts(seconds=20) == {"sent": 1}
    assert [line["to"] for line in written(texts)] == ["+31698765432"]
    assert Message.objects.get(mailing=mailing, customer=gone).withdrawn_because == "no_permission"


def test_nothing_leaves_of_a_mailing_on_pause(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], texts: Path, now: dt.datetime
) -> None:
    pause(begin_texts(caller()), now=now)
    assert send_ready_texts(seconds=20) == {}


def test_a_worker_that_dies_after_handing_over_leaves_doubt_and_nothing_goes_twice(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], texts: Path
) -> None:
    class Died(BaseException):
        pass

    class Dies(Broken):
        def send(self, texts: Sequence[Text]) -> list[TextOutcome]:
            super().send(texts)
            raise Died

    begin_texts(caller())
    carrier = Dies("sent")
    with pytest.raises(Died):
        send_ready_texts(seconds=20, provider=carrier)
    Message.objects.update(lease_until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert queue.recover() == (0, 1)
    assert send_ready_texts(seconds=20) == {}
    assert (len(carrier.got), Message.objects.get().state) == (1, "in_doubt")


def test_a_provider_that_refuses_us_puts_the_mailing_on_pause_and_keeps_the_messages(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], texts: Path
) -> None:
    mailing = begin_texts(caller(), caller())
    assert send_ready_texts(seconds=20, provider=Broken("deferred", reached=False, pause=True)) == {"deferred": 2}
    mailing.refresh_from_db()
    assert (mailing.state, mailing.pause_reason) == ("paused", "weg")
    assert mailing.messages.by_state() == {"deferred": 2}


def test_a_provider_that_leaves_us_in_the_dark_gets_no_more(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], texts: Path
) -> None:
    mailing = begin_texts(*(caller() for _number in range(13)))
    carrier = Broken("in_doubt")
    assert send_ready_texts(seconds=20, provider=carrier) == {"in_doubt": carrier.at_once}
    mailing.refresh_from_db()
    assert (mailing.state, mailing.messages.by_state()) == ("paused", {"in_doubt": 10, "queued": 3})


def test_a_text_that_cannot_be_prepared_holds_up_nobody_else(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], texts: Path
) -> None:
    broken, fine = begin_texts(caller()), begin_texts(caller())
    Mailing.objects.filter(pk=broken.pk).update(compiled={"version": 2, "blocks": [{"type": "gone", "data": {}}]})
    assert send_ready_texts(seconds=20) == {"sent": 1}
    broken.refresh_from_db()
    fine.refresh_from_db()
    assert (broken.state, broken.messages.by_state(), fine.state) == ("paused", {"queued": 1}, "finished")


def test_who_has_a_branch_that_closed_since_waits_and_the_rest_does_not(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], texts: Path
) -> None:
    edam, today = BranchFactory(name="Edam"), local_date(clock())
    mailing = begin_texts(caller(branch=edam), caller(), caller(branch=edam), now=clock())
    save_closing_day(None, name="Storm", branch=edam, first_day=today, last_day=today)
    assert send_ready_texts(seconds=20) == {"sent": 1}
    waiting = mailing.messages.filter(state="queued", next_attempt_at__gt=clock())
    assert set(waiting.values_list("customer__branch", flat=True)) == {edam.pk}
    assert waiting.count() == 2


# --- what comes back ---


def test_a_text_mailing_of_which_many_say_stop_brakes(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing]
) -> None:
    change_sending_settings(brake_after=4, brake_unsubscribes=100)
    mailing = begin_texts(*(caller() for _number in range(4)))
    send_ready_texts(seconds=20)
    Mailing.objects.update(state="sending", unsubscribe_count=1)
    assert brake_mailings(mailing, now=clock()) == 1
    mailing.refresh_from_db()
    assert (mailing.state, mailing.brake) == ("paused", "held")


def test_reports_say_what_arrived_and_block_numbers_that_are_gone(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], texts: Path, now: dt.datetime
) -> None:
    anna, bea = caller(), caller()
    begin_texts(anna, bea)
    send_ready_texts(seconds=20)
    first, second = Message.objects.order_by("pk")
    told = [
        TextReport(has_arrived=True, message_id=first.pk),
        TextReport(has_arrived=False, reference=second.sent_text.reference, detail="unknown subscriber", is_gone=True),
    ]
    assert (record_text_events(told, now=now), record_text_events(told, now=now)) == (2, 0)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state, second.reply) == ("sent", "failed", "unknown subscriber")
    assert Suppression.objects.in_force().values_list("address", flat=True).get() == second.address
    assert SentText.objects.all().figures()["delivered"] == 1


def test_a_report_ends_a_doubt(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], now: dt.datetime
) -> None:
    begin_texts(caller())
    send_ready_texts(seconds=20, provider=Broken("in_doubt"))
    assert record_text_events([TextReport(has_arrived=True, message_id=Message.objects.get().pk)], now=now) == 1
    assert (Message.objects.get().state, SentText.objects.get().delivery) == ("sent", "delivered")


def test_stop_is_a_no_to_text_messages_for_everybody_at_the_number_and_other_answers_are_kept(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], texts: Path
) -> None:
    anna = caller()
    number = anna.contact_points.get(channel="phone").value
    mate = CustomerFactory(phone=number)
    ConsentFactory(customer=mate, purpose=Purpose.objects.get(code="marketing"), channel="sms")
    mailing = begin_texts(anna)
    send_ready_texts(seconds=20)
    incoming = texts / "in"
    incoming.mkdir()
    lines = [
        {"from": number, "text": "Leuk!"},
        {"from": number, "text": " stop. "},
        {"from": "+31600000001", "text": "STOP"},
    ]
    (incoming / "1.jsonl").write_text("\n".join([*map(json.dumps, lines), "geen json", "[1]"]))
    assert read_text_events() == 2
    assert read_text_events() == 0
    assert list(TextReply.objects.order_by("id").values_list("text", "is_stop")) == [("Leuk!", False), ("stop.", True)]
    said = Consent.objects.filter(evidence__method="answer").values_list("customer", "channel")
    assert {customer for customer, _channel in said} == {anna.pk, mate.pk}
    assert {channel for _customer, channel in said} == {"sms"}
    mailing.refresh_from_db()
    assert mailing.unsubscribe_count == 1
    assert set(outcomes(begin_texts(anna, mate, now=clock())).values()) <= {"withdrawn", "objection"}


def test_a_no_holds_when_we_doubt_whether_our_message_arrived_and_a_year_later(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], now: dt.datetime
) -> None:
    anna = caller()
    begin_texts(anna)
    send_ready_texts(seconds=20, provider=Broken("in_doubt"))
    Message.objects.update(state_at=now - dt.timedelta(days=365))
    number = anna.contact_points.get(channel="phone").value
    assert record_text_events([Answer("a", number, "Wie is dit?")], now=now) == 0
    assert record_text_events([Answer("b", number, "STOP")], now=now) == 1
    assert Consent.objects.get(evidence__method="answer").customer == anna


def test_a_second_no_after_a_yes_counts_though_the_provider_cannot_tell_them_apart(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], marketing: Purpose, now: dt.datetime
) -> None:
    anna = caller()
    begin_texts(anna)
    send_ready_texts(seconds=20)
    stop = read_event({"from": anna.contact_points.get(channel="phone").value, "text": "Stop"}, Words())
    assert stop
    hour = dt.timedelta(hours=1)
    record_text_events([stop], now=now)
    ConsentFactory(customer=anna, purpose=marketing, channel="sms", event_at=now + hour)
    assert begin_texts(anna, now=now + 2 * hour).messages.count() == 1
    record_text_events([stop], now=now + 3 * hour)
    assert set(outcomes(begin_texts(anna, now=now + 4 * hour)).values()) <= {"withdrawn", "objection"}


def test_an_answer_with_signs_that_no_database_holds_is_taken_in(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing]
) -> None:
    anna = caller()
    begin_texts(anna)
    send_ready_texts(seconds=20)
    number = anna.contact_points.get(channel="phone").value
    answer = read_event({"from": number, "text": json.loads(r'"st\u0000op\ud800"')}, Words())
    assert answer
    record_text_events([answer], now=clock())
    assert (TextReply.objects.get().text, TextReply.objects.get().is_stop) == ("stop", True)


def test_the_webhook_takes_no_half_of_what_is_too_long(client: Client, settings: Any) -> None:
    settings.SMS_WEBHOOK_SECRET = "s" * 24
    told = json.dumps([{"reference": "1", "status": "x" * 200}] * 600)
    assert client.post(f"/m/sms/{'s' * 24}/", told, content_type="application/json").status_code == 413


def test_lines_of_who_is_erased_become_blank_and_no_other_line_moves(texts: Path) -> None:
    for place in ("out", "in/done"):
        (texts / place).mkdir(parents=True)
    out, done = texts / "out" / "1.jsonl", texts / "in" / "done" / "1.jsonl"
    lines = [
        '{"id": 7, "to": "+31612345678"}', '{"id": 8, "to": "+31612345679"}', '{"id": 9, "to": "+31611111111"}',
        '{"id": 91, "to": "+316123456780"}',
    ]  # fmt: skip
    out.write_text("\n".join(lines) + "\n")
    done.write_text('{"from": "31612345678"}\r\n{"from": "0612345678"}\n{"from": "31612345679"}')
    assert forget_in_texts(["+31612345678"], message_ids=[9]) == 4
    kept = ["", lines[1], "", lines[3]]
    assert [line.strip() for line in out.read_text().splitlines()] == kept
    assert out.stat().st_size == len("\n".join(lines)) + 1
    assert done.read_text().split() == ['{"from":', '"31612345679"}']
    assert forget_in_texts([]) == 0


def test_what_was_said_is_kept_for_a_while_and_a_no_stays_a_no(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], now: dt.datetime
) -> None:
    anna = caller()
    begin_texts(anna)
    send_ready_texts(seconds=20)
    record_text_events([Answer("a", anna.contact_points.get(channel="phone").value, "STOP")], now=now)
    rule = retention_rules["answers"]
    assert rule.count(now, now) == 0
    after = now + dt.timedelta(days=1)
    assert (rule.count(after, after), rule.apply(after, after)) == (1, 1)
    assert not TextReply.objects.exists()
    assert Consent.objects.filter(evidence__method="answer").exists()


def test_a_blocked_number_goes_with_who_is_erased(caller: Callable[..., Customer], now: dt.datetime) -> None:
    anna = caller()
    for number in (anna.contact_points.get(channel="phone").value, "+31600000000"):
        Suppression.objects.create(address=number, reason="manual", since=now)
    erase_customer(anna, ground="request", by="", now=now)
    assert Suppression.objects.get().address == "+31600000000"


def test_the_webhook_needs_its_secret_and_takes_json_and_forms(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], client: Client, settings: Any
) -> None:
    settings.SMS_WEBHOOK_SECRET = ""
    assert client.post("/m/sms/x/").status_code == 404
    settings.SMS_WEBHOOK_SECRET = "s" * 24
    begin_texts(caller(), caller())
    send_ready_texts(seconds=20)
    first, second = Message.objects.order_by("pk")
    url = f"/m/sms/{'s' * 24}/"
    assert client.post("/m/sms/wrong/").status_code == 404
    assert client.get(url).status_code == 405
    told = [{"reference": str(first.pk), "status": "delivered"}, "onzin", {"status": []}]
    assert client.post(url, json.dumps(told), content_type="application/json").status_code == 200
    assert (
        client.post(url, {"MessageSid": second.sent_text.reference, "MessageStatus": "undelivered"}).status_code == 200
    )
    assert client.post(url, "{", content_type="application/json").status_code == 200
    assert list(SentText.objects.order_by("pk").values_list("delivery", flat=True)) == ["delivered", "undelivered"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"id": "ab", "status": "sent"}, None),
        ({"status": "delivered"}, None),
        ({"id": "ab", "status": "Delivered"}, TextReport(True, None, "ab", "delivered")),
        ({"reference": "12", "status": "failed", "error": 30005}, TextReport(False, 12, "", "failed 30005", True)),
        ({"from": "31612345678"}, None),
    ],
)
def test_events_of_providers_are_read_by_their_own_names(told: dict[str, Any], expected: Any) -> None:
    assert read_event(told, Words()) == expected


def test_an_answer_names_its_sender_with_the_country(db: None) -> None:
    found = read_event({"originator": "31612345678", "body": "Stop alles!", "status": "received"}, Words())
    assert isinstance(found, Answer)
    assert (found.number, found.is_stop) == ("+31612345678", True)


def test_a_click_on_a_short_link_leads_on_and_counts(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], client: Client, now: dt.datetime
) -> None:
    begin_texts(caller())
    send_ready_texts(seconds=20)
    message = Message.objects.get()
    Message.objects.update(sent_at=now - dt.timedelta(hours=1))
    found = client.get(short_url(message.pk, 1).replace("http://localhost:8000", ""), headers=BROWSER)
    assert (found.status_code, found["Location"]) == (302, "https://www.example.nl/agenda?a=1&b=2")
    judge_hits(now=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=10))
    assert Click.objects.get().message == message
    assert client.get("/s/0000000").status_code == 404


def test_the_page_to_say_no_is_about_text_messages(
    caller: Callable[..., Customer], begin_texts: Callable[..., Mailing], client: Client
) -> None:
    anna = caller()
    begin_texts(anna)
    send_ready_texts(seconds=20)
    message = Message.objects.get()
    page = client.get(f"/s/{short_url(message.pk, 0).rpartition('/')[2]}", follow=True)
    assert "sms" in page.content.decode().lower()
    assert message.address not in page.content.decode()
    assert not Consent.objects.filter(state__in=["withdrawn", "objected"]).exists()
    client.post(page.redirect_chain[-1][0], {"scope": "purpose"})
    assert Consent.objects.get(state="withdrawn").channel == "sms"


# --- over HTTP ---


class Gateway(BaseHTTPRequestHandler):
    """A provider that answers as the number ends: 1 takes it, 2 is busy, 3 refuses it, 4 hangs up, 5 knows us not."""

    asked: list[tuple[dict[str, str], bytes]] = []
    answers = {"1": 201, "2": 429, "3": 422, "5": 401, "6": 500}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((dict(self.headers), body))
        number = str(json.loads(body)["recipients"][0]) if body[:1] == b"{" else parse_qs(body.decode())["To"][0]
        if number[-1] == "4":
            self.connection.close()
            return
        self.send_response(self.answers[number[-1]])
        self.end_headers()
        self.wfile.write(b'{"messages": [{"id": "abc"}]}')

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def gateway() -> Iterator[str]:
    Gateway.asked = []
    server = HTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/messages?x=1"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_provider_over_http_gets_what_it_wants_and_its_answers_are_understood(gateway: str) -> None:
    body = {"recipients": ["{digits}"], "originator": "{from}", "body": "{text}", "reference": "{reference}"}
    api = Api(gateway, headers={"Authorization": "AccessKey x"}, body=body, id="messages.0.id")
    texts = [Text(number, f"+3161234567{number}", 'Dag "Anna" {to}', "Bieb") for number in range(1, 7)]
    done = {one.message_id: one for one in RestProvider(api).send(texts)}
    assert [done[number].state for number in range(1, 7)] == [
        "sent",
        "deferred",
        "failed",
        "in_doubt",
        "deferred",
        "in_doubt",
    ]
    assert (done[1].reference, done[5].pause, done[5].reached) == ("abc", True, False)
    told = {json.loads(asked)["reference"]: (headers, json.loads(asked)) for headers, asked in Gateway.asked}
    headers, first = told["1"]
    assert headers["Authorization"] == "AccessKey x"
    assert first == {"recipients": ["31612345671"], "originator": "Bieb", "body": 'Dag "Anna" {to}', "reference": "1"}


@pytest.mark.parametrize(
    ("url", "headers"),
    [("{gateway}/ö", {}), ("{gateway}", {"Authorization": "a\nb"}), ("http://127.0.0.1:99999/", {})],
)
def test_a_provider_that_is_wrongly_described_costs_no_message(gateway: str, url: str, headers: dict[str, str]) -> None:
    api = Api(url.format(gateway=gateway), headers=headers)
    [done] = RestProvider(api).send([Text(1, "+31612345671", "Dag", "Bieb")])
    assert (done.state, done.reached, done.pause, Gateway.asked) == ("deferred", False, True, [])


@pytest.mark.parametrize(
    ("status", "state", "pause"),
    [(301, "deferred", True), (404, "deferred", True), (400, "failed", False), (503, "deferred", False),
     (500, "in_doubt", False)],
)  # fmt: skip
def test_what_a_provider_says_about_us_stops_us_and_what_it_says_about_a_message_does_not(
    gateway: str, monkeypatch: pytest.MonkeyPatch, status: int, state: str, pause: bool
) -> None:
    monkeypatch.setattr(Gateway, "answers", {"1": status})
    [done] = RestProvider(Api(gateway, body={"recipients": ["{to}"]})).send([Text(1, "+31612345671", "Dag", "Bieb")])
    assert (done.state, done.pause) == (state, pause)


def test_words_of_a_provider_may_be_one_and_in_capitals() -> None:
    words = api_of(json.dumps({"url": "https://x.example", "words": {"arrived": "DELIVRD", "state": "stat"}})).words
    told = {"id": "ab", "stat": "DELIVRD"}
    assert read_event(told, words) == TextReport(True, None, "ab", "delivrd")


def test_a_provider_may_want_a_form(gateway: str) -> None:
    api = api_of(json.dumps({"url": gateway, "form": True, "body": {"To": "{to}", "From": "{from}", "Body": "{text}"}}))
    [done] = RestProvider(api).send([Text(7, "+31612345671", "Dag & tot ziens", "Bieb")])
    assert (done.state, parse_qs(Gateway.asked[0][1].decode())["Body"]) == ("sent", ["Dag & tot ziens"])


def test_a_provider_that_is_not_there_costs_no_attempt() -> None:
    [done] = RestProvider(Api("http://127.0.0.1:9/")).send([Text(1, "+31612345671", "Dag", "Bieb")])
    assert (done.state, done.reached, done.is_unreachable) == ("deferred", False, True)


@pytest.mark.parametrize(
    "text",
    ["[]", '{"url": "ftp://x"}', '{"url": "https://x", "colour": 1}', "{", '{"url": "https://x", "words": 5}',
     '{"url": "https://x", "headers": "a"}', '{"url": "https://x", "words": {"what": "a"}}'],
)  # fmt: skip
def test_a_setting_that_describes_no_provider_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"SMS_API|Expecting|dictionary"):
        api_of(text)


def test_a_folder_that_cannot_be_written_defers(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("")
    [done] = FolderProvider(place).send([Text(1, "+31612345671", "Dag", "Bieb")])
    assert (done.state, done.reached) == ("deferred", False)
