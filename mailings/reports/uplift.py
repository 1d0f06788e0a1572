"""Two shares and what lies between them. Pure: no query, no clock.

The interval is Newcombe's (1998, method 10, without continuity correction): Wilson's interval of each share, put
together. It stays within what is possible, also with few people or shares near nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

Z = 1.959964  # 95%
FEW_PEOPLE, FEW_DOERS = 50, 5


@dataclass(frozen=True)
class Share:
    """So many did, of so many."""

    did: int
    of: int

    @property
    def percent(self) -> float:
        """The share in per cent."""
        return 100 * self.did / self.of if self.of else 0.0

    @property
    def is_thin(self) -> bool:
        """Whether it rests on too few people to lean on."""
        return self.of < FEW_PEOPLE or min(self.did, self.of - self.did) < FEW_DOERS


@dataclass(frozen=True)
class Difference:
    """How many percentage points more one share is than another, and between which bounds that lies (95%)."""

    one: Share
    other: Share
    points: float
    lowest: float
    highest: float

    @property
    def verdict(self) -> Literal["more", "less", "unclear"]:
        """``unclear``: no difference was shown, which is not the same as that there is none."""
        return "more" if self.lowest > 0 else "less" if self.highest < 0 else "unclear"

    @property
    def is_thin(self) -> bool:
        """Whether either share rests on few people."""
        return self.one.is_thin or self.other.is_thin

    @property
    def extra(self) -> tuple[int, int]:
        """About how many of the first group did it who would not have otherwise, at least and at most."""
        return round(self.lowest * self.one.of / 100), round(self.highest * self.one.of / 100)


def wilson(share: Share) -> tuple[float, float]:
    """Return the bounds (95%) between which a share lies, as fractions; everything is possible of nobody."""
    if not share.of:
        return 0.0, 1.0
    part, square = share.did / share.of, Z * Z
    middle = part + square / (2 * share.of)
    reach = Z * sqrt(part * (1 - part) / share.of + square / (4 * share.of**2))
    whole = 1 + square / share.of
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)


def difference(one: Share, other: Share) -> Difference | None:
    """Return by how much the first share is larger; None when there is nobody on either side."""
    if not one.of or not other.of:
        return None
    first, second = one.did / one.of, other.did / other.of
    (low_one, high_one), (low_other, high_other) = wilson(one), wilson(other)
    apart = first - second
    lowest = apart - sqrt((first - low_one) ** 2 + (high_other - second) ** 2)
    highest = apart + sqrt((high_one - first) ** 2 + (second - low_other) ** 2)
    return Difference(one, other, 100 * apart, 100 * lowest, 100 * highest)
