"""Subscriptions: known by source, number and customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute
from customers.imports.progress import reached
from customers.imports.undoing import Undone, is_used, kept_rows, remove_new, restore_changed
from customers.imports.words import PAYMENT_METHODS
from customers.imports.writers.branches import changed_rows
from customers.imports.writers.merging import (
    cells_of_row,
    insert_new,
    keep_or,
    keep_samples,
    update_changed,
)
from customers.models import Subscription

_METHODS = " ".join(f"WHEN '{word}' THEN '{code}'" for word, code in PAYMENT_METHODS.items())

COLUMNS = {
    "soort": ("type", "btrim(left(regexp_replace(lower(r.soort), '[^a-z0-9_]+', '-', 'g'), 40), '-')", "''"),
    "omschrijving": ("name", "coalesce(nullif(r.omschrijving, ''), r.soort)", "r.soort"),
    "prijs": ("price_cents", "customers_read_cents(r.prijs)", "0"),
    "begindatum": ("started_on", "customers_read_date(r.begindatum)", "NULL"),
    "einddatum": ("ended_on", "customers_read_date(r.einddatum)", "NULL"),
    "betaalwijze": ("payment_method", f"CASE lower(r.betaalwijze) {_METHODS} END", "''"),
}
TABLE = "customers_subscription"


def write_subscriptions(present: frozenset[str], values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Write subscriptions; return (new, changed, unchanged)."""
    wanted = keep_or(present, COLUMNS)
    cells = ", ".join(f"{expression} AS {column}" for column, expression in wanted.items())
    good = execute(
        f"""
        CREATE TEMPORARY TABLE import_wanted ON COMMIT DROP AS
        SELECT r.row_number, r.abonnementnummer AS number, known.customer_id, old.id AS existing, {cells},
            CASE WHEN %(is_trial)s THEN {cells_of_row(present)} END AS told
        FROM import_row AS r
        JOIN import_known AS known ON known.number = r.klantnummer
        LEFT JOIN customers_subscription AS old ON old.source_id = %(source)s
            AND old.number = r.abonnementnummer AND old.customer_id = known.customer_id
        """,  # noqa: S608
        values,
    )
    reached(0.3)
    new = insert_new(
        TABLE,
        "import_wanted",
        {"number": "number", "customer_id": "customer_id", "source_id": "%(source)s", "run_id": "%(run)s"}
        | {column: column for column in wanted},
        values,
    )
    reached(0.6)
    changed = update_changed(TABLE, "import_wanted", list(wanted), values)
    keep_samples(
        "new",
        "SELECT row_number, number AS title, '{}'::jsonb AS before, told AS after FROM import_wanted"
        " WHERE existing IS NULL",
        values,
    )
    keep_samples("changed", changed_rows(TABLE, list(wanted), "number"), values)
    execute("DROP TABLE import_wanted")
    return new, changed, good - new - changed


def undo_subscriptions(values: Mapping[str, Any]) -> Undone:
    """Take back the subscriptions of a run, and the changes it made to others."""
    columns = {column: f"was.{column}" for column, _cell, _else in COLUMNS.values()}
    restored, changed = restore_changed(TABLE, columns, values)
    removed, kept = remove_new(TABLE, values, used=is_used(Subscription, "there"))
    return removed, restored, kept_rows(changed=changed + kept)
