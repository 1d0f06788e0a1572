"""The tick: what is due, worked off once, whoever rings and how often; one failing run does not stop the others."""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.actions.campaigns import finish_campaign
from campaigns.actions.enrolments import leave_by_selection, withdraw_from_leavers
from campaigns.actions.runs import record_step_error, record_trigger_error, run_trigger, take_step
from campaigns.actions.triggers import kind_of
from campaigns.models import Campaign, Step, Trigger, TriggerRun
from campaigns.triggers import trigger_kinds
from common.errors import Refused
from common.sql import execute
from common.time import AMSTERDAM, local_date
from mailings.actions import tell_stopped
from selections.actions import refresh_memberships

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)

#: How many missed days a trigger makes up for after the scheduler was away or its campaign paused.
CATCH_UP_DAYS = 7

Result = TypeVar("Result")


@dataclass
class Summary:
    """What one tick did. ``mailings``: ids; ``failed``: "trigger 5 2026-11-22" for each run that went wrong."""

    day: dt.date
    trigger_runs: int = 0
    step_runs: int = 0
    enrolled: int = 0
    completed: int = 0
    left: int = 0
    withdrawn: int = 0
    mailings: list[int] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def advance(*, now: dt.datetime, from_hour: int = 0) -> Summary:
    """Do what is due at ``now``; safe to call at any time, twice, or from several places at once.

    Before ``from_hour`` (Amsterdam) the day has not begun: only those who just entered get their first step.
    """
    summary = Summary(day=local_date(now))
    has_begun = now.astimezone(AMSTERDAM).hour >= from_hour
    for campaign in Campaign.objects.current().filter(ends_on__lt=summary.day):
        _attempt(summary, f"campaign {campaign.pk}", partial(finish_campaign, campaign, by=None, now=now))
    if has_begun:
        if _attempt(summary, "watched selections", partial(look_at_entrances, now=now)):
            _let_out(summary, now=now)
        for trigger, day in due_triggers(today=summary.day):
            _work_off_trigger(trigger, day, summary, now=now)
    _work_off_steps(summary, now=now, only_first=not has_begun)
    for campaign in Campaign.objects.current().filter(leave_when__isnull=False).select_related("leave_when"):
        withdrawing = partial(withdraw_from_leavers, campaign, now=now)
        summary.withdrawn += _attempt(summary, f"messages of campaign {campaign.pk}", withdrawing) or 0
    return summary


@transaction.atomic
def look_at_entrances(*, now: dt.datetime) -> bool:
    """Note who came into or left the watched selections, once per Amsterdam day; return whether it was done now."""
    statement = "INSERT INTO campaigns_dayrun (due_on, ran_at) VALUES (%s, %s) ON CONFLICT DO NOTHING"
    if not execute(statement, [local_date(now), now]):
        return False
    refresh_memberships(now=now)
    return True


def run_trigger_today(trigger: Trigger, *, by: User | None, now: dt.datetime) -> TriggerRun:
    """Work today off without waiting for the scheduler, which then finds it done.

    Raises Refused when the trigger is off or has run today already.
    """
    if not trigger.is_active:
        raise Refused("trigger_off", _("Turn the trigger on first."))
    if kind_of(trigger).watched_selection(trigger.params):
        refresh_memberships(now=now)
    run = run_trigger(trigger, day=local_date(now), by=by, now=now)
    if run is None:
        raise Refused("trigger_ran", _("This trigger has run for today already."))
    return run


def due_triggers(*, today: dt.date) -> list[tuple[Trigger, dt.date]]:
    """Return the triggers to work off with their days, oldest day first; missed days at most a week back."""
    first = today - dt.timedelta(days=CATCH_UP_DAYS)
    done: dict[int, set[dt.date]] = defaultdict(set)
    for trigger_id, day in TriggerRun.objects.filter(due_on__gte=first, error="").values_list("trigger_id", "due_on"):
        done[trigger_id].add(day)
    triggers = Trigger.objects.working().select_related(
        "action__purpose", "action__gives_label", "campaign", "selection", "activated_by"
    )
    due = [
        (trigger, day)
        for trigger in triggers
        for day in _useful_days(trigger, max(first, trigger.active_since or today), today)
        if day not in done[trigger.pk]
    ]
    return sorted(due, key=lambda pair: (pair[1], pair[0].pk))


def _useful_days(trigger: Trigger, first: dt.date, today: dt.date) -> list[dt.date]:
    kind = trigger_kinds.get(trigger.kind)
    if kind is None or first > today:
        return []
    missed = [first + dt.timedelta(days=number) for number in range((today - first).days)] if kind.catches_up else []
    return [*(day for day in missed if kind.is_useful(trigger.params, day=day, today=today)), today]


def _let_out(summary: Summary, *, now: dt.datetime) -> None:
    """Let out those for whom a campaign has reached its goal; it is asked again before each step."""
    for campaign in Campaign.objects.current().filter(leave_when__isnull=False).select_related("leave_when"):
        leaving = partial(leave_by_selection, campaign, now=now)
        summary.left += _attempt(summary, f"leaving campaign {campaign.pk}", leaving) or 0


def _work_off_trigger(trigger: Trigger, day: dt.date, summary: Summary, *, now: dt.datetime) -> None:
    run = _attempt(
        summary,
        f"trigger {trigger.pk} {day}",
        partial(run_trigger, trigger, day=day, now=now),
        lambda words: _trigger_stopped(trigger, day, words, now=now),
    )
    if run:
        summary.trigger_runs += 1
        summary.enrolled += run.enrolled_count
        summary.mailings += [run.mailing_id] if run.mailing_id else []


def _work_off_steps(summary: Summary, *, now: dt.datetime, only_first: bool) -> None:
    """Take the steps due, round after round: a second step on the same day falls due when the first is taken."""
    seen: set[int] = set()
    steps = Step.objects.due(summary.day).select_related("action__purpose", "action__gives_label", "activated_by")
    if only_first:
        steps = steps.filter(day=0)
    while due := list(steps.exclude(pk__in=seen).order_by("campaign_id", "day", "id")):
        for step in due:
            seen.add(step.pk)
            _work_off_step(step, summary, now=now)


def _work_off_step(step: Step, summary: Summary, *, now: dt.datetime) -> None:
    taken = _attempt(
        summary,
        f"step {step.pk} {summary.day}",
        partial(take_step, step, now=now),
        lambda words: _step_stopped(step, summary.day, words, now=now),
    )
    if taken:
        summary.left += taken.left
        summary.completed += taken.completed
        summary.step_runs += taken.run is not None
        summary.mailings += [taken.run.mailing_id] if taken.run and taken.run.mailing_id else []


def _trigger_stopped(trigger: Trigger, day: dt.date, words: str, *, now: dt.datetime) -> None:
    record_trigger_error(trigger, day=day, words=words, now=now)
    name = trigger.action.name if trigger.action else str(trigger)
    page = reverse("workbench:trigger_detail", args=[trigger.pk])
    key = f"trigger:{trigger.pk}:{day}"
    tell_stopped(key, to=trigger.activated_by, name=name, reason=words, page=page, now=now)


def _step_stopped(step: Step, day: dt.date, words: str, *, now: dt.datetime) -> None:
    record_step_error(step, day=day, words=words, now=now)
    name = f"{step.campaign}: {step.action}"
    page = reverse("workbench:campaign_detail", args=[step.campaign_id])
    tell_stopped(f"step:{step.pk}:{day}", to=step.activated_by, name=name, reason=words, page=page, now=now)


def _attempt(
    summary: Summary, what: str, work: Callable[[], Result], record: Callable[[str], None] | None = None
) -> Result | None:
    """Do one piece of work; when it goes wrong keep the words, and let the rest of the tick go on."""
    try:
        return work()
    except Refused as refusal:
        words = str(refusal)
        logger.warning("%s is refused: %s", what, words)
    except Exception as error:  # a fault in one run must not stop the others; it is logged and shown to staff
        words = _("Fault in the program: %(error)s") % {"error": f"{type(error).__name__}: {error}"[:300]}
        logger.exception("%s failed", what)
    summary.failed.append(what)
    if record:
        record(words)
    return None
