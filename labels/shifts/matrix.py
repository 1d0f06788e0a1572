"""How many customers had which label of a group on one day, and which on another: one statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from django.db.models import QuerySet

from common.sql import as_subquery, rows
from common.time import end_of_day
from customers.models import Customer
from labels.shifts.scale import NEW, NONE, Direction, Scale
from labels.shifts.states import had_none, known_before, was_at

# Who has two labels of the group at once is at the highest.
_MATRIX = """
WITH held AS (
    SELECT a.customer_id,
           max(array_position(%(labels)s::bigint[], a.label_id))
             FILTER (WHERE a.since < %(first)s AND (a.until IS NULL OR a.until >= %(first)s)) AS was,
           max(array_position(%(labels)s::bigint[], a.label_id))
             FILTER (WHERE a.since < %(last)s AND (a.until IS NULL OR a.until >= %(last)s)) AS became
      FROM labels_assignment AS a
     WHERE a.label_id = ANY(%(labels)s) AND a.since < %(last)s AND (a.until IS NULL OR a.until >= %(first)s)
     GROUP BY a.customer_id
)
SELECT coalesce(
           held.was, CASE WHEN c.created_at < %(first)s OR c.registered_on <= %(first_day)s THEN 0 ELSE -1 END
       ) AS was,
       coalesce(held.became, 0) AS became, count(*) AS many
  FROM customers_customer AS c LEFT JOIN held ON held.customer_id = c.id
 WHERE c.merged_into_id IS NULL AND c.restricted_at IS NULL
   AND (c.created_at < %(last)s OR c.registered_on <= %(last_day)s OR held.was IS NOT NULL OR held.became IS NOT NULL)
       {among}
 GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Matrix:
    """``counts``: (place at the end of ``first``, place at the end of ``last``) -> customers; places of ``scale``.

    Everybody is in it who was a customer on the last day (in this file, or registered by then) or had a label on
    either, but for who was merged into somebody else or may not be used; ``counts`` holds no zeros.
    """

    scale: Scale
    first: dt.date
    last: dt.date
    counts: Mapping[tuple[int, int], int]

    def many(self, was: int, became: int) -> int:
        """Return how many customers a cell counts."""
        return self.counts.get((was, became), 0)

    @cached_property
    def rows(self) -> list[int]:
        """The places of the rows, from low to high; first those who were no customers yet, when there are any."""
        return [*([NEW] if self.of_row(NEW) else []), *self.columns]

    @cached_property
    def columns(self) -> list[int]:
        """The places of the columns, from low to high."""
        return [NONE, *range(1, len(self.scale.labels) + 1)]

    def of_row(self, was: int) -> int:
        """Return how many were there on the first day."""
        return sum(many for (place, _), many in self.counts.items() if place == was)

    def of_column(self, became: int) -> int:
        """Return how many were there on the last day."""
        return sum(many for (_, place), many in self.counts.items() if place == became)

    @cached_property
    def total(self) -> int:
        """How many customers it is about."""
        return sum(self.counts.values())

    def going(self, direction: Direction) -> int:
        """Return how many went a way: up, down, …"""
        return sum(many for cell, many in self.counts.items() if self.scale.direction(*cell) == direction)


def matrix(scale: Scale, *, first: dt.date, last: dt.date, among: QuerySet[Customer] | None = None) -> Matrix:
    """Count who was where at the end of two days; ``among`` narrows the customers."""
    narrowed = "" if among is None else f"AND c.id IN ({as_subquery(among.order_by().values('id'))})"
    days = {"first_day": first, "last_day": last}
    values = {"labels": scale.ids, "first": end_of_day(first), "last": end_of_day(last), **days}
    found = rows(_MATRIX.format(among=narrowed), values)
    return Matrix(scale, first, last, {(row["was"], row["became"]): row["many"] for row in found})


def customers_in(
    scale: Scale, cell: tuple[int, int], *, first: dt.date, last: dt.date, among: QuerySet[Customer] | None = None
) -> QuerySet[Customer]:
    """Return the customers that a cell of the matrix counts."""
    was, became = cell
    end = end_of_day(last)
    found = Customer.objects.usable().filter(was_at(scale, was, before=end_of_day(first)))
    found = found.filter(had_none(scale, before=end) if became == NONE else was_at(scale, became, before=end))
    if (was, became) == (NEW, NONE):  # who became a customer later still is in no cell
        found = found.filter(known_before(end))
    return found if among is None else found.filter(pk__in=among.order_by().values("pk"))
