"""Who had to do with the library and with the theatre: what families about sectors and addresses start from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from labels.system.kinds import LIBRARY, THEATRE
from labels.system.moments import days_before, months_before
from labels.system.thresholds import Limits

# From the totals, not the facts: those stay when facts go. ``{allowed}`` leaves out who may not be profiled.
RELATIONS = """
SELECT customer_id, bool_or(is_library) AS library, bool_or(NOT is_library) AS theatre FROM (
    SELECT total.customer_id, kind = ANY(%(library)s) AS is_library FROM {totals} AS total
     WHERE kind = ANY(%(library)s || %(theatre)s) AND last_at >= %(since)s AND first_at <= %(now)s
    UNION ALL
    SELECT subscription.customer_id, true FROM {subscriptions} AS subscription
     WHERE started_on <= %(today)s AND (ended_on IS NULL OR ended_on >= %(today)s)
) AS relation WHERE {allowed} GROUP BY customer_id
"""


def relation_params(now: dt.datetime, limits: Limits) -> Mapping[str, Any]:
    """Return the params of ``RELATIONS``, and of the edges of families that read them."""
    return {
        "now": now,
        "today": days_before(now, 0),
        "since": months_before(now, limits.whole("months")),
        "library": list(LIBRARY),
        "theatre": list(THEATRE),
    }
