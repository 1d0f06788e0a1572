"""One due run: a trigger for a day, or a step for whoever has it coming.

A run is one transaction that begins with its unique row (trigger and day; step, day and part), so of several workers
one does it and the others find it done. A run that fails leaves nothing but its error in words.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from campaigns.actions.actions import run_action
from campaigns.actions.enrolments import enrol, leave_by_selection, plan_steps
from campaigns.actions.triggers import kind_of
from campaigns.models import Campaign, Happening, Step, StepDone, StepRun, Trigger, TriggerRun
from common.sql import execute, rows
from common.time import local_date
from customers.models import Customer
from selections.compiler import members

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: How long a failed run waits before it is tried again.
RETRY_AFTER = dt.timedelta(minutes=15)
#: From how many customers on a wrong estimate costs more than counting.
LARGE_RUN = 2000
#: What happened is sometimes known only later: a run over all labels takes a while, and they all bear its first moment.
KNOWN_WITHIN = dt.timedelta(days=2)
#: What happened longer ago sets nothing off any more, after the scheduler was away or a campaign paused.
TOO_LATE = dt.timedelta(days=7)


_NEWS = """
SELECT found.customer_id FROM ({happened}) AS found
 WHERE NOT EXISTS (SELECT FROM campaigns_happening AS known
                    WHERE known.trigger_id = {trigger:d} AND known.customer_id = found.customer_id
                      AND known.happened_at = found.at)
"""

_NOTE = """
INSERT INTO campaigns_happening (trigger_id, customer_id, happened_at, run_id)
SELECT %(trigger)s, found.customer_id, found.at, %(run)s FROM ({happened}) AS found
ON CONFLICT (trigger_id, customer_id, happened_at) DO NOTHING
"""


@dataclass(frozen=True)
class StepTaken:
    """What taking a step did: the run (None when nobody had it coming), and how many left or completed the campaign."""

    run: StepRun | None = None
    left: int = 0
    completed: int = 0


@transaction.atomic
def run_trigger(trigger: Trigger, *, day: dt.date, by: User | None = None, now: dt.datetime) -> TriggerRun | None:
    """Work a trigger off for a day and return the run, or None when it was done already (or failed a moment ago).

    ``by``: who did not wait for the scheduler. Raises Refused when its action or campaign cannot take anybody; then
    nothing happened.
    """
    run = _claim_trigger_run(trigger, day=day, now=now)
    if run is None:
        return None
    candidates = candidates_of(trigger, day=day, now=now, run=run)
    run.candidate_count = candidates.count()
    if run.candidate_count and trigger.campaign:
        words = _("trigger “%(name)s”") % {"name": trigger}
        run.enrolled_count = enrol(trigger.campaign, candidates, by=words, now=now)
    elif run.candidate_count and trigger.action:
        run.mailing = run_action(
            trigger.action,
            candidates,
            due_key=f"trigger:{trigger.pk}:{day.isoformat()}",
            origin=f"trigger:{trigger.pk}",
            name=f"{trigger.action.name} ({day:%d-%m-%Y})",
            by=by,
            planned_by=trigger.activated_by,
            now=now,
        )
    run.save(update_fields=["candidate_count", "enrolled_count", "mailing"])
    return run


def candidates_of(
    trigger: Trigger, *, day: dt.date, now: dt.datetime, run: TriggerRun | None = None
) -> QuerySet[Customer]:
    """Return those a trigger concerns on a day; ``run``: the one in progress, which is not the previous."""
    kind, after = kind_of(trigger), _looked_until(trigger, run, now=now)
    happened = kind.happenings_sql(trigger.params, after=_happened_after(trigger, after, now=now), now=now)
    if happened is None:
        candidates = kind.candidates(trigger.params, day=day, now=now, after=after)
    elif run is None:
        news = RawSQL(_NEWS.format(happened=happened, trigger=trigger.pk), [])  # noqa: S611 - values are bound in it
        candidates = Customer.objects.filter(pk__in=news)
    else:
        _note_happenings(run, happened)
        candidates = Customer.objects.filter(pk__in=Happening.objects.filter(run=run).values("customer"))
    if trigger.selection:
        candidates = candidates.filter(pk__in=members(trigger.selection, now=now).values("pk"))
    return candidates


@transaction.atomic
def take_step(step: Step, *, now: dt.datetime) -> StepTaken:
    """Hand everybody who has this step coming to the gate in one mailing. Raises Refused when the action is not ready.

    The campaign's row is held meanwhile: of two workers the second finds nobody left, and pausing waits for the end.
    """
    today = local_date(now)
    campaign = Campaign.objects.select_for_update(of=("self",)).select_related("leave_when").get(pk=step.campaign_id)
    if campaign.state != Campaign.State.RUNNING or _failed_just_now(step, day=today, now=now):
        return StepTaken()
    left = leave_by_selection(campaign, now=now)
    run = _next_step_run(step, day=today, now=now)
    run.candidate_count = _mark_done(step, run, day=today)
    if not run.candidate_count:
        run.delete()
        return StepTaken(left=left)
    run.mailing = run_action(
        step.action,
        Customer.objects.filter(pk__in=StepDone.objects.filter(run=run).values("customer")),
        due_key=f"step:{step.pk}:{today.isoformat()}:{run.part}",
        origin=f"step:{step.pk}",
        campaign=campaign,
        name=f"{campaign.name}: {step.action.name} ({today:%d-%m-%Y})",
        by=None,
        planned_by=step.activated_by,
        now=now,
    )
    run.save(update_fields=["candidate_count", "mailing"])
    completed = plan_steps(campaign, now=now, run=run)
    return StepTaken(run, left, completed)


def record_trigger_error(trigger: Trigger, *, day: dt.date, words: str, now: dt.datetime) -> None:
    """Keep why a run failed; a run that another worker did meanwhile stays done."""
    execute(
        """
        INSERT INTO campaigns_triggerrun (trigger_id, due_on, candidate_count, enrolled_count, attempts, error, ran_at)
        VALUES (%(trigger)s, %(day)s, 0, 0, 1, %(words)s, %(now)s)
        ON CONFLICT (trigger_id, due_on) DO UPDATE
        SET attempts = campaigns_triggerrun.attempts + 1, error = EXCLUDED.error, ran_at = EXCLUDED.ran_at
        WHERE campaigns_triggerrun.error <> ''
        """,
        {"trigger": trigger.pk, "day": day, "now": now, "words": words},
    )


@transaction.atomic
def record_step_error(step: Step, *, day: dt.date, words: str, now: dt.datetime) -> None:
    """Keep why a step failed, on the run that will be tried again."""
    Campaign.objects.select_for_update(of=("self",)).get(pk=step.campaign_id)
    run = _next_step_run(step, day=day, now=now)
    run.error = words
    run.save(update_fields=["error"])


def _claim_trigger_run(trigger: Trigger, *, day: dt.date, now: dt.datetime) -> TriggerRun | None:
    """Insert the unique row; who gets it works the day off. A failed run is free again after a while."""
    claimed = rows(
        """
        INSERT INTO campaigns_triggerrun (trigger_id, due_on, candidate_count, enrolled_count, attempts, error, ran_at)
        VALUES (%(trigger)s, %(day)s, 0, 0, 1, '', %(now)s)
        ON CONFLICT (trigger_id, due_on) DO UPDATE
        SET attempts = campaigns_triggerrun.attempts + 1, error = '', ran_at = EXCLUDED.ran_at
        WHERE campaigns_triggerrun.error <> '' AND campaigns_triggerrun.ran_at <= %(before)s
        RETURNING id
        """,
        {"trigger": trigger.pk, "day": day, "now": now, "before": now - RETRY_AFTER},
    )
    return TriggerRun.objects.get(pk=claimed[0]["id"]) if claimed else None


def _looked_until(trigger: Trigger, run: TriggerRun | None, *, now: dt.datetime) -> dt.datetime:
    """Return the instant up to which the trigger has looked: its previous run, or its activation when that is later."""
    runs = trigger.runs.filter(error="")
    if run:
        runs = runs.exclude(pk=run.pk)
    previous = runs.order_by("-ran_at").values_list("ran_at", flat=True).first()
    return max(filter(None, [previous, trigger.activated_at]), default=now)


def _happened_after(trigger: Trigger, after: dt.datetime, *, now: dt.datetime) -> dt.datetime:
    """Return from when on happenings count: since the last look, and what became known late; never from before the
    trigger was turned on, nor from too long ago.
    """
    return max(after - KNOWN_WITHIN, trigger.activated_at or after, now - TOO_LATE)


def _note_happenings(run: TriggerRun, happened: str) -> None:
    """Note what sets the trigger off in this run, in one statement: what was noted before does so no more."""
    count = execute(_NOTE.format(happened=happened), {"trigger": run.trigger_id, "run": run.pk})
    if count > LARGE_RUN:
        execute("ANALYZE campaigns_happening (run_id, customer_id)")


def _failed_just_now(step: Step, *, day: dt.date, now: dt.datetime) -> bool:
    return step.runs.filter(due_on=day, ran_at__gt=now - RETRY_AFTER).exclude(error="").exists()


def _next_step_run(step: Step, *, day: dt.date, now: dt.datetime) -> StepRun:
    """Take the failed run of the day again, else begin the day's next part."""
    last = step.runs.filter(due_on=day).order_by("-part").first()
    if last is None or not last.error:
        return StepRun.objects.create(step=step, due_on=day, part=last.part + 1 if last else 1, ran_at=now)
    last.error, last.ran_at, last.attempts = "", now, last.attempts + 1
    last.save(update_fields=["error", "ran_at", "attempts"])
    return last


def _mark_done(step: Step, run: StepRun, *, day: dt.date) -> int:
    """Put the step behind all whose turn it is, in one statement, and return how many."""
    count = execute(
        """
        INSERT INTO campaigns_stepdone (enrolment_id, customer_id, step_id, run_id)
        SELECT e.id, e.customer_id, e.next_step_id, %(run)s
        FROM campaigns_enrolment AS e
        WHERE e.next_step_id = %(step)s AND e.state = 'active' AND e.next_on <= %(day)s
        ON CONFLICT DO NOTHING
        """,
        {"run": run.pk, "step": step.pk, "day": day},
    )
    if count > LARGE_RUN:
        # The planner knows nothing of this run yet; it would expect a single row where the gate finds thousands.
        execute("ANALYZE campaigns_stepdone (run_id, customer_id)")
    return count
