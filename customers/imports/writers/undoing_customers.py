"""Take back a run of customers: who came with it goes, as far as nothing hangs on them; who was known gets back what
stood there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute, rows
from customers.golden import refresh_sql
from customers.imports.progress import reached
from customers.imports.undoing import (
    Undone,
    changed_later,
    derived_rows,
    is_used,
    kept_rows,
    put_back,
    remove_added,
    restore_changed,
)
from customers.models import Customer
from customers.records import FIELDS

_COLUMNS = {
    **{field.column: f"was.{field.column}" for field in FIELDS.values() if field.column},
    "address_state": "was.address_state",
    "updated_at": "was.updated_at",
    # What may be gone by now.
    "branch_id": "(SELECT id FROM customers_branch AS branch WHERE branch.id = was.branch_id)",
    "household_id": """(
        SELECT household.id FROM customers_household AS household WHERE household.key
            = customers_household_key(was.postal_code, was.house_number, was.house_number_addition)
    )""",
}
# Their own tables, looked at one by one below.
_OWN = ("customers_sourcerecord", "customers_contactpoint", "customers_guardianship")


def undo_customers(values: Mapping[str, Any]) -> Undone:
    """Take back; return how many customers went, how many got back what they had, and how many stay as they are.

    1. parents; 2. who came with the run and nobody needs; 3. records; 4. columns and contact points as they were; 5.
    whoever is left, derived anew, for those of whom something else changed since.
    """
    execute("DELETE FROM customers_guardianship WHERE run_id = %(run)s", values)
    put_back("customers_guardianship", values)
    created, removed = _remove_created(values)
    reached(0.6 if created else 0.05)
    execute(_TOUCHED, values)
    execute(
        f"""
        DELETE FROM customers_sourcerecord AS record WHERE run_id = %(run)s AND updated_at = created_at
            AND customer_id NOT IN (SELECT id FROM undone_created)
            AND NOT {changed_later("customers_sourcerecord", "record")}
        """,  # noqa: S608
        values,
    )
    columns = {column: f"was.{column}" for column in ("values", "changed", "updated_at")}
    restored, changed = restore_changed("customers_sourcerecord", columns, values)
    reached(0.65)
    execute(_OLD_HOMES, values)
    restore_changed("customers_customer", _COLUMNS, values)
    remove_added("customers_contactpoint", values)
    _restore_points(values)
    reached(0.8)
    refresh_sql("SELECT id FROM undone_touched", now=values["now"])
    reached(0.95)
    execute(_HOMES, values)
    execute("DROP TABLE undone_created, undone_touched, undone_home")
    return removed, restored, kept_rows(used=created - removed, changed=changed)


def _remove_created(values: Mapping[str, Any]) -> tuple[int, int]:
    """Remove the customers who came with the run and are as they came; return how many came and how many went.

    Made at the moment of the run, by its source, with a record of the run: so one knows them without a mark of their
    own, which a million new customers would have to pay for.
    """
    execute(
        """
        CREATE TEMPORARY TABLE undone_created ON COMMIT DROP AS
        SELECT DISTINCT customer.id, false AS goes, customer.household_id
        FROM customers_sourcerecord AS record JOIN customers_customer AS customer ON customer.id = record.customer_id
        WHERE record.run_id = %(run)s AND customer.created_at = record.created_at AND customer.source_id = %(source)s
        """,
        values,
    )
    execute("CREATE INDEX ON undone_created (id)")
    execute("ANALYZE undone_created")
    derived = [each.code for each in derived_rows]
    needed = [
        is_used(Customer, "c", but=(*_OWN, *derived)),
        *(
            f"EXISTS (SELECT FROM {each.code} AS row WHERE row.{each.column} = c.id AND NOT ({each.where}))"
            for each in derived_rows
            if each.where != "true"
        ),
        "EXISTS (SELECT FROM customers_guardianship AS row WHERE c.id IN (row.child_id, row.guardian_id))",
        f"""EXISTS (
            SELECT FROM customers_sourcerecord AS record WHERE record.customer_id = c.id AND (
                record.run_id IS DISTINCT FROM %(run)s OR record.updated_at <> record.created_at
                OR {changed_later("customers_sourcerecord", "record")}
            )
        )""",  # noqa: S608
    ]
    execute(f"UPDATE undone_created AS c SET goes = true WHERE NOT ({' OR '.join(needed)})", values)  # noqa: S608
    going = "(SELECT id FROM undone_created WHERE goes)"
    reached(0.1)
    for each in derived_rows:
        execute(f"DELETE FROM {each.code} WHERE {each.column} IN {going}")  # noqa: S608
    reached(0.2)
    for table in ("customers_contactpoint", "customers_sourcerecord"):
        execute(f"DELETE FROM {table} WHERE customer_id IN {going}")  # noqa: S608
    reached(0.3)
    execute("CREATE TEMPORARY TABLE undone_home ON COMMIT DROP AS SELECT DISTINCT household_id FROM undone_created")
    removed = execute(f"DELETE FROM customers_customer WHERE id IN {going}")  # noqa: S608
    created = rows("SELECT count(*) AS created FROM undone_created")[0]["created"]
    execute("DELETE FROM undone_created WHERE goes")
    return created, removed


_TOUCHED = """
    CREATE TEMPORARY TABLE undone_touched ON COMMIT DROP AS
    SELECT customer_id AS id FROM customers_sourcerecord
    WHERE run_id = %(run)s AND customer_id NOT IN (SELECT id FROM undone_created)
    UNION
    SELECT record.customer_id FROM customers_importchange AS change
    JOIN customers_sourcerecord AS record ON record.id = change.row_id
    WHERE change.run_id = %(run)s AND change."table" = 'customers_sourcerecord'
"""


def _restore_points(values: Mapping[str, Any]) -> None:
    """In this order, since the database allows one primary point per channel at any moment."""
    execute(
        """
        UPDATE customers_contactpoint AS point SET is_primary = false FROM customers_importchange AS change
        WHERE change.run_id = %(run)s AND change."table" = 'customers_contactpoint' AND change.row_id = point.id
            AND change.after = to_jsonb(point) AND (change.before ->> 'is_primary')::bool IS NOT TRUE
            AND point.is_primary
        """,
        values,
    )
    execute(
        """
        UPDATE customers_contactpoint AS point
        SET is_primary = was.is_primary, source_id = was.source_id, updated_at = was.updated_at
        FROM customers_importchange AS change
        CROSS JOIN LATERAL jsonb_populate_record(NULL::customers_contactpoint, change.before) AS was
        WHERE change.run_id = %(run)s AND change."table" = 'customers_contactpoint' AND change.row_id = point.id
            AND change.before <> '{}' AND change.after - 'is_primary' = to_jsonb(point) - 'is_primary'
        """,
        values,
    )
    put_back(
        "customers_contactpoint", values, where="EXISTS (SELECT FROM undone_touched AS c WHERE c.id = was.customer_id)"
    )


_OLD_HOMES = """
    INSERT INTO customers_household (key)
    SELECT DISTINCT customers_household_key(was.postal_code, was.house_number, was.house_number_addition)
    FROM customers_importchange AS change
    CROSS JOIN LATERAL jsonb_populate_record(NULL::customers_customer, change.before) AS was
    WHERE change.run_id = %(run)s AND change."table" = 'customers_customer' AND was.household_id IS NOT NULL
        AND customers_household_key(was.postal_code, was.house_number, was.house_number_addition) IS NOT NULL
    ON CONFLICT (key) DO NOTHING
"""
# The homes that the run made, as far as nobody lives there.
_HOMES = """
    WITH left_behind AS (
        SELECT household_id FROM undone_home
        UNION
        SELECT (after ->> 'household_id')::bigint FROM customers_importchange
        WHERE run_id = %(run)s AND "table" = 'customers_customer'
    )
    DELETE FROM customers_household AS household USING left_behind
    WHERE household.id = left_behind.household_id
        AND NOT EXISTS (SELECT FROM customers_customer AS customer WHERE customer.household_id = household.id)
"""
