"""Numbers that are known of every customer, such as age, or what he spent; every app adds its own in ``values.py``.

Criteria compare with them, a selection takes the top so many by them, and the page of a customer shows them.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from common.money import format_cents
from common.registry import LivingRegistry

if TYPE_CHECKING:
    from django.db.models.expressions import Combinable
    from django.utils.functional import _StrPromise

Measured = Literal["number", "cents", "days", "years"]


class Value(ABC):
    """One number per customer; ``unit`` says of what, money is in cents."""

    code: str
    label: str | _StrPromise
    unit: Measured = "number"
    #: Why it is not known for a past day; empty when it is.
    forgets: ClassVar[str | _StrPromise] = ""

    @abstractmethod
    def expression(self, *, now: dt.datetime) -> Combinable:
        """Return the number as an expression over ``customers.Customer``; NULL for whom it is unknown."""

    def words(self, number: int | float | None) -> str:
        """Return the number as people read it."""
        if number is None:
            return "–"
        return format_cents(int(number)) if self.unit == "cents" else f"{number:g}"


#: Those of the code, and those that the organisation defined itself (``labels.values``).
values: LivingRegistry[Value] = LivingRegistry("value of a customer")
