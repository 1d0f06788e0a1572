"""Set up a test of versions, use it when its mailing starts, and decide which version the rest gets."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import execute
from customers.facts import fact_kinds
from mailings.actions.content import save_content
from mailings.actions.history import By, noted
from mailings.actions.queueing import prepare_rest
from mailings.actions.states import finish_mailings, locked_in, not_in_state, set_state
from mailings.actions.turns import GATE_LOCK
from mailings.content import check_subject, without_ids
from mailings.experiments.arms import as_decided
from mailings.experiments.results import due_at, scores_of, verdict_on
from mailings.experiments.splitting import half_done, release_rest
from mailings.models import Arm, Content, Experiment, Mailing
from mailings.reports.scope import report_kinds

log = logging.getLogger(__name__)

FEWEST_ARMS, MOST_ARMS = 2, 5
USUAL_PERCENT = 10
MOST_HOURS = 14 * 24
Outcome = Experiment.Outcome


@transaction.atomic
def plan_experiment(content: Content, *, by: By = None, now: dt.datetime) -> Experiment:
    """Set up a test for the next mailing of a content, with two versions that are still the same; return the one that
    there is when it has one already.
    """
    Content.objects.select_for_update().get(pk=content.pk)
    known = Experiment.objects.planned().filter(content=content).first()
    if known:
        return known
    with noted(by):
        made = Experiment.objects.create(
            content=content, created_by=by if isinstance(by, User) else None, created_at=now
        )
        for position in range(FEWEST_ARMS):
            Arm.objects.create(experiment=made, position=position, percent=USUAL_PERCENT)
    return made


@transaction.atomic
def change_experiment(
    experiment: Experiment,
    *,
    metric: str,
    fact_kind: str = "",
    decide_after_hours: int,
    is_automatic: bool,
    by: By = None,
) -> Experiment:
    """Change what counts and when it is decided. Raises Refused once its mailing has started, and for an unknown
    activity.
    """
    experiment = _open(experiment)
    if metric == Experiment.Metric.FACTS and fact_kind not in {kind.code for kind in report_kinds()}:
        raise Refused("fact_kind", _("Choose what readers have to do."), field="fact_kind")
    if not 1 <= decide_after_hours <= MOST_HOURS:
        raise Refused("hours", _("Choose from 1 to %d hours.") % MOST_HOURS, field="decide_after_hours")
    experiment.metric = metric
    experiment.fact_kind = fact_kind if metric == Experiment.Metric.FACTS else ""
    experiment.decide_after_hours, experiment.is_automatic = decide_after_hours, is_automatic
    with noted(by):
        experiment.save()
    return experiment


@transaction.atomic
def remove_experiment(experiment: Experiment, *, by: By = None) -> None:
    """Take a test back that has not started, with the texts of its versions. Raises Refused once it has."""
    experiment = _open(experiment)
    with noted(by):
        for arm in experiment.versions:
            _take_content(arm)
        experiment.delete()


@transaction.atomic
def add_arm(experiment: Experiment, *, by: By = None) -> Arm:
    """Add a version, equal to the message itself so far. Raises Refused when there are enough, or no share is left."""
    experiment = _open(experiment)
    arms = experiment.versions
    if len(arms) >= MOST_ARMS:
        message = _("A test has at most %d versions: with more there are too few readers for each.") % MOST_ARMS
        raise Refused("most_arms", message)
    left = 100 - sum(arm.percent for arm in arms)
    if left < 1:
        raise Refused("shares", _("All readers are divided already. Make the share of another version smaller first."))
    with noted(by):
        return Arm.objects.create(experiment=experiment, position=len(arms), percent=min(USUAL_PERCENT, left))


@transaction.atomic
def change_arm(
    arm: Arm,
    *,
    percent: int,
    subject: str = "",
    sender_name: str = "",
    moment: dt.time | None = None,
    by: By = None,
) -> Arm:
    """Change what a version is; what is empty is as in the message itself. Raises Refused with the faulty field, and
    once the test has started.
    """
    experiment = _open(arm.experiment)
    check_subject(subject, "")
    if any(ord(sign) < 32 for sign in sender_name):
        raise Refused("sender_name", _("This must be one line."), field="sender_name")
    others = sum(one.percent for one in experiment.versions if one.pk != arm.pk)
    if not 1 <= percent <= 100 - others:
        message = _("The shares are together at most 100%%: choose from 1 to %d.") % (100 - others)
        raise Refused("shares", message, field="percent")
    arm.percent, arm.subject, arm.sender_name, arm.moment = percent, subject.strip(), sender_name.strip(), moment
    with noted(by):
        arm.save(update_fields=["percent", "subject", "sender_name", "moment"])
    return arm


@transaction.atomic
def remove_arm(arm: Arm, *, by: By = None) -> None:
    """Take a version away, with its text. Raises Refused for the last two, and once the test has started."""
    experiment = _open(arm.experiment)
    if len(experiment.versions) <= FEWEST_ARMS:
        raise Refused("fewest_arms", _("A test has at least two versions. Remove the whole test instead."))
    with noted(by):
        _take_content(arm)
        arm.delete()
        for position, one in enumerate(experiment.versions):
            if one.position != position:
                one.position = position
                one.save(update_fields=["position"])


@transaction.atomic
def write_arm(arm: Arm, *, by: By = None, now: dt.datetime) -> Content:
    """Give a version a text and subject of its own, that begin as a copy of the message; those it has when it has some.

    Raises Refused once the test has started.
    """
    experiment = _open(arm.experiment)
    if arm.content:
        return arm.content
    whole = experiment.content
    with noted(by):
        arm.content = save_content(
            None,
            name=f"{whole.name[:110]} ({arm.letter})",
            subject=arm.subject or whole.subject,
            preheader=whole.preheader,
            blocks=[without_ids(one) for one in whole.blocks],
            by=by,
            now=now,
        )
        arm.subject = ""  # it stands in the text from now on
        arm.save(update_fields=["content", "subject"])
    return arm.content


@transaction.atomic
def unwrite_arm(arm: Arm, *, by: By = None) -> None:
    """Take the text of a version away: it says what the message itself says. Raises Refused once the test started."""
    _open(arm.experiment)
    with noted(by):
        _take_content(arm)


@transaction.atomic
def set_arms(experiment: Experiment, arms: Sequence[Mapping[str, Any]], *, by: By = None, now: dt.datetime) -> None:
    """Put these versions in the place of those there are: mappings with ``percent`` and what ``change_arm`` takes, and
    ``has_own_content``. Raises Refused for too few or too many, and what ``change_arm`` refuses.
    """
    experiment = _open(experiment)
    if not FEWEST_ARMS <= len(arms) <= MOST_ARMS:
        message = _("A test has from %(fewest)d to %(most)d versions.") % {"fewest": FEWEST_ARMS, "most": MOST_ARMS}
        raise Refused("arms", message, field="arms")
    if sum(int(one["percent"]) for one in arms) > 100:
        raise Refused("shares", _("The shares are together more than 100%."), field="arms")
    with noted(by):
        known = experiment.versions
        for surplus in known[len(arms) :]:
            _take_content(surplus)
            surplus.delete()
        for arm in known:  # so that no sum on the way is over 100
            Arm.objects.filter(pk=arm.pk).update(percent=1)
        for position, wish in enumerate(arms):
            arm = known[position] if position < len(known) else Arm(experiment=experiment, position=position, percent=1)
            arm.save()
            change_arm(arm, **{key: value for key, value in wish.items() if key != "has_own_content"}, by=by)
            if wish.get("has_own_content"):
                write_arm(arm, by=by, now=now)
            else:
                _take_content(arm)


def use_experiment(content: Content, mailing: Mailing, *, by: By = None) -> Experiment | None:
    """Make the test that is set up for a content that of this mailing, which starts now; None when there is none.

    Raises Refused when its versions compare nothing, or no e-mail leaves.
    """
    experiment = Experiment.objects.select_for_update().planned().filter(content=content).first()
    if experiment is None:
        return None
    check_experiment(experiment, channels=mailing.channels)
    experiment.mailing = mailing
    with noted(by):
        experiment.save(update_fields=["mailing"])
    return experiment


def check_experiment(experiment: Experiment, *, channels: str) -> None:
    """Raise Refused with the remedy when a test cannot start as it is."""
    if channels not in {Mailing.Channels.EMAIL, Mailing.Channels.EMAIL_OR_LETTER}:
        message = _("A test is about e-mail, and this does not go by e-mail. Remove the test, or choose that channel.")
        raise Refused("test_without_mail", message)
    arms = experiment.versions
    if len({arm.what for arm in arms}) < len(arms):
        raise Refused("same_versions", _("Two versions of the test are the same. Change one of them, or remove it."))
    if experiment.metric == Experiment.Metric.FACTS and experiment.fact_kind not in fact_kinds:
        raise Refused("fact_kind", _("What readers have to do does not exist any more. Choose something else."))


def decide_experiment(experiment: Experiment, *, winner: Arm | None = None, by: By = None, now: dt.datetime) -> Arm:
    """Decide which version the rest gets, and let them have it; return that version. Must not run in a transaction.

    Without a ``winner`` the figures decide: the best one when the versions truly differ, else the first. On pause it
    may be decided too; the rest leaves when the mailing goes on. Raises Refused when it is decided already, when the
    mailing is cancelled, and when a block cannot be made for the rest: then nothing is decided.

    The gate waits only while the decision itself is written. What is slow for many readers comes before (figures,
    vouchers) and after (letting them go, in parts); ``decide_due`` goes on with it where that broke off, or somebody
    chose by hand.
    """
    experiment = Experiment.objects.select_related("mailing").get(pk=experiment.pk)
    _still_open(experiment)
    scores, due = scores_of(experiment), due_at(experiment)
    verdict = verdict_on(scores)
    best = scores[verdict.best if verdict.is_difference else 0].arm
    chosen = next(one.arm for one in scores if one.arm.pk == winner.pk) if winner else best
    experiment.winner, experiment.decided_at = chosen, now
    experiment.decided_by = by if isinstance(by, User) else None
    experiment.outcome = Outcome.BY_HAND if winner else _outcome(verdict.p, is_difference=verdict.is_difference)
    experiment.result = {
        "arms": [[one.arm.pk, one.sent, one.reached] for one in scores],
        "p": verdict.p,
        "is_complete": due is not None and due <= now,
    }
    mailing = _mailing_of(experiment)
    if mailing.state != Mailing.State.AWAITS:
        prepare_rest(mailing, chosen, now)
    _write_decision(experiment, chosen, by=by)
    mailing.refresh_from_db(fields=["state"])
    if mailing.state != Mailing.State.AWAITS:  # else ``decide_due`` lets the rest have it after the approval
        _give_rest(experiment, now, parts=1 if winner else None)
    return chosen


def _still_open(experiment: Experiment) -> None:
    mailing = experiment.mailing
    if mailing is None:
        raise Refused("test_not_started", _("This test has not started yet."))
    if mailing.state == Mailing.State.CANCELLED:
        raise not_in_state(mailing)
    if experiment.decided_at:
        raise Refused("test_decided", _("This test is decided already."))


@transaction.atomic
def _write_decision(experiment: Experiment, chosen: Arm, *, by: By) -> None:
    """Write it down, unless somebody decided or cancelled in the meantime: whoever the gate lets through from now on
    gets what the rest gets.
    """
    execute("SELECT pg_advisory_xact_lock(%s)", [GATE_LOCK])  # before the row, as the hourly turns do
    states = Mailing.State
    mailing = locked_in(_mailing_of(experiment), states.SENDING, states.PAUSED, states.FINISHED, states.AWAITS)
    _still_open(Experiment.objects.select_for_update(of=("self",)).select_related("mailing").get(pk=experiment.pk))
    with noted(by):
        experiment.save(update_fields=["winner", "decided_at", "decided_by", "outcome", "result"])
    mailing.compiled = as_decided(mailing.compiled, chosen)
    mailing.save(update_fields=["compiled"])


def _give_rest(experiment: Experiment, now: dt.datetime, *, parts: int | None = None) -> None:
    """Let those go who waited, or so many ``parts`` of them where somebody waits for the page; a block that cannot be
    made any more puts the mailing on pause with the reason.
    """
    mailing = _mailing_of(experiment)
    try:
        if experiment.winner:
            prepare_rest(mailing, experiment.winner, now)
        for _part in count() if parts is None else range(parts):
            if not release_rest(experiment, mailing, now=now):
                break
    except Refused as refused:
        _hold(mailing, str(refused))
    finish_mailings(now=now)


def _mailing_of(experiment: Experiment) -> Mailing:
    if experiment.mailing is None:
        raise Mailing.DoesNotExist
    return experiment.mailing


def _outcome(p: float | None, *, is_difference: bool) -> str:
    if p is None:
        return Outcome.TOO_FEW
    return Outcome.DIFFERENCE if is_difference else Outcome.NO_DIFFERENCE


def decide_due(*, now: dt.datetime) -> int:
    """Decide the tests whose time has come, and return how many. What stands in the way of one (a voucher that has run
    out) puts its mailing on pause with the reason, and stops no other; nor does a fault of ours, which is logged.

    Where it is decided and readers still wait, because that broke off, they are let go now.
    """
    states = (Mailing.State.SENDING, Mailing.State.FINISHED)
    found = Experiment.objects.under_way().filter(is_automatic=True, mailing__state__in=states)
    done = sum(_decide_one(one, now) for one in found.select_related("mailing"))
    for experiment in half_done():
        try:
            _give_rest(experiment, now)
        except Exception:
            log.exception("the rest of mailing %s cannot be let go", experiment.mailing_id)
    return done


def _decide_one(experiment: Experiment, now: dt.datetime) -> bool:
    try:
        due = due_at(experiment)
        if due is None or due > now:
            return False
        decide_experiment(experiment, now=now)
    except Refused as refused:
        if Experiment.objects.filter(pk=experiment.pk, decided_at=None).exists():
            _hold(_mailing_of(experiment), str(refused))
        return False
    except Exception:  # its readers wait for the next run; those of other tests must not
        log.exception("the test of mailing %s cannot be decided", experiment.mailing_id)
        return False
    return True


@transaction.atomic
def _hold(mailing: Mailing, reason: str) -> None:
    """Put the mailing on pause, unless somebody stopped it in the meantime."""
    mailing = Mailing.objects.select_for_update(no_key=True).get(pk=mailing.pk)
    if mailing.state == Mailing.State.SENDING:
        log.warning("the rest of mailing %s cannot be let go", mailing.pk)
        set_state(mailing, Mailing.State.PAUSED, by=None, reason=reason)


def _open(experiment: Experiment) -> Experiment:
    """Return the test as it is now, held until the end; raises Refused when its mailing has started."""
    experiment = Experiment.objects.select_for_update(of=("self",)).select_related("content").get(pk=experiment.pk)
    if experiment.mailing_id:
        raise Refused("test_started", _("This test has started and stays as it is."))
    return experiment


def _take_content(arm: Arm) -> None:
    """Forget the text of a version."""
    if content := arm.content:
        arm.content = None
        arm.save(update_fields=["content"])
        content.delete()
