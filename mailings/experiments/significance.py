"""Whether a difference between versions is more than chance. Pure: numbers in, a verdict out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CERTAIN = 0.05  # the share of tests of equal versions in which a difference is shown all the same
FEWEST_EXPECTED = 5  # in each cell of the table; below it the chi-square distribution is no good likeness
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Verdict:
    """``p``: how often equal versions would differ this much, 0 to 1; None when there are too few readers to say.

    ``best`` is the place of the version with the largest share, the first of those that are equal.
    """

    p: float | None
    best: int

    @property
    def is_difference(self) -> bool:
        """Whether the versions truly differ, as far as figures can tell."""
        return self.p is not None and self.p < CERTAIN


def judge(counts: Sequence[tuple[int, int]]) -> Verdict:
    """Compare versions by (sent, reached): Pearson's chi-square of all together; for two it is the test of two
    proportions.
    """
    shares = [reached / sent if sent else 0.0 for sent, reached in counts]
    best = max(range(len(shares)), key=lambda place: shares[place], default=0)
    total, reached_total = sum(sent for sent, _reached in counts), sum(reached for _sent, reached in counts)
    if not total or len(counts) < 2:
        return Verdict(None, best)
    overall = reached_total / total
    expected = [(sent * overall, sent * (1 - overall)) for sent, _reached in counts]
    if min(min(pair) for pair in expected) < FEWEST_EXPECTED:
        return Verdict(None, best)
    chi = sum(
        (reached - yes) ** 2 / yes + (sent - reached - no) ** 2 / no
        for (sent, reached), (yes, no) in zip(counts, expected, strict=True)
    )
    return Verdict(beyond(chi, len(counts) - 1), best)


def beyond(chi: float, freedom: int) -> float:
    """Return the share of the chi-square distribution above ``chi``, for 1 or more degrees of freedom."""
    half = chi / 2
    share, start = (math.exp(-half), 2) if freedom % 2 == 0 else (math.erfc(math.sqrt(half)), 1)
    for degrees in range(start, freedom, 2):
        share += math.exp(-half + degrees / 2 * math.log(half) - math.lgamma(degrees / 2 + 1)) if half else 0.0
    return min(share, 1.0)


def likely(sent: int, reached: int) -> tuple[float, float]:
    """Return between which shares (0 to 1) the true one lies with 95% certainty, after Wilson; all, of nobody."""
    if not sent:
        return 0.0, 1.0
    share, square = reached / sent, Z95**2
    middle = (share + square / (2 * sent)) / (1 + square / sent)
    margin = Z95 * math.sqrt(share * (1 - share) / sent + square / (4 * sent**2)) / (1 + square / sent)
    return max(0.0, middle - margin), min(1.0, middle + margin)
