"""The shapes in which a statement asks about facts, where the ORM has no words for one.

Everything in them is compiled by the ORM from querysets; only the frame around those is written here, and nothing a
user typed comes into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import EmptyResultSet
from django.db.models import (
    BigIntegerField,
    BooleanField,
    DateField,
    DateTimeField,
    Expression,
    F,
    Field,
    Func,
    IntegerField,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import TruncDate
from django.db.models.lookups import GreaterThan

from common.time import AMSTERDAM
from customers.models.querysets import FactQuerySet

#: The Amsterdam day of a fact.
DAY = TruncDate("occurred_at", tzinfo=AMSTERDAM)


def worked_out_once(facts: FactQuerySet) -> FactQuerySet:
    """Return facts, to be grouped by customer, that one process reads.

    To look through customers with several processes at once, PostgreSQL lets each of them group all facts for itself,
    and counts that as if it cost nothing. What asks for the process at hand is left to one; a limit would do that too,
    but then also for a single customer everybody would be grouped.
    """
    process: Func = Func(function="pg_backend_pid", output_field=IntegerField())
    return facts.filter(GreaterThan(process, 0))


class Among(Expression):
    """Whether the row at hand is one of the customers that querysets of one column yield.

    EXISTS over the querysets as a table, not IN: PostgreSQL makes a join of it, and an anti-join when it is negated;
    NOT IN over more ids than fit in its memory is looked through again for each row.
    """

    output_field = BooleanField()

    def __init__(self, *querysets: QuerySet[Any, Any], outer: str = "pk") -> None:
        super().__init__()
        self.sources: list[Any] = [F(outer), *(Subquery(queryset) for queryset in querysets)]

    def get_source_expressions(self) -> list[Any]:
        """Return the column of the row at hand and the querysets."""
        return self.sources

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        """Take them back, resolved."""
        self.sources = list(exprs)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return the SQL; querysets that can yield nothing are left out."""
        outer, outer_values = compiler.compile(self.sources[0])
        tables, values = [], []
        for source in self.sources[1:]:
            try:
                table, given = compiler.compile(source)
            except EmptyResultSet:
                continue
            tables.append(table)
            values += given
        if not tables:
            raise EmptyResultSet
        found = f"({' UNION ALL '.join(tables)}) AS found (customer_id)"
        return f"EXISTS (SELECT FROM {found} WHERE found.customer_id = {outer})", [*values, *outer_values]


class Heaped(Expression):
    """Whether the row at hand is a customer whose heaps (orders, days) together meet a condition.

    ``heaps`` yields a row per heap with these ``columns``, the customer first; ``having`` is SQL of ours over them,
    with its values bound: a grouping of a grouping, for which the ORM has no words.
    """

    output_field = BooleanField()

    def __init__(
        self, heaps: QuerySet[Any, Any], columns: Sequence[str], having: str, values: Sequence[Any] = ()
    ) -> None:
        super().__init__()
        self.sources: list[Any] = [F("pk"), Subquery(heaps)]
        self.columns, self.having, self.values = tuple(columns), having, tuple(values)

    def get_source_expressions(self) -> list[Any]:
        """Return the column of the row at hand and the heaps."""
        return self.sources

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        """Take them back, resolved."""
        self.sources = list(exprs)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return the SQL."""
        outer, outer_values = compiler.compile(self.sources[0])
        table, values = compiler.compile(self.sources[1])
        people = (
            f"SELECT customer_id FROM {table} AS heaps ({', '.join(self.columns)})"  # noqa: S608 - our own words
            f" GROUP BY customer_id HAVING {self.having}"
        )
        return (
            f"EXISTS (SELECT FROM ({people}) AS found WHERE found.customer_id = {outer})",
            [*values, *self.values, *outer_values],
        )


class Column(Expression):
    """A column of the frame that ``Chain`` writes, for use in the querysets of its steps."""

    def __init__(self, name: str, output_field: Field[Any, Any]) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return the name, which is ours."""
        return self.name, []


def owner() -> Column:
    """Return whose chain it is."""
    return Column("s1.customer_id", BigIntegerField())


def moment(number: int) -> Column:
    """Return the moment at which a step was reached."""
    return Column(f"s{number}.moment", DateTimeField())


class DaysLater(Func):
    """The first instant after so many Amsterdam days beyond the day of a moment."""

    template = "(((%(expressions)s)::timestamp AT TIME ZONE 'Europe/Amsterdam')"
    arg_joiner = " AT TIME ZONE 'Europe/Amsterdam')::date + "
    output_field = DateTimeField()

    def __init__(self, since: Any, days: int) -> None:
        super().__init__(since, Value(days + 1))


class DaysBetween(Func):
    """How many days lie from the second date to the first, as a whole number that may be multiplied freely."""

    template = "((%(expressions)s)::bigint)"
    arg_joiner = " - "
    output_field = BigIntegerField()


def local_day(expression: Any) -> TruncDate:
    """Return the Amsterdam day of a moment."""
    return TruncDate(expression, tzinfo=AMSTERDAM, output_field=DateField())


@dataclass(frozen=True)
class Link:
    """A later step of a chain: ``queryset`` yields the moment at which it is reached, or passed when ``is_wanted`` is
    false: then there must be none. ``is_last``: nobody asks for its moment, so that it is enough that there is one.
    """

    queryset: QuerySet[Any, Any]
    is_wanted: bool
    is_last: bool = False


class Chain(Expression):
    """Whether somebody went through steps, one after the other.

    ``start`` yields customers with the moment of their first step (with ``earliest``: the earliest of several counts);
    each later step is looked for beside it (LATERAL), after the moment of the one before. The querysets of later
    steps say ``owner()`` and ``moment(n)`` for the customer and for the moment of step n. Steps of which only the
    presence matters are (NOT) EXISTS, of which PostgreSQL can make a join of everybody at once.
    """

    output_field: Field[Any, Any] = BooleanField()

    def __init__(self, start: QuerySet[Any, Any], links: Sequence[Link], *, earliest: bool = False) -> None:
        super().__init__()
        self.links = [(link.is_wanted, link.is_last) for link in links]
        self.earliest = earliest
        self.sources: list[Any] = [F("pk"), Subquery(start), *(Subquery(link.queryset) for link in links)]

    def get_source_expressions(self) -> list[Any]:
        """Return the column of the row at hand and the querysets."""
        return self.sources

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        """Take them back, resolved."""
        self.sources = list(exprs)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return the SQL."""
        outer, outer_values = compiler.compile(self.sources[0])
        frame, values = self._start(compiler)
        conditions, later_values = [f"s1.customer_id = {outer}"], [*outer_values]
        for number, (source, (is_wanted, is_last)) in enumerate(
            zip(self.sources[2:], self.links, strict=True), start=2
        ):
            step, given = compiler.compile(source)
            if is_wanted and not is_last:
                frame, values = f"{frame} CROSS JOIN LATERAL {step} AS s{number} (moment)", [*values, *given]
            else:
                conditions.append(f"{'' if is_wanted else 'NOT '}EXISTS {step}")
                later_values += given
        return f"EXISTS (SELECT FROM {frame} WHERE {' AND '.join(conditions)})", [*values, *later_values]

    def _start(self, compiler: Any) -> tuple[str, list[Any]]:
        """Return the first step as a table, and its values."""
        start, values = compiler.compile(self.sources[1])
        if self.earliest:
            start = f"(SELECT customer_id, min(moment) FROM {start} AS s (customer_id, moment) GROUP BY customer_id)"  # noqa: S608
        return f"{start} AS s1 (customer_id, moment)", [*values]


class Moments(Chain):
    """How far somebody came in a chain: the moment of each step, empty where none was found; of several starts the one
    that came furthest, and of those the first.
    """

    output_field = ArrayField(DateTimeField())

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return the SQL."""
        outer, outer_values = compiler.compile(self.sources[0])
        frame, values = self._start(compiler)
        names, held = ["s1.moment"], []
        for number, (source, (is_wanted, _is_last)) in enumerate(
            zip(self.sources[2:], self.links, strict=True), start=2
        ):
            step, given = compiler.compile(source)
            frame, values = f"{frame} LEFT JOIN LATERAL {step} AS s{number} (moment) ON TRUE", [*values, *given]
            names.append(f"s{number}.moment")
            held.append(f"(s{number}.moment IS {'NOT NULL' if is_wanted else 'NULL'})::int")
        reached = f"SELECT ARRAY[{', '.join(names)}] FROM {frame} WHERE s1.customer_id = {outer}"  # noqa: S608
        return f"({reached} ORDER BY {' + '.join(held)} DESC, s1.moment LIMIT 1)", [*values, *outer_values]
