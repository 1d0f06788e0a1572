"""Who is worth comparing: pairs that share an address, a number, a home, a birth date or a name; by index, in bulk.

The temporary table ``match_target`` (id) holds who is looked at (new or changed), ``match_pair`` (first_id < second_id)
the pairs that were found. What very many share (a school's e-mail address) says nothing and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute

CROWD = 20  # people with one address or number, or of one name in one postal code
BUILDING = 150  # people at one house number: more is an institution, or a number that a system fills in
ALIKE = 0.4  # trigram likeness of ``name_key``, rough: scoring looks closer

_TARGETS = """
    INSERT INTO match_target (id, name_key, birth_date, postal_code, house_number)
    SELECT id, name_key, birth_date, postal_code, house_number FROM customers_customer
    WHERE id IN ({ids}) AND merged_into_id IS NULL AND restricted_at IS NULL
"""
_CONTACTS = """
    SELECT target.id AS one, other.customer_id AS other
    FROM match_target AS target
    JOIN customers_contactpoint AS own ON own.customer_id = target.id
    CROSS JOIN LATERAL (
        SELECT customer_id, count(*) OVER () AS people FROM (
            SELECT customer_id FROM customers_contactpoint AS point
            WHERE point.value = own.value AND point.channel = own.channel LIMIT {crowd} + 1
        ) AS few
    ) AS other
    WHERE other.people <= {crowd}
"""
_HOMES = """
    SELECT target.id, other.id
    FROM match_target AS target
    CROSS JOIN LATERAL (
        SELECT id, name_key, count(*) OVER () AS people FROM (
            SELECT id, name_key FROM customers_customer AS neighbour
            WHERE neighbour.postal_code = target.postal_code AND neighbour.house_number = target.house_number
            LIMIT {building} + 1
        ) AS few
    ) AS other
    WHERE target.postal_code <> '' AND target.house_number <> '' AND other.people <= {building}
        AND similarity(other.name_key, target.name_key) >= {alike}
"""
_BORN = """
    SELECT target.id, other.id
    FROM match_target AS target
    JOIN customers_customer AS other ON other.birth_date = target.birth_date
    WHERE similarity(other.name_key, target.name_key) >= {alike}
        -- a first of January is what systems write when they do not know
        AND to_char(target.birth_date, 'MMDD') <> '0101'
"""
_NAMESAKES = """
    SELECT target.id, other.id
    FROM match_target AS target
    CROSS JOIN LATERAL (
        SELECT id, count(*) OVER () AS people FROM (
            SELECT id FROM customers_customer AS namesake
            WHERE namesake.postal_code = target.postal_code AND namesake.name_key = target.name_key LIMIT {crowd} + 1
        ) AS few
    ) AS other
    WHERE target.postal_code <> '' AND target.name_key <> '' AND other.people <= {crowd}
"""
# A decision holds for the persons, so also for who was merged into them since. A parent is not his child.
_PAIRS = """
    INSERT INTO match_pair (first_id, second_id)
    SELECT DISTINCT least(one, other), greatest(one, other)
    FROM ({blocks}) AS found (one, other)
    JOIN customers_customer AS person ON person.id = found.other
    WHERE one <> other AND person.merged_into_id IS NULL AND person.restricted_at IS NULL
"""
_NOT_AGAIN = """
    DELETE FROM match_pair AS found USING (
        SELECT coalesce(one.merged_into_id, one.id) AS one, coalesce(other.merged_into_id, other.id) AS other
        FROM customers_matchpair AS pair
        JOIN customers_customer AS one ON one.id = pair.first_id
        JOIN customers_customer AS other ON other.id = pair.second_id
        WHERE pair.state = 'different'
        UNION ALL
        SELECT child_id, guardian_id FROM customers_guardianship
    ) AS known
    WHERE found.first_id = least(known.one, known.other) AND found.second_id = greatest(known.one, known.other)
"""


def find_pairs(customers_sql: str, values: Mapping[str, Any] | None = None) -> int:
    """Fill ``match_target`` with the customers and ``match_pair`` with whom to compare them; return how many pairs."""
    for name, columns in (
        ("match_target", "id bigint, name_key text, birth_date date, postal_code text, house_number text"),
        ("match_pair", "first_id bigint, second_id bigint, PRIMARY KEY (first_id, second_id)"),
    ):
        execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DELETE ROWS")
        execute(f"TRUNCATE {name}")
    execute(_TARGETS.format(ids=customers_sql), values)
    execute("ANALYZE match_target")
    blocks = " UNION ALL ".join(
        block.format(crowd=CROWD, building=BUILDING, alike=ALIKE) for block in (_CONTACTS, _HOMES, _BORN, _NAMESAKES)
    )
    found = execute(_PAIRS.format(blocks=blocks))
    execute("ANALYZE match_pair")
    return found - execute(_NOT_AGAIN)
