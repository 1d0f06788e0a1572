"""Subscriptions: known by source, number and customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute
from customers.imports.formats import PAYMENT_METHODS
from customers.imports.writers.merging import good_rows, insert_new, keep_or, update_changed

_METHODS = " ".join(f"WHEN '{word}' THEN '{code}'" for word, code in PAYMENT_METHODS.items())

COLUMNS = {
    "soort": ("type", "btrim(left(regexp_replace(lower(r.soort), '[^a-z0-9_]+', '-', 'g'), 40), '-')", "''"),
    "omschrijving": ("name", "coalesce(nullif(r.omschrijving, ''), r.soort)", "r.soort"),
    "prijs": ("price_cents", "customers_read_cents(r.prijs)", "0"),
    "begindatum": ("started_on", "customers_read_date(r.begindatum)", "NULL"),
    "einddatum": ("ended_on", "customers_read_date(r.einddatum)", "NULL"),
    "betaalwijze": ("payment_method", f"CASE lower(r.betaalwijze) {_METHODS} END", "''"),
}


def write_subscriptions(present: frozenset[str], values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Write subscriptions; return (new, changed, unchanged)."""
    wanted = keep_or(present, COLUMNS)
    cells = ", ".join(f"{expression} AS {column}" for column, expression in wanted.items())
    good = execute(
        f"""
        CREATE TEMPORARY TABLE import_wanted ON COMMIT DROP AS
        SELECT r.abonnementnummer AS number, customer.id AS customer_id, old.id AS existing, {cells}
        FROM ({good_rows()}) AS r
        JOIN customers_customer AS customer ON customer.number = r.klantnummer
        LEFT JOIN customers_subscription AS old ON old.source_id = %(source)s
            AND old.number = r.abonnementnummer AND old.customer_id = customer.id
        """,  # noqa: S608
        values,
    )
    new = insert_new(
        "customers_subscription",
        "import_wanted",
        {"number": "number", "customer_id": "customer_id", "source_id": "%(source)s"}
        | {column: column for column in wanted},
        values,
    )
    changed = update_changed("customers_subscription", "import_wanted", list(wanted), values)
    execute("DROP TABLE import_wanted")
    return new, changed, good - new - changed
