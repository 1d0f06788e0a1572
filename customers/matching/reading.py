"""The pairs to compare with all that is compared, in chunks of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from common.sql import rows
from customers.matching.scoring import Person

CHUNK = 2000
FAMILY = 2  # an address that more people use says less


@dataclass(frozen=True)
class Pair:
    """Two customers by id, what is known of both, and whether one system holds both."""

    first_id: int
    second_id: int
    first: Person
    second: Person
    same_source: bool


_PAIRS = """
    SELECT first_id, second_id FROM match_pair
    WHERE (first_id, second_id) > (%(first)s, %(second)s) ORDER BY first_id, second_id LIMIT %(chunk)s
"""
_PEOPLE = """
    WITH points AS (
        SELECT customer_id,
            array_agg(value) FILTER (WHERE channel = 'email') AS emails,
            array_agg(value) FILTER (WHERE channel = 'phone') AS phones,
            array_agg(value) FILTER (WHERE (
                SELECT count(*) FROM (
                    SELECT FROM customers_contactpoint AS other
                    WHERE other.value = point.value AND other.channel = point.channel LIMIT %(family)s + 1
                ) AS few) > %(family)s) AS shared
        FROM customers_contactpoint AS point WHERE customer_id = ANY (%(ids)s) GROUP BY customer_id
    ),
    systems AS (
        SELECT told.customer_id, array_agg(DISTINCT told.source_id) AS sources
        FROM (
            SELECT customer_id, source_id FROM customers_sourcerecord WHERE customer_id = ANY (%(ids)s)
            UNION ALL SELECT id, source_id FROM customers_customer WHERE id = ANY (%(ids)s)
        ) AS told JOIN customers_source AS source ON source.id = told.source_id
        WHERE source.kind = 'system' GROUP BY told.customer_id
    )
    SELECT customer.id, first_name, initials, name_prefix, last_name, birth_date, gender, postal_code,
        house_number, house_number_addition, emails, phones, shared, sources
    FROM customers_customer AS customer
    LEFT JOIN points ON points.customer_id = customer.id
    LEFT JOIN systems ON systems.customer_id = customer.id
    WHERE customer.id = ANY (%(ids)s)
"""


def read_pairs() -> Iterator[list[Pair]]:
    """Yield the pairs of ``match_pair`` in chunks of CHUNK, by id."""
    first = second = 0
    while chunk := rows(_PAIRS, {"first": first, "second": second, "chunk": CHUNK}):
        ids = {row[key] for row in chunk for key in ("first_id", "second_id")}
        known = {row["id"]: row for row in rows(_PEOPLE, {"ids": list(ids), "family": FAMILY})}
        people = {key: _person(row) for key, row in known.items()}
        sources = {key: set(row["sources"] or ()) for key, row in known.items()}
        yield [
            Pair(one, other, people[one], people[other], bool(sources[one] & sources[other]))
            for one, other in ((row["first_id"], row["second_id"]) for row in chunk)
        ]
        first, second = chunk[-1]["first_id"], chunk[-1]["second_id"]


def read_two(one: int, other: int) -> Pair:
    """Return two customers as they are compared."""
    known = {row["id"]: row for row in rows(_PEOPLE, {"ids": [one, other], "family": FAMILY})}
    mine, theirs = (set(known[key]["sources"] or ()) for key in (one, other))
    return Pair(one, other, _person(known[one]), _person(known[other]), bool(mine & theirs))


def _person(known: dict[str, Any]) -> Person:
    return Person(
        first_name=known["first_name"],
        initials=known["initials"],
        name_prefix=known["name_prefix"],
        last_name=known["last_name"],
        birth_date=known["birth_date"],
        gender=known["gender"],
        postal_code=known["postal_code"],
        house=f"{known['house_number']}{known['house_number_addition']}".replace(" ", "").lower(),
        emails=frozenset(known["emails"] or ()),
        phones=frozenset(known["phones"] or ()),
        shared=frozenset(known["shared"] or ()),
    )
