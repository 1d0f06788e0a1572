"""What is wrong with the data of somebody: missing, not right, double, old; the page about quality counts these.

Who has died, or whose data may not be used, is nobody's work any more: only the criterion about that finds them.
"""

from common.criteria import Criterion
from customers.criteria.quality.base import ADULT, QUALITY, Nothing, NothingForm, living
from customers.criteria.quality.data import Double, Invalid, Missing
from customers.criteria.quality.lives import Deceased, Post, Stale, Unguarded, Wordless

__all__ = ["ADULT", "CRITERIA", "QUALITY", "Nothing", "NothingForm", "living"]

CRITERIA: tuple[Criterion, ...] = (
    Missing(), Invalid(), Double(), Stale(), Deceased(), Post(), Unguarded(), Wordless(),
)  # fmt: skip
