"""Insert facts and keep their totals, in one statement; actions and imports both come here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

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
}


def insert_facts(select_sql: str, values: Mapping[str, Any], *, columns: Sequence[str], kind: str = "") -> int:
    """Insert the facts that ``select_sql`` yields (``columns``, by name) and add them to the totals; return
    how many are new.

    ``kind`` is that of all, or empty when the statement yields a column ``kind``. Rows already known are left
    alone. Totals are written in the order of customers, so that two statements at once wait for each other
    without deadlock.
    """
    given = {name: f"given.{name}" for name in columns} | ({"kind": "%(kind)s"} if kind else {})
    wanted = [given.get(name) or default for name, default in FACT_COLUMNS.items()]
    statement = f"""
        WITH added AS (
            INSERT INTO customers_fact ({", ".join(FACT_COLUMNS)})
            SELECT {", ".join(wanted)} FROM ({select_sql}) AS given
            ON CONFLICT (source_id, external_id, customer_id) DO NOTHING
            RETURNING customer_id, kind, occurred_at, quantity, amount_cents
        ),
        totals AS (
            INSERT INTO customers_facttotal AS total
                (customer_id, kind, first_at, last_at, count, quantity, amount_cents)
            SELECT customer_id, kind, min(occurred_at), max(occurred_at), count(*), sum(quantity), sum(amount_cents)
            FROM added GROUP BY customer_id, kind ORDER BY customer_id, kind
            ON CONFLICT (customer_id, kind) DO UPDATE SET
                first_at = least(total.first_at, excluded.first_at),
                last_at = greatest(total.last_at, excluded.last_at),
                count = total.count + excluded.count,
                quantity = total.quantity + excluded.quantity,
                amount_cents = total.amount_cents + excluded.amount_cents
        )
        SELECT count(*) FROM added
    """  # noqa: S608 - column names are ours; values are bound
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, "kind": kind})
        return int(cursor.fetchone()[0])
