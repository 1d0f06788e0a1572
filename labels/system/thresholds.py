"""Thresholds of system labels: what the code proposes, and what the organisation set instead.

A family declares its thresholds; every number in a statement or a definition in words comes from here. What was set is
read from the database at most once in FRESH_SECONDS per process, and a run reads it anew.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Unit = Literal["number", "months", "days", "cents", "percent", "times", "years"]
Number = int | float


@dataclass(frozen=True)
class Threshold:
    """A number that decides who gets a label; ``words`` is its name on the page, ``unit`` what it counts.

    ``times`` is a factor with a decimal, ``percent`` and the others are whole numbers; money is in cents.
    """

    code: str
    words: str | _StrPromise
    unit: Unit
    default: Number
    min: Number
    max: Number
    step: Number = 1

    def read(self, number: Number) -> Number:
        """Return the number as a statement takes it: whole, but for a factor; never outside of its limits."""
        kept = min(max(number, self.min), self.max)
        return round(float(kept), 2) if self.unit == "times" else round(kept)


class ChosenThresholds:
    """What the organisation set, ``family.code`` -> number; kept for some seconds, since pages ask for many."""

    FRESH_SECONDS = 2.0

    def __init__(self) -> None:
        self._known: Mapping[str, Number] = {}
        self._read_at = float("-inf")

    def all(self) -> Mapping[str, Number]:
        """Return all that was set."""
        if time.monotonic() - self._read_at > self.FRESH_SECONDS:
            self._known, self._read_at = self.read(), time.monotonic()
        return self._known

    def read(self) -> Mapping[str, Number]:
        """Return all that was set, read just now."""
        from labels.models import ThresholdSetting  # models need this module for their names

        rows = ThresholdSetting.objects.values_list("family", "code", "number")
        return {f"{family}.{code}": float(number) for family, code, number in rows}

    def forget(self) -> None:
        """Read anew at the next use."""
        self._read_at = float("-inf")


chosen = ChosenThresholds()


class Limits(Mapping[str, Number]):
    """The thresholds of one family as they are: code -> number. ``proposed`` goes before what was set."""

    def __init__(
        self,
        family: str,
        thresholds: tuple[Threshold, ...],
        *,
        proposed: Mapping[str, Number] | None = None,
        known: Mapping[str, Number] | None = None,
    ) -> None:
        told = chosen.all() if known is None and thresholds else known or {}
        self._numbers = {
            one.code: one.read((proposed or {}).get(one.code, told.get(f"{family}.{one.code}", one.default)))
            for one in thresholds
        }

    def __getitem__(self, code: str) -> Number:
        return self._numbers[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def whole(self, code: str) -> int:
        """Return a number that is whole anyway, as an int."""
        return int(self._numbers[code])
