"""What families and computed values want to know of somebody's facts: sums, counts and days over a window of months.

All measures of a run are taken in one pass over the facts; who wants to know the same thing gets the same column.
Different days are counted as bits in a string, which takes a quarter of the time of grouping by day. Each fact bears
its day as a number and its kind as bits, one per set of kinds that is asked about, so that the question whether it
belongs to a measure compares small numbers: asked of texts and moments it took most of the time of a run. Windows that
overlap are taken apart at their edges, so that a fact is added up once and not once per window.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from labels.system.moments import day_number, months_before

What = Literal["amount", "quantity", "count", "duration", "days", "last", "interval"]

# What is added up: of a stretch of time, and of several stretches together.
_SUMS: dict[str, str] = {
    "amount": "sum(amount_cents)",
    "quantity": "sum(quantity)",
    "count": "count(*)",
    "duration": "sum(duration_seconds)",
}
# A string of bits per set of kinds, one for each day: the days on which there was one are the bits that are set.
_DAYS = "bit_or(set_bit(B'0'::bit({length}), day - {first}, 1))"
_SETS_EACH = 30  # sets of kinds, as bits of one integer


@dataclass(frozen=True)
class Measure:
    """``what`` of facts of ``kinds``, from ``months`` before today up to ``until_months`` before today, or up to now.

    ``count`` counts facts, ``days`` the days on which there is one; ``last`` is the day of the last one as a number of
    days since 1970, ``interval`` the average number of days between two. ``bought``: only facts with a quantity above
    nothing, which leaves out what was given back. Nothing found is NULL.
    """

    what: What
    kinds: tuple[str, ...]
    months: int
    until_months: int = 0
    bought: bool = False


class Measures:
    """The measures of one run, each once; ``column`` is the name under which a family reads it."""

    def __init__(self, measures: Iterable[Measure]) -> None:
        self._columns = {measure: f"m{place}" for place, measure in enumerate(dict.fromkeys(measures))}

    def column(self, measure: Measure) -> str:
        """Return the column of the table of measures."""
        return self._columns[measure]

    def __iter__(self) -> Iterator[Measure]:
        return iter(self._columns)

    def statement(self, facts: str, now: dt.datetime) -> tuple[str, dict[str, Any]]:
        """Return SQL that yields ``customer_id`` and a column per measure, for who has any, and its params.

        ``facts`` are facts up to ``now``, each with its ``day`` as a number of days since 1970.
        """
        if not self._columns:
            return "SELECT NULL::bigint AS customer_id WHERE false", {}
        bound = _Bound(self, now)
        told = [f"{bound.expression(one)} AS {column}" for one, column in self._columns.items()]
        # OFFSET 0: the bits of a kind are looked up once per fact and not once per measure.
        told_apart = f"SELECT *, {bound.sets} FROM {facts} OFFSET 0"  # noqa: S608 - our own words
        inner = ", ".join(["customer_id", *bound.aggregates])
        gathered = f"SELECT {inner} FROM ({told_apart}) AS fact GROUP BY customer_id"  # noqa: S608
        return f"SELECT customer_id, {', '.join(told)} FROM ({gathered}) AS gathered", bound.params  # noqa: S608

    def since(self, now: dt.datetime) -> dict[str, dt.datetime]:
        """Return from when on facts are looked at: kind -> moment."""
        months: dict[str, int] = {}
        for one in self:
            months |= {kind: max(one.months, months.get(kind, 0)) for kind in one.kinds}
        return {kind: months_before(now, many) for kind, many in months.items()}

    def edges(self, now: dt.datetime) -> dict[tuple[str, str], dt.datetime]:
        """Return the moments at which a fact comes into or leaves a measure: (kind, which) -> moment.

        Of two runs, the facts of a kind between both moments of one name are those that passed it.
        """
        return {
            (kind, f"{months}"): months_before(now, months)
            for one in self
            for kind in one.kinds
            for months in (one.months, one.until_months)
            if months
        } | {(kind, "now"): now for one in self for kind in one.kinds}


class _Bound:
    """The measures of a run at a moment: aggregates over facts, each once, and measures as expressions over them."""

    def __init__(self, measures: Measures, now: dt.datetime) -> None:
        self._now, self._measures = now, list(measures)
        self._sets = {kinds: place for place, kinds in enumerate(dict.fromkeys(one.kinds for one in measures))}
        kinds = dict.fromkeys(kind for kinds in self._sets for kind in kinds)
        self.params: dict[str, Any] = {f"kind_{place}": kind for place, kind in enumerate(kinds)}
        self._aggregates: dict[str, str] = {}

    @property
    def aggregates(self) -> list[str]:
        """The aggregates that the measures asked for so far."""
        return [f"{sql} AS {name}" for sql, name in self._aggregates.items()]

    @property
    def sets(self) -> str:
        """Columns of integers: their bits tell to which sets of kinds a fact belongs."""
        return ", ".join(self._bits_of_kind(n) for n in range(len(self._sets) // _SETS_EACH + 1))

    def _bits_of_kind(self, number: int) -> str:
        whens = []
        for name, kind in self.params.items():
            places = [
                place % _SETS_EACH
                for kinds, place in self._sets.items()
                if kind in kinds and place // _SETS_EACH == number
            ]
            whens.append(f"WHEN %({name})s THEN {sum(1 << place for place in places)}")
        return f"CASE kind {' '.join(whens)} ELSE 0 END AS sets{number}"

    def expression(self, one: Measure) -> str:
        """Return a measure as SQL over the aggregates."""
        if one.what in _SUMS:
            return self._sum(one)
        latest = self._aggregate(f"max(day) {self._filter(one)}") if one.what != "days" else ""
        if one.what == "last":
            return latest
        since, until = self._day(one.months), self._day(one.until_months)
        first, bits = self._bits(one)
        window = f"substring({bits} FROM {since - first + 1} FOR {until - since})"
        if one.what == "days":
            return f"nullif(bit_count({window}), 0)"
        # Days between one time and the next, on average; unknown of who came once.
        earliest = f"position(B'1' IN {window}) + {since - 1}"
        return f"({latest} - ({earliest}))::float8 / nullif(bit_count({window}) - 1, 0)"

    def _sum(self, one: Measure) -> str:
        """Return what was added up in the stretches of which the window consists; none of any is NULL."""
        alike = [other for other in self._measures if _is_alike(one, other)]
        edges = sorted({edge for other in alike for edge in (other.months, other.until_months)}, reverse=True)
        parts = [
            self._aggregate(f"{_SUMS[one.what]} {self._filter(one, since, until)}")
            for since, until in pairwise(edges)
            if since <= one.months and until >= one.until_months
        ]
        if one.what == "count":
            return f"nullif({' + '.join(parts)}, 0)"
        if len(parts) == 1:
            return parts[0]
        total = " + ".join(f"coalesce({part}, 0)" for part in parts)
        return f"CASE WHEN num_nonnulls({', '.join(parts)}) > 0 THEN {total} END"

    def _bits(self, one: Measure) -> tuple[int, str]:
        """Return the column with the days of all facts of these kinds, and the day of its first bit."""
        alike = (other for other in self._measures if _is_alike(one, other, ("days", "interval")))
        widest = max(other.months for other in alike)
        first = self._day(widest)
        days = _DAYS.format(length=self._day(0) - first, first=first)
        return first, self._aggregate(f"{days} {self._filter(one, widest, 0)}")

    def _day(self, months: int) -> int:
        """Return the day on which a window of so many months begins; of none the day after today, at which it ends."""
        return day_number(months_before(self._now, months)) + (0 if months else 1)

    def _aggregate(self, sql: str) -> str:
        return self._aggregates.setdefault(sql, f"a{len(self._aggregates)}")

    def _filter(self, one: Measure, months: int | None = None, until_months: int | None = None) -> str:
        """Return which facts of its kinds an aggregate is about, by default those in its window."""
        since, until = (one.months, one.until_months) if months is None else (months, until_months or 0)
        place = self._sets[one.kinds]
        parts = [f"day >= {self._day(since)}"]
        if until:
            parts.append(f"day < {self._day(until)}")
        parts.append(f"sets{place // _SETS_EACH} & {1 << place % _SETS_EACH} <> 0")
        return f"FILTER (WHERE {' AND '.join([*parts, *(['quantity > 0'] if one.bought else [])])})"


def _is_alike(one: Measure, other: Measure, whats: tuple[str, ...] = ()) -> bool:
    """Whether two measures differ in their window alone."""
    return other.what in (whats or (one.what,)) and other.kinds == one.kinds and other.bought == one.bought


def columns_of(named: Mapping[str, Measure], measures: Measures) -> dict[str, str]:
    """Return what a family calls its measures -> the columns they are in."""
    return {name: f"measure.{measures.column(one)}" for name, one in named.items()}
