"""Work out the history of a label afterwards, and take that back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.db.models import Min, Q
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import execute
from common.time import local_date, start_of_day
from labels.actions.labels import By
from labels.actions.rules import follow_rules
from labels.models import Backfill, BackfillChange, Label, LabelCount, RefreshRun, RuleRun
from labels.rules import history
from labels.rules.knowing import family_gap

SILENCE = dt.timedelta(minutes=15)  # after which a worker that says nothing is taken to be gone


def ask_backfill(label: Label, *, first_day: dt.date, grid: str, by: By = None, now: dt.datetime) -> Backfill:
    """Have the history of a label by rule, or of the family of a system label, worked out from a day on by a worker.

    Raises Refused when a part of the rule is not known for the past, naming those parts, when the day is not past or
    too long ago, when nothing is left to fill, or while another one is waiting or busy.
    """
    first = start_of_day(first_day)
    if first_day >= local_date(now):
        raise Refused("not_past", _("Choose a day in the past."), field="first_day")
    family = history.family_of(label)
    if family is None and not label.is_by_rule:
        raise Refused("no_rule", _("Only a label with a rule, or a system label, has a history to work out."))
    known = gaps_of(label, first_day=first_day, now=now)
    if known:
        message = _("The rule cannot be answered for the past. %s")
        raise Refused("not_known_then", message % " ".join(known), field="first_day")
    until = _kept_since(label, now=now)
    if first >= until:
        raise Refused("known", _("This label is known since that day already."), field="first_day")
    backfill = Backfill(
        label=None if family else label,
        family=family.code if family else "",
        grid=grid,
        first_day=first_day,
        until=until,
    )
    backfill.moment_count = len(history.moments(first_day, grid, until=until))
    backfill.asked_at, backfill.asked_by_id = now, by.pk if by else None
    try:
        with transaction.atomic():
            backfill.save()
    except IntegrityError:
        raise Refused("busy", _("The history of this label is being worked out already.")) from None
    return backfill


def gaps_of(label: Label, *, first_day: dt.date, now: dt.datetime) -> list[str]:
    """Return in words what is not known of the past, per part of the rule; empty when all is."""
    family = history.family_of(label)
    if family is not None:
        return [gap] if (gap := family_gap(family)) else []
    return [str(gap) for gap in history.gaps_of(label, first=start_of_day(first_day), present=now)]


def run_backfills(*, clock: Callable[[], dt.datetime]) -> int:
    """Work out what is waiting, or what another worker left; returns how many histories were written."""
    done = 0
    while (backfill := _claim(now=clock())) is not None:
        done += _run(backfill, clock=clock)
    return done


@transaction.atomic
def take_back(backfill: Backfill, *, by: By = None, now: dt.datetime) -> int:
    """Take away what a backfill wrote; returns how many intervals. One that still waits or is busy is stopped.

    Raises Refused while a later one stands, which may have let intervals of this one begin even earlier.
    """
    backfill = Backfill.objects.select_for_update().get(pk=backfill.pk)
    if backfill.state in (Backfill.State.UNDONE, Backfill.State.FAILED):
        raise Refused("not_done", _("There is nothing to take back."))
    same = Backfill.objects.filter(label=backfill.label_id, family=backfill.family, state=Backfill.State.DONE)
    if backfill.state == Backfill.State.DONE and same.filter(pk__gt=backfill.pk).exists():
        raise Refused("built_upon", _("A later history goes on from this one. Take that one back first."))
    removed = history.remove(backfill) if backfill.state == Backfill.State.DONE else 0
    BackfillChange.objects.filter(backfill=backfill).delete()
    backfill.state, backfill.undone_at, backfill.undone_by_id = Backfill.State.UNDONE, now, by.pk if by else None
    backfill.save()
    _forget_counts(backfill)
    return removed


def _claim(*, now: dt.datetime) -> Backfill | None:
    waits = Q(state=Backfill.State.WAITING) | Q(state=Backfill.State.RUNNING, beat_at__lt=now - SILENCE)
    with transaction.atomic():
        backfill = Backfill.objects.select_for_update(skip_locked=True).filter(waits).order_by("pk").first()
        if backfill is not None:
            backfill.state, backfill.beat_at, backfill.moments_done = Backfill.State.RUNNING, now, 0
            backfill.save()
    return backfill


def _run(backfill: Backfill, *, clock: Callable[[], dt.datetime]) -> bool:
    """Look at one moment after the other; what was found is written at the end, in one transaction."""
    try:
        _follow_first(backfill, now=clock())
        history.prepare()
        for place, moment in enumerate(history.moments(backfill.first_day, backfill.grid, until=backfill.until), 1):
            history.look_at(backfill, moment)
            goes_on = Backfill.objects.filter(pk=backfill.pk, state=Backfill.State.RUNNING)
            if not goes_on.update(moments_done=place, beat_at=clock()):
                return False
        return _finish(backfill, now=clock())
    except Refused as refusal:
        problem = {"state": Backfill.State.FAILED, "problem": str(refusal)[:500]}
        Backfill.objects.filter(pk=backfill.pk, state=Backfill.State.RUNNING).update(finished_at=clock(), **problem)
        return False


def _follow_first(backfill: Backfill, *, now: dt.datetime) -> None:
    """Let a label that was never given follow its rule, so that its history ends where the present begins."""
    if backfill.label is None or backfill.label.rule_runs.filter(problem="").exists():
        return
    follow_rules(now=now, due_key=f"backfill {backfill.pk}", only=backfill.label)
    backfill.until = _kept_since(backfill.label, now=now)
    backfill.save(update_fields=["until"])


@transaction.atomic
def _finish(backfill: Backfill, *, now: dt.datetime) -> bool:
    known = Backfill.objects.select_for_update().get(pk=backfill.pk)
    if known.state != Backfill.State.RUNNING:
        return False
    known.written_count = history.write(backfill, now=now)
    known.state, known.finished_at = Backfill.State.DONE, now
    known.save()
    _forget_counts(known)
    execute("ANALYZE labels_assignment")
    return True


def _forget_counts(backfill: Backfill) -> None:
    """Let the daily counts be made anew: the past has changed."""
    LabelCount.objects.filter(label__in=history.labels_of(backfill)).delete()


def _kept_since(label: Label, *, now: dt.datetime) -> dt.datetime:
    """Return since when the label has been given and taken as it should: before that is what can be filled."""
    if label.is_by_rule:
        first = RuleRun.objects.filter(label=label, problem="").aggregate(Min("at"))["at__min"]
    else:
        first = RefreshRun.objects.filter(is_stale=False).aggregate(Min("started_at"))["started_at__min"]
    return first or now
