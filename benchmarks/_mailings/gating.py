"""Materialising and gating, against the statements that somebody would write by hand for this one mailing."""

from __future__ import annotations

import datetime as dt
from time import perf_counter

from django.db import transaction

from common.sql import execute
from mailings.models import Content, Mailing

_DECISIONS = """
INSERT INTO mailings_decision (mailing_id, customer_id, outcome, channel, basis, decided_at)
SELECT %(mailing)s, customer.id, CASE WHEN customer.deceased_on IS NOT NULL OR customer.restricted_at IS NOT NULL
        THEN 'restricted' WHEN answer.state IS DISTINCT FROM 'granted' THEN 'no_permission'
        WHEN email.value IS NULL THEN 'no_address' WHEN suppression.id IS NOT NULL THEN 'suppressed'
        WHEN customer.birth_date > %(born_after)s THEN 'under_age'
        WHEN row_number() OVER (PARTITION BY lower(email.value), answer.state ORDER BY customer.id) > 1 THEN 'duplicate'
        ELSE 'accepted' END, 'email', 'consent', %(now)s
FROM customers_customer AS customer
LEFT JOIN (
    SELECT DISTINCT ON (customer_id) customer_id, state FROM customers_consent
    WHERE purpose_id = %(purpose)s AND channel = 'email' AND event_at <= %(now)s
    ORDER BY customer_id, event_at DESC
) AS answer ON answer.customer_id = customer.id
LEFT JOIN customers_contactpoint AS email
    ON email.customer_id = customer.id AND email.channel = 'email' AND email.is_primary
LEFT JOIN mailings_suppression AS suppression
    ON suppression.address = lower(email.value) AND suppression.released_at IS NULL
WHERE customer.merged_into_id IS NULL
ORDER BY customer.id
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


@transaction.atomic
def gate_by_hand(content: Content, *, purpose_id: int, key: str, now: dt.datetime) -> float:
    """Decide about everybody and queue their messages in two statements; return the seconds."""
    mailing = Mailing.objects.create(
        name=key, origin="bench", due_key=f"bench:{key}", purpose_id=purpose_id, channels="email", content=content,
        created_at=now, state=Mailing.State.PAUSED,
    )  # fmt: skip
    born_after = now.date().replace(year=now.year - 16, day=1)
    values = {"mailing": mailing.pk, "purpose": purpose_id, "now": now, "born_after": born_after}
    started = perf_counter()
    execute(_DECISIONS, values)
    execute(_MESSAGES, values)
    return perf_counter() - started


def forget(key: str) -> None:
    """Remove a mailing with all that hangs on it, so that every turn writes into tables of the same size."""
    values = {"key": f"bench:{key}"}
    for table in ("message", "decision", "link"):
        own = "SELECT id FROM mailings_mailing WHERE due_key = %(key)s"
        execute(f"DELETE FROM mailings_{table} WHERE mailing_id = ({own})", values)
    execute("DELETE FROM mailings_mailing WHERE due_key = %(key)s", values)
    execute("VACUUM ANALYZE mailings_message")
    execute("VACUUM ANALYZE mailings_decision")
