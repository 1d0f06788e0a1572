"""Contact points of imported customers: each source keeps one per channel, and what people entered comes
first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute
from customers.base import ENTERED_BY_PEOPLE


def write_contacts(channel: str, values: Mapping[str, Any]) -> None:
    """Bring the contact points of one channel in line with ``import_wanted``; note whom it changed.

    1. take away what this source said before and says no more; 2. add what nobody said yet; 3. choose the
    primary one again where something changed: the newest that people entered themselves, else the newest of
    all.
    """
    given = {**values, "channel": channel, "by_people": list(ENTERED_BY_PEOPLE)}
    execute(
        f"""
        WITH gone AS (
            DELETE FROM customers_contactpoint AS point USING import_wanted AS wanted
            WHERE NOT wanted.is_new AND point.customer_id = wanted.id AND point.channel = %(channel)s
                AND point.source_id = %(source)s AND point.value IS DISTINCT FROM wanted.{channel}
            RETURNING point.customer_id
        )
        INSERT INTO import_touched SELECT customer_id FROM gone
        """,  # noqa: S608 - the channel is ours
        given,
    )
    execute(
        f"""
        WITH added AS (
            INSERT INTO customers_contactpoint (customer_id, channel, value, is_primary, source_id, updated_at)
            SELECT wanted.id, %(channel)s, wanted.{channel}, wanted.is_new, %(source)s, %(now)s
            FROM import_wanted AS wanted
            WHERE wanted.{channel} IS NOT NULL AND (wanted.is_new OR NOT EXISTS (
                SELECT FROM customers_contactpoint AS known
                WHERE known.customer_id = wanted.id AND known.channel = %(channel)s AND known.value = wanted.{channel}
            ))
            RETURNING customer_id, is_primary
        )
        INSERT INTO import_touched SELECT customer_id FROM added WHERE NOT is_primary
        """,  # noqa: S608
        given,
    )
    _choose_primary(given)


def _choose_primary(given: Mapping[str, Any]) -> None:
    """Two statements, since the database allows one primary at any moment, also within a statement."""
    execute(
        """
        CREATE TEMPORARY TABLE import_primary ON COMMIT DROP AS
        SELECT DISTINCT ON (point.customer_id) point.customer_id, point.id
        FROM customers_contactpoint AS point JOIN customers_source AS source ON source.id = point.source_id
        WHERE point.channel = %(channel)s AND point.customer_id IN (SELECT customer_id FROM import_touched)
        ORDER BY point.customer_id, source.code = ANY (%(by_people)s) DESC, point.updated_at DESC, point.id
        DESC """,
        given,
    )
    execute(
        """
        UPDATE customers_contactpoint AS point SET is_primary = false FROM import_primary AS chosen
        WHERE point.customer_id = chosen.customer_id AND point.channel = %(channel)s
            AND point.is_primary AND point.id <> chosen.id
        """,
        given,
    )
    execute(
        """
        UPDATE customers_contactpoint AS point SET is_primary = true FROM import_primary AS chosen
        WHERE point.id = chosen.id AND NOT point.is_primary
        """,
        given,
    )
    execute("DROP TABLE import_primary")
