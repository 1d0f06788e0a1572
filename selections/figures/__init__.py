"""Figures of a rule: how many in all and per part, a few people out of them, and how they are spread.

Every figure is one statement, bounded in time: a rule that is too heavy for a page says so, and which part of it is.
"""

from selections.figures.counting import Measure, Tally, measure
from selections.figures.limits import MEMORY_MB, PAGE_SECONDS, estimate, heaviest, room, time_limit
from selections.figures.spreading import Breakdown, Spread, breakdown, reachability, sample, spread
from selections.figures.stopping import superseding

__all__ = [
    "MEMORY_MB",
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
    "room",
    "sample",
    "spread",
    "superseding",
    "time_limit",
]
