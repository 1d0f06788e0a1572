"""Materialising and gating, against the statements that somebody would write by hand for this one mailing."""

from __future__ import annotations

import datetime as dt
from time import perf_counter

from django.db import transaction
from django.db.models import Count

from common.sql import execute
from common.time import local_date, years_before
from mailings.models import Content, Decision, Mailing

# All that the gate decides of a mailing by e-mail without limits and without a control group: the same outcomes.
_DECISIONS = """
INSERT INTO mailings_decision (mailing_id, customer_id, outcome, channel, basis, decided_at)
SELECT %(mailing)s, id, CASE WHEN outcome = 'accepted' AND at_mailbox > 1 THEN 'duplicate' ELSE outcome END,
    CASE WHEN outcome = 'no_address' THEN '' ELSE 'email' END,
    CASE WHEN outcome IN ('restricted', 'deceased') THEN '' ELSE basis END, %(now)s
FROM (
    SELECT id, outcome, basis, row_number() OVER (PARTITION BY outcome = 'accepted', mailbox ORDER BY id) AS at_mailbox
    FROM (
        SELECT id, basis, mailbox, CASE WHEN restricted_at <= %(now)s THEN 'restricted'
            WHEN deceased_on <= %(day)s THEN 'deceased' WHEN basis = '' AND state = 'objected' THEN 'objection'
            WHEN basis = '' AND state = 'withdrawn' THEN 'withdrawn' WHEN basis = '' AND by_child THEN 'under_age'
            WHEN basis = '' THEN 'no_permission' WHEN mailbox IS NULL THEN 'no_address'
            WHEN is_suppressed THEN 'suppressed' WHEN birth_date > %(born_after)s THEN 'under_age'
            ELSE 'accepted' END AS outcome
        FROM (
            SELECT customer.id, customer.birth_date, customer.restricted_at, customer.deceased_on, answer.state,
                answer.by_child, suppression.id IS NOT NULL AS is_suppressed,
                lower(split_part(split_part(email.value, '@', 1), '+', 1) || '@' || split_part(email.value, '@', 2))
                    AS mailbox,
                CASE WHEN answer.state = 'granted' AND NOT answer.by_child THEN 'consent'
                    WHEN answer.state <> 'granted' THEN ''
                    WHEN customer.kind = 'member' AND EXISTS (
                        SELECT FROM customers_subscription AS subscription
                        WHERE subscription.customer_id = customer.id AND subscription.price_cents > 0
                        AND subscription.started_on <= %(day)s
                        AND (subscription.ended_on IS NULL OR subscription.ended_on >= %(day)s)
                    ) THEN 'customer_relation' ELSE '' END AS basis
            FROM customers_customer AS customer
            LEFT JOIN (
                SELECT DISTINCT ON (consent.customer_id) consent.customer_id, consent.state,
                    consent.state = 'granted' AND consent.guardian_id IS NULL AND reader.birth_date IS NOT NULL
                    AND (consent.event_at AT TIME ZONE 'Europe/Amsterdam')::date
                        < reader.birth_date + interval '16 years' AS by_child
                FROM customers_consent AS consent JOIN customers_customer AS reader ON reader.id = consent.customer_id
                WHERE consent.purpose_id = %(purpose)s AND consent.channel = 'email' AND consent.event_at <= %(now)s
                AND consent.state <> 'retracted' AND consent.id NOT IN (
                    SELECT retracts_id FROM customers_consent WHERE retracts_id IS NOT NULL AND event_at <= %(now)s)
                ORDER BY consent.customer_id, by_child, consent.event_at DESC, consent.state = 'granted', consent.state
            ) AS answer ON answer.customer_id = customer.id
            LEFT JOIN customers_contactpoint AS email
                ON email.customer_id = customer.id AND email.channel = 'email' AND email.is_primary
            LEFT JOIN mailings_suppression AS suppression
                ON suppression.address = lower(email.value) AND suppression.released_at IS NULL
            WHERE customer.merged_into_id IS NULL
        ) AS known
    ) AS judged
) AS numbered
ORDER BY id
"""
_MESSAGES = """
INSERT INTO mailings_message (mailing_id, customer_id, channel, address, audiences, state, state_at,
    withdrawn_because, attempts, next_attempt_at, reply)
SELECT %(mailing)s, decision.customer_id, 'email', email.value, coalesce(held.keys, '[]'::jsonb), 'queued', %(now)s,
    '', 0, %(now)s, ''
FROM mailings_decision AS decision
JOIN customers_contactpoint AS email
    ON email.customer_id = decision.customer_id AND email.channel = 'email' AND email.is_primary
LEFT JOIN (
    SELECT customer_id, jsonb_agg('label:' || label_id ORDER BY label_id) AS keys FROM labels_assignment
    WHERE until IS NULL GROUP BY customer_id
) AS held ON held.customer_id = decision.customer_id
WHERE decision.mailing_id = %(mailing)s AND decision.outcome = 'accepted'
ORDER BY decision.customer_id
"""


def gate_by_hand(content: Content, *, purpose_id: int, key: str, now: dt.datetime) -> float:
    """Decide about everybody and queue their messages in two statements; return the seconds.

    The end of the transaction counts, as it does for the gate: it is then that foreign keys are checked.
    """
    started = perf_counter()
    with transaction.atomic():
        mailing = Mailing.objects.create(
            name=key, origin="bench", due_key=f"bench:{key}", purpose_id=purpose_id, channels="email", content=content,
            created_at=now, state=Mailing.State.PAUSED,
        )  # fmt: skip
        day = local_date(now)
        values = {
            "mailing": mailing.pk, "purpose": purpose_id, "now": now, "day": day, "born_after": years_before(day, 16),
        }  # fmt: skip
        execute(_DECISIONS, values)
        execute(_MESSAGES, values)
    return perf_counter() - started


def decided(key: str) -> list[tuple[str, str, str, int]]:
    """Return (outcome, channel, basis, how many) of a mailing, to see that both decide the same."""
    found = Decision.objects.filter(mailing__due_key=f"bench:{key}").order_by("outcome", "channel", "basis")
    return list(found.values_list("outcome", "channel", "basis").annotate(n=Count("id")))


def forget(key: str) -> None:
    """Remove a mailing with all that hangs on it, so that every turn writes into tables of the same size."""
    values = {"key": f"bench:{key}"}
    for table in ("message", "decision", "link"):
        own = "SELECT id FROM mailings_mailing WHERE due_key = %(key)s"
        execute(f"DELETE FROM mailings_{table} WHERE mailing_id = ({own})", values)
    execute("DELETE FROM mailings_mailing WHERE due_key = %(key)s", values)
    execute("VACUUM ANALYZE mailings_message")
    execute("VACUUM ANALYZE mailings_decision")
