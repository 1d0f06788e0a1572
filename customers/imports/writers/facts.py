"""Facts: known by source, id and customer; never changed once they are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute, rows
from customers.imports.writers.merging import good_rows
from customers.recording import FACT_COLUMNS, insert_facts

_WORLD = "lower(regexp_replace(r.wereld, '[^[:alnum:]]+', '-', 'g'))"


def write_facts(present: frozenset[str], values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Add the facts that are not known yet and their totals; return (new, 0, known)."""
    _refuse_shared_ids()
    if "wereld" in present:
        _add_worlds()
    select = f"""
        SELECT customer.id AS customer_id, (%(kinds)s::jsonb) ->> lower(r.soort) AS kind,
            coalesce(
                customers_read_moment(r.tijdstip),
                customers_read_date(r.tijdstip)::timestamp AT TIME ZONE 'Europe/Amsterdam'
            ) AS occurred_at,
            branch.id AS branch_id, lower(r.sector) AS sector, {_WORLD} AS world, lower(r.genre) AS genre,
            coalesce(customers_read_whole(r.aantal), 1) AS quantity,
            coalesce(customers_read_cents(r.bedrag), 0) AS amount_cents,
            coalesce(customers_read_whole(r.duur), 0) AS duration_seconds,
            %(source)s AS source_id, r.id AS external_id
        FROM ({good_rows()}) AS r
        JOIN customers_customer AS customer ON customer.number = r.klantnummer
        LEFT JOIN customers_branch AS branch ON branch.code = r.vestiging
    """  # noqa: S608
    new = insert_facts(select, values, columns=list(FACT_COLUMNS))
    good = rows(f"SELECT count(*) AS good FROM ({good_rows()}) AS r")[0]["good"]  # noqa: S608
    return new, 0, good - new


def _refuse_shared_ids() -> None:
    """Refuse rows whose id an earlier row of the file gave to another customer; the first one stands."""
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


def _add_worlds() -> None:
    """Add worlds that the file names and the list lacks, so that they can be chosen; staff may rename them."""
    execute(
        f"""
        INSERT INTO customers_world (code, name)
        SELECT DISTINCT ON (code) code, name
        FROM (SELECT {_WORLD} AS code, upper(left(r.wereld, 1)) || replace(substr(r.wereld, 2), '-', ' ') AS name
              FROM (SELECT DISTINCT wereld FROM ({good_rows()}) AS r WHERE wereld <> '') AS r) AS named
        WHERE btrim(code, '-') <> '' ORDER BY code
        ON CONFLICT (code) DO NOTHING
        """  # noqa: S608
    )
