"""The queue is the table of messages: claim, mark, record, recover. Statements only; who sends is
``mailings.delivery``.

    queued --claim--> claimed --mark--> sending --record--> sent | deferred | failed | in_doubt
    claimed, lease over --recover--> queued            sending, lease over --recover--> in_doubt

Every step after the claim is guarded by the claim's token, so a worker that was given up for dead can do no harm when
it wakes. Leases use the clock of the database. Nothing here ever brings a message from ``sending`` back to ``queued``
unless its own worker says that the final dot was not sent.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.db import transaction

from common.sql import execute, rows, rows_prepared
from customers.consents import verdicts_sql
from customers.models import Channel, Purpose
from mailings.models import Mailing, Message

LEASE_SECONDS = 60
GIVE_UP_HOURS = 72
# 5, 10, 20 … minutes, at most 6 hours, each a fifth more or less so that not all come back at once.
_BACKOFF = (
    "least(interval '5 minutes' * power(2, least(message.attempts, 10)), interval '6 hours') * (0.8 + 0.4 * random())"
)
_WHO = re.compile(r"""(?:"[^"]*"|[^\s<>]*)(?:@|%40)[^\s<>]*|\+?\d[\d -]{7,}\d""", re.IGNORECASE)
_SOON = "interval '1 minute' * (0.8 + 0.4 * random())"


@dataclass(frozen=True)
class Outcome:
    """What became of one message that was marked: ``state`` is sent, deferred, failed or in_doubt.

    ``reply`` is what the server said. ``reached``: a server looked at it, so it counts as an attempt. ``suppress``:
    the address does not exist. ``pause``: the server refuses us, not the reader. ``is_unreachable``: no connection
    could be made.
    """

    message_id: int
    state: str
    reply: str = ""
    reached: bool = True
    suppress: bool = False
    pause: bool = False
    is_unreachable: bool = False


def next_mailing(*, has_hours: bool, skip: Sequence[int] = ()) -> Mailing | None:
    """Return a mailing with mail to send now, service first, or None; outside the sending hours service only."""
    found = Mailing.objects.raw(
        """
        SELECT mailing.* FROM mailings_mailing AS mailing
        JOIN customers_purpose AS purpose ON purpose.id = mailing.purpose_id
        WHERE mailing.state = 'sending' AND (%s OR purpose.rule = 'service') AND mailing.id <> ALL(%s)
        AND EXISTS (
            SELECT FROM mailings_message AS message
            WHERE message.mailing_id = mailing.id AND message.channel = 'email'
            AND message.state IN ('queued', 'deferred') AND message.next_attempt_at <= clock_timestamp())
        ORDER BY purpose.rule <> 'service', mailing.id LIMIT 1
        """,
        [has_hours, list(skip)],
    )
    return next(iter(found.prefetch_related("purpose")), None)


def seconds_to_next(*, within: float) -> float | None:
    """Return after how many seconds the next mail that waits for its moment may leave; None when that is further off,
    or nothing waits.
    """
    [found] = rows(
        """
        SELECT extract(epoch FROM min(later.next_attempt_at) - clock_timestamp())::float8 AS seconds
        FROM mailings_mailing AS mailing CROSS JOIN LATERAL (
            SELECT message.next_attempt_at FROM mailings_message AS message
            WHERE message.mailing_id = mailing.id AND message.channel = 'email'
            AND message.state IN ('queued', 'deferred') AND message.next_attempt_at > clock_timestamp()
            ORDER BY message.next_attempt_at LIMIT 1) AS later
        WHERE mailing.state = 'sending'
        """,
        {},
    )
    seconds: float | None = found["seconds"]
    return None if seconds is None or seconds > within else max(seconds, 0.0)


def claim(mailing: Mailing, *, token: UUID, limit: int) -> list[tuple[int, int]]:
    """Take up to ``limit`` messages that nobody else has, and return (message id, customer id)."""
    taken = rows(
        """
        WITH ready AS (
            SELECT message.id FROM mailings_message AS message
            WHERE message.mailing_id = %(mailing)s AND message.channel = 'email'
            AND message.state IN ('queued', 'deferred') AND message.next_attempt_at <= clock_timestamp()
            ORDER BY message.next_attempt_at, message.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        )
        UPDATE mailings_message AS message
        SET state = 'claimed', claim = %(token)s, state_at = clock_timestamp(),
            lease_until = clock_timestamp() + %(lease)s
        FROM ready WHERE message.id = ready.id
        RETURNING message.id, message.customer_id
        """,
        {"mailing": mailing.pk, "limit": limit, "token": token, "lease": dt.timedelta(seconds=LEASE_SECONDS)},
    )
    return sorted((row["id"], row["customer_id"]) for row in taken)


def mark(
    mailing: Mailing, message_ids: Sequence[int], *, token: UUID, now: dt.datetime, relays: Sequence[str] = ()
) -> set[int]:
    """Mark messages ``sending`` and return which may go out; the caller commits before the first byte of DATA.

    ``relays`` names over which relay each will go, so that this is known of messages in doubt too.

    In the same statement everything is asked again that may have changed since the gate: permission, suppression, the
    address and the mailing's state. Who may not be reached any more is withdrawn; of a mailing on pause nothing is
    marked. Who has another address goes back to the queue with that one: the links in a mail open somebody's own
    page, so the old mailbox must not get them. A message that this claim marked already, in a commit whose answer
    got lost, is marked again.
    """
    text = _mark_sql(mailing.purpose_id, mailing.purpose.rule, mailing.purpose.code)
    lease = dt.timedelta(seconds=LEASE_SECONDS)
    names = list(relays) or [""] * len(message_ids)
    params = [list(message_ids), now, token, mailing.pk, lease, names]
    types = ["bigint[]", "timestamptz", "uuid", "bigint", "interval", "text[]"]
    marked = rows_prepared(text, params, types=types)
    return {row["id"] for row in marked if row["state"] == Message.State.SENDING}


@lru_cache(maxsize=64)
def _mark_sql(purpose_id: int, rule: str, code: str) -> str:
    """Return the statement that marks, of $1 messages, $2 now, $3 token, $4 mailing, $5 lease, $6 relays."""
    purpose = Purpose(pk=purpose_id, rule=rule, code=code)
    own = "SELECT customer_id FROM mailings_message WHERE id = ANY($1)"
    # a worker whose clock is behind must not miss what was said in the meantime
    as_of = "greatest($2, statement_timestamp())"
    verdicts = verdicts_sql(own, purpose=purpose, channel=Channel.EMAIL, as_of=as_of).replace("%%", "%")
    return f"""
        WITH verdict AS MATERIALIZED ({verdicts}),
        checked AS MATERIALIZED (
            SELECT message.id, CASE
                WHEN verdict.verdict IS DISTINCT FROM 'allowed' THEN 'no_permission'
                WHEN EXISTS (SELECT FROM mailings_suppression AS suppression
                    WHERE suppression.address = lower(message.address) AND suppression.released_at IS NULL)
                THEN 'suppressed'
                WHEN email.value IS NULL THEN 'no_address'
                WHEN lower(email.value) <> lower(message.address) THEN 'moved' ELSE '' END AS obstacle,
                email.value AS address, ($6)[array_position($1, message.id)] AS relay
            FROM mailings_message AS message LEFT JOIN verdict USING (customer_id)
            LEFT JOIN customers_contactpoint AS email
                ON email.customer_id = message.customer_id AND email.channel = 'email' AND email.is_primary
            WHERE message.id = ANY($1)
        )
        UPDATE mailings_message AS message
        SET state = CASE checked.obstacle WHEN '' THEN 'sending' WHEN 'moved' THEN 'queued' ELSE 'withdrawn' END,
            withdrawn_because = CASE checked.obstacle WHEN 'moved' THEN '' ELSE checked.obstacle END,
            address = CASE checked.obstacle WHEN 'moved' THEN checked.address ELSE message.address END,
            claim = CASE checked.obstacle WHEN 'moved' THEN NULL ELSE message.claim END,
            relay = CASE checked.obstacle WHEN '' THEN checked.relay ELSE message.relay END,
            state_at = clock_timestamp(),
            lease_until = CASE checked.obstacle WHEN 'moved' THEN NULL::timestamptz ELSE clock_timestamp() + $5 END
        FROM checked
        -- the ids once more: without them a planner with old figures reads the whole mailing
        WHERE message.id = ANY($1) AND message.id = checked.id
        -- by their key and not by the index of all that is under way, of which there may be thousands
        AND message.claim = $3 AND message.state || '' IN ('claimed', 'sending')
        AND (SELECT mailing.state FROM mailings_mailing AS mailing WHERE mailing.id = $4) = 'sending'
        RETURNING message.id, message.state
    """  # noqa: S608 - everything is bound


def record(mailing: Mailing, outcomes: Sequence[Outcome], *, token: UUID) -> int:
    """Write down what became of messages, with what follows from it; return how many were still this claim's.

    Deferred messages come back later, until 72 hours after their first attempt. A lost lease is no obstacle: an outcome
    is better than a doubt.
    """
    if not outcomes:
        return 0
    params = [
        [outcome.message_id for outcome in outcomes],
        [outcome.state for outcome in outcomes],
        [outcome.reply.replace("\x00", "")[:300] for outcome in outcomes],
        [outcome.reached for outcome in outcomes],
        token,
        dt.timedelta(hours=GIVE_UP_HOURS),
    ]
    written = rows_prepared(_RECORD, params, types=["bigint[]", "text[]", "text[]", "bool[]", "uuid", "interval"])
    _suppress([outcome.message_id for outcome in outcomes if outcome.suppress])
    refusal = next((outcome for outcome in outcomes if outcome.pause), None)
    if refusal:
        Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.SENDING).update(
            state=Mailing.State.PAUSED, pause_reason=without_people(refusal.reply)[:200]
        )
    return len(written)


def without_people(words: str) -> str:
    """Return what a server said, without the addresses and telephone numbers in it.

    Why a mailing stopped is kept in its history for good, where no erasure and no retention rule looks for anybody.
    """
    return _WHO.sub("…", words.replace("\x00", "")[:600])


_RECORD = f"""
    UPDATE mailings_message AS message
    SET state = CASE WHEN outcome.state = 'deferred' AND outcome.reached
            AND message.first_attempt_at < clock_timestamp() - $6 THEN 'failed' ELSE outcome.state END,
        reply = outcome.reply, state_at = clock_timestamp(),
        attempts = message.attempts + outcome.reached::int,
        first_attempt_at = CASE WHEN outcome.reached
            THEN coalesce(message.first_attempt_at, clock_timestamp()) ELSE message.first_attempt_at END,
        sent_at = CASE outcome.state WHEN 'sent' THEN clock_timestamp() END,
        next_attempt_at = clock_timestamp() + CASE WHEN outcome.reached THEN {_BACKOFF} ELSE {_SOON} END,
        lease_until = NULL
    FROM unnest($1, $2, $3, $4)
        AS outcome (id, state, reply, reached)
    WHERE message.id = outcome.id AND message.claim = $5
    AND message.state || '' IN ('claimed', 'sending', 'in_doubt')
    RETURNING message.id
"""  # noqa: S608 - bound


def _suppress(message_ids: Sequence[int]) -> None:
    """Block the addresses of messages whose address does not exist."""
    if message_ids:
        execute(
            """
            INSERT INTO mailings_suppression (address, reason, detail, since, released_by)
            SELECT DISTINCT ON (lower(address)) lower(address), 'bounce', reply, clock_timestamp(), ''
            FROM mailings_message WHERE id = ANY(%s)
            ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, detail = excluded.detail,
                since = excluded.since, released_at = NULL, released_by = ''
            WHERE mailings_suppression.released_at IS NOT NULL
            """,
            [list(message_ids)],
        )


@transaction.atomic
def record_and_mark(
    mailing: Mailing,
    outcomes: Sequence[Outcome],
    message_ids: Sequence[int],
    *,
    token: UUID,
    now: dt.datetime,
    relays: Sequence[str] = (),
) -> set[int]:
    """Record what is done and mark what comes next in one commit; return which of the latter may go out."""
    record(mailing, outcomes, token=token)
    return mark(mailing, message_ids, token=token, now=now, relays=relays) if message_ids else set()


def extend(token: UUID) -> int:
    """Renew the lease of everything a living worker holds."""
    return execute(
        """UPDATE mailings_message SET lease_until = clock_timestamp() + %s
        WHERE claim = %s AND state IN ('claimed', 'sending')""",
        [dt.timedelta(seconds=LEASE_SECONDS), token],
    )


def release(token: UUID) -> int:
    """Put back what was claimed but not marked, for whoever comes next."""
    return execute(
        """UPDATE mailings_message SET state = 'queued', state_at = clock_timestamp(), claim = NULL, lease_until = NULL
        WHERE claim = %s AND state = 'claimed'""",
        [token],
    )


def put_off(later: Mapping[int, float], *, token: UUID) -> int:
    """Put back messages of this claim that have to wait, message id -> seconds; it counts as no attempt."""
    return execute(
        """UPDATE mailings_message AS message
        SET state = 'queued', state_at = clock_timestamp(), claim = NULL, lease_until = NULL,
            next_attempt_at = clock_timestamp() + wait.seconds * interval '1 second'
        FROM unnest(%s::bigint[], %s::float8[]) AS wait (id, seconds)
        WHERE message.id = wait.id AND message.claim = %s AND message.state = 'claimed'""",
        [list(later), list(later.values()), token],
    )


def line_up(mailing: Mailing, domains: Mapping[str, tuple[float, float]], *, longest: float) -> int:
    """Let all that is ready for these domains leave one after the other, so that nobody claims it in vain.

    Domain -> seconds until the first may leave, and between two. Mailings that share a domain get each other's turns;
    who comes too early then waits a little longer, and whose turn is further off than the ``longest`` wait (seconds)
    comes back after that. Returns how many messages.
    """
    if not domains:
        return 0
    return execute(
        """
        WITH ready AS MATERIALIZED (
            SELECT message.id, message.next_attempt_at, held.domain, held.first, held.gap
            FROM mailings_message AS message
            JOIN unnest(%(domains)s::text[], %(firsts)s::float8[], %(gaps)s::float8[]) AS held (domain, first, gap)
                ON held.domain = lower(split_part(message.address, '@', -1))
            WHERE message.mailing_id = %(mailing)s AND message.channel = 'email'
            AND message.state IN ('queued', 'deferred') AND message.next_attempt_at <= clock_timestamp()
            FOR UPDATE OF message SKIP LOCKED
        ),
        turn AS (
            SELECT id, first + gap * row_number() OVER (PARTITION BY domain ORDER BY next_attempt_at, id) AS seconds
            FROM ready
        )
        UPDATE mailings_message AS message
        SET next_attempt_at = clock_timestamp() + least(turn.seconds, %(longest)s) * interval '1 second'
        FROM turn WHERE message.id = turn.id
        """,
        {
            "mailing": mailing.pk,
            "longest": longest,
            "domains": list(domains),
            "firsts": [first for first, _gap in domains.values()],
            "gaps": [gap for _first, gap in domains.values()],
        },
    )


def recover() -> tuple[int, int]:
    """Take over from workers that died: return how many messages went back to the queue and how many are in doubt.

    Rows that are locked are left alone: whoever holds them lives, if only just.
    """
    requeued = execute(_RECOVER, {"was": "claimed", "becomes": "queued"})
    # the token stays: should the worker live after all, its outcome ends the doubt
    doubtful = execute(_RECOVER, {"was": "sending", "becomes": "in_doubt"})
    return requeued, doubtful


_RECOVER = """
    WITH given_up AS (
        SELECT id FROM mailings_message
        WHERE state = %(was)s AND state IN ('claimed', 'sending') AND lease_until < clock_timestamp()
        FOR UPDATE SKIP LOCKED
    )
    UPDATE mailings_message AS message SET state = %(becomes)s, state_at = clock_timestamp(), lease_until = NULL,
        claim = CASE %(becomes)s WHEN 'queued' THEN NULL ELSE message.claim END
    FROM given_up WHERE message.id = given_up.id
"""
