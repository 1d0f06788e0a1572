"""Count the messages of mailings that are over, once."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from common.sql import execute, rows
from mailings.models import Message

# One at a time: of two that count the same mailing the older count could be written last, over what it did not see.
TALLY_LOCK = 0x74616C6C

AT_ONCE = 100  # mailings; a long history is counted in a few minutes

_TO_COUNT = """
SELECT mailing.id FROM mailings_mailing AS mailing LEFT JOIN mailings_tally AS tally ON tally.mailing_id = mailing.id
WHERE mailing.state IN ('finished', 'cancelled') AND (tally.mailing_id IS NULL
    OR EXISTS (SELECT FROM mailings_tallychange AS change WHERE change.mailing_id = mailing.id))
ORDER BY mailing.id DESC LIMIT %(most)s
"""
# One statement, so one look at the database: a change that it does not see yet stays beside the count and spoils it.
# Of a cancelled mailing something may still be under way; it is counted when that is over.
_COUNT = """
WITH seen AS (DELETE FROM mailings_tallychange WHERE mailing_id = %(mailing)s),
counted AS (
    SELECT coalesce(jsonb_object_agg(state, n), '{}') AS states FROM (
        SELECT state, count(*) AS n FROM mailings_message WHERE mailing_id = %(mailing)s GROUP BY state) AS by_state
),
spoilt AS (
    DELETE FROM mailings_tally USING counted WHERE mailing_id = %(mailing)s AND counted.states ?| %(open)s
)
INSERT INTO mailings_tally (mailing_id, states)
SELECT %(mailing)s, states FROM counted WHERE NOT states ?| %(open)s
ON CONFLICT (mailing_id) DO UPDATE SET states = excluded.states
"""
# Of a mailing that goes on neither holds.
_FORGET = """
WITH gone AS (
    DELETE FROM mailings_tally AS tally USING mailings_mailing AS mailing
    WHERE mailing.id = tally.mailing_id AND mailing.state NOT IN ('finished', 'cancelled')
)
DELETE FROM mailings_tallychange AS change WHERE NOT EXISTS (
    SELECT FROM mailings_mailing AS mailing
    WHERE mailing.id = change.mailing_id AND mailing.state IN ('finished', 'cancelled'))
"""


def keep_tallies() -> int:
    """Count the messages of mailings that are over and were not counted, or changed since; return how many mailings.

    Each is a statement by itself. Until then, and in between, they are counted when somebody asks.
    """
    _alone(_FORGET, {})
    found = rows(_TO_COUNT, {"most": AT_ONCE})
    still_open = [state.value for state in Message.OPEN]
    return sum(_alone(_COUNT, {"mailing": row["id"], "open": still_open}) for row in found)


@transaction.atomic
def _alone(statement: str, values: dict[str, Any]) -> int:
    execute("SELECT pg_advisory_xact_lock(%s)", [TALLY_LOCK])
    return execute(statement, values)
