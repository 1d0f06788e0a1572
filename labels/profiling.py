"""Who may not be profiled: gets no label that is derived from behaviour (AVG 21(2), 22).

A refusal over any channel counts: the question is asked per channel, but being profiled is not. Whether silence is
enough is the organisation's own choice (legitimate interest, or consent): the setting ``PROFILING_NEEDS_YES``.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from common.sql import rows

_LATEST = """
SELECT DISTINCT ON (consent.customer_id, consent.channel) consent.customer_id, consent.state
  FROM customers_consent AS consent JOIN customers_purpose AS purpose ON purpose.id = consent.purpose_id
 WHERE purpose.code = 'profiling' AND consent.event_at <= %(now)s
 ORDER BY consent.customer_id, consent.channel, consent.event_at DESC, consent.state = 'granted'
"""
_SAID_NO = f"""
SELECT customer_id FROM ({_LATEST}) AS latest GROUP BY customer_id HAVING bool_or(state <> 'granted')
"""  # noqa: S608 - made of the text above
_SAID_NO_YES = f"""
SELECT id AS customer_id FROM customers_customer
EXCEPT
SELECT customer_id FROM ({_LATEST}) AS latest GROUP BY customer_id HAVING bool_and(state = 'granted')
"""  # noqa: S608


def unprofiled_sql() -> str:
    """Return SQL text that yields ``customer_id`` of who may not be profiled at ``%(now)s``."""
    return _SAID_NO_YES if settings.PROFILING_NEEDS_YES else _SAID_NO


def count_unprofiled(*, now: dt.datetime) -> int:
    """Return how many customers get no label derived from what they did."""
    statement = f"SELECT count(*) AS n FROM ({unprofiled_sql()}) AS unprofiled"  # noqa: S608
    return int(rows(statement, {"now": now})[0]["n"])
