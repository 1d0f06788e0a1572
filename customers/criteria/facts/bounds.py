"""Least and most, as conditions on a number that a statement works out."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import BigIntegerField, Q
from django.db.models.functions import Cast


@dataclass(frozen=True)
class Bounds:
    """From ``low`` to ``high``, both included; None is open."""

    low: int | None = None
    high: int | None = None

    @property
    def is_everything(self) -> bool:
        """Whether every count lies within, also that of who never did it."""
        return self.has_zero and self.high is None and not self.low

    @property
    def has_zero(self) -> bool:
        """Whether who never did it is meant as well."""
        return (self.low is None or self.low <= 0) and (self.high is None or self.high >= 0)

    @property
    def is_once(self) -> bool:
        """Whether all that is asked is that it happened."""
        return self.low == 1 and self.high is None

    def within(self, name: str, *, times: str = "") -> Q:
        """Return the condition that a number lies within; with ``times``, that it does so divided by another one."""
        q = Q()
        if self.low is not None:
            q &= Q(**{f"{name}__gte": self.low * Cast(times, BigIntegerField()) if times else self.low})
        if self.high is not None:
            q &= Q(**{f"{name}__lte": self.high * Cast(times, BigIntegerField()) if times else self.high})
        return q

    def having(self, number: str, *, times: str = "") -> tuple[str, list[int]]:
        """Return the same as ``within`` for ``Heaped``: SQL over numbers that are written in ours, and its values."""
        each = f" * {times}" if times else ""
        parts = [(">=", self.low), ("<=", self.high)]
        asked = [(f"{number} {op} %s{each}", value) for op, value in parts if value is not None]
        return " AND ".join(text for text, _value in asked), [value for _text, value in asked]

    def outside(self, name: str) -> Q:
        """Return the condition that a number does not lie within."""
        q = Q()
        if self.low is not None:
            q |= Q(**{f"{name}__lt": self.low})
        if self.high is not None:
            q |= Q(**{f"{name}__gt": self.high})
        return q
