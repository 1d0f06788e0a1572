"""The one view of a person: the customer's columns, contact points and household, as all sources together say it.

``customers.records`` has the rule. Here it runs by statement over any number of customers (``refresh_sql``), and tells
for one customer whose word each field is (``provenance``).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from common.sql import execute
from customers.models import Customer, FieldRank, Source, SourceRecord
from customers.records import ADDRESS, CONTACTS, FIELDS, Voice, in_order, said_at


@dataclass(frozen=True)
class Said:
    """What a source says of a field, as text, and when it first said so; ``others`` say something too, in order."""

    source: Source
    value: str
    at: dt.datetime
    others: tuple[Said, ...] = ()


def provenance(customer: Customer) -> dict[str, Said]:
    """Return field -> whose word stands on the customer, and what other sources say; three queries.

    Fields of which no source has anything are left out, so are those that a person emptied.
    """
    records = list(SourceRecord.objects.filter(customer=customer).select_related("source").order_by("pk"))
    sources = {record.source_id: record.source for record in records}
    voices = _voices(sources.values())
    found: dict[str, Said] = {}
    for field in FIELDS:
        told = [
            Said(sources[record.source_id], record.values.get(field, ""), said_at(record, field))
            for record in in_order(records, voices, field, number=customer.number)
        ]
        if told and told[0].value:
            others = tuple(other for other in told[1:] if other.value)
            found[field] = Said(told[0].source, told[0].value, told[0].at, others)
    return found


def _voices(sources: Iterable[Source]) -> dict[int, Voice]:
    ranks: dict[int, dict[str, int]] = {source.pk: {} for source in sources}
    for one in FieldRank.objects.filter(source__in=list(ranks)):
        ranks[one.source_id][one.field] = one.rank
    return {
        source.pk: Voice(source.rank, source.kind == Source.Kind.PEOPLE, ranks[source.pk], source.number_prefix)
        for source in sources
    }


def refresh(customers: Iterable[int], *, now: dt.datetime, run_id: int | None = None) -> int:
    """Derive these customers (ids) anew from their records; return of how many something changed."""
    return refresh_sql(
        "SELECT unnest(%(golden_ids)s::bigint[])", {"golden_ids": list(customers)}, now=now, run_id=run_id
    )


@transaction.atomic
def refresh_sql(
    ids_sql: str, values: Mapping[str, Any] | None = None, *, now: dt.datetime, run_id: int | None = None
) -> int:
    """Derive the customers whose ids ``ids_sql`` yields anew; return of how many something changed.

    A field that none of a customer's records mentions stays as it is. With ``run_id`` every row that changes is kept
    as it was, so that the import can be undone. 1. whose word holds; 2. typed rows; 3. households; 4. contact points;
    5. the customers that differ.
    """
    given = {**(values or {}), "now": now, "run": run_id, "address": list(ADDRESS)}
    _tables()
    execute(f"INSERT INTO golden_who SELECT DISTINCT id FROM ({ids_sql}) AS wanted (id) WHERE id IS NOT NULL", given)  # noqa: S608
    execute("ANALYZE golden_who")
    # Whoever changes one of them at this moment goes first, or his word, not yet visible here, would be written over.
    execute(_LOCK)
    if run_id is not None:
        execute(_STATE.format(into="INSERT INTO golden_before"))
    execute(_DECIDE, given)
    execute(_TYPED, given)
    execute(_HOUSEHOLDS)
    execute(_POINTS, given)
    for statement in _WRITE_POINTS:
        execute(statement, given)
    changed = execute(_WRITE_CUSTOMERS, given)
    if run_id is not None:
        execute(_KEEP, given)
    return changed


def adopt_sql(ids_sql: str, values: Mapping[str, Any] | None = None) -> int:
    """Give customers without any record one per source, saying what they hold now; return how many records.

    For customers from before there were records: what is known of them must count as somebody's word.
    """
    return execute(_ADOPT.format(ids=ids_sql), values)


def _tables() -> None:
    """Make the session's working tables; empty them, since a transaction may come here twice."""
    columns = ", ".join(f"{field.column} {_type(field.code)}" for field in FIELDS.values() if field.column)
    for name, definition in (
        ("golden_who", "id bigint"),
        ("golden_said", "customer_id bigint, said jsonb"),
        ("golden_row", f"customer_id bigint, {columns}, key text"),
        (
            "golden_point",
            "customer_id bigint, channel text, value text, is_primary bool, source_id bigint, at timestamptz",
        ),
        ("golden_touched", "customer_id bigint"),
        ("golden_before", '"table" text, row_id bigint, state jsonb'),
    ):
        execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({definition}) ON COMMIT DELETE ROWS")
    execute("TRUNCATE golden_who, golden_said, golden_row, golden_point, golden_touched, golden_before")


def _type(field: str) -> str:
    return {"branch": "bigint"}.get(field, "date" if field.endswith(("_on", "_date")) else "text")


_LOCK = """
    SELECT count(*) FROM (
        SELECT FROM golden_who JOIN customers_customer AS there USING (id) ORDER BY id FOR NO KEY UPDATE OF there
    ) AS locked
"""
# Each cell that a record has, with what decides about it. An address is one cell.
_CELLS = """
    heard AS (
        SELECT record.customer_id, record.id, record.values, record.changed, record.created_at, record.source_id,
            source.rank, source.kind = 'people' AS by_people, source.number_prefix || record.key AS number,
            count(*) OVER (PARTITION BY record.customer_id) AS records
        FROM golden_who AS who
        JOIN customers_sourcerecord AS record ON record.customer_id = who.id
        JOIN customers_source AS source ON source.id = record.source_id
    ),
    several AS (
        SELECT heard.*, (
            SELECT there.number = heard.number FROM customers_customer AS there WHERE there.id = heard.customer_id
        ) AS is_own
        FROM heard WHERE records > 1
    ),
    cells AS (
        SELECT heard.customer_id, heard.id, heard.source_id, heard.is_own, cell.field, cell.value,
            cell.value <> '' OR (by_people AND cell.field <> 'kind') AS counts,
            coalesce(own.rank, heard.rank) AS rank,
            coalesce((heard.changed ->> cell.field)::timestamptz, heard.created_at) AS at
        FROM several AS heard CROSS JOIN LATERAL jsonb_each_text(heard.values) AS cell (field, value)
        LEFT JOIN customers_fieldrank AS own ON own.source_id = heard.source_id AND own.field = cell.field
        WHERE cell.field <> ALL (%(address)s)
        UNION ALL
        SELECT heard.customer_id, heard.id, heard.source_id, heard.is_own, 'address', address.parts::text,
            by_people OR EXISTS (SELECT FROM jsonb_each_text(address.parts) AS part WHERE part.value <> ''),
            coalesce(
                (SELECT min(own.rank) FROM customers_fieldrank AS own
                 WHERE own.source_id = heard.source_id AND own.field = ANY (%(address)s)), heard.rank
            ),
            coalesce(
                (SELECT max(said.value::timestamptz) FROM jsonb_each_text(heard.changed) AS said
                 WHERE said.key = ANY (%(address)s)), heard.created_at
            )
        FROM several AS heard CROSS JOIN LATERAL (
            SELECT jsonb_object_agg(part, coalesce(heard.values ->> part, '')) AS parts
            FROM unnest(%(address)s) AS part
        ) AS address
        WHERE heard.values ?| %(address)s
    )
"""
# The last of equal keys stays in a jsonb object: the cell that decides comes last.
_DECIDE = f"""
    WITH {_CELLS},
    decided AS (
        SELECT customer_id, jsonb_object_agg(field, value ORDER BY counts, rank DESC, at, is_own, id) AS said
        FROM cells GROUP BY customer_id
    )
    INSERT INTO golden_said (customer_id, said)
    SELECT customer_id, (said - 'address') || coalesce((said ->> 'address')::jsonb, '{{}}') FROM decided
    UNION ALL
    SELECT customer_id,
        CASE WHEN values ?| %(address)s THEN '{json.dumps(dict.fromkeys(ADDRESS, ""))}'::jsonb || values ELSE values END
    FROM heard WHERE records = 1
"""  # noqa: S608 - the texts in this module are ours; values are bound


def _typed() -> str:
    """Return the statement that fills golden_row: what is said, else what stands there."""
    columns = [field for field in FIELDS.values() if field.column]
    cells = []
    for field in columns:
        read = field.cast.replace("value", f"(said ->> '{field.code}')")
        test = f"said ->> '{field.code}' <> ''" if field.code == "kind" else f"said ? '{field.code}'"
        cells.append(f"CASE WHEN {test} THEN {read} ELSE there.{field.column} END AS {field.column}")
    names = ", ".join(field.column for field in columns)
    return f"""
        INSERT INTO golden_row (customer_id, {names}, key)
        SELECT customer_id, {names}, customers_household_key(postal_code, house_number, house_number_addition)
        FROM (
            SELECT there.id AS customer_id, {", ".join(cells)}
            FROM golden_said JOIN customers_customer AS there ON there.id = customer_id OFFSET 0
        ) AS typed
    """  # noqa: S608


_TYPED = _typed()
_HOUSEHOLDS = """
    INSERT INTO customers_household (key)
    SELECT DISTINCT key FROM golden_row AS row
    WHERE key IS NOT NULL AND NOT EXISTS (SELECT FROM customers_household AS known WHERE known.key = row.key)
    ORDER BY key
    ON CONFLICT (key) DO NOTHING
"""
# Every address that somebody gives is known, under the name of the source whose word about it weighs most.
_POINTS = f"""
    INSERT INTO golden_point (customer_id, channel, value, is_primary, source_id, at)
    SELECT DISTINCT ON (record.customer_id, cell.field, cell.value) record.customer_id, cell.field, cell.value,
        cell.value = golden_said.said ->> cell.field, record.source_id,
        coalesce((record.changed ->> cell.field)::timestamptz, record.created_at) AS at
    FROM golden_said
    JOIN customers_sourcerecord AS record ON record.customer_id = golden_said.customer_id
    JOIN customers_source AS source ON source.id = record.source_id
    CROSS JOIN LATERAL (
        VALUES {", ".join(f"('{contact}', record.values ->> '{contact}')" for contact in CONTACTS)}
    ) AS cell (field, value)
    LEFT JOIN customers_fieldrank AS own ON own.source_id = record.source_id AND own.field = cell.field
    WHERE cell.value <> '' AND golden_said.said ->> cell.field <> ''
    ORDER BY record.customer_id, cell.field, cell.value, coalesce(own.rank, source.rank), at DESC, record.id DESC
"""  # noqa: S608
# In this order, since the database allows one primary point per channel at any moment.
_WRITE_POINTS = (
    """
    WITH gone AS (
        DELETE FROM customers_contactpoint AS point USING golden_said
        WHERE point.customer_id = golden_said.customer_id AND golden_said.said ? point.channel
            AND NOT EXISTS (
                SELECT FROM golden_point AS wanted WHERE wanted.customer_id = point.customer_id
                    AND wanted.channel = point.channel AND wanted.value = point.value
            )
        RETURNING point.customer_id
    )
    INSERT INTO golden_touched SELECT customer_id FROM gone
    """,
    """
    UPDATE customers_contactpoint AS point SET is_primary = false FROM golden_point AS wanted
    WHERE wanted.customer_id = point.customer_id AND wanted.channel = point.channel AND wanted.value = point.value
        AND point.is_primary AND NOT wanted.is_primary
    """,
    """
    WITH changed AS (
        UPDATE customers_contactpoint AS point
        SET is_primary = wanted.is_primary, source_id = wanted.source_id, updated_at = wanted.at
        FROM golden_point AS wanted
        WHERE wanted.customer_id = point.customer_id AND wanted.channel = point.channel AND wanted.value = point.value
            AND (point.is_primary, point.source_id, point.updated_at)
                IS DISTINCT FROM (wanted.is_primary, wanted.source_id, wanted.at)
        RETURNING point.customer_id
    ),
    added AS (
        INSERT INTO customers_contactpoint (customer_id, channel, value, is_primary, source_id, updated_at)
        SELECT customer_id, channel, value, is_primary, source_id, at FROM golden_point AS wanted
        WHERE NOT EXISTS (
            SELECT FROM customers_contactpoint AS point WHERE point.customer_id = wanted.customer_id
                AND point.channel = wanted.channel AND point.value = wanted.value
        )
        RETURNING customer_id
    )
    INSERT INTO golden_touched SELECT customer_id FROM changed UNION ALL SELECT customer_id FROM added
    """,
)


def _write_customers() -> str:
    columns = [field.column for field in FIELDS.values() if field.column]
    sets = ", ".join(f"{column} = wanted.{column}" for column in columns)
    mine = ", ".join(f"there.{column}" for column in columns)
    theirs = ", ".join(f"wanted.{column}" for column in columns)
    address = ", ".join(f"there.{part}" for part in ADDRESS)
    wanted_address = ", ".join(f"wanted.{part}" for part in ADDRESS)
    return f"""
        UPDATE customers_customer AS there
        SET {sets}, household_id = wanted.household_id, updated_at = %(now)s,
            address_state = CASE WHEN ({address}) = ({wanted_address}) THEN there.address_state ELSE '' END
        FROM (
            SELECT row.*, household.id AS household_id,
                EXISTS (SELECT FROM golden_touched AS touched WHERE touched.customer_id = row.customer_id) AS touched
            FROM golden_row AS row LEFT JOIN customers_household AS household USING (key)
        ) AS wanted
        WHERE there.id = wanted.customer_id
            AND (wanted.touched OR ({mine}, there.household_id) IS DISTINCT FROM ({theirs}, wanted.household_id))
    """  # noqa: S608


_WRITE_CUSTOMERS = _write_customers()
_STATE = """
    {into}
    SELECT 'customers_customer' AS "table", there.id AS row_id, to_jsonb(there) - 'name_key' AS state
    FROM golden_who JOIN customers_customer AS there USING (id)
    UNION ALL
    SELECT 'customers_contactpoint', point.id, to_jsonb(point)
    FROM golden_who JOIN customers_contactpoint AS point ON point.customer_id = golden_who.id
"""
# A row that comes twice in one run keeps what stood there first.
_KEEP = f"""
    WITH now_there AS ({_STATE.format(into="")})
    INSERT INTO customers_importchange (run_id, "table", row_id, before, after)
    SELECT %(run)s, "table", row_id, coalesce(was.state, '{{}}'), coalesce(now_there.state, '{{}}')
    FROM golden_before AS was FULL JOIN now_there USING ("table", row_id)
    WHERE was.state IS DISTINCT FROM now_there.state
    ON CONFLICT (run_id, "table", row_id) DO UPDATE SET after = excluded.after
"""  # noqa: S608
_ADOPT = """
    WITH alone AS (
        SELECT customer.*, branch.code AS branch_code
        FROM ({ids}) AS wanted (wanted_id) JOIN customers_customer AS customer ON customer.id = wanted_id
        LEFT JOIN customers_branch AS branch ON branch.id = customer.branch_id
        WHERE customer.merged_into_id IS NULL
            AND NOT EXISTS (SELECT FROM customers_sourcerecord AS known WHERE known.customer_id = customer.id)
    ),
    points AS (
        SELECT DISTINCT ON (point.customer_id, point.source_id, point.channel) point.customer_id, point.source_id,
            point.channel, point.value, point.updated_at
        FROM customers_contactpoint AS point JOIN alone ON alone.id = point.customer_id
        ORDER BY point.customer_id, point.source_id, point.channel, point.is_primary DESC, point.updated_at DESC
    ),
    said AS (
        SELECT customer_id, source_id, jsonb_object_agg(channel, value) AS values,
            jsonb_object_agg(channel, updated_at) AS changed
        FROM points GROUP BY customer_id, source_id
    )
    INSERT INTO customers_sourcerecord (source_id, key, customer_id, values, changed, created_at, updated_at)
    SELECT alone.source_id, alone.number, alone.id,
        jsonb_build_object('kind', alone.kind, 'card_number', alone.card_number,
            'initials', alone.initials, 'first_name', alone.first_name,
            'name_prefix', alone.name_prefix, 'last_name', alone.last_name,
            'birth_date', coalesce(alone.birth_date::text, ''), 'gender', alone.gender, 'street', alone.street,
            'house_number', alone.house_number, 'house_number_addition', alone.house_number_addition,
            'postal_code', alone.postal_code, 'city', alone.city, 'branch', coalesce(alone.branch_code, ''),
            'registered_on', coalesce(alone.registered_on::text, ''),
            'deceased_on', coalesce(alone.deceased_on::text, '')) || coalesce(said.values, '{{}}'),
        coalesce(said.changed, '{{}}'), alone.created_at, alone.updated_at
    FROM alone LEFT JOIN said ON said.customer_id = alone.id AND said.source_id = alone.source_id
    UNION ALL
    SELECT said.source_id, alone.number, alone.id, said.values, said.changed, alone.created_at, alone.updated_at
    FROM said JOIN alone ON alone.id = said.customer_id WHERE said.source_id <> alone.source_id
    ON CONFLICT (source_id, key) DO NOTHING
"""


def _texts() -> str:
    cells = []
    for field in FIELDS.values():
        if not field.column:
            point = f"""(
                SELECT value FROM customers_contactpoint AS point WHERE point.customer_id = there.id
                    AND point.channel = '{field.code}' AND point.is_primary
            )"""  # noqa: S608
            cells.append(f"'{field.code}', coalesce({point}, '')")
        elif field.code == "branch":
            cells.append("'branch', coalesce((SELECT code FROM customers_branch WHERE id = there.branch_id), '')")
        else:
            cells.append(f"'{field.code}', coalesce(there.{field.column}::text, '')")
    return f"""
        SELECT there.id, jsonb_build_object({", ".join(cells)}) AS texts
        FROM customers_customer AS there WHERE there.id IN ({{ids}})
    """  # noqa: S608


#: SQL that yields id and texts (jsonb: field -> what stands on the customer); ``.format(ids=…)`` with SQL for the ids.
TEXTS = _texts()
