"""Labels, the groups they stand in, who has which since when, and the runs that compute them."""

from labels.models.assignments import Assignment, AssignmentQuerySet
from labels.models.computed import ChangeMark, CustomerValue, ThresholdSetting, ValueDefinition
from labels.models.counts import LabelCount
from labels.models.labels import TONES, Colour, Label, LabelGroup, LabelQuerySet
from labels.models.rules import Backfill, BackfillChange, RuleRun
from labels.models.runs import RefreshRun
from labels.models.versions import VersionEnd

__all__ = [
    "TONES",
    "Assignment",
    "AssignmentQuerySet",
    "Backfill",
    "BackfillChange",
    "ChangeMark",
    "Colour",
    "CustomerValue",
    "Label",
    "LabelCount",
    "LabelGroup",
    "LabelQuerySet",
    "RefreshRun",
    "RuleRun",
    "ThresholdSetting",
    "ValueDefinition",
    "VersionEnd",
]
