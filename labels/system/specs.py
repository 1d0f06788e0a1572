"""What a family of system labels consists of, and the names of its labels in the active language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from django.utils.formats import localize
from django.utils.functional import lazy

from common.money import format_cents
from common.registry import Registry
from labels.system.measures import Measure
from labels.system.moments import day_number, days_before, months_before
from labels.system.thresholds import Limits, Number, Threshold

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

__all__ = [
    "SUBSCRIPTION_EDGE", "Edge", "Family", "LabelSpec", "Limits", "Measure", "Threshold", "Told", "day_number",
    "days_before", "families", "group_name", "label_description", "label_name", "months_before", "words",
]  # fmt: skip


@dataclass(frozen=True)
class LabelSpec:
    """One label of a family; ``description`` is its definition in words, thresholds included.

    ``group`` is one of the family's groups; empty means the group that bears the family's code. ``rank`` is its place
    in a group with an order: from one to a higher one is a move up.
    """

    code: str
    name: str | _StrPromise
    description: str | _StrPromise
    colour: str = "blue"
    group: str = ""
    rank: int = 0


@dataclass(frozen=True)
class Edge:
    """Who passed a limit because time passed, though nothing happened to him: SQL that yields ``customer_id``.

    It knows the params of the family at the run before as ``%(was_<name>)s`` and those of now as ``%(<name>)s``.
    Finding too many does no harm.
    """

    sql: str


#: Subscriptions that began or ended; for families with ``today`` among their params.
SUBSCRIPTION_EDGE = Edge("""
SELECT customer_id FROM customers_subscription
 WHERE started_on > %(was_today)s AND started_on <= %(today)s
    OR ended_on >= %(was_today)s AND ended_on < %(today)s
""")


@dataclass(frozen=True)
class Family:
    """Labels computed together. ``sql`` yields ``(customer_id, code)``, each pair once, from the params it names.

    In ``sql`` stand, in braces: ``{among[column]}``, true for customers this run is about; ``{customers}``,
    ``{subscriptions}`` and ``{facts}``, the tables of these; ``{m[name]}``, one of ``measures`` as a column of
    ``label_measure AS measure``, which has a row for who has any; ``{v[code]}``, a sub-query (customer_id, number) of a
    computed value named in ``values``; with ``is_of_relations`` also ``{relations}``, a table (customer_id, library,
    theatre) of who had to do with which in the last ``months`` of its threshold.

    ``params`` makes the bound values out of the moment and the thresholds. ``is_profiling``: derived from behaviour, so
    not computed for who refused profiling (AVG 21). ``is_exclusive``: the statement yields at most one label per
    customer and group; ``free_groups`` are groups for which that does not hold all the same. ``groups``: code -> name
    of its label groups; by default one, named as the family. ``more_labels`` yields labels that depend on rows
    (worlds); it is asked at each full run, and ``has_news`` at each other one: SQL that yields a row when a label is
    missing.

    ``rising``: pairs of thresholds of which the second is more than the first.

    What an incremental run must know: ``edges``; ``of_household``, the label of one depends on who lives with him;
    ``fact_edges``, the kinds of facts it reads itself and the params they have to lie after.
    """

    code: str
    name: str | _StrPromise
    sql: str
    params: Callable[[dt.datetime, Limits], Mapping[str, Any]]
    labels: Sequence[LabelSpec] = ()
    more_labels: Callable[[], Sequence[LabelSpec]] = tuple
    has_news: str = ""
    thresholds: tuple[Threshold, ...] = ()
    rising: tuple[tuple[str, str], ...] = ()
    measures: Callable[[Limits], Mapping[str, Measure]] = lambda _limits: {}
    values: tuple[str, ...] = ()
    edges: Sequence[Edge] = ()
    fact_edges: Mapping[str, Callable[[], Sequence[str]]] = field(default_factory=dict)
    of_household: bool = False
    is_of_relations: bool = False
    is_exclusive: bool = True
    is_profiling: bool = True
    groups: Mapping[str, str | _StrPromise] = field(default_factory=dict)
    free_groups: frozenset[str] = frozenset()

    @property
    def all_groups(self) -> Mapping[str, str | _StrPromise]:
        """The family's label groups, code -> name."""
        return self.groups or {self.code: self.name}

    def holds_one(self, group: str) -> bool:
        """Whether somebody has at most one label of this group at a time."""
        return self.is_exclusive and group not in self.free_groups

    def limits(
        self, *, proposed: Mapping[str, Number] | None = None, known: Mapping[str, Number] | None = None
    ) -> Limits:
        """Return its thresholds as they are; ``known`` is what was set, when the caller has just read that."""
        return Limits(self.code, self.thresholds, proposed=proposed, known=known)


families: Registry[Family] = Registry("family of system labels")


@dataclass(frozen=True)
class Told:
    """A threshold in a definition in words, filled in when it is read: ``plus`` is added to it."""

    name: str  # family.code
    plus: int = 0

    def shown(self) -> int | str:
        """Return it as it stands in a text: a whole number, or money or a factor as text."""
        family, _, code = self.name.partition(".")
        known = families[family]
        number = known.limits()[code] + self.plus
        unit = next(one.unit for one in known.thresholds if one.code == code)
        if unit == "cents":
            return format_cents(int(number))
        return str(localize(number)) if number % 1 else int(number)


def words(template: str | _StrPromise, **values: object) -> _StrPromise:
    """Return a description whose numbers are filled in when it is read, in the language of that moment."""
    return cast("_StrPromise", _lazily(_Words(template, values)))


def group_name(code: str) -> str | _StrPromise | None:
    """Return the name of a group of system labels, or None when the group is of our own making."""
    return next((family.all_groups[code] for family in families if code in family.all_groups), None)


def label_name(code: str) -> str | _StrPromise | None:
    """Return the name of a label that stands in the code; None for labels that follow from rows."""
    spec = _spec(code)
    return spec.name if spec else None


def label_description(code: str) -> str | _StrPromise | None:
    """Return the definition in words of a label that stands in the code."""
    spec = _spec(code)
    return spec.description if spec else None


def _spec(code: str) -> LabelSpec | None:
    return next((spec for family in families for spec in family.labels if spec.code == code), None)


@dataclass(frozen=True)
class _Words:
    template: str | _StrPromise
    values: Mapping[str, object]

    def __str__(self) -> str:
        shown = {name: value.shown() if isinstance(value, Told) else value for name, value in self.values.items()}
        return str(self.template) % shown


_lazily = lazy(str, str)  # once: each call of ``lazy``, and so of ``lazystr``, makes a class with all methods of str
