"""What an import brings under the number of somebody who was merged: it belongs to the person who is kept, and goes
along when that merge is undone, like the rows that the merge itself moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute, rows

# Of a chain of merges a number came through each of them: its rows go back step by step.
_CAME = """
    CREATE TEMPORARY TABLE import_came ON COMMIT DROP AS
    WITH RECURSIVE by_number AS (
        SELECT known.number, known.customer_id, merge.id AS merge_id, merge.kept_id
        FROM customers_customer AS gone
        JOIN import_known AS known ON gone.number = %(prefix)s || known.number AND known.record_id IS NULL
        JOIN customers_merge AS merge ON merge.absorbed_id = gone.id AND merge.undone_at IS NULL
        WHERE gone.merged_into_id IS NOT NULL
        UNION ALL
        SELECT by_number.number, by_number.customer_id, merge.id, merge.kept_id
        FROM by_number JOIN customers_merge AS merge ON merge.absorbed_id = by_number.kept_id
            AND merge.undone_at IS NULL
    ),
    moved AS (
        SELECT merge_id, unnest(ids) AS record_id FROM customers_mergedrows WHERE "table" = 'customers_sourcerecord'
    )
    SELECT number, customer_id, merge_id FROM by_number
    UNION ALL
    SELECT known.number, known.customer_id, moved.merge_id FROM import_known AS known JOIN moved USING (record_id)
"""
#: Format -> table and the rows of it that a run wrote for the numbers in ``came`` (merge_id, id).
_WRITTEN = {
    "customers": (
        "customers_sourcerecord",
        """SELECT came.merge_id, row.id FROM import_came AS came
        JOIN customers_sourcerecord AS row ON row.source_id = %(source)s AND row.key = came.number
            AND row.customer_id = came.customer_id AND row.run_id = %(run)s""",
    ),
    "subscriptions": (
        "customers_subscription",
        """SELECT came.merge_id, row.id FROM import_came AS came JOIN import_row AS r ON r.klantnummer = came.number
        JOIN customers_subscription AS row ON row.source_id = %(source)s AND row.number = r.abonnementnummer
            AND row.customer_id = came.customer_id AND row.run_id = %(run)s""",
    ),
    "consents": (
        "customers_consent",
        """SELECT came.merge_id, row.id FROM import_came AS came JOIN import_row AS r ON r.klantnummer = came.number
        JOIN customers_consent AS row ON row.source_id = %(source)s AND row.customer_id = came.customer_id
            AND row.run_id = %(run)s AND row.event_at >= customers_read_moment(r.tijdstip)
            AND row.event_at < customers_read_moment(r.tijdstip) + interval '1 millisecond'""",
    ),
    "facts": (
        "customers_fact",
        """SELECT came.merge_id, row.id FROM import_came AS came JOIN import_row AS r ON r.klantnummer = came.number
        JOIN customers_fact AS row ON row.source_id = %(source)s AND row.external_id = r.id
            AND row.customer_id = came.customer_id AND row.run_id = %(run)s""",
    ),
}
_REMEMBER = """
    INSERT INTO customers_mergedrows AS known (merge_id, "table", "column", ids)
    SELECT merge_id, '{table}', 'customer_id', array_agg(DISTINCT id) FROM ({written}) AS arrived GROUP BY merge_id
    ON CONFLICT (merge_id, "table", "column") DO UPDATE SET ids = (
        SELECT array_agg(DISTINCT id) FROM unnest(known.ids || excluded.ids) AS id
    )
"""


def remember_arrivals(format_code: str, values: Mapping[str, Any]) -> None:
    """Note with the merges which rows of this run came under numbers of who was merged. Call it when they are written;
    it reads ``import_known`` and ``import_row``, and costs nothing while nobody is merged.
    """
    merged = rows("SELECT EXISTS (SELECT FROM customers_merge WHERE undone_at IS NULL) AS found")
    if format_code not in _WRITTEN or not merged[0]["found"]:
        return
    execute(_CAME, values)
    execute("ANALYZE import_came")
    table, written = _WRITTEN[format_code]
    execute(_REMEMBER.format(table=table, written=written), values)
    execute("DROP TABLE import_came")
