"""Every move in a stretch of time, folded out of the intervals: at each moment at which an interval of the group begins
or ends, where the customer was just before it and where he is from then on.

One who loses a label and gets another in the same run has both at the same moment, so that is one move.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from django.db.models import QuerySet

from common.sql import as_subquery, rows
from customers.models import Customer
from labels.models import Assignment
from labels.shifts.scale import Direction, Scale

_MOVES = """
SELECT point.customer_id, point.at,
       coalesce(max(array_position({labels}, a.label_id))
         FILTER (WHERE a.since < point.at AND (a.until IS NULL OR a.until >= point.at)), 0) AS was,
       coalesce(max(array_position({labels}, a.label_id))
         FILTER (WHERE a.since <= point.at AND (a.until IS NULL OR a.until > point.at)), 0) AS became
  FROM (
      SELECT customer_id, since AS at FROM labels_assignment
       WHERE label_id = ANY({labels}) AND since >= {start} AND since < {end} {among}
      UNION
      SELECT customer_id, until FROM labels_assignment
       WHERE label_id = ANY({labels}) AND until >= {start} AND until < {end} {among}
  ) AS point
  JOIN labels_assignment AS a ON a.customer_id = point.customer_id AND a.label_id = ANY({labels})
   AND a.since <= point.at AND (a.until IS NULL OR a.until >= point.at)
 GROUP BY point.customer_id, point.at
HAVING coalesce(max(array_position({labels}, a.label_id))
         FILTER (WHERE a.since < point.at AND (a.until IS NULL OR a.until >= point.at)), 0)
    <> coalesce(max(array_position({labels}, a.label_id))
         FILTER (WHERE a.since <= point.at AND (a.until IS NULL OR a.until > point.at)), 0)
"""

_PER_WEEK = """
SELECT date_trunc('week', move.at AT TIME ZONE 'Europe/Amsterdam')::date AS week, move.was, move.became,
       count(*) AS many
  FROM ({moves}) AS move JOIN customers_customer AS c ON c.id = move.customer_id
 WHERE c.merged_into_id IS NULL AND c.restricted_at IS NULL
 GROUP BY 1, 2, 3
"""

_USABLE = """
customer_id NOT IN (SELECT id FROM customers_customer WHERE merged_into_id IS NOT NULL OR restricted_at IS NOT NULL)
"""

# The interval that began by the move says by what; of a move to nothing, the one that ended.
_LIST = """
SELECT move.*, coalesce(came.id, gone.id) AS interval_id, came.id IS NULL AS is_loss
  FROM (SELECT * FROM ({moves}) AS every {where} ORDER BY at DESC, customer_id DESC {limit}) AS move
  LEFT JOIN LATERAL (
      SELECT id FROM labels_assignment AS a
       WHERE a.customer_id = move.customer_id AND a.since = move.at AND a.label_id = ({labels})[move.became]
         AND (a.until IS NULL OR a.until > a.since)
       ORDER BY id DESC LIMIT 1
  ) AS came ON true
  LEFT JOIN LATERAL (
      SELECT id FROM labels_assignment AS a
       WHERE a.customer_id = move.customer_id AND a.until = move.at AND a.label_id = ({labels})[move.was]
         AND a.until > a.since
       ORDER BY id DESC LIMIT 1
  ) AS gone ON true
 ORDER BY move.at DESC, move.customer_id DESC
"""


@dataclass(frozen=True)
class Move:
    """A customer went from a place of a scale to another; ``interval`` is that of the label he came to, or of the one
    he lost.
    """

    scale: Scale
    customer_id: int
    at: dt.datetime
    was: int
    became: int
    interval: Assignment | None
    is_loss: bool = False

    @property
    def direction(self) -> Direction:
        """Which way it went."""
        return self.scale.direction(self.was, self.became)

    @property
    def how(self) -> str:
        """By what, one of ``Assignment.How``; empty when another label took over that he had already."""
        if self.interval is None:
            return ""
        return self.interval.how_taken if self.is_loss else self.interval.how_given

    @property
    def words(self) -> str:
        """By what and by whom, in words."""
        if self.interval is None:
            return ""
        return self.interval.taken_words if self.is_loss else self.interval.given_words


def moves_sql(
    scale: Scale, *, start: dt.datetime, end: dt.datetime, among: QuerySet[Customer] | Sequence[int] | str | None = None
) -> str:
    """Return SQL that yields ``customer_id, at, was, became`` of every move in ``[start, end)``; values are bound.

    ``among``: only these customers, those with these ids, or those of whom SQL yields the ids.
    """
    if isinstance(among, QuerySet):
        narrowed = f"AND customer_id IN ({as_subquery(among.order_by().values('id'))})"
    elif isinstance(among, str):
        narrowed = f"AND customer_id IN ({among})"
    elif among is not None:
        narrowed = f"AND customer_id = ANY('{{{', '.join(f'{pk:d}' for pk in among)}}}'::bigint[])"
    else:
        narrowed = ""
    return _MOVES.format(labels=_ids(scale), start=_instant(start), end=_instant(end), among=narrowed)


def moves_per_week(
    scale: Scale, *, start: dt.datetime, end: dt.datetime, among: QuerySet[Customer] | None = None
) -> dict[tuple[int, int], dict[dt.date, int]]:
    """Return (from, to) -> Monday of a week -> moves in that week."""
    found: dict[tuple[int, int], dict[dt.date, int]] = {}
    for row in rows(_PER_WEEK.format(moves=moves_sql(scale, start=start, end=end, among=among)), {}):
        found.setdefault((row["was"], row["became"]), {})[row["week"]] = row["many"]
    return found


class Moves(Sequence[Move]):
    """The moves in ``[start, end)``, the latest first; nothing is read before it is asked for, and then only that part.

    ``was`` and ``became`` are places to narrow by; moves of who was merged away or may not be used are left out.
    """

    def __init__(
        self,
        scale: Scale,
        *,
        start: dt.datetime,
        end: dt.datetime,
        among: Sequence[int] | None = None,
        was: int | None = None,
        became: int | None = None,
    ) -> None:
        self.scale = scale
        self._moves = moves_sql(scale, start=start, end=end, among=among)
        cell = {"was": was, "became": became}
        asked = [f"{column} = {place:d}" for column, place in cell.items() if place is not None]
        self._where = "WHERE " + " AND ".join([_USABLE, *asked])

    def __len__(self) -> int:
        statement = f"SELECT count(*) AS many FROM ({self._moves}) AS every {self._where}"  # noqa: S608
        return int(rows(statement, {})[0]["many"])

    @overload
    def __getitem__(self, wanted: int) -> Move: ...
    @overload
    def __getitem__(self, wanted: slice) -> list[Move]: ...
    def __getitem__(self, wanted: int | slice) -> Move | list[Move]:
        """Return a part, in two queries; only of positions counted from the first."""
        first, last = (wanted, wanted + 1) if isinstance(wanted, int) else (wanted.start or 0, wanted.stop)
        found = self._read(f"OFFSET {first:d}" + ("" if last is None else f" LIMIT {max(0, last - first):d}"))
        return found[0] if isinstance(wanted, int) else found

    def __iter__(self) -> Iterator[Move]:
        return iter(self._read(""))

    def _read(self, limit: str) -> list[Move]:
        statement = _LIST.format(moves=self._moves, labels=_ids(self.scale), where=self._where, limit=limit)
        found = rows(statement, {})
        known = Assignment.objects.in_bulk([row["interval_id"] for row in found if row["interval_id"]])
        return [
            Move(
                self.scale,
                row["customer_id"],
                row["at"],
                row["was"],
                row["became"],
                known.get(row["interval_id"]),
                row["is_loss"],
            )
            for row in found
        ]


def moves_of(scale: Scale, customers: Sequence[int], *, start: dt.datetime, end: dt.datetime) -> list[Move]:
    """Return the moves of some customers, the latest first; two queries."""
    return list(Moves(scale, start=start, end=end, among=customers))


def _ids(scale: Scale) -> str:
    return f"'{{{', '.join(f'{pk:d}' for pk in scale.ids)}}}'::bigint[]"


def _instant(instant: dt.datetime) -> str:
    return f"'{instant.astimezone(dt.UTC).isoformat()}'::timestamptz"
