"""Branches: known by their code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute
from customers.imports.undoing import Undone, is_used, kept_rows, remove_added, restore_changed
from customers.imports.writers.merging import cells_of_row, keep_or, keep_samples, update_changed
from customers.models import Branch

COLUMNS = {
    "naam": ("name", "r.naam", "''"),
    "straat": ("street", "r.straat", "''"),
    "huisnummer": ("house_number", "r.huisnummer", "''"),
    "postcode": ("postal_code", "coalesce(customers_read_postal_code(r.postcode), '')", "''"),
    "plaats": ("city", "r.plaats", "''"),
    "telefoon": ("phone", "r.telefoon", "''"),
    "email": ("email", "coalesce(customers_read_email(r.email), '')", "''"),
}
TABLE = "customers_branch"


def write_branches(present: frozenset[str], values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Write branches; return (new, changed, unchanged)."""
    wanted = keep_or(present, COLUMNS)
    cells = ", ".join(f"{expression} AS {column}" for column, expression in wanted.items())
    good = execute(
        f"""
        CREATE TEMPORARY TABLE import_wanted ON COMMIT DROP AS
        SELECT r.row_number, r.code, old.id AS existing, {cells}, {cells_of_row(present)} AS told
        FROM import_row AS r LEFT JOIN {TABLE} AS old ON old.code = r.code
        """,  # noqa: S608
        values,
    )
    names = ", ".join(wanted)
    new = execute(
        f"""
        WITH added AS (
            INSERT INTO {TABLE} (code, {names}) SELECT code, {names} FROM import_wanted WHERE existing IS NULL
            RETURNING *
        )
        INSERT INTO customers_importchange (run_id, "table", row_id, before, after)
        SELECT %(run)s, '{TABLE}', added.id, '{{}}', to_jsonb(added) FROM added
        """,  # noqa: S608
        values,
    )
    changed = update_changed(TABLE, "import_wanted", list(wanted), values)
    keep_samples(
        "new",
        "SELECT row_number, code AS title, '{}'::jsonb AS before, told AS after FROM import_wanted"
        " WHERE existing IS NULL",
        values,
    )
    keep_samples("changed", changed_rows(TABLE, list(wanted), "code"), values)
    execute("DROP TABLE import_wanted")
    return new, changed, good - new - changed


def changed_rows(table: str, columns: list[str], title: str) -> str:
    """Return SQL over ``import_wanted`` and what the run changed: the columns that differ, before and after."""
    names = ", ".join(f"'{column}'" for column in columns)
    return f"""
        SELECT wanted.row_number, wanted.{title} AS title, differing.before, differing.after
        FROM customers_importchange AS change JOIN import_wanted AS wanted ON wanted.existing = change.row_id
        CROSS JOIN LATERAL (
            SELECT jsonb_object_agg(was.key, was.value) AS before,
                jsonb_object_agg(was.key, change.after -> was.key) AS after
            FROM jsonb_each(change.before) AS was
            WHERE was.key IN ({names}) AND was.value <> change.after -> was.key
        ) AS differing
        WHERE change.run_id = %(run)s AND change."table" = '{table}' AND change.before <> '{{}}'
    """  # noqa: S608


def undo_branches(values: Mapping[str, Any]) -> Undone:
    """Take back what a run did to branches; a branch that somebody belongs to stays."""
    columns = {column: f"was.{column}" for column, _cell, _else in COLUMNS.values()}
    restored, changed = restore_changed(TABLE, columns, values)
    removed, kept = remove_added(TABLE, values, used=is_used(Branch, "there"))
    return removed, restored, kept_rows(changed=changed, used=kept)
