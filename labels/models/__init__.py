"""Labels, the groups they stand in, who has which since when, and the runs that compute them."""

from labels.models.labels import TONES, Assignment, AssignmentQuerySet, Label, LabelGroup, LabelQuerySet
from labels.models.runs import RefreshRun

__all__ = ["TONES", "Assignment", "AssignmentQuerySet", "Label", "LabelGroup", "LabelQuerySet", "RefreshRun"]
