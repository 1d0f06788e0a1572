"""Figures of a rule: how many in all and per part, a few people out of them, and how they are spread.

Every figure is one statement, bounded in time: a rule that is too heavy for a page says so, and which part of it is.
"""

from selections.figures.counting import Measure, Tally, measure
from selections.figures.limits import PAGE_SECONDS, estimate, heaviest, time_limit
from selections.figures.spreading import Breakdown, Spread, breakdown, reachability, sample, spread
from selections.figures.stopping import superseding

__all__ = [
    "PAGE_SECONDS",
    "Breakdown",
    "Measure",
    "Spread",
    "Tally",
    "breakdown",
    "estimate",
    "heaviest",
    "measure",
    "reachability",
    "sample",
    "spread",
    "superseding",
    "time_limit",
]
