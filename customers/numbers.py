"""Whom a number stands for: in files, in the API and on cards, the same everywhere.

A number is first what its source calls somebody (``SourceRecord.key``), else our own customer number, with the prefix
of the source before it. The number of who turned out to be somebody else leads to who was kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from common.sql import execute, rows
from customers.models import Customer, Source

_CARD_HOLDERS = 20  # rows that show one card, of who was merged too; more say nothing

# ``wanted`` has the numbers; %(source)s is the id of the source, %(prefix)s what stands before its numbers with us.
_KNOWN = """
    SELECT wanted.number, wanted.is_listed, coalesce(record.customer_id, customer.id) AS customer_id,
        record.id AS record_id
    FROM wanted
    LEFT JOIN customers_sourcerecord AS record ON record.source_id = %(source)s AND record.key = wanted.number
    LEFT JOIN customers_customer AS customer ON record.id IS NULL AND customer.number = %(prefix)s || wanted.number
"""
_FOLLOW = """
    UPDATE {table} AS known SET customer_id = there.merged_into_id FROM customers_customer AS there
    WHERE there.id = known.customer_id AND there.merged_into_id IS NOT NULL
"""


def make_known(numbers: Collection[tuple[str, bool]], values: Mapping[str, Any]) -> None:
    """Make the temporary table ``import_known``: number, is_listed, customer_id and record_id (or NULL).

    ``numbers``: SQL that yields numbers, and whether the rows they stand in are about these persons themselves.
    """
    told = " UNION ALL ".join(
        f"SELECT number, {str(is_listed).lower()} AS is_listed FROM ({sql}) AS told (number)"  # noqa: S608
        for sql, is_listed in numbers
    )
    execute("DROP TABLE IF EXISTS pg_temp.import_known")
    execute(
        f"""
        CREATE TEMPORARY TABLE import_known AS
        WITH wanted AS (
            SELECT number, bool_or(is_listed) AS is_listed FROM ({told}) AS told WHERE number <> '' GROUP BY number
        )
        {_KNOWN}
        """,  # noqa: S608 - statements of our own
        values,
    )
    execute("ANALYZE import_known")
    while execute(_FOLLOW.format(table="import_known")):
        pass


def resolve(numbers: Collection[str], source: Source | None = None) -> dict[str, int]:
    """Return number -> id of the customer, of those that are known; at most a page of numbers.

    Without a source they are our own customer numbers.
    """
    found = rows(
        f"""
        WITH RECURSIVE wanted AS (SELECT DISTINCT number, true AS is_listed FROM unnest(%(numbers)s) AS told (number)),
        known AS (
            SELECT number, customer_id FROM ({_KNOWN}) AS first WHERE customer_id IS NOT NULL
            UNION ALL
            SELECT known.number, there.merged_into_id FROM known
            JOIN customers_customer AS there ON there.id = known.customer_id AND there.merged_into_id IS NOT NULL
        )
        SELECT known.number, known.customer_id FROM known
        JOIN customers_customer AS there ON there.id = known.customer_id AND there.merged_into_id IS NULL
        """,  # noqa: S608
        {
            "numbers": [number for number in numbers if "\0" not in number],  # text that no database takes
            "source": source.pk if source else None,
            "prefix": source.number_prefix if source else "",
        },
    )
    return {row["number"]: row["customer_id"] for row in found}


def find(number: str, source: Source | None = None) -> Customer | None:
    """Return whom a number stands for, or None. What is nobody's number may be the card of one person, also of one who
    was merged since: people keep both cards.
    """
    if "\0" in number:
        return None
    known = resolve([number], source)
    if number in known:
        return Customer.objects.filter(pk=known[number]).first()
    if source is not None:
        return None
    holders = Customer.everyone.filter(card_number=number).exclude(card_number="").values_list("pk", "merged_into")
    people = {kept or own for own, kept in holders[:_CARD_HOLDERS]}
    return Customer.objects.filter(pk=people.pop()).first() if len(people) == 1 else None
