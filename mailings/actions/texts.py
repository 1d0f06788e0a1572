"""Write text messages, set how they are sent, and take in what comes back."""

from __future__ import annotations

import datetime as dt
import fcntl
import logging
import re
from collections.abc import Collection, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from common.blocks import strip_private
from common.errors import Refused
from common.sql import execute
from customers.models import Purpose
from mailings.actions.doubts import end_doubts
from mailings.actions.feedback import ALL_COMMERCIAL, unsubscribe
from mailings.actions.history import By, noted
from mailings.models import Content, Message, SentText, ShortText, TextReply, TextSettings
from mailings.sms.composing import check_text, example
from mailings.sms.events import Answer, TextReport
from vouchers.models import Definition

_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 .&-]{1,11}")
_NUMBER = re.compile(r"\+?[0-9]{3,15}")
ANSWER_DAYS = 60  # an answer is about the last text message of so many days
_LEFT = (Message.State.SENT, Message.State.IN_DOUBT, Message.State.SENDING, Message.State.FAILED)
log = logging.getLogger(__name__)


@transaction.atomic
def save_short_text(
    content: Content,
    *,
    text: str,
    voucher: Definition | None = None,
    was: str | None = None,
    by: By = None,
    now: dt.datetime,
) -> ShortText:
    """Write what a content says as a text message; mailings that started keep what they had. Raises Refused when a
    field, a link or the voucher is not right, or it would take more parts than the settings allow; and once when it is
    not as it ``was`` (its ``mark``) any more.
    """
    content = Content.objects.select_for_update().get(pk=content.pk)
    short = ShortText.objects.filter(content=content).first() or ShortText(content=content)
    if was is not None and was != short.mark:
        words = _(
            "A colleague changed this text while you were writing. What you wrote still stands here: save once more to"
            " put it in the place of theirs. Theirs stays under History."
        )
        raise Refused("conflict", words)
    short.text, short.voucher, short.updated_at = strip_private(text).replace("\r\n", "\n").strip(), voucher, now
    check_text(short.text, voucher)
    check_parts(short, now=now)
    with noted(by):
        short.save()
    return short


def check_parts(short: ShortText, *, now: dt.datetime) -> None:
    """Refuse a text that takes too many parts with examples in its fields."""
    marketing = Purpose(rule=Purpose.Rule.MARKETING)  # with the line to say no
    most, parts = TextSettings.load().most_parts, example(short, purpose=marketing, now=now).size.parts
    if parts > most:
        words = _("This takes %(parts)d parts, more than the %(most)d that the settings allow. Make it shorter.")
        raise Refused("parts", words % {"parts": parts, "most": most}, field="text")


def check_text_ready(content: Content) -> ShortText:
    """Return what a content says as a text message. Raises Refused without text or sender."""
    short = ShortText.objects.filter(content=content).exclude(text="").first()
    if short is None:
        raise Refused("no_text", _("This text message is still empty. Write it first."))
    if not TextSettings.load().sender:
        raise Refused("no_sender", _("Fill in the sender under Sending, Text messages first."))
    return short


@transaction.atomic
def change_text_settings(*, by: By = None, **fields: Any) -> TextSettings:
    """Change how text messages are sent, from the next message on. Raises Refused."""
    TextSettings.objects.get_or_create(pk=1)
    current = TextSettings.objects.select_for_update().get(pk=1)
    for name, value in fields.items():
        setattr(current, name, value)
    current.sender = current.sender.strip()
    if current.sender and not (_NAME.fullmatch(current.sender) or _NUMBER.fullmatch(current.sender)):
        words = _("A sender is a name of at most 11 letters and digits, or a telephone number.")
        raise Refused("sender", words, field="sender")
    if not current.from_hour < current.until_hour <= 24:
        raise Refused("hours", _("Sending has to stop after it starts."), field="until_hour")
    if not 1 <= current.most_parts <= 10:
        raise Refused("parts", _("A message takes 1 to 10 parts."), field="most_parts")
    with noted(by):
        current.save()
    return current


def record_text_events(events: Iterable[TextReport | Answer], *, now: dt.datetime) -> int:
    """Take in what a provider tells, each in a transaction of its own; return how many were news."""
    return sum(_take_report(one, now) if isinstance(one, TextReport) else _take_answer(one, now) for one in events)


@transaction.atomic
def _take_report(report: TextReport, now: dt.datetime) -> bool:
    """Write down whether a message arrived. What did not is failed; a number that is gone is blocked."""
    message_id = report.message_id or _named(report.reference)
    message = Message.objects.select_for_update().filter(pk=message_id, channel=Message.Channel.SMS).first()
    if message and report.has_arrived and end_doubts([message.pk], now=now):
        message.refresh_from_db()
    if message is None or message.state not in (Message.State.SENT, Message.State.IN_DOUBT, Message.State.SENDING):
        return False
    delivery = SentText.Delivery.DELIVERED if report.has_arrived else SentText.Delivery.UNDELIVERED
    known = SentText.objects.filter(message=message)
    if known.filter(delivery=delivery).exists():
        return False
    if not known.update(delivery=delivery, reported_at=now):  # in doubt: the provider had it after all
        price = TextSettings.load().price_mills
        SentText.objects.create(
            message=message, reference=report.reference, parts=1, cost_mills=price, delivery=delivery, reported_at=now
        )
    message.state = Message.State.SENT if report.has_arrived else Message.State.FAILED
    message.sent_at, message.state_at = message.sent_at or message.state_at, now
    message.reply, message.lease_until = report.detail[:300] or message.reply, None
    message.save(update_fields=["state", "sent_at", "state_at", "reply", "lease_until"])
    if report.is_gone:
        _block(message.address, report.detail, now)
    return True


def forget_in_texts(phones: Collection[str], *, message_ids: Collection[int] = ()) -> int:
    """Make the lines with one of these numbers, and of these messages (to a number of before), blank in the files of
    text messages; return how many.

    Each stays as long as it was: a gateway that is reading goes on where it was, and no other line can get lost.
    """
    wanted = _lines_about(phones, message_ids)
    gone = 0
    for path in _files() if wanted else ():
        with path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # a worker may be adding to it
            place = 0
            for line in iter(file.readline, b""):
                if wanted and wanted.search(line):
                    file.seek(place)
                    file.write(re.sub(rb"[^\r\n]", b" ", line))
                    gone += 1
                place += len(line)
                file.seek(place)
    return gone


def _lines_about(phones: Collection[str], message_ids: Collection[int]) -> re.Pattern[bytes] | None:
    """Return what finds these numbers as gateways write them (+31612345678, 31612345678, 0031612345678, 0612345678),
    and the lines that we wrote of these messages.
    """
    numbers = [re.escape(phone.lstrip("+")) for phone in phones if phone]
    numbers += [f"0{re.escape(phone[3:])}" for phone in phones if phone.startswith("+31")]
    found = [rf"(?<!\d)(?:00)?(?:{'|'.join(numbers)})(?!\d)"] if numbers else []
    found += [rf'^\{{"id": (?:{"|".join(str(int(one)) for one in message_ids)}),'] if message_ids else []
    return re.compile("|".join(found).encode()) if found else None


def old_text_files(*, before: dt.datetime) -> list[Path]:
    """Return the files of text messages that nothing was added to since then."""
    return [path for path in _files() if path.stat().st_mtime < before.timestamp()]


def _files() -> list[Path]:
    """Return the files of the folder; there are none when a provider carries the messages."""
    folder = Path(settings.SMS_FOLDER)
    return sorted(path for place in ("out", "in", "in/done") for path in folder.glob(f"{place}/*.jsonl"))


def _named(reference: str) -> int | None:
    if not reference:
        return None
    return SentText.objects.filter(reference=reference).values_list("message_id", flat=True).first()


def _block(number: str, detail: str, now: dt.datetime) -> None:
    execute(
        """
        INSERT INTO mailings_suppression (address, reason, detail, since, released_by)
        VALUES (%(address)s, 'bounce', %(detail)s, %(now)s, '')
        ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, detail = excluded.detail,
            since = excluded.since, released_at = NULL, released_by = ''
        WHERE mailings_suppression.released_at IS NOT NULL
        """,
        {"address": number, "detail": detail[:300], "now": now},
    )


@transaction.atomic
def _take_answer(answer: Answer, now: dt.datetime) -> bool:
    """Keep what somebody wrote back to our last message to his number; STOP is a no to all but service messages.

    A no counts however long ago we wrote, when we doubt whether we did, and when it was told before: he may have said
    yes in between, and a provider that gives its answers no number or time cannot tell the second no from the first.
    """
    message = _answered(answer, now)
    if message is None:
        log.warning("an answer to a text message, from a number to which none went")
        return False
    key = sha256(f"{answer.key}:{message.pk}".encode()).hexdigest()
    values = {"message": message, "text": answer.text[:500], "is_stop": answer.is_stop, "received_at": now}
    _reply, is_new = TextReply.objects.get_or_create(key=key, defaults=values)
    if answer.is_stop:
        unsubscribe(message, scope=ALL_COMMERCIAL, method="answer", now=now)
    return is_new


def _answered(answer: Answer, now: dt.datetime) -> Message | None:
    """Return our last message that went, or may have gone, to a number."""
    left = Message.objects.filter(channel=Message.Channel.SMS, address=answer.number, state__in=_LEFT)
    if not answer.is_stop:
        left = left.filter(state_at__gte=now - dt.timedelta(days=ANSWER_DAYS))
    return left.select_related("mailing__purpose").order_by("-state_at", "-id").first()
