"""What the library knew already before the story begins: who had which label over the past year."""

import datetime as dt

from django.contrib.auth.models import User

from common.time import local_date
from labels.actions import ask_backfill, count_labels, refresh_system_labels, run_backfills
from labels.actions.computed import change_thresholds
from labels.models import Backfill, Label, LabelGroup
from labels.shifts import Scale, matrix
from labels.system import families

# Days ago on which labels were computed: by the season at first, every other week in the last quarter.
COMPUTED = (365, 270, 180, 92, 77, 63, 49, 35, 21, 7)
HISTORY_DAYS = 182
AMBASSADOR = 15  # active days in a year, from which the library calls somebody an ambassador


def label_the_past(*, by: User, now: dt.datetime) -> int:
    """Set a threshold and compute the system labels as they were through the year; return how often a label
    was taken from somebody again.
    """
    change_thresholds(families["lifecycle"], numbers={"ambassador": AMBASSADOR}, by=by)
    taken = 0
    for days in COMPUTED:
        at = now - dt.timedelta(days=days)
        run = refresh_system_labels(now=at, due_key=f"demo {at.isoformat()}", full=days == COMPUTED[0])
        taken += run.taken_count
    return taken


def work_out_history(label: Label, *, by: User, now: dt.datetime) -> None:
    """Work out who would have had a label by rule in the past half year; and count labels per day for the charts."""
    first = local_date(now) - dt.timedelta(days=HISTORY_DAYS)
    ask_backfill(label, first_day=first, grid=Backfill.Grid.MONTH, by=by, now=now)
    run_backfills(clock=lambda: now)
    count_labels(now=now)


def shifts_told(*, now: dt.datetime) -> str:
    """Return in words how customers went through the life cycle in the last quarter, as the matrix shows it."""
    today = local_date(now)
    scale = Scale.of(LabelGroup.objects.get(code="lifecycle"))
    found = matrix(scale, first=today - dt.timedelta(days=92), last=today)
    return f"{found.going('up'):,} up, {found.going('down'):,} down"
