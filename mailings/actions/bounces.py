"""Take in reports about mail that was sent: keep them, end doubts, and block addresses that cannot be reached."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

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


@transaction.atomic
def record_reports(reports: Iterable[Report], *, source: str, now: dt.datetime) -> list[Bounce]:
    """Keep what is new of these reports, do what follows from it, and return it; ``source`` is of Bounce.Source.

    A report blocks an address only when it is certain that it is about a mail of ours: it came to the message's own
    address, from a provider that proved itself, or names a recent message to that very address. Anybody can write the
    rest. However many reports there are, it takes a handful of statements.
    """
    found = list(reports)
    known = _messages_of(found)
    named = [(report, _message_of(report, known, now)) for report in found]
    end_doubts({message.pk for _report, message in named if message}, now=now)  # who reports about it has got it
    for report, message in named:
        if report.kind == UNSUBSCRIBED and message:
            unsubscribe(message, scope=THIS, method="provider", now=now)
    fresh = _keep([one for one in named if one[0].kind not in {DELIVERED, UNSUBSCRIBED}], source, now)
    _follow([one for one in fresh if one.address and (one.message_id or source == Bounce.Source.PROVIDER)], now)
    return fresh


def _keep(named: Sequence[tuple[Report, Message | None]], source: str, now: dt.datetime) -> list[Bounce]:
    """Write down what was not known yet, in one statement, and return that in the order in which it was told."""
    if not named:
        return []
    keys = [report.key for report, _message in named]
    kept = rows(
        """
        INSERT INTO mailings_bounce (key, message_id, address, kind, status, detail, source, received_at)
        SELECT told.key, told.message_id, told.address, told.kind, told.status, told.detail, %(source)s, %(now)s
        FROM (SELECT DISTINCT ON (key) * FROM unnest(%(keys)s::text[], %(messages)s::bigint[], %(addresses)s::text[],
            %(kinds)s::text[], %(statuses)s::text[], %(details)s::text[])
            WITH ORDINALITY AS told (key, message_id, address, kind, status, detail, place) ORDER BY key, place) AS told
        ON CONFLICT (key) DO NOTHING RETURNING id
        """,
        {
            "source": source,
            "now": now,
            "keys": keys,
            "messages": [message.pk if message else None for _report, message in named],
            "addresses": [_address_of(report, message) for report, message in named],
            "kinds": [str(report.kind) for report, _message in named],
            "statuses": [report.status[:12] for report, _message in named],
            "details": [_words(report.detail) for report, _message in named],
        },
    )
    places = {key: place for place, key in reversed(list(enumerate(keys)))}
    fresh = Bounce.objects.filter(pk__in=[row["id"] for row in kept]).select_related("message")
    return sorted(fresh, key=lambda one: places[one.key])


def _address_of(report: Report, message: Message | None) -> str:
    if message and report.kind != Bounce.Kind.AUTO_REPLY:
        return message.address.lower() or report.address
    return report.address


def _words(told: str) -> str:
    return told.replace("\x00", "").encode("utf-8", "replace").decode()[:300]


def _messages_of(reports: Iterable[Report]) -> dict[int, Message]:
    ids = {report.message_id for report in reports if report.message_id is not None}
    return Message.objects.filter(channel=Message.Channel.EMAIL).in_bulk(ids) if ids else {}


def _message_of(report: Report, known: Mapping[int, Message], now: dt.datetime) -> Message | None:
    """Return the message that is meant, when that is certain."""
    message = known.get(report.message_id or 0)
    if message is None or report.is_proven:
        return message
    is_recent = message.state_at > now - dt.timedelta(days=KNOWN_DAYS)
    return message if is_recent and report.address and report.address == message.address.lower() else None


def _follow(bounces: Sequence[Bounce], now: dt.datetime) -> None:
    """Block the addresses of which these reports, or these after others, say that no mail arrives there."""
    reasons = {Bounce.Kind.HARD: Suppression.Reason.BOUNCE, Bounce.Kind.COMPLAINT: Suppression.Reason.COMPLAINT}
    blocks = {}
    for one in reversed(bounces):  # the first word counts
        if one.kind in reasons:
            blocks[one.address] = (str(reasons[Bounce.Kind(one.kind)]), one.detail)
    soft = {one.address: one.detail for one in bounces if one.kind == Bounce.Kind.SOFT and one.address not in blocks}
    words = _("%(count)d messages in %(days)d days were not delivered. The last time: %(detail)s")
    for address, count in _soft_in_a_row(sorted(soft), now).items():
        if count >= SOFT_LIMIT:
            told = words % {"count": count, "days": SOFT_DAYS, "detail": soft[address]}
            blocks[address] = (str(Suppression.Reason.BOUNCE), told[:300])
    _block(blocks, now)


def _soft_in_a_row(addresses: Sequence[str], now: dt.datetime) -> dict[str, int]:
    """Return how many messages to each address failed for now, since the last that arrived or staff released it."""
    found = rows(
        """
        WITH asked AS (SELECT unnest(%(addresses)s::text[]) AS address)
        SELECT asked.address, (SELECT count(DISTINCT coalesce(bounce.message_id, -bounce.id))
            FROM mailings_bounce AS bounce
            WHERE bounce.address = asked.address AND bounce.kind = 'soft'
            -- anybody can write a report that names no mail of ours
            AND (bounce.message_id IS NOT NULL OR bounce.source = 'provider')
            AND bounce.received_at > greatest(%(since)s, arrived.last, released.last)) AS count
        FROM asked CROSS JOIN LATERAL (
            SELECT max(message.sent_at) AS last FROM mailings_message AS message
            WHERE message.customer_id IN (SELECT customer_id FROM customers_contactpoint
                WHERE channel = 'email' AND value = asked.address)
            AND message.sent_at BETWEEN %(since)s AND %(settled)s
            AND message.state = 'sent' AND message.channel = 'email' AND lower(message.address) = asked.address
            AND NOT EXISTS (SELECT FROM mailings_bounce AS bounce
                WHERE bounce.message_id = message.id AND bounce.kind IN ('hard', 'soft'))
        ) AS arrived
        CROSS JOIN LATERAL (
            SELECT max(released_at) AS last FROM mailings_suppression WHERE address = asked.address
        ) AS released
        """,
        {
            "addresses": list(addresses),
            "since": now - dt.timedelta(days=SOFT_DAYS),
            "settled": now - dt.timedelta(hours=ARRIVED_HOURS),
        },
    )
    return {str(row["address"]): int(row["count"]) for row in found}


def _block(blocks: Mapping[str, tuple[str, str]], now: dt.datetime) -> None:
    """Block addresses -> (reason, detail); a block that is in force keeps its reason."""
    if not blocks:
        return
    execute(
        """
        INSERT INTO mailings_suppression (address, reason, detail, since, released_by)
        SELECT told.address, told.reason, told.detail, %(now)s, ''
        FROM unnest(%(addresses)s::text[], %(reasons)s::text[], %(details)s::text[]) AS told (address, reason, detail)
        ORDER BY told.address
        ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, detail = excluded.detail,
            since = excluded.since, released_at = NULL, released_by = ''
        WHERE mailings_suppression.released_at IS NOT NULL
        """,
        {
            "addresses": list(blocks),
            "reasons": [reason for reason, _detail in blocks.values()],
            "details": [detail for _reason, detail in blocks.values()],
            "now": now,
        },
    )
