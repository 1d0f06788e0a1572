"""Branches: known by their code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute
from customers.imports.writers.merging import good_rows, insert_new, keep_or, update_changed

COLUMNS = {
    "naam": ("name", "r.naam", "''"),
    "straat": ("street", "r.straat", "''"),
    "huisnummer": ("house_number", "r.huisnummer", "''"),
    "postcode": ("postal_code", "coalesce(customers_read_postal_code(r.postcode), '')", "''"),
    "plaats": ("city", "r.plaats", "''"),
    "telefoon": ("phone", "r.telefoon", "''"),
    "email": ("sender_email", "coalesce(customers_read_email(r.email), '')", "''"),
}


def write_branches(present: frozenset[str], values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Write branches; return (new, changed, unchanged)."""
    wanted = keep_or(present, COLUMNS)
    cells = ", ".join(f"{expression} AS {column}" for column, expression in wanted.items())
    good = execute(
        f"""
        CREATE TEMPORARY TABLE import_wanted ON COMMIT DROP AS
        SELECT r.code, old.id AS existing, {cells}
        FROM ({good_rows()}) AS r LEFT JOIN customers_branch AS old ON old.code = r.code
        """,  # noqa: S608
        values,
    )
    new = insert_new(
        "customers_branch",
        "import_wanted",
        {"code": "code"} | {column: column for column in wanted},
        values,
    )
    changed = update_changed("customers_branch", "import_wanted", list(wanted), values)
    execute("DROP TABLE import_wanted")
    return new, changed, good - new - changed
