"""Take in reports about mail that was sent: keep them, end doubts, and block addresses that cannot be reached."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from common.sql import execute, rows
from mailings.actions.doubts import end_doubts
from mailings.actions.feedback import THIS, unsubscribe
from mailings.bounces.reading import DELIVERED, UNSUBSCRIBED, Report
from mailings.models import Bounce, Message, Suppression

KNOWN_DAYS = 30  # a Message-ID alone is believed so long after sending: mail servers try for five days
SOFT_LIMIT = 3
SOFT_DAYS = 14
ARRIVED_HOURS = 24  # a mail of which nothing came back so long is taken to have arrived


def record_reports(reports: Iterable[Report], *, source: str, now: dt.datetime) -> list[Bounce]:
    """Keep what is new, each in a transaction of its own, and return it; ``source`` is of Bounce.Source."""
    found = [record_report(report, source=source, now=now) for report in reports]
    return [bounce for bounce in found if bounce]


@transaction.atomic
def record_report(report: Report, *, source: str, now: dt.datetime) -> Bounce | None:
    """Keep a report and do what follows from it; return None when it was known, or is no bounce.

    A report blocks an address only when it is certain that it is about a mail of ours: it came to the message's own
    address, from a provider that proved itself, or names a recent message to that very address. Anybody can write the
    rest.
    """
    message = _message_of(report, now)
    if message:  # who reports about a message has got it
        end_doubts([message.pk], now=now)
    if report.kind == UNSUBSCRIBED and message:
        unsubscribe(message, scope=THIS, method="provider", now=now)
    if report.kind in {DELIVERED, UNSUBSCRIBED}:
        return None
    address = (message.address.lower() if message and report.kind != Bounce.Kind.AUTO_REPLY else "") or report.address
    bounce, is_new = Bounce.objects.get_or_create(
        key=report.key,
        defaults={
            "message": message,
            "address": address,
            "kind": report.kind,
            "status": report.status[:12],
            "detail": report.detail.replace("\x00", "").encode("utf-8", "replace").decode()[:300],
            "source": source,
            "received_at": now,
        },
    )
    if not is_new:
        return None
    if address and (message or source == Bounce.Source.PROVIDER):
        _follow(bounce, now)
    return bounce


def _message_of(report: Report, now: dt.datetime) -> Message | None:
    """Return the message that is meant, when that is certain."""
    if report.message_id is None:
        return None
    message = Message.objects.filter(pk=report.message_id, channel=Message.Channel.EMAIL).first()
    if message is None or report.is_proven:
        return message
    is_recent = message.state_at > now - dt.timedelta(days=KNOWN_DAYS)
    return message if is_recent and report.address and report.address == message.address.lower() else None


def _follow(bounce: Bounce, now: dt.datetime) -> None:
    """Block the address when this report, or this one after others, says that no mail arrives there."""
    if bounce.kind == Bounce.Kind.HARD:
        _block(bounce, Suppression.Reason.BOUNCE, bounce.detail, now)
    elif bounce.kind == Bounce.Kind.COMPLAINT:
        _block(bounce, Suppression.Reason.COMPLAINT, bounce.detail, now)
    elif bounce.kind == Bounce.Kind.SOFT and (count := _soft_in_a_row(bounce.address, now)) >= SOFT_LIMIT:
        words = _("%(count)d messages in %(days)d days were not delivered. The last time: %(detail)s")
        told = words % {"count": count, "days": SOFT_DAYS, "detail": bounce.detail}
        _block(bounce, Suppression.Reason.BOUNCE, told, now)


def _soft_in_a_row(address: str, now: dt.datetime) -> int:
    """Return how many messages to this address failed for now, since the last that arrived or staff released it."""
    found = rows(
        """
        WITH arrived AS (
            SELECT max(message.sent_at) AS last FROM mailings_message AS message
            WHERE message.customer_id IN (SELECT customer_id FROM customers_contactpoint
                WHERE channel = 'email' AND value = %(address)s)
            AND message.sent_at BETWEEN %(since)s AND %(settled)s
            AND message.state = 'sent' AND message.channel = 'email' AND lower(message.address) = %(address)s
            AND NOT EXISTS (SELECT FROM mailings_bounce AS bounce
                WHERE bounce.message_id = message.id AND bounce.kind IN ('hard', 'soft'))
        ),
        released AS (SELECT max(released_at) AS last FROM mailings_suppression WHERE address = %(address)s)
        SELECT count(DISTINCT coalesce(bounce.message_id, -bounce.id)) AS count
        FROM mailings_bounce AS bounce CROSS JOIN arrived CROSS JOIN released
        WHERE bounce.address = %(address)s AND bounce.kind = 'soft'
        -- anybody can write a report that names no mail of ours
        AND (bounce.message_id IS NOT NULL OR bounce.source = 'provider')
        AND bounce.received_at > greatest(%(since)s, arrived.last, released.last)
        """,
        {
            "address": address,
            "since": now - dt.timedelta(days=SOFT_DAYS),
            "settled": now - dt.timedelta(hours=ARRIVED_HOURS),
        },
    )
    return int(found[0]["count"])


def _block(bounce: Bounce, reason: str, detail: str, now: dt.datetime) -> None:
    """Block an address; a block that is in force keeps its reason."""
    execute(
        """
        INSERT INTO mailings_suppression (address, reason, detail, since, released_by)
        VALUES (%(address)s, %(reason)s, %(detail)s, %(now)s, '')
        ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, detail = excluded.detail,
            since = excluded.since, released_at = NULL, released_by = ''
        WHERE mailings_suppression.released_at IS NOT NULL
        """,
        {"address": bounce.address, "reason": reason, "detail": detail[:300], "now": now},
    )
