"""Insert facts and keep their totals, in one statement; actions and imports both come here. Who moves or removes
facts (a merge, an import undone) has the totals counted anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

#: Who inserts facts holds it shared until his transaction ends; retention takes it alone for a moment, and knows then
#: that nobody inserts by an older limit than the one it has just set.
INSERT_LOCK = 0x66_61_63_74

#: The columns of a fact and what stands in one that a statement does not give.
FACT_COLUMNS = {
    "customer_id": "",
    "kind": "",
    "occurred_at": "",
    "branch_id": "NULL::bigint",
    "sector": "''",
    "world": "''",
    "genre": "''",
    "quantity": "1",
    "amount_cents": "0",
    "duration_seconds": "0",
    "source_id": "",
    "external_id": "",
    "order_number": "NULL::text",
    "run_id": "NULL::bigint",
}

GATHERED = "customer_id, kind, occurred_at, quantity, amount_cents"  # what totals are made of


def insert_facts(
    select_sql: str,
    values: Mapping[str, Any],
    *,
    columns: Sequence[str],
    kind: str = "",
    all_new: bool = False,
    gather_in: str = "",
) -> int:
    """Insert the facts that ``select_sql`` yields (``columns``, by name) and add them to the totals; return
    how many are new.

    ``kind`` is that of all, or empty when the statement yields a column ``kind``. Rows already known are left
    alone, and so are rows from before the retention of their kind, which may have become counts. Totals are written
    in the order of customers, so that two statements at once wait for each other without deadlock. Who has seen that
    none of them is known says ``all_new``, which is quicker; a row that came in meanwhile is an IntegrityError then.
    Who inserts in batches names a table of ``gathered_facts`` in ``gather_in`` and calls ``add_totals`` at the end, so
    that the total of a customer is written once and not in every batch.
    """
    given = {name: f"given.{name}" for name in columns} | ({"kind": "%(kind)s"} if kind else {})
    wanted = [given.get(name) or default for name, default in FACT_COLUMNS.items()]
    statement = f"""
        WITH added AS (
            INSERT INTO customers_fact ({", ".join(FACT_COLUMNS)})
            SELECT {", ".join(wanted)} FROM ({select_sql}) AS given
            WHERE NOT EXISTS (
                SELECT FROM customers_kindsetting AS setting
                WHERE setting.code = {given["kind"]} AND setting.kept_from > given.occurred_at
            )
            {"" if all_new else "ON CONFLICT (source_id, external_id, customer_id) DO NOTHING"}
            RETURNING {GATHERED}
        ),
        totals AS ({f"INSERT INTO {gather_in} SELECT * FROM added" if gather_in else _add_totals("added")})
        SELECT count(*) FROM added
    """  # noqa: S608 - column names are ours; values are bound
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [INSERT_LOCK])
        cursor.execute(statement, {**values, "kind": kind})
        return int(cursor.fetchone()[0])


def gathered_facts(table: str) -> None:
    """Make a temporary table, until the transaction ends, of facts whose totals are still to be added."""
    with connection.cursor() as cursor:
        empty = f"SELECT {GATHERED} FROM customers_fact LIMIT 0"  # noqa: S608 - our own words
        cursor.execute(f"CREATE TEMPORARY TABLE {table} ON COMMIT DROP AS {empty}")


def add_totals(table: str) -> None:
    """Add the facts gathered in a table to the totals of their customers, and drop the table."""
    with connection.cursor() as cursor:
        cursor.execute(_add_totals(table))
        cursor.execute(f"DROP TABLE {table}")


def _add_totals(table: str) -> str:
    return f"""
        INSERT INTO customers_facttotal AS total
            (customer_id, kind, first_at, last_at, count, quantity, amount_cents)
        SELECT customer_id, kind, min(occurred_at), max(occurred_at), count(*), sum(quantity), sum(amount_cents)
        FROM {table} GROUP BY customer_id, kind ORDER BY customer_id, kind
        ON CONFLICT (customer_id, kind) DO UPDATE SET
            first_at = least(total.first_at, excluded.first_at),
            last_at = greatest(total.last_at, excluded.last_at),
            count = total.count + excluded.count,
            quantity = total.quantity + excluded.quantity,
            amount_cents = total.amount_cents + excluded.amount_cents
    """  # noqa: S608 - our own SQL


def correct_facts(select_sql: str, values: Mapping[str, Any]) -> int:
    """Replace what differs of known facts by what ``select_sql`` yields (all FACT_COLUMNS, by name) and count the
    totals of their customers anew; return how many facts changed.

    After the insert, which has taken the lock that retention looks at; rows from before retention are left alone.
    """
    columns = [name for name in FACT_COLUMNS if name not in ("customer_id", "source_id", "external_id", "run_id")]
    now, told = (", ".join(f"{row}.{name}" for name in columns) for row in ("fact", "given"))
    sets = ", ".join(f"{name} = given.{name}" for name in columns)
    statement = f"""
        UPDATE customers_fact AS fact SET {sets}
        FROM ({select_sql}) AS given
        WHERE fact.source_id = given.source_id AND fact.external_id = given.external_id
            AND fact.customer_id = given.customer_id AND ({now}) IS DISTINCT FROM ({told})
            AND NOT EXISTS (
                SELECT FROM customers_kindsetting AS setting
                WHERE setting.code = given.kind AND setting.kept_from > given.occurred_at
            )
        RETURNING fact.customer_id
    """  # noqa: S608 - column names are ours; values are bound
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        changed = [row[0] for row in cursor.fetchall()]
    if changed:
        recount_totals("SELECT unnest(%(changed)s::bigint[])", {"changed": sorted(set(changed))})
    return len(changed)


def recount_totals(customers_sql: str, values: Mapping[str, Any] | None = None) -> None:
    """Make the totals of the customers that ``customers_sql`` yields (one column of ids) equal to their facts and the
    remainders of facts whose retention is over.

    Each is written, also when it stays the same: a corrected world changes no total, and by the row that is new the
    nightly run of labels sees whose facts changed (``labels.changes``).
    """
    mine = f"customer_id IN ({customers_sql})"
    statement = f"""
        WITH counted AS (
            SELECT customer_id, kind, min(first_at) AS first_at, max(last_at) AS last_at, sum(count) AS count,
                sum(quantity) AS quantity, sum(amount_cents) AS amount_cents
            FROM (
                SELECT customer_id, kind, occurred_at AS first_at, occurred_at AS last_at, 1 AS count, quantity,
                    amount_cents
                FROM customers_fact WHERE {mine}
                UNION ALL
                SELECT customer_id, kind, first_at, last_at, count, quantity, amount_cents
                FROM customers_factremainder WHERE {mine}
            ) AS told GROUP BY customer_id, kind
        ),
        gone AS (
            DELETE FROM customers_facttotal AS total WHERE {mine} AND NOT EXISTS (
                SELECT FROM counted WHERE counted.customer_id = total.customer_id AND counted.kind = total.kind
            )
        )
        INSERT INTO customers_facttotal AS total
            (customer_id, kind, first_at, last_at, count, quantity, amount_cents)
        SELECT customer_id, kind, first_at, last_at, count, quantity, amount_cents FROM counted
        ORDER BY customer_id, kind
        ON CONFLICT (customer_id, kind) DO UPDATE SET first_at = excluded.first_at, last_at = excluded.last_at,
            count = excluded.count, quantity = excluded.quantity, amount_cents = excluded.amount_cents
    """  # noqa: S608 - our own SQL
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
