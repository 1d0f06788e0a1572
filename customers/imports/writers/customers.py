"""Customers: known by their number, with their contact points and the household of their address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute, rows
from customers.imports.formats import CUSTOMER_KINDS, GENDERS
from customers.imports.writers.contacts import write_contacts
from customers.imports.writers.merging import good_rows, keep_or

_KINDS = " ".join(f"WHEN '{word}' THEN '{code}'" for word, code in CUSTOMER_KINDS.items())
_GENDERS = " ".join(f"WHEN '{word}' THEN '{code}'" for word, code in GENDERS.items())

COLUMNS = {
    "soort": ("kind", f"CASE lower(r.soort) {_KINDS} END", "''"),
    "voorletters": ("initials", "r.voorletters", "''"),
    "voornaam": ("first_name", "r.voornaam", "''"),
    "tussenvoegsel": ("name_prefix", "r.tussenvoegsel", "''"),
    "achternaam": ("last_name", "r.achternaam", "''"),
    "geboortedatum": ("birth_date", "customers_read_date(r.geboortedatum)", "NULL"),
    "geslacht": ("gender", f"CASE lower(r.geslacht) {_GENDERS} ELSE '' END", "''"),
    "straat": ("street", "r.straat", "''"),
    "huisnummer": ("house_number", "r.huisnummer", "''"),
    "toevoeging": ("house_number_addition", "r.toevoeging", "''"),
    "postcode": ("postal_code", "coalesce(customers_read_postal_code(r.postcode), '')", "''"),
    "plaats": ("city", "r.plaats", "''"),
    "vestiging": ("branch_id", "branch.id", "NULL"),
    "inschrijfdatum": ("registered_on", "customers_read_date(r.inschrijfdatum)", "NULL"),
}


def write_customers(present: frozenset[str], values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Write customers; return (new, changed, unchanged). A new e-mail address or phone number is a change
    too.

    1. the wanted rows, with ids for new customers; 2. missing households; 3. new and changed customers; 4.
    contact points. ``import_touched`` gathers the ids of known customers that changed in any of these.
    """
    wanted = keep_or(present, COLUMNS)
    good = _want(wanted, values)
    execute("CREATE TEMPORARY TABLE import_touched (customer_id bigint) ON COMMIT DROP")
    _add_households()
    columns = [*wanted, "household_id"]
    new = execute(
        f"""
        INSERT INTO customers_customer
            (id, number, {", ".join(columns)}, source_id, link_version, created_at, updated_at)
        SELECT wanted.id, wanted.number, {", ".join(f"wanted.{column}" for column in wanted)}, household.id,
            %(source)s, 0, %(now)s, %(now)s
        FROM import_wanted AS wanted LEFT JOIN customers_household AS household USING (key) WHERE is_new
        """,  # noqa: S608
        values,
    )
    _change(list(wanted), values)
    for name, channel in (("email", "email"), ("telefoon", "phone")):
        if name in present:
            write_contacts(channel, values)
    changed = int(rows("SELECT count(DISTINCT customer_id) AS changed FROM import_touched")[0]["changed"])
    execute("DROP TABLE import_wanted, import_touched")
    return new, changed, good - new - changed


def _want(wanted: Mapping[str, str], values: Mapping[str, Any]) -> int:
    """Make ``import_wanted``; return how many rows it has. New customers have their id already."""
    cells = ", ".join(f"{expression} AS {column}" for column, expression in wanted.items())
    address = (wanted["postal_code"], wanted["house_number"], wanted["house_number_addition"])
    good = execute(
        f"""
        CREATE TEMPORARY TABLE import_wanted ON COMMIT DROP AS
        SELECT coalesce(old.id, nextval(pg_get_serial_sequence('customers_customer', 'id'))) AS id,
            old.id IS NULL AS is_new, r.klantnummer AS number, {cells},
            customers_household_key({", ".join(address)}) AS key,
            customers_read_email(r.email) AS email, customers_read_phone(r.telefoon) AS phone
        FROM ({good_rows()}) AS r
        LEFT JOIN customers_customer AS old ON old.number = r.klantnummer
        LEFT JOIN customers_branch AS branch ON branch.code = r.vestiging
        """,  # noqa: S608
        values,
    )
    execute("ANALYZE import_wanted")
    return good


def _add_households() -> None:
    execute(
        """
        INSERT INTO customers_household (key)
        SELECT DISTINCT key FROM import_wanted WHERE key IS NOT NULL
        EXCEPT SELECT key FROM customers_household
        ON CONFLICT (key) DO NOTHING
        """
    )


def _change(columns: list[str], values: Mapping[str, Any]) -> None:
    """Update known customers of whom anything differs, their household included."""
    mine = ", ".join(f"there.{column}" for column in columns)
    theirs = ", ".join(f"wanted.{column}" for column in columns)
    execute(
        f"""
        WITH changed AS (
            UPDATE customers_customer AS there
            SET {", ".join(f"{column} = wanted.{column}" for column in columns)},
                household_id = wanted.household_id, updated_at = %(now)s
            FROM (
                SELECT wanted.*, household.id AS household_id
                FROM import_wanted AS wanted LEFT JOIN customers_household AS household USING (key)
                WHERE NOT is_new
            ) AS wanted
            WHERE there.id = wanted.id
                AND ({mine}, there.household_id) IS DISTINCT FROM ({theirs}, wanted.household_id)
            RETURNING there.id
        )
        INSERT INTO import_touched SELECT id FROM changed
        """,  # noqa: S608
        values,
    )
