"""What somebody did: how often, how much, when first and last, in which order, how regularly; in a window of time.

A fact that nobody is known of (what anonymous visitors do on a website) belongs to no customer, so it counts nowhere.
"""

from common.criteria import Criterion
from customers.criteria.facts.counting import OFTEN, NotAtAll
from customers.criteria.facts.rhythm import Due, Interval
from customers.criteria.facts.sequence import Then
from customers.criteria.facts.sums import HowMuch
from customers.criteria.facts.times import FirstTime, LastTime

CRITERIA: tuple[Criterion, ...] = (
    OFTEN,
    NotAtAll(),
    LastTime(),
    FirstTime(),
    HowMuch(),
    Then(),
    Interval(),
    Due(),
)

__all__ = ["CRITERIA"]
