"""Parents of children, as the customers' file names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute
from customers.imports.writers.merging import remark


def write_guardians(values: Mapping[str, Any]) -> None:
    """Add the parents that good rows name, and take away those whom this source named before and names no more.

    Both are in the database by now: the numbers are looked up again.
    """
    execute(
        """
        CREATE TEMPORARY TABLE import_guardian ON COMMIT DROP AS
        SELECT child.customer_id AS child_id, coalesce(record.customer_id, known.customer_id) AS guardian_id
        FROM import_row AS r
        JOIN customers_sourcerecord AS child ON child.source_id = %(source)s AND child.key = r.klantnummer
        LEFT JOIN customers_sourcerecord AS record ON record.source_id = %(source)s
            AND record.key = r.ouder_klantnummer AND r.ouder_klantnummer <> ''
        LEFT JOIN import_known AS known ON known.number = r.ouder_klantnummer AND r.ouder_klantnummer <> ''
        """,
        values,
    )
    execute(
        """
        WITH gone AS (
            DELETE FROM customers_guardianship AS there USING import_guardian AS wanted
            WHERE there.child_id = wanted.child_id AND there.source_id = %(source)s
                AND there.guardian_id IS DISTINCT FROM wanted.guardian_id
            RETURNING there.*
        )
        INSERT INTO customers_importchange (run_id, "table", row_id, before, after)
        SELECT %(run)s, 'customers_guardianship', gone.id, to_jsonb(gone), '{}' FROM gone
        """,
        values,
    )
    execute(
        """
        INSERT INTO customers_guardianship (child_id, guardian_id, source_id, run_id, created_at)
        SELECT DISTINCT child_id, guardian_id, %(source)s::bigint, %(run)s::bigint, %(now)s::timestamptz
        FROM import_guardian WHERE guardian_id <> child_id
        ON CONFLICT (child_id, guardian_id) DO NOTHING
        """,
        values,
    )
    remark(
        "parent_refused",
        "SELECT count(*) FROM import_row AS r JOIN customers_sourcerecord AS child ON child.source_id = %(source)s"
        " AND child.key = r.klantnummer JOIN import_guardian AS wanted ON wanted.child_id = child.customer_id"
        " WHERE r.ouder_klantnummer <> '' AND wanted.guardian_id IS NULL",
        values,
    )
    execute("DROP TABLE import_guardian")


def link_waiting_children(values: Mapping[str, Any]) -> None:
    """Give the newcomers the children of whom this source named them as parent before they were let in."""
    execute(
        """
        INSERT INTO customers_guardianship (child_id, guardian_id, source_id, run_id, created_at)
        SELECT DISTINCT child.customer_id, w.id, %(source)s::bigint, %(run)s::bigint, %(now)s::timestamptz
        FROM import_wanted AS w JOIN customers_sourcerecord AS child ON child.source_id = %(source)s
            AND child.values ->> 'guardian' = w.key AND child.values ->> 'guardian' <> ''
        WHERE w.is_new AND child.customer_id <> w.id
        ON CONFLICT (child_id, guardian_id) DO NOTHING
        """,
        values,
    )
