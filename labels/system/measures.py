"""What families and computed values want to know of somebody's facts: sums, counts and days over a window of months.

All measures of a run are taken in one pass over the facts, and those that count days in a second; who wants to know the
same thing gets the same column.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from labels.system.moments import EPOCH, months_before

What = Literal["amount", "quantity", "count", "duration", "days", "last", "interval"]

_SUMS = {
    "amount": "sum(amount_cents) FILTER (WHERE {condition})",
    "quantity": "sum(quantity) FILTER (WHERE {condition})",
    "count": "nullif(count(*) FILTER (WHERE {condition}), 0)",
    "duration": "sum(duration_seconds) FILTER (WHERE {condition})",
    # The day in Amsterdam of the last time, as a number.
    "last": f"(max(occurred_at) FILTER (WHERE {{condition}}) AT TIME ZONE 'Europe/Amsterdam')::date - date '{EPOCH}'",
}
_DAYS = {
    "days": "nullif(count(*) FILTER (WHERE {flag}), 0)",
    # Days between one time and the next, on average; unknown of who came once.
    "interval": (
        "(max(day) FILTER (WHERE {flag}) - min(day) FILTER (WHERE {flag}))::float8"
        " / nullif(count(*) FILTER (WHERE {flag}) - 1, 0)"
    ),
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
        params: dict[str, Any] = {"now": now, "kinds": sorted({kind for one in self for kind in one.kinds})}
        params["earliest"] = min((months_before(now, one.months) for one in self), default=now)
        parts = [part for part in (self._sums(facts, now, params), self._days(facts, now, params)) if part]
        if not parts:
            return "SELECT NULL::bigint AS customer_id WHERE false", params
        columns = ", ".join(["customer_id", *self._columns.values()])
        joined = " FULL JOIN ".join(f"({part}) AS part{place}" for place, part in enumerate(parts))
        return f"SELECT {columns} FROM {joined}{' USING (customer_id)' if len(parts) > 1 else ''}", params  # noqa: S608

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

    def _sums(self, facts: str, now: dt.datetime, params: dict[str, Any]) -> str:
        wanted = [one for one in self if one.what in _SUMS]
        told = ", ".join(
            f"{_SUMS[one.what].format(condition=self._condition(one, now, params))} AS {self.column(one)}"
            for one in wanted
        )
        return f"SELECT customer_id, {told} FROM {facts} WHERE {_WITHIN} GROUP BY customer_id" if wanted else ""  # noqa: S608

    def _days(self, facts: str, now: dt.datetime, params: dict[str, Any]) -> str:
        wanted = [one for one in self if one.what in _DAYS]
        if not wanted:
            return ""
        conditions = [self._condition(one, now, params) for one in wanted]
        flags = {condition: f"on{place}" for place, condition in enumerate(dict.fromkeys(conditions))}
        flagged = ", ".join(f"bool_or({condition}) AS {flag}" for condition, flag in flags.items())
        params["day_kinds"] = sorted({kind for one in wanted for kind in one.kinds})
        params["earliest_day"] = min(months_before(now, one.months) for one in wanted)
        told = ", ".join(
            f"{_DAYS[one.what].format(flag=flags[condition])} AS {self.column(one)}"
            for one, condition in zip(wanted, conditions, strict=True)
        )
        return f"""
            SELECT customer_id, {told} FROM (
                SELECT customer_id, (occurred_at AT TIME ZONE 'Europe/Amsterdam')::date AS day, {flagged}
                  FROM {facts} WHERE kind = ANY(%(day_kinds)s) AND occurred_at >= %(earliest_day)s
                   AND occurred_at <= %(now)s GROUP BY 1, 2
            ) AS per_day GROUP BY customer_id
        """  # noqa: S608 - our own words; values are bound

    def _condition(self, one: Measure, now: dt.datetime, params: dict[str, Any]) -> str:
        """Return which facts a measure is about; binds its kinds and moments under names of their own."""
        kinds, since = f"of_{'_'.join(one.kinds)}", f"from_{one.months}"
        params[kinds], params[since] = list(one.kinds), months_before(now, one.months)
        parts = [f"kind = ANY(%({kinds})s)", f"occurred_at >= %({since})s"]
        if one.until_months:
            until = f"from_{one.until_months}"
            params[until] = months_before(now, one.until_months)
            parts.append(f"occurred_at < %({until})s")
        return " AND ".join([*parts, *(["quantity > 0"] if one.bought else [])])


_WITHIN = "kind = ANY(%(kinds)s) AND occurred_at >= %(earliest)s AND occurred_at <= %(now)s"


def columns_of(named: Mapping[str, Measure], measures: Measures) -> dict[str, str]:
    """Return what a family calls its measures -> the columns they are in."""
    return {name: f"measure.{measures.column(one)}" for name, one in named.items()}
