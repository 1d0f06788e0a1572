"""What a family of system labels consists of, and the names of its labels in the active language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dateutil.relativedelta import relativedelta
from django.utils.formats import localize
from django.utils.functional import lazystr

from common.registry import Registry
from common.time import local_date, start_of_day

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class LabelSpec:
    """One label of a family; ``description`` is its definition in words, thresholds included.

    ``group`` is one of the family's groups; empty means the group that bears the family's code.
    """

    code: str
    name: str | _StrPromise
    description: str | _StrPromise
    colour: str = "blue"
    group: str = ""


@dataclass(frozen=True)
class Family:
    """Labels computed together. ``sql`` yields ``(customer_id, code)``, each pair once, from the params it
    names.

    ``is_profiling``: derived from behaviour, so not computed for who refused profiling (AVG 21).
    ``is_exclusive``: the statement yields at most one label per customer and group. ``groups``: code -> name
    of its label groups; by default one, named as the family. ``more_labels`` yields labels that depend on
    rows (worlds); it is asked at each run.
    """

    code: str
    name: str | _StrPromise
    sql: str
    params: Callable[[dt.datetime], Mapping[str, Any]]
    labels: Sequence[LabelSpec] = ()
    more_labels: Callable[[], Sequence[LabelSpec]] = tuple
    is_exclusive: bool = True
    is_profiling: bool = True
    groups: Mapping[str, str | _StrPromise] = field(default_factory=dict)

    @property
    def all_groups(self) -> Mapping[str, str | _StrPromise]:
        """The family's label groups, code -> name."""
        return self.groups or {self.code: self.name}


families: Registry[Family] = Registry("family of system labels")


def months_before(now: dt.datetime, months: int) -> dt.datetime:
    """Return the start of the Amsterdam day that lies ``months`` months before the day of ``now``."""
    return start_of_day(local_date(now) - relativedelta(months=months))


def days_before(now: dt.datetime, days: int) -> dt.date:
    """Return the Amsterdam day ``days`` days before the day of ``now``; negative days lie ahead."""
    return local_date(now) - dt.timedelta(days=days)


def words(template: str | _StrPromise, **values: object) -> _StrPromise:
    """Return a description whose numbers are filled in when it is read, in the language of that moment."""
    return lazystr(_Words(template, values))


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
        shown = {name: localize(value) if isinstance(value, float) else value for name, value in self.values.items()}
        return str(self.template) % shown
