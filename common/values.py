"""Numbers that are known of every customer, such as age, or what he spent; every app adds its own in ``values.py``.

Criteria compare with them, a selection takes the top so many by them, and the page of a customer shows them.
"""

from __future__ import annotations

import datetime as dt
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from django.db.models import BooleanField, FloatField, Func, Q, QuerySet
from django.db.models import Value as Constant
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, IsNull, LessThan, LessThanOrEqual, Range

from common.money import format_cents
from common.registry import LivingRegistry

if TYPE_CHECKING:
    from django.db.models.expressions import Combinable
    from django.utils.functional import _StrPromise

Measured = Literal["number", "cents", "days", "years"]


class Surely(Func):
    """A condition that is false where it cannot be answered, and is worked out once."""

    template = "coalesce(%(expressions)s, false)"
    output_field = BooleanField()


@dataclass(frozen=True)
class Bounds:
    """Numbers from ``low`` to ``high``, both included unless open; None is without end, and one of them is there."""

    low: float | None = None
    high: float | None = None
    is_open: bool = False

    def holds(self, number: float) -> bool:
        """Say whether a number lies within."""
        if self.is_open and number in (self.low, self.high):
            return False
        return (self.low is None or number >= self.low) and (self.high is None or number <= self.high)

    def on(self, column: str) -> Q:
        """Return the condition that a column lies within."""
        ends = (("gt", self.low), ("lt", self.high))
        suffix = "" if self.is_open else "e"
        given = {f"{column}__{end}{suffix}": bound for end, bound in ends if bound is not None}
        return Q(**{f"{column}__isnull": False}) & Q(**given)

    def around(self, expression: Any) -> Q:
        """Return the condition that an expression lies within; false where it is unknown."""
        low, high = (bound if bound is None else Constant(bound, output_field=FloatField()) for bound in self._ends)
        if low is None:
            return Q(Surely((LessThan if self.is_open else LessThanOrEqual)(expression, high)))
        if high is None:
            return Q(Surely((GreaterThan if self.is_open else GreaterThanOrEqual)(expression, low)))
        return Q(Surely(Range(expression, [low, high])))

    @property
    def _ends(self) -> tuple[float | None, float | None]:
        return self.low, self.high

    def whole(self) -> tuple[int | None, int | None]:
        """Return the lowest and the highest whole number within."""
        low = None if self.low is None else math.floor(self.low) + 1 if self.is_open else math.ceil(self.low)
        high = None if self.high is None else math.ceil(self.high) - 1 if self.is_open else math.floor(self.high)
        return low, high


class Value(ABC):
    """One number per customer; ``unit`` says of what, money is in cents.

    ``known``, ``within`` and ``annotated`` follow from the expression; a value that stands in a table of its own does
    better there, since a million look-ups take seconds.
    """

    code: str
    label: str | _StrPromise
    unit: Measured = "number"
    #: Why it is not known for a past day; empty when it is.
    forgets: ClassVar[str | _StrPromise] = ""

    @abstractmethod
    def expression(self, *, now: dt.datetime) -> Combinable:
        """Return the number as an expression over ``customers.Customer``; NULL for whom it is unknown."""

    def known(self, *, now: dt.datetime) -> Q:
        """Return the condition that the number is known of a customer."""
        return Q(IsNull(self.expression(now=now), False))

    def within(self, bounds: Bounds, *, now: dt.datetime) -> Q:
        """Return the condition that the number is known of a customer, and lies within bounds."""
        return bounds.around(self.expression(now=now))

    def annotated(self, customers: QuerySet[Any], *, now: dt.datetime) -> QuerySet[Any]:
        """Return the customers with the number as ``worth``: for who needs it of all of them, to put them in order."""
        annotated: QuerySet[Any] = customers.annotate(worth=self.expression(now=now))
        return annotated

    def words(self, number: int | float | None) -> str:
        """Return the number as people read it."""
        if number is None:
            return "–"
        return format_cents(int(number)) if self.unit == "cents" else f"{number:g}"


#: Those of the code, and those that the organisation defined itself (``labels.values``).
values: LivingRegistry[Value] = LivingRegistry("value of a customer")
