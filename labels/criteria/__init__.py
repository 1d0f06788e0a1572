"""Audience criteria over labels: who has, had, got or lost them, for how long, by what, and how people moved in groups.

base      the labels and groups that forms offer, what was seen of a customer
holding   has, has not, has had, has had for so long
changing  got and lost, in a window, by what
groups    has one of a group, or none
moves     moved within a group
"""

from common.criteria import criteria
from labels.criteria.base import LabelCriterion, LabelsForm, LabelsParams
from labels.criteria.changing import GotLabel, LostLabel
from labels.criteria.groups import HasOfGroup
from labels.criteria.holding import HadLabel, HasLabel, HasNotLabel, HeldFor
from labels.criteria.moves import MovedInGroup

ALL = (HasLabel(), HasNotLabel(), HadLabel(), HeldFor(), GotLabel(), LostLabel(), HasOfGroup(), MovedInGroup())

for _criterion in ALL:
    criteria.register(_criterion)

__all__ = ["ALL", "HadLabel", "HasLabel", "HasNotLabel", "LabelCriterion", "LabelsForm", "LabelsParams"]
