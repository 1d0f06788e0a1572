"""Facts: known by source, id and customer; never changed once they are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute, rows
from customers.imports.undoing import Undone, kept_rows, remove_added
from customers.imports.writers.merging import cells_of_row, good_rows, keep_samples
from customers.recording import FACT_COLUMNS, insert_facts, recount_totals

_WORLD = "lower(regexp_replace(r.wereld, '[^[:alnum:]]+', '-', 'g'))"
_WHEN = """coalesce(
    customers_read_moment(r.tijdstip), customers_read_date(r.tijdstip)::timestamp AT TIME ZONE 'Europe/Amsterdam'
)"""


def write_facts(present: frozenset[str], values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Add the facts that are not known yet and their totals; return (new, 0, known)."""
    if "wereld" in present:
        _add_worlds(values)
    select = f"""
        SELECT known.customer_id, (%(kinds)s::jsonb) ->> lower(r.soort) AS kind, {_WHEN} AS occurred_at,
            branch.id AS branch_id, lower(r.sector) AS sector, {_WORLD} AS world, lower(r.genre) AS genre,
            coalesce(customers_read_whole(r.aantal), 1) AS quantity,
            coalesce(customers_read_cents(r.bedrag), 0) AS amount_cents,
            coalesce(customers_read_whole(r.duur), 0) AS duration_seconds,
            %(source)s AS source_id, r.id AS external_id, %(run)s AS run_id
        FROM ({good_rows()}) AS r
        JOIN import_known AS known ON known.number = r.klantnummer
        LEFT JOIN customers_branch AS branch ON branch.code = r.vestiging
    """  # noqa: S608
    new = insert_facts(select, values, columns=list(FACT_COLUMNS))
    keep_samples(
        "new",
        f"""
        SELECT r.row_number, r.klantnummer AS title, '{{}}'::jsonb AS before, {cells_of_row(sorted(present))} AS after
        FROM ({good_rows()}) AS r JOIN import_known AS known ON known.number = r.klantnummer
        JOIN customers_fact AS added ON added.source_id = %(source)s AND added.external_id = r.id
            AND added.customer_id = known.customer_id AND added.run_id = %(run)s
        """,  # noqa: S608
        values,
    )
    good = rows(f"SELECT count(*) AS good FROM ({good_rows()}) AS r")[0]["good"]  # noqa: S608
    return new, 0, good - new


def refuse_facts(present: frozenset[str], values: Mapping[str, Any]) -> None:
    """Refuse rows whose id is known of another customer, or was given to another by an earlier row of the file.

    What a merge left behind with somebody's earlier number is not another customer's.
    """
    execute(
        f"""
        INSERT INTO import_problem (row_number, column_name, value, code)
        SELECT r.row_number, 'id', left(r.id, 200), 'other_customer'
        FROM ({good_rows()}) AS r JOIN import_known AS known ON known.number = r.klantnummer
        JOIN customers_fact AS taken ON taken.source_id = %(source)s AND taken.external_id = r.id
        JOIN customers_customer AS holder ON holder.id = taken.customer_id AND holder.merged_into_id IS NULL
        WHERE taken.customer_id <> known.customer_id
        """,  # noqa: S608
        values,
    )
    execute(
        f"""
        WITH good AS ({good_rows()}),
        shared AS (
            SELECT id, min(row_number) AS first FROM good GROUP BY id HAVING min(klantnummer) <> max(klantnummer)
        )
        INSERT INTO import_problem (row_number, column_name, value, code)
        SELECT good.row_number, 'id', left(good.id, 200), 'other_customer'
        FROM shared JOIN good USING (id) JOIN import_row AS told ON told.row_number = shared.first
        WHERE good.klantnummer <> told.klantnummer
        """  # noqa: S608
    )


def _add_worlds(values: Mapping[str, Any]) -> None:
    """Add worlds that the file names and the list lacks, so that they can be chosen; staff may rename them."""
    execute(
        f"""
        WITH added AS (
            INSERT INTO customers_world (code, name)
            SELECT DISTINCT ON (code) code, name
            FROM (
                SELECT {_WORLD} AS code, upper(left(r.wereld, 1)) || replace(substr(r.wereld, 2), '-', ' ') AS name
                FROM (SELECT DISTINCT wereld FROM ({good_rows()}) AS r WHERE wereld <> '') AS r
            ) AS named
            WHERE btrim(code, '-') <> '' ORDER BY code
            ON CONFLICT (code) DO NOTHING RETURNING *
        )
        INSERT INTO customers_importchange (run_id, "table", row_id, before, after)
        SELECT %(run)s, 'customers_world', id, '{{}}', to_jsonb(added) FROM added
        """,  # noqa: S608
        values,
    )


def undo_facts(values: Mapping[str, Any]) -> Undone:
    """Remove the facts of a run and count the totals of their customers anew."""
    execute("CREATE TEMPORARY TABLE undone_fact (customer_id bigint) ON COMMIT DROP")
    removed = execute(
        """
        WITH gone AS (DELETE FROM customers_fact WHERE run_id = %(run)s RETURNING customer_id)
        INSERT INTO undone_fact SELECT customer_id FROM gone
        """,
        values,
    )
    recount_totals("SELECT customer_id FROM undone_fact")
    execute("DROP TABLE undone_fact")
    used = "EXISTS (SELECT FROM customers_fact AS fact WHERE fact.world = there.code)"
    _removed, kept = remove_added("customers_world", values, used=used)
    return removed, 0, kept_rows(used=kept)
