"""Count what sources brought per kind and month, so that pages need not look at every fact."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from common.sql import execute

_LOCK = 7_301_047  # one count at a time

_COUNT = """
INSERT INTO customers_facttally (kind, source_id, month, count, last_at, counted_at)
SELECT kind, source_id, date_trunc('month', occurred_at AT TIME ZONE 'Europe/Amsterdam')::date, count(*),
    max(occurred_at), %(now)s
FROM customers_fact GROUP BY 1, 2, 3
"""


@transaction.atomic
def tally_facts(*, now: dt.datetime) -> int:
    """Count all facts anew, in one statement; return how many tallies. Whoever comes second waits and counts again."""
    execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    execute("DELETE FROM customers_facttally")
    return execute(_COUNT, {"now": now})
