"""Customers: what a source says of each goes into its record; who is new comes in by the shortest way, who is known
and of whom it says something else is derived anew (``customers.golden``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute, rows
from customers.golden import TEXTS, adopt_sql, refresh_sql
from customers.imports.progress import reached
from customers.imports.words import CUSTOMER_KINDS, GENDERS
from customers.imports.writers.guardians import link_waiting_children, write_guardians
from customers.imports.writers.merging import SAMPLES, good_rows, keep_samples, remark
from customers.imports.writers.undoing_customers import undo_customers
from customers.models import ErasedKey, Feed
from customers.privacy import keys

__all__ = ["refuse_customers", "undo_customers", "write_customers"]

_KINDS = " ".join(f"WHEN '{word}' THEN '{code}'" for word, code in CUSTOMER_KINDS.items())
_GENDERS = " ".join(f"WHEN '{word}' THEN '{code}'" for word, code in GENDERS.items())

# name in the file: field of the record, its text in normal form
SAID = {
    "soort": ("kind", f"CASE lower(r.soort) {_KINDS} END"),
    "pasnummer": ("card_number", "r.pasnummer"),
    "voorletters": ("initials", "r.voorletters"),
    "voornaam": ("first_name", "r.voornaam"),
    "tussenvoegsel": ("name_prefix", "r.tussenvoegsel"),
    "achternaam": ("last_name", "r.achternaam"),
    "geboortedatum": ("birth_date", "coalesce(customers_read_date(r.geboortedatum)::text, '')"),
    "geslacht": ("gender", f"CASE lower(r.geslacht) {_GENDERS} ELSE '' END"),
    "email": ("email", "coalesce(customers_read_email(r.email), '')"),
    "telefoon": ("phone", "coalesce(customers_read_phone(r.telefoon), '')"),
    "straat": ("street", "r.straat"),
    "huisnummer": ("house_number", "r.huisnummer"),
    "toevoeging": ("house_number_addition", "r.toevoeging"),
    "postcode": ("postal_code", "coalesce(customers_read_postal_code(r.postcode), '')"),
    "plaats": ("city", "r.plaats"),
    "vestiging": ("branch", "r.vestiging"),
    "inschrijfdatum": ("registered_on", "coalesce(customers_read_date(r.inschrijfdatum)::text, '')"),
    "overleden": ("deceased_on", "coalesce(customers_read_date(r.overleden)::text, '')"),
    "ouder_klantnummer": ("guardian", "r.ouder_klantnummer"),
}
# column of the customer: how it follows from the record; a column that the file lacks has nothing in the record
_COLUMNS = {
    **{
        field: f"coalesce(w.said ->> '{field}', '')"
        for field in (
            "kind", "card_number", "initials", "first_name", "name_prefix", "last_name", "gender", "street",
            "house_number", "house_number_addition", "postal_code", "city",
        )
    },
    **{field: f"nullif(w.said ->> '{field}', '')::date" for field in ("birth_date", "registered_on", "deceased_on")},
    "branch_id": "branch.id",
}  # fmt: skip


def refuse_customers(present: frozenset[str], values: Mapping[str, Any]) -> None:
    """Find by e-mail address and name who is known under no number, when the feed wants that; refuse who was erased.

    An erased person comes back only by asking himself: his number, e-mail address or home does not let a file bring him
    in, and neither his e-mail address nor his telephone number comes in with somebody else.
    """
    if values["matching"] == Feed.Matching.EMAIL and "email" in present:
        _match_by_email(values)
    if not ErasedKey.objects.exists():
        return
    execute(
        f"""
        INSERT INTO import_problem (row_number, column_name, value, code)
        SELECT DISTINCT ON (r.row_number) r.row_number, found.name, '', 'erased'
        FROM ({good_rows()}) AS r JOIN import_known AS known ON known.number = r.klantnummer
        CROSS JOIN LATERAL (VALUES
            ('klantnummer', 'number', %(prefix)s || r.klantnummer), ('email', 'email', customers_read_email(r.email)),
            ('achternaam', 'home', customers_erased_home(
                customers_read_postal_code(r.postcode), r.huisnummer, r.toevoeging,
                coalesce(nullif(r.voornaam, ''), r.voorletters), r.achternaam))
        ) AS found (name, what, value)
        JOIN customers_erasedkey AS erased ON erased.what = found.what
            AND erased.digest = customers_erased_digest(%(privacy_key)s, found.what, found.value)
        WHERE known.customer_id IS NULL AND found.value <> ''
        """,  # noqa: S608
        {**values, "privacy_key": keys.key()},
    )
    for name, what, reader in (
        ("email", "email", "customers_read_email"),
        ("telefoon", "phone", "customers_read_phone"),
    ):
        if name in present:
            _leave_out_erased(name, what, reader, values)


def _leave_out_erased(column: str, what: str, reader: str, values: Mapping[str, Any]) -> None:
    """Empty the cells of others with an address or telephone number that was erased: the person may come in, that may
    not. Who has it already keeps it, as it was his too when it was erased.
    """
    emptied = execute(
        f"""
        UPDATE import_row AS r SET {column} = ''
        FROM (
            SELECT r.row_number, {reader}(r.{column}) AS value
            FROM ({good_rows()}) AS r JOIN import_known AS known ON known.number = r.klantnummer
            WHERE r.{column} <> '' AND NOT EXISTS (
                SELECT FROM customers_contactpoint AS point
                WHERE point.customer_id = known.customer_id AND point.channel = '{what}'
                    AND point.value = {reader}(r.{column}))
            OFFSET 0
        ) AS told
        JOIN customers_erasedkey AS erased ON erased.what = '{what}'
            AND erased.digest = customers_erased_digest(%(privacy_key)s, '{what}', told.value)
        WHERE r.row_number = told.row_number
        """,  # noqa: S608 - names are ours
        {**values, "privacy_key": keys.key()},
    )
    remark("erased_address", f"SELECT {emptied:d}", values)


def _match_by_email(values: Mapping[str, Any]) -> None:
    """One person with this address and this last name: that is who is meant. Two are none."""
    execute(
        f"""
        UPDATE import_known AS known SET customer_id = same.id
        FROM (
            SELECT r.klantnummer, min(customer.id) AS id
            FROM ({good_rows()}) AS r
            JOIN customers_contactpoint AS point
                ON point.channel = 'email' AND point.value = customers_read_email(r.email)
            JOIN customers_customer AS customer ON customer.id = point.customer_id AND customer.merged_into_id IS NULL
            WHERE r.achternaam <> '' AND customers_name_key(customer.last_name, '', '', '')
                = customers_name_key(r.achternaam, '', '', '')
                AND (r.voornaam = '' OR customer.first_name = ''
                    OR left(lower(r.voornaam), 1) = left(lower(customer.first_name), 1))
            GROUP BY r.klantnummer HAVING count(DISTINCT customer.id) = 1
        ) AS same
        WHERE known.number = same.klantnummer AND known.customer_id IS NULL
        """,  # noqa: S608
        values,
    )


def write_customers(present: frozenset[str], values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Write customers; return (new, changed, unchanged): changed is of whom this source says something else.

    1. the rows that say something new; 2. new customers with their households and contact points; 3. records; 4.
    known customers anew; 5. parents.
    """
    good = int(rows("SELECT count(*) AS good FROM import_row AS r")[0]["good"])
    wanted = _want(present, values)
    reached(0.2)
    new = _add_customers(values)
    reached(0.2 + 0.5 * new / max(wanted, 1))
    _add_points(values)
    changed = wanted - new
    if changed:
        _change_known(values)
    reached(0.9)
    if "ouder_klantnummer" in present:
        write_guardians(values)
    if new:
        link_waiting_children(values)
    execute("DROP TABLE import_wanted")
    return new, changed, good - wanted


def _want(present: frozenset[str], values: Mapping[str, Any]) -> int:
    """Make ``import_wanted``: the rows of which the record says something else or is not there. New customers have
    their id already. Return how many there are.
    """
    cells = ", ".join(f"'{field}', {text}" for name, (field, text) in SAID.items() if name in present)
    # Its name once; asked for in the statement, the catalogue would be asked for every row.
    sequence = rows("SELECT pg_get_serial_sequence('customers_customer', 'id') AS name")[0]["name"]
    wanted = execute(
        f"""
        CREATE TEMPORARY TABLE import_wanted ON COMMIT DROP AS
        SELECT told.row_number, told.key, told.record_id, told.said, told.is_new,
            CASE WHEN told.is_new THEN nextval(%(sequence)s::regclass) ELSE told.customer_id END AS id,
            CASE WHEN told.is_new THEN customers_household_key(
                said ->> 'postal_code', said ->> 'house_number', coalesce(said ->> 'house_number_addition', '')
            ) END AS home
        FROM (
            SELECT r.row_number, r.klantnummer AS key, known.record_id, known.customer_id,
                known.customer_id IS NULL AS is_new, jsonb_build_object({cells}) AS said
            FROM import_row AS r JOIN import_known AS known ON known.number = r.klantnummer OFFSET 0
        ) AS told
        LEFT JOIN customers_sourcerecord AS record ON record.id = told.record_id
        WHERE record.id IS NULL OR NOT record.values @> told.said
        """,  # noqa: S608
        {**values, "sequence": sequence},
    )
    execute("ANALYZE import_wanted")
    return wanted


def _add_customers(values: Mapping[str, Any]) -> int:
    """Add the homes and then the people who are new; return how many people."""
    execute(
        """
        INSERT INTO customers_household (key)
        SELECT DISTINCT home FROM import_wanted WHERE home IS NOT NULL
        EXCEPT SELECT key FROM customers_household
        ON CONFLICT (key) DO NOTHING
        """
    )
    new = execute(
        f"""
        INSERT INTO customers_customer
            (id, number, {", ".join(_COLUMNS)}, household_id, source_id, link_version, created_at, updated_at)
        SELECT w.id, %(prefix)s || w.key, {", ".join(_COLUMNS.values())}, household.id, %(source)s, 0, %(now)s, %(now)s
        FROM import_wanted AS w
        LEFT JOIN customers_household AS household ON household.key = w.home
        LEFT JOIN customers_branch AS branch ON branch.code = w.said ->> 'branch'
        WHERE w.is_new
        """,  # noqa: S608
        values,
    )
    keep_samples(
        "new",
        """
        SELECT row_number, key AS title, '{}'::jsonb AS before,
            (SELECT jsonb_object_agg(cell.key, cell.value) FROM jsonb_each(said) AS cell WHERE cell.value <> '""')
                AS after
        FROM import_wanted WHERE is_new
        """,
        values,
    )
    execute(
        """
        INSERT INTO customers_sourcerecord
            (source_id, key, customer_id, values, changed, run_id, created_at, updated_at)
        SELECT %(source)s, key, id, said, '{}', %(run)s, %(now)s, %(now)s FROM import_wanted WHERE is_new
        """,
        values,
    )
    return new


def _add_points(values: Mapping[str, Any]) -> None:
    execute(
        """
        INSERT INTO customers_contactpoint (customer_id, channel, value, is_primary, source_id, updated_at)
        SELECT w.id, point.channel, point.value, true, %(source)s, %(now)s
        FROM import_wanted AS w
        CROSS JOIN LATERAL (
            VALUES ('email', w.said ->> 'email'), ('phone', w.said ->> 'phone')
        ) AS point (channel, value)
        WHERE w.is_new AND point.value <> ''
        """,
        values,
    )


_KNOWN_IDS = "SELECT id FROM import_wanted WHERE NOT is_new"


def _change_known(values: Mapping[str, Any]) -> None:
    """Write the records of known customers, those of others first where they have none yet, and derive them anew."""
    adopt_sql(_KNOWN_IDS)
    # The adopted record of this source may be the one that the file speaks of.
    execute(
        """
        UPDATE import_wanted AS w SET record_id = record.id FROM customers_sourcerecord AS record
        WHERE NOT w.is_new AND w.record_id IS NULL AND record.source_id = %(source)s AND record.key = w.key
        """,
        values,
    )
    execute(_CHANGE_RECORDS, values)
    execute(
        """
        INSERT INTO customers_sourcerecord
            (source_id, key, customer_id, values, changed, run_id, created_at, updated_at)
        SELECT %(source)s, key, id, said, '{}', %(run)s, %(now)s, %(now)s FROM import_wanted
        WHERE NOT is_new AND record_id IS NULL
        """,
        values,
    )
    reached(0.5)
    count = SAMPLES if values["is_trial"] else 0
    sampled = f"SELECT id FROM import_wanted WHERE NOT is_new ORDER BY row_number LIMIT {count}"  # noqa: S608
    execute(f"CREATE TEMPORARY TABLE import_before ON COMMIT DROP AS {TEXTS.format(ids=sampled)}")
    refresh_sql(_KNOWN_IDS, values, now=values["now"], run_id=values["run"])
    keep_samples("changed", _DIFFERING.format(now_there=TEXTS.format(ids=sampled)), values)
    execute("DROP TABLE import_before")


_CHANGE_RECORDS = """
    WITH changed AS (
        UPDATE customers_sourcerecord AS record
        SET values = record.values || w.said, updated_at = %(now)s,
            changed = record.changed || (
                SELECT coalesce(jsonb_object_agg(cell.key, to_jsonb(%(now)s::timestamptz)), '{}')
                FROM jsonb_each(w.said) AS cell WHERE record.values -> cell.key IS DISTINCT FROM cell.value
            )
        FROM import_wanted AS w, customers_sourcerecord AS was
        WHERE record.id = w.record_id AND was.id = record.id AND NOT record.values @> w.said
        RETURNING record.id, to_jsonb(was) AS before, to_jsonb(record) AS after
    )
    INSERT INTO customers_importchange (run_id, "table", row_id, before, after)
    SELECT %(run)s, 'customers_sourcerecord', id, before, after FROM changed
"""
# What shows on the customer; where another source is believed, nothing does.
_DIFFERING = """
    SELECT w.row_number, w.key AS title, coalesce(differing.before, '{{}}') AS before,
        coalesce(differing.after, '{{}}') AS after
    FROM import_wanted AS w JOIN import_before AS was ON was.id = w.id JOIN ({now_there}) AS there ON there.id = w.id
    CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(cell.key, was.texts -> cell.key) AS before,
            jsonb_object_agg(cell.key, cell.value) AS after
        FROM jsonb_each(there.texts) AS cell WHERE was.texts -> cell.key IS DISTINCT FROM cell.value
    ) AS differing
    WHERE NOT w.is_new
"""
