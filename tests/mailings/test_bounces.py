"""Reports as mail servers, mail programs and providers write them, and what follows from each."""

from __future__ import annotations

import datetime as dt
import smtplib
import socket
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from customers.models import Consent, Customer
from mailings.actions import record_reports, release_suppression
from mailings.bounces.entrance import make_entrance
from mailings.bounces.reading import kind_of, read_reports
from mailings.links import bounce_address, message_mark, unsubscribe_url
from mailings.models import Bounce, Mailing, Message, Suppression
from mailings.rendering import message_id_header
from mailings.tasks import read_bounces

Start = Callable[..., Mailing]
Reader = Callable[..., Customer]
HARD, SOFT = Bounce.Kind.HARD, Bounce.Kind.SOFT


@pytest.fixture(autouse=True)
def _mailbox(settings: Any) -> None:
    settings.BOUNCE_ADDRESS = "bounce@waterland.example"


def report(
    *, to: str = "bounce@waterland.example", address: str = "anna@example.nl", action: str = "failed",
    status: str = "5.1.1", words: str = "550 5.1.1 User unknown", original: str = "", name: str = "1",
) -> bytes:  # fmt: skip
    """A delivery report as Postfix writes it; it says of itself that it is an automatic reply."""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example.nl (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-Id: <{name}@mx.example.nl>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_1"

--=_1
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--=_1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.nl
Arrival-Date: Mon,  3 Jun 2024 10:00:00 +0200 (CEST)

Final-Recipient: rfc822; {address}
Original-Recipient: rfc822;{address}
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.nl
Diagnostic-Code: smtp; {words}

--=_1
Content-Type: text/rfc822-headers

{original or "Subject: Nieuws"}

--=_1--
""".replace("\n", "\r\n").encode()


COMPLAINT = """\
From: <staff@hotmail.example>
To: <abuse@waterland.example>
Subject: complaint about message from 192.0.2.1
Message-ID: <fbl-1@hotmail.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part1"

--part1
Content-Type: text/plain

This is an email abuse report.

--part1
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Rcpt-To: redacted@hotmail.example

--part1
Content-Type: message/rfc822

From: <nieuws@waterland.example>
Subject: Nieuws
List-Unsubscribe: <{unsubscribe}>,
 <mailto:afmelden@waterland.example?subject=unsubscribe>

Dag!
--part1--
"""

AWAY = """\
Return-Path: <>
From: Anna de Vries <anna@example.nl>
To: {to}
Subject: {subject}
Message-ID: <away-1@example.nl>
{header}
Content-Type: text/plain

Ik ben er niet. Uw bericht 550 5.1.1 user unknown wordt niet gelezen.
"""


def one(raw: bytes | str, **fields: Any) -> Any:
    reports = read_reports(raw if isinstance(raw, bytes) else raw.encode(), **fields)
    assert len(reports) == 1
    return reports[0]


# --- what a report says -----------------------------------------------------------------------------------------------


def test_a_delivery_report_tells_who_why_and_about_which_message() -> None:
    found = one(report(to=bounce_address(77)))
    assert (found.kind, found.address, found.status) == (HARD, "anna@example.nl", "5.1.1")
    assert (found.message_id, found.is_proven) == (77, True)
    assert "User unknown" in found.detail


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        ("5.1.1", "550 5.1.1 no such user", HARD),
        ("5.1.2", "Host or domain name not found", HARD),
        ("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound", HARD),
        ("5.2.1", "The email account that you tried to reach is disabled", HARD),
        ("5.4.4", "Host or domain name not found. Name service error", HARD),
        ("5.0.0", "550 Unknown user", HARD),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied", HARD),
        ("5.2.2", "552 5.2.2 mailbox full", SOFT),
        ("5.7.1", "550 5.7.1 Message rejected as spam by policy", SOFT),
        ("5.7.1", "550 5.7.1 sender address rejected", SOFT),
        ("5.1.8", "Sender address rejected: domain not found", SOFT),
        ("5.0.0", "550 user has exceeded quota", SOFT),
        ("4.4.1", "connect to mx.example.nl: Connection timed out", SOFT),
        ("", "", SOFT),
    ],
)
def test_only_an_address_that_does_not_exist_is_hard(status: str, words: str, kind: str) -> None:
    assert kind_of(status, words) == kind


def test_what_the_server_said_tells_more_than_a_status_of_nothing_in_particular() -> None:
    assert one(report(status="5.0.0", words="550 5.2.2 mailbox full")).kind == SOFT


def test_a_delay_is_no_failure() -> None:
    assert one(report(action="delayed", status="4.4.1")).kind == Bounce.Kind.DELAYED


@pytest.mark.parametrize(("said", "kind"), [("abuse", "complaint"), ("fraud", "complaint"), ("not-spam", "auto_reply")])
def test_a_complaint_names_the_message_by_the_address_to_unsubscribe(said: str, kind: str) -> None:
    found = one(COMPLAINT.format(kind=said, unsubscribe=unsubscribe_url(12)))
    assert (found.kind, found.message_id, found.is_proven) == (kind, 12, True)


@pytest.mark.parametrize(
    ("subject", "header"),
    [
        ("Re: Nieuws", "Auto-Submitted: auto-replied"),
        ("Re: Nieuws", "X-Autoreply: yes"),
        ("Re: Nieuws", "Precedence: auto_reply"),
        ("Automatisch antwoord: Nieuws", "X-Nothing: x"),
        ("=?utf-8?q?Afwezig=3A_ik_ben_op_vakantie?=", "X-Nothing: x"),
        ("Out of Office: Nieuws", "X-Nothing: x"),
    ],
)
def test_who_is_away_is_no_bounce_whatever_he_writes(subject: str, header: str) -> None:
    found = one(AWAY.format(to=bounce_address(5), subject=subject, header=header))
    assert (found.kind, found.address, found.message_id) == (Bounce.Kind.AUTO_REPLY, "anna@example.nl", 5)


def test_older_servers_write_in_words_of_their_own() -> None:
    qmail = b"""\
Return-Path: <>
From: MAILER-DAEMON@mail.example.nl
To: bounce@waterland.example
Subject: failure notice

Hi. This is the qmail-send program at mail.example.nl.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<anna@example.nl>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Message-ID: %s
""" % message_id_header(3, 44, "waterland.example").encode()
    found = one(qmail)
    assert (found.kind, found.address, found.status) == (HARD, "anna@example.nl", "5.1.1")
    assert (found.message_id, found.is_proven) == (44, False)


@pytest.mark.parametrize("raw", [b"", b"\x00\xff", b"Subject: hoi\r\n\r\nWanneer is het weer open?", b"\r\n" * 9000])
def test_what_cannot_be_read_is_kept_as_such(raw: bytes) -> None:
    assert one(raw).kind == Bounce.Kind.UNKNOWN


def multipart(inside: bytes) -> bytes:
    kind = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b"
    return b"From: MAILER-DAEMON@x.nl\r\n" + kind + b"\r\n\r\n" + inside + b"--b--\r\n"


def in_each_other(count: int) -> bytes:
    one = b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n'
    return b"".join(one % (number, number) for number in range(count))


STRANGE = {
    "parts in parts": in_each_other(5000),
    "mails in mails": b"Content-Type: message/rfc822\r\n\r\n" * 8000,
    "parts": multipart(b"--b\r\nContent-Type: message/delivery-status\r\n\r\nx\r\n" * 10_000),
    "binary": bytes(range(256)) * 4000,
    "brackets": b"From: " + b"(" * 990 + b"\r\n\r\nx",
    "quotes": b"From: " + b'"\\' * 120_000 + b"\r\n\r\nx",
    "folded quotes": b"From: " + b'"\\"\\\r\n ' * 40_000 + b"\r\nx",
    "coded words": b"Subject: " + b"=?utf-8?q?a?= " * 18_000 + b"\r\n\r\nx",
    "headers": b"X: y\r\n" * 40_000 + b"\r\nx",
    "one line": b"From: MAILER-DAEMON@x.nl\r\n\r\n+0-" + b"0" * 200_000,
    "long lines": b"From: MAILER-DAEMON@x.nl\r\n\r\n" + (b"<a@" * 320 + b"\r\n") * 270,
    "blanks": b"From: MAILER-DAEMON@x.nl\r\n\r\n" + (b" " * 980 + b"x\r\n") * 270,
    "a charset that is none": b"Content-Type: text/plain; charset=rot13\r\n\r\nhallo",
}


@pytest.mark.parametrize("raw", STRANGE.values(), ids=list(STRANGE))
def test_nobody_can_keep_us_busy_with_a_report_that_is_none(raw: bytes) -> None:
    begun = time.process_time()
    assert one(raw).kind == Bounce.Kind.UNKNOWN
    assert time.process_time() - begun < 5


def test_one_mail_says_nothing_about_thousands() -> None:
    block = b"Final-Recipient: rfc822; a%d@example.nl\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    told = b"--b\r\nContent-Type: message/delivery-status\r\n\r\n" + b"".join(map(block.__mod__, range(3000)))
    assert len(read_reports(multipart(told))) == 50


def test_a_long_report_is_read_to_where_it_says_something() -> None:
    copy = "Subject: Nieuws\n" + "x" * 3000 + "\n" + "regel\n" * 60_000
    found = one(report(original=copy))
    assert (found.kind, found.address, found.status) == (HARD, "anna@example.nl", "5.1.1")


def test_a_long_line_of_dots_takes_no_time() -> None:
    words = "user " + "!.-" * 60_000
    assert one(report(status="5.0.0", words=words)).kind == SOFT


# --- what follows -----------------------------------------------------------------------------------------------------


@pytest.fixture
def message(start: Start, reader: Reader, now: dt.datetime) -> Message:
    reader(email="anna@example.nl")
    start()
    Message.objects.update(state="sent", sent_at=now, state_at=now)
    return Message.objects.get()


def take(raw: bytes, now: dt.datetime, **fields: Any) -> list[Bounce]:
    return record_reports(read_reports(raw, **fields), source="mailbox", now=now)


def identity(message: Message) -> str:
    return f"Message-ID: {message_id_header(message.mailing_id, message.pk, 'waterland.example')}"


def blocked() -> list[tuple[str, str]]:
    return list(Suppression.objects.in_force().values_list("address", "reason"))


def test_an_address_that_does_not_exist_is_blocked(message: Message, now: dt.datetime) -> None:
    (bounce,) = take(report(to=bounce_address(message.pk)), now)
    assert (bounce.message, bounce.address, bounce.kind) == (message, "anna@example.nl", "hard")
    assert blocked() == [("anna@example.nl", "bounce")]


def test_the_address_that_was_mailed_is_blocked_and_not_the_one_it_was_forwarded_to(
    message: Message, now: dt.datetime
) -> None:
    take(report(to=bounce_address(message.pk), address="elders@example.org"), now)
    assert blocked() == [("anna@example.nl", "bounce")]


def test_the_same_report_twice_is_one(message: Message, now: dt.datetime) -> None:
    raw = report(to=bounce_address(message.pk))
    assert len(take(raw, now)) == 1
    release_suppression(Suppression.objects.get(), now=now)
    assert take(b"Received: from elsewhere\r\n" + raw, now) == []
    assert blocked() == []


def test_a_complaint_blocks(message: Message, now: dt.datetime) -> None:
    take(COMPLAINT.format(kind="abuse", unsubscribe=unsubscribe_url(message.pk)).encode(), now)
    assert blocked() == [("anna@example.nl", "complaint")]


def test_anybody_can_write_a_report_so_without_proof_it_only_shows(message: Message, now: dt.datetime) -> None:
    take(report(), now)
    forged = bounce_address(message.pk).replace("-", "-f", 1)[:-1]
    take(report(to=forged, name="2"), now)
    take(report(address="bert@example.nl", original=identity(message), name="3"), now)
    for number, guessed in enumerate(["", f".{'0' * 20}", f".{message_mark(message.pk + 1)}"]):
        original = f"Message-ID: <mailing.{message.mailing_id}.{message.pk}{guessed}@waterland.example>"
        take(report(original=original, name=f"guess {number}"), now)
    assert Bounce.objects.filter(message=None).count() == 6
    assert blocked() == []


def test_the_message_id_of_a_recent_mail_to_that_address_is_proof_enough(message: Message, now: dt.datetime) -> None:
    original = identity(message)
    take(report(original=original), now + dt.timedelta(days=31))
    assert blocked() == []
    take(report(original=original, name="2"), now + dt.timedelta(days=3))
    assert blocked() == [("anna@example.nl", "bounce")]


def test_an_automatic_reply_blocks_nobody_and_ends_a_doubt(message: Message, now: dt.datetime) -> None:
    Message.objects.update(state="in_doubt", sent_at=None)
    take(AWAY.format(to=bounce_address(message.pk), subject="Afwezig", header="X-Autoreply: yes").encode(), now)
    message.refresh_from_db()
    assert (message.state, message.sent_at, blocked()) == ("sent", now, [])


def soft(message: Message, at: dt.datetime, name: str) -> None:
    raw = report(to=bounce_address(message.pk), status="5.2.2", words="552 5.2.2 mailbox full", name=name)
    take(raw, at)


def mails(start: Start, moments: list[dt.datetime]) -> list[Message]:
    made = []
    for at in moments:
        mailing = start(now=at)
        Message.objects.filter(mailing=mailing).update(state="sent", sent_at=at, state_at=at)
        made.append(Message.objects.get(mailing=mailing))
    return made


def test_three_in_two_weeks_block_and_a_report_that_repeats_itself_counts_once(
    start: Start, reader: Reader, now: dt.datetime
) -> None:
    reader(email="anna@example.nl")
    first, second, third = mails(start, [now, now + dt.timedelta(days=4), now + dt.timedelta(days=8)])
    soft(first, now, "1")
    soft(first, now + dt.timedelta(hours=1), "1 again")
    soft(second, now + dt.timedelta(days=4), "2")
    assert blocked() == []
    soft(third, now + dt.timedelta(days=8), "3")
    assert blocked() == [("anna@example.nl", "bounce")]


def test_reports_that_name_no_mail_of_ours_do_not_count(start: Start, reader: Reader, now: dt.datetime) -> None:
    reader(email="anna@example.nl")
    (sent,) = mails(start, [now])
    for name in ("1", "2", "3"):
        take(report(status="5.2.2", words="552 5.2.2 mailbox full", name=name), now)
    soft(sent, now, "4")
    assert Bounce.objects.filter(kind="soft").count() == 4
    assert blocked() == []


def test_a_report_with_signs_that_cannot_be_kept_is_kept_without_them(message: Message, now: dt.datetime) -> None:
    (one,) = read_reports(report(to=bounce_address(message.pk)))
    (bounce,) = record_reports([replace(one, detail="vol\x00 \ud800")], source="mailbox", now=now)
    assert bounce.detail == "vol ?"


def test_a_mail_that_arrived_in_between_begins_the_count_again(start: Start, reader: Reader, now: dt.datetime) -> None:
    reader(email="anna@example.nl")
    days = [0, 3, 6, 9]
    first, second, _arrived, third = mails(start, [now + dt.timedelta(days=day) for day in days])
    soft(first, now, "1")
    soft(second, now + dt.timedelta(days=3), "2")
    soft(third, now + dt.timedelta(days=9), "3")
    assert blocked() == []


def test_what_lies_further_apart_than_two_weeks_does_not_count(start: Start, reader: Reader, now: dt.datetime) -> None:
    reader(email="anna@example.nl")
    sent = mails(start, [now + dt.timedelta(days=day) for day in (0, 8, 16)])
    for number, message in enumerate(sent):
        soft(message, now + dt.timedelta(days=8 * number), str(number))
    assert blocked() == []


def test_after_a_release_three_more_are_needed(start: Start, reader: Reader, now: dt.datetime) -> None:
    reader(email="anna@example.nl")
    sent = mails(start, [now + dt.timedelta(hours=hour) for hour in (0, 72, 144, 216)])
    for number, message in enumerate(sent[:3]):
        soft(message, now + dt.timedelta(hours=72 * number), str(number))
    release_suppression(Suppression.objects.get(), now=now + dt.timedelta(hours=145))
    soft(sent[3], now + dt.timedelta(hours=216), "last")
    assert blocked() == []


# --- how reports come in ----------------------------------------------------------------------------------------------


@pytest.fixture
def entrance(transactional_db: None) -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as free:  # aiosmtpd calls its own port on starting
        port = free.getsockname()[1]
    server = make_entrance("127.0.0.1", port)
    server.start()
    yield "127.0.0.1", port
    server.stop()


@pytest.mark.django_db(transaction=True)
def test_the_mail_entrance_takes_reports_and_nothing_for_others(
    entrance: tuple[str, int], start: Start, reader: Reader, now: dt.datetime
) -> None:
    reader(email="anna@example.nl")
    message = Message.objects.get(mailing=start())
    with smtplib.SMTP(*entrance) as smtp:
        smtp.ehlo()
        smtp.mail("")
        assert smtp.rcpt("iemand@example.nl")[0] == 550
        assert smtp.rcpt("bounce+1-00000000000000000000@waterland.example")[0] == 550
        smtp.rset()
        smtp.sendmail("", [bounce_address(message.pk).upper()], report())
    bounce = Bounce.objects.get()
    assert (bounce.message, bounce.source, blocked()) == (message, "smtp", [("anna@example.nl", "bounce")])


def test_without_a_mailbox_there_is_nothing_to_read(db: None) -> None:
    assert read_bounces() == 0


@pytest.mark.parametrize("scheme", ["imap", "pop3"])
def test_a_mailbox_is_emptied_of_what_was_read(scheme: str, mail_server: Any, settings: Any, message: Message) -> None:
    mail_server.mails = [report(to=bounce_address(message.pk)), b"Subject: vraag\r\n\r\nWanneer open?"]
    settings.BOUNCE_MAILBOX = f"{scheme}://bounce%40waterland.example:geheim@127.0.0.1:{mail_server.start(scheme)}"
    assert read_bounces() == 2
    assert mail_server.login == ("bounce@waterland.example", "geheim")
    assert sorted(Bounce.objects.values_list("kind", flat=True)) == ["hard", "unknown"]
    assert [b"vraag" in mail for mail in mail_server.mails] == ([True] if scheme == "imap" else [])
    assert read_bounces() == 0


def test_of_a_huge_mail_only_the_beginning_is_fetched(mail_server: Any, settings: Any, message: Message) -> None:
    huge = report(to=bounce_address(message.pk), original="Subject: Nieuws\n" + f"{'x' * 70}\n" * 80_000)
    mail_server.mails = [huge, report(to=bounce_address(message.pk), name="2")]
    settings.BOUNCE_MAILBOX = f"pop3://bounce:geheim@127.0.0.1:{mail_server.start('pop3')}"
    assert read_bounces() == 2
    assert set(Bounce.objects.values_list("message", "kind")) == {(message.pk, "hard")}
    assert Bounce.objects.count() == 2
    assert mail_server.sent < 200_000 < len(huge)
    assert mail_server.mails == []


# --- providers --------------------------------------------------------------------------------------------------------


def called(provider: str, event: dict[str, Any], *, password: str = "user:geheim") -> Any:  # noqa: S107
    credentials = {"Authorization": f"Basic {b64encode(password.encode()).decode()}"} if password else {}
    return Client().post(f"/m/provider/{provider}/", event, content_type="application/json", headers=credentials)


def postmark(message: Message, **fields: Any) -> dict[str, Any]:
    return {
        "RecordType": "Bounce", "Type": "HardBounce", "ID": 42, "Email": "anna@example.nl", "MessageID": "abc",
        "Description": "The server was unable to deliver your message (ex: unknown user).",
        "Details": "smtp;550 5.1.1 user unknown", "BouncedAt": "2024-06-03T10:00:00Z",
        "Metadata": {"wise_message": str(message.pk)}, **fields,
    }  # fmt: skip


def test_a_provider_reports_a_bounce(message: Message, settings: Any) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "user:geheim"}
    assert called("postmark", postmark(message)).status_code == 200
    assert called("postmark", postmark(message)).status_code == 200
    bounce = Bounce.objects.get()
    assert (bounce.message, bounce.kind, bounce.source) == (message, "hard", "provider")
    assert blocked() == [("anna@example.nl", "bounce")]


def test_a_provider_reports_that_somebody_unsubscribed_there(message: Message, settings: Any) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "user:geheim"}
    event = {
        "RecordType": "SubscriptionChange", "SuppressSending": True, "SuppressionReason": "ManualSuppression",
        "Recipient": "anna@example.nl", "MessageID": "abc", "ChangedAt": "2024-06-03T10:00:00Z",
        "Metadata": {"wise_message": str(message.pk)},
    }  # fmt: skip
    assert called("postmark", event).status_code == 200
    said = Consent.objects.order_by("-pk")[0]
    assert (said.state, said.evidence["method"]) == ("withdrawn", "provider")


def test_who_does_not_prove_to_be_the_provider_is_turned_away(message: Message, settings: Any) -> None:
    settings.ANYMAIL = {}
    assert called("postmark", postmark(message)).status_code == 404  # nothing to prove it with
    assert called("mailgun", {}).status_code == 404
    assert called("nobody", {}).status_code == 404
    settings.ANYMAIL = {"WEBHOOK_SECRET": "user:geheim"}
    assert called("postmark", postmark(message), password="user:fout").status_code == 400
    assert called("postmark", postmark(message), password="").status_code == 400
    assert not Bounce.objects.exists()
