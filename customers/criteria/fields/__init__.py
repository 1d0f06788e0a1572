"""Questions about fields: of a customer, the address, contact points, branch and subscriptions.

A field is one declaration in ``specs``; its type says which questions there are.

owners    what a field is a field of
base      what a field is; what the types share
texts, numbers, dates, choices    the types
patterns  which patterns may be asked of a text
specs     all fields
"""

from common.criteria import Criterion
from customers.criteria.fields import specs
from customers.criteria.fields.choices import ChoiceCriterion
from customers.criteria.fields.dates import DateCriterion, MomentCriterion, PastDateCriterion
from customers.criteria.fields.numbers import CentsCriterion, NumberCriterion
from customers.criteria.fields.texts import TextCriterion

CRITERIA: tuple[Criterion, ...] = (
    *map(TextCriterion.of, specs.TEXTS),
    *map(NumberCriterion.of, specs.NUMBERS),
    *map(CentsCriterion.of, specs.AMOUNTS),
    *map(DateCriterion.of, specs.DATES),
    *map(PastDateCriterion.of, specs.PAST_DATES),
    *map(MomentCriterion.of, specs.MOMENTS),
    *map(ChoiceCriterion.of, specs.CHOICES),
)
