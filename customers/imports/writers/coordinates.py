"""Places of postal codes: known by the code, in the middle of all rows that have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute
from customers.imports.undoing import Undone, kept_rows, remove_new, restore_changed
from customers.imports.writers.branches import changed_rows
from customers.imports.writers.merging import insert_new, keep_samples, update_changed

TABLE = "customers_postalplace"
DEGREES = r"^\d{1,2}([.,]\d{1,15})?$"
COLUMNS = ("latitude", "longitude")


def write_coordinates(present: frozenset[str], values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Write places of postal codes; return (new, changed, unchanged) codes."""
    del present  # all three columns are required
    good = execute(
        f"""
        CREATE TEMPORARY TABLE import_wanted ON COMMIT DROP AS
        SELECT told.*, old.id AS existing, jsonb_build_object('lat', told.latitude, 'lon', told.longitude) AS after
        FROM (
            SELECT min(r.row_number) AS row_number, upper(replace(r.postcode, ' ', '')) AS code,
                round(avg(replace(r.lat, ',', '.')::numeric), 6)::float8 AS latitude,
                round(avg(replace(r.lon, ',', '.')::numeric), 6)::float8 AS longitude
            FROM import_row AS r GROUP BY 2
        ) AS told
        LEFT JOIN {TABLE} AS old ON old.code = told.code
        """,  # noqa: S608
        values,
    )
    execute("ANALYZE import_wanted")
    new = insert_new(
        TABLE,
        "import_wanted",
        {"code": "code", "run_id": "%(run)s"} | {column: column for column in COLUMNS},
        values,
    )
    changed = update_changed(TABLE, "import_wanted", COLUMNS, values)
    keep_samples(
        "new",
        "SELECT row_number, code AS title, '{}'::jsonb AS before, after FROM import_wanted WHERE existing IS NULL",
        values,
    )
    keep_samples("changed", changed_rows(TABLE, list(COLUMNS), "code"), values)
    execute("DROP TABLE import_wanted")
    execute(f"ANALYZE {TABLE}")
    return new, changed, good - new - changed


def undo_coordinates(values: Mapping[str, Any]) -> Undone:
    """Take back the places of a run, and the changes it made to others."""
    restored, changed = restore_changed(TABLE, {column: f"was.{column}" for column in COLUMNS}, values)
    removed, kept = remove_new(TABLE, values)
    return removed, restored, kept_rows(changed=changed + kept)
