"""What a timeline is made of: moments, the place of one in the order, what was asked for, and parts that bring them.

Each app registers its own parts in ``timeline.py``.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.db.models import CharField, F, Q, QuerySet, Value
from django.utils.dateparse import parse_datetime

from common.registry import Registry
from customers.models import Customer

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class About(NamedTuple):
    """Something that has a page of its own, by its noun and id: ("mailing", 12)."""

    noun: str
    pk: int


@dataclass(frozen=True)
class Moment:
    """One line: ``title`` says what, ``text`` the rest; ``kind`` is that of a fact."""

    when: dt.datetime
    icon: str
    title: str
    text: str = ""
    tone: str = "neutral"
    about: About | None = None
    day_only: bool = False
    kind: str = ""


class Key(NamedTuple):
    """Where a moment stands: the latest first, then by table, then the highest id."""

    at: dt.datetime
    table: str
    id: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.table}~{self.id}"

    @property
    def order(self) -> tuple[float, str, int]:
        """What to sort by."""
        return -self.at.timestamp(), self.table, -self.id

    @classmethod
    def read(cls, text: str) -> Key | None:
        """Return the key in an address, or None when it is not one."""
        at, _sign, rest = text.replace(" ", "+").partition("~")  # a plus that was not escaped comes in as a space
        table, _sign, number = rest.partition("~")
        try:
            moment = parse_datetime(at)
        except ValueError:
            return None
        if moment is None or moment.tzinfo is None or not number.isdecimal() or len(number) > 18:
            return None
        return cls(moment, table, int(number))


#: Which way something went: from the customer to us, or from us to the customer.
INBOUND, OUTBOUND = "inbound", "outbound"


@dataclass(frozen=True)
class Wish:
    """What to show: a kind (of fact, of a part, or INBOUND or OUTBOUND for all that went that way), a source, a world,
    from ``start`` until before ``end``.
    """

    kind: str = ""
    source: str = ""
    world: str = ""
    start: dt.datetime | None = None
    end: dt.datetime | None = None

    def holds(self, at: dt.datetime) -> bool:
        """Whether an instant lies in the period."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)


class Part(ABC):
    """One kind of moments of one customer; ``place`` is where it stands among what one can filter by."""

    code: ClassVar[str]
    kind: ClassVar[str]  # what the filter calls it; several parts may be one kind
    name: ClassVar[str | _StrPromise]
    place: ClassVar[int]
    way: ClassVar[str] = ""  # INBOUND, OUTBOUND, or neither

    def __init__(self, customer: Customer, wish: Wish) -> None:
        self.customer = customer
        self.wish = wish

    @abstractmethod
    def moments(self, ids: list[int]) -> dict[int, Moment]:
        """Return what these say."""

    def is_wanted(self) -> bool:
        """Whether the wish leaves anything of this part."""
        return self.is_of_kind() and not self.wish.world

    def is_of_kind(self) -> bool:
        """Whether this is of the kind, or went the way, that is asked for."""
        return self.wish.kind in ("", self.kind) or bool(self.way and self.wish.kind == self.way)


class QueryPart(Part):
    """A part of which there may be thousands: only the keys of a page are read."""

    source: ClassVar[str] = ""  # code of the source of all of them

    @abstractmethod
    def rows(self) -> QuerySet[Any]:
        """Return the customer's rows, annotated with ``at``."""

    def by_source(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the source that is asked for."""
        return rows

    def is_wanted(self) -> bool:
        return super().is_wanted() and self.wish.source in ("", self.source)

    def wished(self) -> QuerySet[Any]:
        """Return the rows of the source and the period that are asked for."""
        rows = self.by_source(self.rows())
        if self.wish.start:
            rows = rows.filter(at__gte=self.wish.start)
        return rows.filter(at__lt=self.wish.end) if self.wish.end else rows

    def told(self) -> QuerySet[Any]:
        """Return the rows that have a moment of their own."""
        return self.wished()

    def keys(self, before: Key | None, limit: int) -> QuerySet[Any, Any]:
        """Return (at, table, key) of the latest ``limit`` rows, after the row ``before`` in the order."""
        rows = self.told()
        if before:
            rows = rows.filter(self._after(before))
        named: QuerySet[Any] = rows.annotate(table=Value(self.code, output_field=CharField()), key=F("pk"))
        return named.order_by("-at", "-pk").values_list("at", "table", "key")[:limit]

    def _after(self, before: Key) -> Q:
        if self.code == before.table:
            return Q(at__lte=before.at) & (Q(at__lt=before.at) | Q(pk__lt=before.id))
        return Q(at__lte=before.at) if self.code > before.table else Q(at__lt=before.at)


class ListPart(Part):
    """A part of which there is a handful: all are read, numbered in the order in which ``all`` gives them."""

    @abstractmethod
    def all(self) -> list[Moment]:
        """Return the moments, always in the same order."""

    def found(self) -> dict[Key, Moment]:
        """Return those in the period, by their place."""
        numbered = enumerate(self.all())
        return {Key(one.when, self.code, n): one for n, one in numbered if self.wish.holds(one.when)}

    def moments(self, ids: list[int]) -> dict[int, Moment]:
        everything = self.all()
        return {number: everything[number] for number in ids}


parts: Registry[type[Part]] = Registry("part of the timeline")
