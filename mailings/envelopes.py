"""In which envelope a letter goes: a household shares one, as far as its people live at one address.

A household usually follows from the address, but need not: who moved, or was put together by hand, may have another
address than the rest. What is counted beforehand and what is printed tell envelopes apart by the same parts.
"""

from __future__ import annotations

from mailings.households import MOST_AT_HOME

#: Of ``customer``: the number of the house, and the whole door as it tells neighbours apart ("3 a" is "3A").
HOUSE = "coalesce(substring(customer.house_number FROM '^[0-9]{1,9}')::bigint, 0)"
DOOR = "lower(regexp_replace(customer.house_number || customer.house_number_addition, '[^A-Za-z0-9]', '', 'g'))"
_OWN_HOME = "-customer.id"
_SHARED_HOME = f"""CASE WHEN customer.household_id IS NULL
            OR count(*) OVER (PARTITION BY customer.household_id) > {MOST_AT_HOME}
            THEN -customer.id ELSE customer.household_id END"""


def home_sql(*, is_shared: bool) -> str:
    """Return the expression of whom somebody shares an envelope with, if they have one address."""
    return _SHARED_HOME if is_shared else _OWN_HOME


def count_sql(readers: str, *, is_shared: bool) -> str:
    """Return the query of how many envelopes (``n``) the letters to these readers (a query of ``customer_id``) take.

    Only households with more than one spelling of their address are looked at closer: nearly all have one.
    """
    if not is_shared:
        return f"SELECT count(*) AS n FROM ({readers}) AS reader"  # noqa: S608 - our own SQL
    return f"""
        WITH spelt AS (
            SELECT coalesce(customer.household_id, -customer.id) AS home, customer.postal_code, customer.house_number,
                customer.house_number_addition, count(*) AS people
            FROM ({readers}) AS reader JOIN customers_customer AS customer ON customer.id = reader.customer_id
            GROUP BY 1, 2, 3, 4
        ),
        shared AS (SELECT home, sum(people) AS people, count(*) AS spellings FROM spelt GROUP BY home),
        door AS (
            SELECT DISTINCT home, customer.postal_code, {HOUSE} AS house, {DOOR} AS door
            FROM spelt AS customer JOIN shared USING (home)
            WHERE shared.people <= {MOST_AT_HOME} AND shared.spellings > 1
        )
        SELECT ((SELECT count(*) FROM door) + (
            SELECT coalesce(sum(CASE WHEN people > {MOST_AT_HOME} THEN people WHEN spellings = 1 THEN 1 ELSE 0 END), 0)
            FROM shared))::bigint AS n
    """  # noqa: S608 - our own SQL
