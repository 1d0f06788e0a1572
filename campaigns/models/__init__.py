"""Plans: actions, the triggers that set them off, and campaigns of steps on a calendar."""

from campaigns.models.actions import Action, Happening, Trigger, TriggerRun
from campaigns.models.campaigns import Campaign, DayRun, Enrolment, Step, StepDone, StepRun

__all__ = [
    "Action",
    "Campaign",
    "DayRun",
    "Enrolment",
    "Happening",
    "Step",
    "StepDone",
    "StepRun",
    "Trigger",
    "TriggerRun",
]
