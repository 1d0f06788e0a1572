"""Claim and mark text messages, as ``mailings.queue`` does mail; recording and recovering is the same for both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from common.sql import rows
from customers.consents import verdicts_sql
from customers.models import Channel, Purpose
from mailings.gate_statement import NUMBER
from mailings.models import Mailing
from mailings.queue import LEASE_SECONDS

_LEASE = dt.timedelta(seconds=LEASE_SECONDS)


def next_mailing(*, rules: Sequence[str], skip: Sequence[int] = ()) -> Mailing | None:
    """Return a mailing with text messages to send now, service first, or None; ``rules`` are the purposes' that may
    go at this hour.
    """
    found = Mailing.objects.raw(
        """
        SELECT mailing.* FROM mailings_mailing AS mailing
        JOIN customers_purpose AS purpose ON purpose.id = mailing.purpose_id
        WHERE mailing.state = 'sending' AND mailing.channels = 'sms' AND purpose.rule = ANY(%s)
        AND mailing.id <> ALL(%s) AND EXISTS (
            SELECT FROM mailings_message AS message
            WHERE message.mailing_id = mailing.id AND message.channel = 'sms'
            AND message.state IN ('queued', 'deferred') AND message.next_attempt_at <= clock_timestamp())
        ORDER BY purpose.rule <> 'service', mailing.priority DESC, mailing.id LIMIT 1
        """,
        [list(rules), list(skip)],
    )
    return next(iter(found.prefetch_related("purpose")), None)


def claim(mailing: Mailing, *, token: UUID, limit: int) -> list[tuple[int, int]]:
    """Take up to ``limit`` messages that nobody else has, and return (message id, customer id)."""
    taken = rows(
        """
        WITH ready AS (
            SELECT message.id FROM mailings_message AS message
            WHERE message.mailing_id = %(mailing)s AND message.channel = 'sms'
            AND message.state IN ('queued', 'deferred') AND message.next_attempt_at <= clock_timestamp()
            ORDER BY message.next_attempt_at, message.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        )
        UPDATE mailings_message AS message
        SET state = 'claimed', claim = %(token)s, state_at = clock_timestamp(),
            lease_until = clock_timestamp() + %(lease)s
        FROM ready WHERE message.id = ready.id
        RETURNING message.id, message.customer_id
        """,
        {"mailing": mailing.pk, "limit": limit, "token": token, "lease": _LEASE},
    )
    return sorted((row["id"], row["customer_id"]) for row in taken)


def mark(mailing: Mailing, message_ids: Sequence[int], *, token: UUID, now: dt.datetime) -> set[int]:
    """Mark messages ``sending`` and return which may go out; the caller commits before it hands them to anybody.

    In the same statement everything is asked again that may have changed since the gate: permission, a block, the
    number and the mailing's state. Who has another number goes back to the queue with that one.
    """
    marked = rows(
        _mark_sql(mailing.purpose),
        {"ids": list(message_ids), "now": now, "token": token, "mailing": mailing.pk, "lease": _LEASE},
    )
    return {row["id"] for row in marked if row["state"] == "sending"}


def _mark_sql(purpose: Purpose) -> str:
    own = "SELECT customer_id FROM mailings_message WHERE id = ANY(%(ids)s)"
    # a worker whose clock is behind must not miss what was said in the meantime
    as_of = "greatest(:now, statement_timestamp())"
    verdicts = verdicts_sql(own, purpose=purpose, channel=Channel.SMS, as_of=as_of)
    verdicts = verdicts.replace(":now,", "%(now)s::timestamptz,")  # bound only now: percent signs in it are doubled
    number = NUMBER[Channel.SMS]
    return f"""
        WITH verdict AS MATERIALIZED ({verdicts}),
        checked AS MATERIALIZED (
            SELECT message.id, {number} AS number, CASE
                WHEN verdict.verdict IS DISTINCT FROM 'allowed' THEN 'no_permission'
                WHEN EXISTS (SELECT FROM mailings_suppression AS suppression
                    WHERE suppression.address = message.address AND suppression.released_at IS NULL)
                THEN 'suppressed'
                WHEN {number} IS NULL THEN 'no_address'
                WHEN {number} <> message.address THEN 'moved' ELSE '' END AS obstacle
            FROM mailings_message AS message LEFT JOIN verdict USING (customer_id)
            LEFT JOIN customers_contactpoint AS phone
                ON phone.customer_id = message.customer_id AND phone.channel = 'phone' AND phone.is_primary
            WHERE message.id = ANY(%(ids)s)
        )
        UPDATE mailings_message AS message
        SET state = CASE checked.obstacle WHEN '' THEN 'sending' WHEN 'moved' THEN 'queued' ELSE 'withdrawn' END,
            withdrawn_because = CASE checked.obstacle WHEN 'moved' THEN '' ELSE checked.obstacle END,
            address = CASE checked.obstacle WHEN 'moved' THEN checked.number ELSE message.address END,
            claim = CASE checked.obstacle WHEN 'moved' THEN NULL ELSE message.claim END,
            state_at = clock_timestamp(),
            lease_until = CASE checked.obstacle WHEN 'moved' THEN NULL::timestamptz
                ELSE clock_timestamp() + %(lease)s END
        FROM checked
        WHERE message.id = ANY(%(ids)s) AND message.id = checked.id
        AND message.claim = %(token)s AND message.state || '' IN ('claimed', 'sending')
        AND (SELECT mailing.state FROM mailings_mailing AS mailing WHERE mailing.id = %(mailing)s) = 'sending'
        RETURNING message.id, message.state
    """  # noqa: S608 - everything is bound
