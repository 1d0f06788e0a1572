"""Take in hits on links: first as they come, then judged, as clicks of people or of programs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from django.db import transaction

from common.sql import execute, rows
from customers.actions import record_facts_sql
from customers.actions.sources import source
from mailings.actions.doubts import end_doubts
from mailings.facts import CLICK

SOURCE = "mailings"
SETTLED_SECONDS = 10  # what belongs together has come by then
AT_LEAST_AFTER_MINUTES = 5  # a program that never stops is judged in the middle
BURST_SECONDS, BURST_LINKS = 3, 3
SPEED_SECONDS = 5
MACHINES_CLOCKS = 60  # a scanner may follow a link before the worker has written down that the mail was sent
BATCH = 10_000


class Arrival(NamedTuple):
    """A request for a link: ``reason`` as of ``machines.reason_of_click``."""

    message_id: int
    position: int
    at: dt.datetime
    reason: str


def record_hits(arrivals: Sequence[Arrival]) -> None:
    """Write down that links were followed, in one statement; whether they exist is found when they are judged."""
    execute(
        """
        INSERT INTO mailings_hit (message_id, position, hit_at, reason)
        SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::timestamptz[], %s::text[])
        """,
        [[getattr(one, name) for one in arrivals] for name in Arrival._fields],
    )


def judge_hits(*, now: dt.datetime) -> int:
    """Turn hits that have settled into clicks of people, with their facts, or of programs; return how many hits.

    Who follows a link has got the mail, so either also ends a doubt about the message. Safe to run in several
    processes at once.
    """
    total = 0
    while done := _judge_batch(now):
        total += done
        if done < BATCH:
            break
    return total


@transaction.atomic
def _judge_batch(now: dt.datetime) -> int:
    judged = rows(
        _JUDGE,
        {
            "settled": now - dt.timedelta(seconds=SETTLED_SECONDS),
            "old": now - dt.timedelta(minutes=AT_LEAST_AFTER_MINUTES),
            "burst": dt.timedelta(seconds=BURST_SECONDS),
            "burst_links": BURST_LINKS,
            "speed": dt.timedelta(seconds=SPEED_SECONDS),
            "clocks": dt.timedelta(seconds=MACHINES_CLOCKS),
            "batch": BATCH,
        },
    )[0]
    if judged["clicks"]:
        record_facts_sql(_FACTS.format(source=source(SOURCE).pk, ids=", ".join(map(str, judged["clicks"]))), kind=CLICK)
    end_doubts(judged["arrived"] or (), now=now)
    return int(judged["hits"])


# All hits on one message in the same seconds are judged together, as they were the moment before: a statement sees the
# rows that it takes away.
_JUDGE = """
WITH taken AS MATERIALIZED (
    DELETE FROM mailings_hit WHERE id = ANY(ARRAY(
        SELECT hit.id FROM mailings_hit AS hit
        WHERE hit.hit_at <= %(settled)s AND (hit.hit_at <= %(old)s OR NOT EXISTS (
            SELECT FROM mailings_hit AS later
            WHERE later.message_id = hit.message_id AND later.hit_at > %(settled)s))
        ORDER BY hit.id LIMIT %(batch)s FOR UPDATE OF hit SKIP LOCKED))
    RETURNING message_id, position, hit_at, reason
),
judged AS MATERIALIZED (
    SELECT taken.message_id, link.id AS link_id, taken.hit_at, message.state, CASE
        WHEN taken.reason <> '' THEN taken.reason
        WHEN (SELECT count(DISTINCT beside.position) FROM mailings_hit AS beside
              WHERE beside.message_id = taken.message_id
              AND beside.hit_at BETWEEN taken.hit_at - %(burst)s AND taken.hit_at + %(burst)s) >= %(burst_links)s
        THEN 'burst'
        WHEN taken.hit_at BETWEEN message.sent_at - %(clocks)s AND message.sent_at + %(speed)s THEN 'speed'
        ELSE '' END AS reason
    FROM taken JOIN mailings_message AS message ON message.id = taken.message_id
    JOIN mailings_link AS link ON link.mailing_id = message.mailing_id AND link.position = taken.position
),
by_machines AS (
    INSERT INTO mailings_machineclick (message_id, link_id, clicked_at, reason)
    SELECT message_id, link_id, hit_at, reason FROM judged WHERE reason <> ''
),
by_people AS (
    INSERT INTO mailings_click (message_id, link_id, clicked_at)
    SELECT message_id, link_id, hit_at FROM judged WHERE reason = '' RETURNING id
)
SELECT (SELECT count(*) FROM taken) AS hits, (SELECT array_agg(id) FROM by_people) AS clicks,
    (SELECT array_agg(DISTINCT message_id) FROM judged WHERE state <> 'sent') AS arrived
"""
_FACTS = """
SELECT DISTINCT ON (click.message_id, link.position) message.customer_id, click.clicked_at AS occurred_at,
    NULL::bigint AS branch_id, 1 AS quantity, 0 AS amount_cents, {source} AS source_id,
    'click:' || click.message_id || ':' || link.position AS external_id
FROM mailings_click AS click JOIN mailings_link AS link ON link.id = click.link_id
JOIN mailings_message AS message ON message.id = click.message_id
WHERE click.id IN ({ids})
ORDER BY click.message_id, link.position, click.clicked_at
"""
