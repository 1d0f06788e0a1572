"""Kinds of facts as the organisation sets them, and what happens to facts whose time is over: they become counts.

What stays of a customer himself is one row per kind (``FactRemainder``), so that his totals, and with them labels and
selections about "ever" and "the last time", stay as they were. Of who was merged there is a row per person of before,
which the merges know as moved, so that it goes back when they are undone.
"""

from __future__ import annotations

import datetime as dt

from dateutil.relativedelta import relativedelta
from django.db import OperationalError, connection, transaction

from common.sql import execute, rows
from common.time import start_of_day
from customers.facts import fact_kinds
from customers.models import KindSetting
from customers.recording import INSERT_LOCK

BATCH = 20_000  # facts per transaction: some tens of megabytes, about a second
TRIES, PATIENCE = 60, "2s"  # for the lock; others wait for us no longer than this

_FADE = """
WITH old AS (
    SELECT id FROM customers_fact WHERE kind = %(kind)s AND occurred_at < %(before)s
    ORDER BY occurred_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
),
gone AS (
    DELETE FROM customers_fact AS fact USING old WHERE fact.id = old.id RETURNING fact.*
),
counted AS (
    INSERT INTO customers_factcount AS kept
        (month, kind, sector, world, branch_id, count, quantity, amount_cents, duration_seconds)
    SELECT date_trunc('month', occurred_at AT TIME ZONE 'Europe/Amsterdam')::date AS month, kind, sector, world,
        branch_id, count(*), sum(quantity), sum(amount_cents), sum(duration_seconds)
    FROM gone GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (month, kind, sector, world, branch_id) DO UPDATE SET
        count = kept.count + excluded.count, quantity = kept.quantity + excluded.quantity,
        amount_cents = kept.amount_cents + excluded.amount_cents,
        duration_seconds = kept.duration_seconds + excluded.duration_seconds
),
people AS (
    SELECT DISTINCT customer_id FROM gone
),
standing AS (
    SELECT merge.id, merge.absorbed_id FROM (
        SELECT customer_id AS id FROM people
        UNION SELECT absorbed.id FROM people JOIN customers_customer AS absorbed ON merged_into_id = customer_id
    ) AS one JOIN customers_merge AS merge ON merge.kept_id = one.id AND merge.undone_at IS NULL
),
moved AS (
    SELECT gone.id, gone.kind, gone.customer_id, standing.id AS merge_id, standing.absorbed_id
    FROM standing JOIN customers_mergedrows AS known
        ON known.merge_id = standing.id AND known."table" = 'customers_fact' AND known."column" = 'customer_id'
    CROSS JOIN LATERAL unnest(known.ids) AS fact (id) JOIN gone ON gone.id = fact.id
),
origins AS (
    SELECT DISTINCT ON (id) id, absorbed_id AS origin FROM moved ORDER BY id, merge_id
),
remembered AS (
    INSERT INTO customers_factremainder AS kept
        (customer_id, kind, origin, first_at, last_at, count, quantity, amount_cents)
    SELECT customer_id, kind, coalesce(origins.origin, customer_id), min(occurred_at), max(occurred_at), count(*),
        sum(quantity), sum(amount_cents)
    FROM gone LEFT JOIN origins USING (id) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (customer_id, kind, origin) DO UPDATE SET
        first_at = least(kept.first_at, excluded.first_at), last_at = greatest(kept.last_at, excluded.last_at),
        count = kept.count + excluded.count, quantity = kept.quantity + excluded.quantity,
        amount_cents = kept.amount_cents + excluded.amount_cents
    RETURNING id, customer_id, kind, origin
),
noted AS (
    INSERT INTO customers_mergedrows AS known (merge_id, "table", "column", ids)
    SELECT moved.merge_id, 'customers_factremainder', 'customer_id', array_agg(DISTINCT remembered.id)
    FROM moved JOIN origins USING (id) JOIN remembered USING (customer_id, kind, origin) GROUP BY moved.merge_id
    ON CONFLICT (merge_id, "table", "column") DO UPDATE
        SET ids = ARRAY(SELECT unnest(known.ids) UNION SELECT unnest(excluded.ids))
)
SELECT count(*) AS gone FROM gone
"""


def months_kept() -> dict[str, int]:
    """Return kind -> for how many months its personal rows stay, of the kinds that do not stay for good."""
    declared = {kind.code: kind.keep_months for kind in fact_kinds.declared()}
    chosen = dict(KindSetting.objects.values_list("code", "keep_months"))
    return {code: months for code, months in (declared | chosen).items() if months}


def limit(day: dt.date, months: int) -> dt.datetime:
    """Return the moment before which facts are too old on ``day``: whole months, so that counts are of whole months."""
    return start_of_day((day - relativedelta(months=months)).replace(day=1))


def retention_of_facts(*, day: dt.date, now: dt.datetime) -> dict[str, int]:
    """Turn facts whose retention is over into counts; return kind -> how many.

    Each batch is one statement that removes and counts, and one transaction: broken off anywhere, each fact is either
    there or counted, and the next call goes on. Must not run inside a transaction, which would hold it all.
    """
    kept = months_kept()
    _set_limits({code: limit(day, months) for code, months in kept.items()})
    known = KindSetting.objects.filter(code__in=kept).values_list("code", "kept_from")
    limits = {code: kept_from for code, kept_from in known if kept_from}
    if not limits or not _everybody_knows():
        return {}
    counts = {code: _fade(code, before) for code, before in sorted(limits.items())}
    return {code: count for code, count in counts.items() if count}


@transaction.atomic
def _set_limits(limits: dict[str, dt.datetime]) -> None:
    """Write down from when on facts stay, so that older ones are not taken in any more; a limit never goes back."""
    for code, before in limits.items():
        months = fact_kinds[code].keep_months if code in fact_kinds else None
        setting, _created = KindSetting.objects.select_for_update().get_or_create(
            code=code, defaults={"keep_months": months}
        )
        if setting.kept_from is None or setting.kept_from < before:
            setting.kept_from = before
            setting.save(update_fields=["kept_from"])


def _everybody_knows() -> bool:
    """Wait until every transaction that may have inserted by an older limit has ended; False when that takes long."""
    for _attempt in range(TRIES):
        try:
            with transaction.atomic():
                execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
                execute("SELECT pg_advisory_xact_lock(%s)", [INSERT_LOCK])
            return True
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", "") != "55P03":  # lock_not_available
                raise
    return False


def _fade(kind: str, before: dt.datetime) -> int:
    """Turn all facts of a kind from before a moment into counts, batch by batch; return how many."""
    total = 0
    while gone := rows(_FADE, {"kind": kind, "before": before, "batch": BATCH})[0]["gone"]:
        total += gone
    if total:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE customers_factcount")
    return total
