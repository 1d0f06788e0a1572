"""Look whether the ledger of consents is whole: every chain, every row, in one statement over all of it.

What it finds: a row whose words or hash were changed, a place in a chain that is empty, a row that stands with somebody
else than who said it without a merge that explains it, and rows that went from the end of chains since the check
before without an erasure that took them.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from common.sql import execute, rows
from customers.models import LedgerCheck

MOST_NAMED = 1000
KEPT_DAYS = 400
TABLE = "customers_consent"

_BROKEN = """
    CREATE TEMPORARY TABLE ledger_broken ON COMMIT DROP AS
    WITH RECURSIVE elsewhere (subject_id, holder_id) AS (
        SELECT DISTINCT subject_id, subject_id FROM customers_consent WHERE customer_id <> subject_id
        UNION
        SELECT elsewhere.subject_id, merged.kept_id
        FROM elsewhere JOIN customers_merge AS merged
            ON merged.absorbed_id = elsewhere.holder_id AND merged.undone_at IS NULL
    ),
    chained AS (
        SELECT id, customer_id, subject_id, position, hash, customers_consent_text(consent) AS words,
            lag(hash) OVER chain AS hash_before, lag(position) OVER chain AS position_before
        FROM customers_consent AS consent
        WINDOW chain AS (PARTITION BY subject_id ORDER BY position)
    )
    SELECT id, problem FROM (
        SELECT id, CASE
            WHEN position <> coalesce(position_before, 0) + 1 THEN 'gap'
            WHEN hash <> sha256(coalesce(hash_before, '') || convert_to(words, 'UTF8')) THEN 'changed'
            WHEN customer_id <> subject_id AND NOT EXISTS (
                SELECT FROM elsewhere
                WHERE elsewhere.subject_id = chained.subject_id AND elsewhere.holder_id = chained.customer_id
            ) THEN 'moved' END AS problem
        FROM chained
    ) AS judged WHERE problem IS NOT NULL
"""


@transaction.atomic
def check_ledger(*, now: dt.datetime) -> LedgerCheck:
    """Check all rows and keep what was found; the database does the work, memory stays small."""
    check = LedgerCheck.objects.create(started_at=now)
    before = LedgerCheck.objects.filter(finished_at__isnull=False).order_by("-pk").first()
    execute("DROP TABLE IF EXISTS pg_temp.ledger_broken")
    execute(_BROKEN)
    last = before.last_id if before else 0
    [figures] = rows(
        "SELECT count(*) AS row_count, coalesce(max(id), 0) AS last_id, count(*) FILTER (WHERE id <= %s) AS known"
        " FROM customers_consent",
        [last],
    )
    named = rows("SELECT id, problem FROM ledger_broken ORDER BY id LIMIT %s", [MOST_NAMED])
    check.broken_count = rows("SELECT count(*) AS n FROM ledger_broken")[0]["n"]
    check.broken = [[row["id"], row["problem"]] for row in named]
    check.row_count, check.last_id = figures["row_count"], figures["last_id"]
    check.missing_count = _missing(before, figures["known"]) if before else 0
    check.finished_at = rows("SELECT clock_timestamp() AS at")[0]["at"]
    check.save()
    LedgerCheck.objects.filter(started_at__lt=now - dt.timedelta(days=KEPT_DAYS)).delete()
    return check


def _missing(before: LedgerCheck, known: int) -> int:
    """Return how many rows of the check before are gone without an erasure that says it took them."""
    [erased] = rows(
        "SELECT coalesce(sum((counts ->> %s)::bigint), 0)::bigint AS n FROM customers_erasure WHERE erased_at >= %s",
        [TABLE, before.started_at],
    )
    return max(0, before.row_count - int(erased["n"]) - known)
