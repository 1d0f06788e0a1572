"""Who has been gone long enough to be erased: by statement, over everybody.

What ties somebody to us is asked of every app (``common.retention.ties``); open vouchers are one.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from common.retention import ties
from common.sql import rows
from common.time import local_date

BATCH = 200  # per transaction; nobody waits long for the locks

# Sources say "former", or nobody has a subscription that runs: what counts is that nothing happened since %(before)s.
_LAST = """
greatest(
    (SELECT max(coalesce(subscription.ended_on, 'infinity'::date)) FROM customers_subscription AS subscription
     WHERE subscription.customer_id = customer.id)::timestamptz,
    (SELECT max(total.last_at) FROM customers_facttotal AS total WHERE total.customer_id = customer.id),
    customer.registered_on::timestamptz
)
"""
_GONE = {
    "former": f"customer.kind = 'former' AND coalesce({_LAST}, customer.created_at) < %(before)s",
    "prospect": (
        f"customer.kind IN ('prospect', 'newsletter') AND greatest({_LAST}, customer.created_at) < %(before)s"
    ),
}


def count_gone(kind: str, before: dt.datetime, *, now: dt.datetime) -> int:
    """Return how many are gone since before a moment: kind "former" or "prospect"."""
    statement = f"SELECT count(*) AS n FROM ({_gone_sql(kind)}) AS gone"  # noqa: S608 - conditions are ours
    return int(rows(statement, _values(before, now))[0]["n"])


def next_gone(kind: str, before: dt.datetime, *, now: dt.datetime, after: int) -> list[int]:
    """Return the ids of at most BATCH of them with an id above ``after``, in order."""
    statement = f"{_gone_sql(kind)} AND customer.id > %(after)s ORDER BY customer.id LIMIT {BATCH}"
    return [row["id"] for row in rows(statement, _values(before, now) | {"after": after})]


def _gone_sql(kind: str) -> str:
    tied = "".join(f" AND NOT ({tie.sql})" for tie in ties)
    return f"""
        SELECT customer.id FROM customers_customer AS customer
        WHERE customer.merged_into_id IS NULL AND {_GONE[kind]}{tied}
    """  # noqa: S608


def _values(before: dt.datetime, now: dt.datetime) -> dict[str, Any]:
    return {"before": before, "now": now, "today": local_date(now)}
