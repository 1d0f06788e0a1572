"""The pairs to compare with all that is compared, in chunks of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from common.sql import execute, rows
from customers.matching.scoring import Person

CHUNK = 2000
KNOWN = 20_000  # people in memory, of some 2 kB
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
    WITH wanted AS ({ids}),
    points AS (
        SELECT customer_id, channel, value FROM customers_contactpoint WHERE customer_id IN (SELECT id FROM wanted)
    ),
    crowded AS (
        SELECT channel, value FROM (SELECT DISTINCT channel, value FROM points) AS used
        WHERE (
            SELECT count(*) FROM (
                SELECT FROM customers_contactpoint AS other
                WHERE other.value = used.value AND other.channel = used.channel LIMIT {family} + 1
            ) AS few) > {family}
    ),
    reached AS (
        SELECT customer_id,
            array_agg(value) FILTER (WHERE channel = 'email') AS emails,
            array_agg(value) FILTER (WHERE channel = 'phone') AS phones,
            array_agg(value) FILTER (WHERE crowded.value IS NOT NULL) AS shared
        FROM points LEFT JOIN crowded USING (channel, value) GROUP BY customer_id
    ),
    systems AS (
        SELECT told.customer_id, array_agg(DISTINCT told.source_id) AS sources
        FROM (
            SELECT customer_id, source_id FROM customers_sourcerecord WHERE customer_id IN (SELECT id FROM wanted)
            UNION ALL SELECT id, source_id FROM customers_customer WHERE id IN (SELECT id FROM wanted)
        ) AS told JOIN customers_source AS source ON source.id = told.source_id
        WHERE source.kind = 'system' GROUP BY told.customer_id
    )
    SELECT customer.id, first_name, initials, name_prefix, last_name, birth_date, gender, postal_code,
        house_number, house_number_addition, emails, phones, shared, sources
    FROM wanted JOIN customers_customer AS customer USING (id)
    LEFT JOIN reached ON reached.customer_id = customer.id
    LEFT JOIN systems ON systems.customer_id = customer.id
"""
_OF_PAIRS = "SELECT first_id AS id FROM match_pair UNION SELECT second_id FROM match_pair"
_OF_TWO = "SELECT unnest(%(ids)s::bigint[]) AS id"


def read_pairs() -> Iterator[list[Pair]]:
    """Yield the pairs of ``match_pair`` in chunks of CHUNK, by id. Everybody in them is gathered once, in the database;
    at most KNOWN of them are in memory.
    """
    execute("DROP TABLE IF EXISTS pg_temp.match_person")
    people_sql = _PEOPLE.format(ids=_OF_PAIRS, family=FAMILY)
    execute(f"CREATE TEMPORARY TABLE match_person ON COMMIT DROP AS {people_sql}")
    execute("CREATE UNIQUE INDEX ON match_person (id)")
    execute("ANALYZE match_person")
    known: dict[int, tuple[Person, set[int]]] = {}
    first = second = 0
    while chunk := rows(_PAIRS, {"first": first, "second": second, "chunk": CHUNK}):
        known = known if len(known) < KNOWN else {}
        ids = {row[key] for row in chunk for key in ("first_id", "second_id")} - known.keys()
        known |= _read("SELECT * FROM match_person WHERE id = ANY (%(ids)s)", list(ids))
        yield [_pair(row["first_id"], row["second_id"], known) for row in chunk]
        first, second = chunk[-1]["first_id"], chunk[-1]["second_id"]


def _read(people_sql: str, ids: list[int]) -> dict[int, tuple[Person, set[int]]]:
    return {row["id"]: (_person(row), set(row["sources"] or ())) for row in rows(people_sql, {"ids": ids})}


def _pair(one: int, other: int, known: Mapping[int, tuple[Person, set[int]]]) -> Pair:
    (first, mine), (second, theirs) = known[one], known[other]
    return Pair(one, other, first, second, bool(mine & theirs))


def read_two(one: int, other: int) -> Pair:
    """Return two customers as they are compared."""
    return _pair(one, other, _read(_PEOPLE.format(ids=_OF_TWO, family=FAMILY), [one, other]))


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
