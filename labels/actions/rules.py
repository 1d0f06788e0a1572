"""Let a label follow a rule, bring all labels in line with theirs, and end what is over."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable
from typing import Any

import pghistory
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import execute, rows
from common.time import end_of_day, local_date
from labels.actions.counts import forget_counts
from labels.actions.labels import By, who
from labels.models import Label, LabelGroup, RuleRun
from labels.rules import follow, refuse_cycle, units
from labels.rules.order import Unit
from selections.actions import checked
from selections.models import Selection
from selections.rules import Group
from selections.usages import Use

log = logging.getLogger(__name__)

RUNS_KEPT_DAYS = 400
MUCH = 50_000  # rows after which the planner should look again

#: What gives a label by itself, and could not give one that follows a rule; apps add a finder in ``usages.py``.
givers: list[Callable[[Label], Iterable[Use]]] = []


def draft_rule(
    label: Label, *, rule: Group | dict[str, Any] | None = None, selection: Selection | None = None, now: dt.datetime
) -> Label:
    """Put a rule of its own, or a saved selection, on a label in memory; nothing is written.

    Raises Refused (RuleRefused with the pointer of a faulty node) on a rule that is none, on a label that cannot follow
    one, and when it would ask for itself.
    """
    if label.kind != Label.Kind.OWN:
        raise Refused("not_own", _("Only an own label can follow a rule."), field="rule")
    if (rule is None) == (selection is None):
        raise Refused("one_rule", _("Choose a selection, or make a rule."), field="selection")
    if selection is not None and selection.archived_at is not None:
        raise Refused("archived", _("This selection is archived. Bring it back first."), field="selection")
    if label.max_age_days is not None:
        message = _("A label with a rule has no longest time: say in the rule how long ago something may be.")
        raise Refused("age_with_rule", message, field="max_age_days")
    if label.pk and (uses := [use for finder in givers for use in finder(label)]):
        message = _("“%(label)s” is given by: %(uses)s. Take it out there first, or make another label.")
        raise Refused("given_elsewhere", message % {"label": label, "uses": ", ".join(map(str, uses[:5]))})
    label.selection = selection
    label.rule = None if rule is None else checked(rule, now=now).to_json()
    refuse_cycle(label)
    return label


@transaction.atomic
def set_rule(
    label: Label,
    *,
    rule: Group | dict[str, Any] | None = None,
    selection: Selection | None = None,
    by: By = None,
    now: dt.datetime,
) -> Label:
    """Let a label follow a rule of its own or a saved selection from the coming night on. Raises as ``draft_rule``."""
    draft_rule(label, rule=rule, selection=selection, now=now)
    with pghistory.context(**who(by)):
        label.save()
    return label


@transaction.atomic
def drop_rule(label: Label, *, by: By = None) -> Label:
    """Let a label follow no rule any more; who has it keeps it until somebody takes it."""
    label.rule = label.selection = None
    with pghistory.context(**who(by)):
        label.save()
    return label


def follow_rules(*, now: dt.datetime, due_key: str, only: Label | None = None) -> list[RuleRun]:
    """Bring every label by rule in line with its rule, each unit in a transaction of its own; return what was done.

    Happens once per label and ``due_key``; a run for a moment before one that was worked out already changes nothing.
    A rule that can no longer be worked out is noted with its run and in the log, and does not stop the others.
    """
    labels = list(Label.objects.by_rule().select_related("group", "selection"))
    try:
        ordered = units(labels)
    except Refused as refusal:  # a selection was changed since; those that ask for each other keep what they have
        log.warning("labels by rule ask for each other: %s", refusal.code)
        ordered, failed = _without_cycles(labels)
        _note_problem([label for label in failed if only in (None, label)], refusal, now=now, due_key=due_key)
    wanted = [unit for unit in ordered if only is None or only in unit]
    done = [run for unit in wanted for run in _follow_unit(unit, now=now, due_key=due_key)]
    if sum(run.given_count + run.taken_count for run in done) >= MUCH:
        execute("ANALYZE labels_assignment")
    _forget_runs(before=now - dt.timedelta(days=RUNS_KEPT_DAYS))
    return done


def _forget_runs(*, before: dt.datetime) -> None:
    """Remove old runs, but for the first that succeeded of each label: it tells since when the label is known."""
    earlier = RuleRun.objects.filter(label=OuterRef("label"), problem="", at__lt=OuterRef("at"))
    RuleRun.objects.filter(Exists(earlier) | ~Q(problem=""), at__lt=before).delete()


def _follow_unit(unit: Unit, *, now: dt.datetime, due_key: str) -> list[RuleRun]:
    try:
        with transaction.atomic():
            return _follow_once(unit, now=now, due_key=due_key)
    except Refused as refusal:
        log.warning("labels %s are not given: %s", [label.pk for label in unit], refusal.code)
        return _note_problem(unit, refusal, now=now, due_key=due_key)


def _follow_once(unit: Unit, *, now: dt.datetime, due_key: str) -> list[RuleRun]:
    """Follow the rules of a unit unless that happened; locked, so that two runs at once do it once."""
    if unit[0].group_id:
        LabelGroup.objects.select_for_update(no_key=True).get(pk=unit[0].group_id)
    pks = [label.pk for label in unit]
    locked = {
        row.pk for row in Label.objects.select_for_update(no_key=True).by_rule().filter(pk__in=pks).order_by("pk")
    }
    known = RuleRun.objects.filter(label__in=pks)
    if known.filter(due_key=due_key).exists() or known.filter(at__gt=now, problem="").exists() or locked != set(pks):
        return []
    changes = follow(unit, now=now)
    return RuleRun.objects.bulk_create(
        RuleRun(label=label, due_key=due_key, at=now, given_count=given, taken_count=taken)
        for label in unit
        for given, taken in [changes[label.pk]]
    )


def _note_problem(unit: Iterable[Label], refusal: Refused, *, now: dt.datetime, due_key: str) -> list[RuleRun]:
    return [
        RuleRun.objects.get_or_create(
            label=label, due_key=due_key, defaults={"at": now, "problem": str(refusal)[:300]}
        )[0]
        for label in unit
    ]


def _without_cycles(labels: list[Label]) -> tuple[list[Unit], list[Label]]:
    """Return the units that can be put in order, and the labels that cannot: added one by one, the last is refused."""
    good: list[Label] = []
    for label in labels:
        try:
            units([*good, label])
        except Refused:
            continue
        good.append(label)
    return units(good), [label for label in labels if label not in good]


_OVER = """
UPDATE labels_assignment AS a
   SET until = greatest(a.since, %(until)s), taken_by = 'system', taken_how = 'validity', taken_reason = %(reason)s
 WHERE a.label_id = %(label)s AND a.until IS NULL
"""

_OLD = """
WITH ended AS (
    UPDATE labels_assignment AS a
       SET until = a.since + make_interval(days => label.max_age_days), taken_by = 'system', taken_how = 'age',
           taken_reason = format(%(reason)s, label.max_age_days)
      FROM labels_label AS label
     WHERE label.id = a.label_id AND label.max_age_days IS NOT NULL AND a.until IS NULL
       AND label.id = coalesce(%(only)s, label.id) AND a.since <= %(now)s - make_interval(days => label.max_age_days)
    RETURNING a.label_id, a.until
)
SELECT label_id, count(*) AS many, min(until) AS first FROM ended GROUP BY label_id
"""


@transaction.atomic
def end_labels(*, now: dt.datetime, only: Label | None = None) -> int:
    """Take the labels whose days are over, or have not begun, and those that somebody has had as long as they last;
    returns how many. The interval ends at the moment it should have.
    """
    today = local_date(now)
    chosen = Label.objects.exclude(kind=Label.Kind.SYSTEM)
    chosen = chosen if only is None else chosen.filter(pk=only.pk)
    ended = sum(_end_invalid(label, now=now) for label in chosen.exclude(pk__in=chosen.valid_on(today).values("pk")))
    if only is None or only.max_age_days is not None:
        ended += _end_old(only, now=now)
    return ended


def _end_old(only: Label | None, *, now: dt.datetime) -> int:
    """Take labels from who had them as long as they last; their time may have become shorter, so long ago."""
    asked = {"now": now, "reason": _("after %s days"), "only": only.pk if only else None}
    found = rows(_OLD, asked)
    for row in found:
        forget_counts(Label.objects.filter(pk=row["label_id"]), since=row["first"])
    return sum(row["many"] for row in found)


def _end_invalid(label: Label, *, now: dt.datetime) -> int:
    if label.valid_until and label.valid_until < local_date(now):
        until, words = end_of_day(label.valid_until), _("valid until %s") % date_format(label.valid_until)
    else:
        until, words = now, _("valid from %s") % date_format(label.valid_from or local_date(now))
    ended = execute(_OVER, {"label": label.pk, "until": min(until, now), "reason": words})
    if ended:
        forget_counts(Label.objects.filter(pk=label.pk), since=min(until, now))
    return ended
