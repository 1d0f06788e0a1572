"""Who somebody is in all places at once: ids of merged rows, every number, e-mail address and telephone number."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping
from typing import Any

from common.personal import personal_tables
from common.sql import rows
from common.traces import Persons
from customers.privacy import keys

_IDS = """
WITH RECURSIVE person AS (
    SELECT id FROM customers_customer WHERE id = ANY(%(ids)s)
    UNION
    SELECT absorbed.id FROM customers_customer AS absorbed JOIN person ON absorbed.merged_into_id = person.id
)
SELECT id FROM person ORDER BY id
"""
# What each source said now and before, and what is on the customer: columns of SourceRecord.values by another name.
_SAID = """
SELECT records.key, source.number_prefix AS prefix, records.values FROM customers_sourcerecord AS records
JOIN customers_source AS source ON source.id = records.source_id WHERE records.customer_id = ANY(%(ids)s)
"""
_ON_CUSTOMER = """
SELECT number, card_number, first_name, initials, last_name, postal_code, house_number, house_number_addition
FROM customers_customer WHERE id = ANY(%(ids)s)
"""
# Two persons in one household often share an address; it is only erased with the last of them.
_OWN = """
SELECT DISTINCT point.channel, point.value FROM customers_contactpoint AS point
WHERE point.customer_id = ANY(%(ids)s)
"""
_SHARED = """
SELECT DISTINCT value FROM customers_contactpoint WHERE value = ANY(%(values)s) AND customer_id <> ALL(%(ids)s)
"""
_OTHERS_CARDS = """
SELECT DISTINCT card_number AS value FROM customers_customer
WHERE card_number = ANY(%(values)s) AND id <> ALL(%(ids)s) AND card_number <> ''
"""
# What people and files wrote in place of an address: text before and after.
_CHANGED = """
SELECT words.address FROM customers_customerchange AS change
CROSS JOIN LATERAL jsonb_array_elements_text(
    CASE WHEN jsonb_typeof(change.fields -> 'email') = 'array' THEN change.fields -> 'email' ELSE '[]' END
) AS words (address)
WHERE change.customer_id = ANY(%(ids)s)
UNION
SELECT change.before -> 'values' ->> 'email' FROM customers_importchange AS change
JOIN customers_sourcerecord AS record ON record.id = change.row_id AND record.customer_id = ANY(%(ids)s)
WHERE change."table" = 'customers_sourcerecord'
"""


def person_ids(ids: Collection[int]) -> tuple[int, ...]:
    """Return these customers and everybody who was merged into them, by any number of steps."""
    return tuple(row["id"] for row in rows(_IDS, {"ids": list(ids)}))


def identify(ids: Collection[int], *, now: dt.datetime, by_age: bool = False) -> Persons:
    """Return all by which only these customers (ids) are known; what they share with somebody else stays out."""
    own = person_ids(ids)
    given: dict[str, Any] = {"ids": list(own)}
    said = _said_of(own)
    points = [(row["channel"], row["value"]) for row in rows(_OWN, given)]
    emails = {value for channel, value in points if channel == "email"} | _said(said, "email")
    phones = {value for channel, value in points if channel == "phone"} | _said(said, "phone")
    stands = rows(_ON_CUSTOMER, given)
    numbers = {row["number"] for row in stands} | {row["prefix"] + row["key"] for row in said}
    cards = {row["card_number"] for row in stands} | _said(said, "card_number")
    cards -= {row["value"] for row in rows(_OTHERS_CARDS, given | {"values": sorted(cards)})}
    former = _former(own) - emails
    shared = {row["value"] for row in rows(_SHARED, given | {"values": sorted(emails | phones | former)})}
    return Persons(
        ids=own,
        numbers=tuple(sorted(numbers - {""})),
        emails=tuple(sorted(emails - shared - {""})),
        phones=tuple(sorted(phones - shared - {""})),
        now=now,
        by_age=by_age,
        former=tuple(sorted(former - shared - {""})),
        cards=tuple(sorted(cards - {""})),
    )


def keys_of(persons: Persons) -> list[keys.Pair]:
    """Return what is remembered as a hash: numbers, addresses, and name with home as they are and were said."""
    given = {"ids": list(persons.ids)}
    homes = [home_of(row) for row in rows(_ON_CUSTOMER, given)]
    homes += [home_of(row["values"]) for row in _said_of(persons.ids)]
    return [
        *((keys.What.NUMBER.value, value) for value in persons.numbers),
        *((keys.What.EMAIL.value, value) for value in persons.emails),
        *((keys.What.PHONE.value, value) for value in persons.phones),
        *((keys.What.HOME.value, value) for value in homes if value),
    ]


def _former(ids: Collection[int]) -> set[str]:
    """Return the e-mail addresses by which they were known earlier, in lower case: in messages and changes."""
    given = {"ids": list(ids)}
    found = {row["address"] for row in rows(_CHANGED, given)}
    for table in personal_tables:
        for column in table.emails:
            statement = f"SELECT DISTINCT {column} AS address FROM {table.table} WHERE {table.column} = ANY(%(ids)s)"  # noqa: S608
            found |= {row["address"] for row in rows(statement, given)}
    return {address.lower() for address in found if address and "@" in address}


def _said_of(ids: Collection[int]) -> list[dict[str, Any]]:
    found = rows(_SAID, {"ids": list(ids)})
    return [row | {"values": json.loads(row["values"])} for row in found]


def _said(records: Collection[dict[str, Any]], field: str) -> set[str]:
    return {record["values"].get(field) or "" for record in records}


def home_of(values: Mapping[str, Any]) -> str:
    """Return ``keys.home`` of what a source or a customer says: field -> text."""
    return keys.home(
        postal_code=values.get("postal_code") or "",
        house_number=values.get("house_number") or "",
        addition=values.get("house_number_addition") or "",
        first_name=values.get("first_name") or values.get("initials") or "",
        last_name=values.get("last_name") or "",
    )
