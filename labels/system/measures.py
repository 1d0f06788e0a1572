"""What families and computed values want to know of somebody's facts: sums, counts and days over a window of months.

All measures of a run are taken in one pass over the facts; who wants to know the same thing gets the same column.
Different days are counted as bits in a string, which takes a quarter of the time of grouping by day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from common.time import local_date
from labels.system.moments import EPOCH, months_before

_LOCAL = "({instant} AT TIME ZONE 'Europe/Amsterdam')::date"

What = Literal["amount", "quantity", "count", "duration", "days", "last", "interval"]

_OF_FACTS: dict[str, str] = {
    "amount": "sum(amount_cents) FILTER (WHERE {condition})",
    "quantity": "sum(quantity) FILTER (WHERE {condition})",
    "count": "nullif(count(*) FILTER (WHERE {condition}), 0)",
    "duration": "sum(duration_seconds) FILTER (WHERE {condition})",
    # The day of the last time, as a number.
    "last": f"({_LOCAL.format(instant='max(occurred_at) FILTER (WHERE {condition})')} - date '{EPOCH}')",
}
# A string of bits per set of kinds, one for each day: the days on which there was one are the bits that are set.
_DAYS = "bit_or(set_bit(B'0'::bit({length}), {day} - date '{first}', 1)) FILTER (WHERE {condition})"
_COUNTED = "bit_count(substring({bits} FROM {place} FOR {length}))"
_OF_DAYS = {
    "days": "nullif({counted}, 0)",
    # Days between one time and the next, on average; unknown of who came once.
    "interval": "({latest} - {earliest})::float8 / nullif({counted} - 1, 0)",
}


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
        """Return SQL that yields ``customer_id`` and a column per measure, for who has any, and its params."""
        if not self._columns:
            return "SELECT NULL::bigint AS customer_id WHERE false", {}
        bound = _Bound(self, now)
        told = [f"{bound.expression(one)} AS {column}" for one, column in self._columns.items()]
        inner = ", ".join(["customer_id", *bound.aggregates])
        within = "kind = ANY(%(kinds)s) AND occurred_at >= %(earliest)s AND occurred_at <= %(now)s"
        gathered = f"SELECT {inner} FROM {facts} WHERE {within} GROUP BY customer_id"  # noqa: S608
        return f"SELECT customer_id, {', '.join(told)} FROM ({gathered}) AS gathered", bound.params  # noqa: S608

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
        kinds = sorted({kind for one in measures for kind in one.kinds})
        earliest = min(months_before(now, one.months) for one in measures)
        self.params: dict[str, Any] = {"now": now, "kinds": kinds, "earliest": earliest}
        self._now = now
        self._months_of_first = max((one.months for one in measures if one.what in _OF_DAYS), default=0)
        self._first = local_date(months_before(now, self._months_of_first))
        self._aggregates: dict[str, str] = {}

    @property
    def aggregates(self) -> list[str]:
        """The aggregates that the measures asked for so far."""
        return [f"{sql} AS {name}" for sql, name in self._aggregates.items()]

    def expression(self, one: Measure) -> str:
        """Return a measure as SQL over the aggregates."""
        if one.what in _OF_FACTS:
            return self._aggregate(_OF_FACTS[one.what].format(condition=self._condition(one)))
        since, until = (local_date(months_before(self._now, months)) for months in (one.months, one.until_months))
        length = (until - since).days + (0 if one.until_months else 1)  # today is in it when it goes on until now
        counted = _COUNTED.format(bits=self._bits(one), place=(since - self._first).days + 1, length=length)
        earliest, latest = "", ""
        if one.what == "interval":
            earliest, latest = (
                self._aggregate(_LOCAL.format(instant=f"{end}(occurred_at) FILTER (WHERE {self._condition(one)})"))
                for end in ("min", "max")
            )
        return _OF_DAYS[one.what].format(counted=counted, earliest=earliest, latest=latest)

    def _bits(self, one: Measure) -> str:
        """Return the column with the days of all facts of these kinds."""
        length = (local_date(self._now) - self._first).days + 1
        widest = Measure(one.what, one.kinds, self._months_of_first, bought=one.bought)
        day = _LOCAL.format(instant="occurred_at")
        condition = self._condition(widest)
        return self._aggregate(_DAYS.format(length=length, day=day, first=self._first, condition=condition))

    def _aggregate(self, sql: str) -> str:
        return self._aggregates.setdefault(sql, f"a{len(self._aggregates)}")

    def _condition(self, one: Measure) -> str:
        """Return which facts a measure is about; binds its kinds and moments under names of their own.

        The quickest question goes first, since each is asked of every fact.
        """
        since = f"from_{one.months}"
        self.params[since] = months_before(self._now, one.months)
        parts = [f"occurred_at >= %({since})s"]
        if one.until_months:
            until = f"from_{one.until_months}"
            self.params[until] = months_before(self._now, one.until_months)
            parts.append(f"occurred_at < %({until})s")
        kinds = f"of_{'_'.join(one.kinds)}"
        self.params[kinds] = one.kinds[0] if len(one.kinds) == 1 else list(one.kinds)
        parts.append(f"kind = %({kinds})s" if len(one.kinds) == 1 else f"kind = ANY(%({kinds})s)")
        return " AND ".join([*parts, *(["quantity > 0"] if one.bought else [])])


def columns_of(named: Mapping[str, Measure], measures: Measures) -> dict[str, str]:
    """Return what a family calls its measures -> the columns they are in."""
    return {name: f"measure.{measures.column(one)}" for name, one in named.items()}
