"""Tests of versions as the pages tell of them: how far they are, and what their figures mean in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.formats import date_format, time_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.facts import fact_kinds
from mailings.experiments.arms import content_of
from mailings.experiments.results import Score, due_at, scores_of, verdict_on
from mailings.models import Arm, Experiment, Mailing

RARELY = 0.001  # below it the exact chance says nothing to anybody


class Status(NamedTuple):
    """How far a test is: in words, with the tone of its badge."""

    words: str
    tone: str


@dataclass(frozen=True)
class Row:
    """One version as a page shows it; shares are in percent."""

    arm: Arm
    what: list[str]
    score: Score
    is_winner: bool

    @property
    def share(self) -> float:
        return 100 * self.score.share

    @property
    def low(self) -> float:
        return 100 * self.score.likely[0]

    @property
    def high(self) -> float:
        return 100 * self.score.likely[1]


class Told:
    """A test with everything that a page tells of it."""

    def __init__(self, experiment: Experiment, *, now: dt.datetime) -> None:
        self.experiment, self.now = experiment, now

    @cached_property
    def scores(self) -> list[Score]:
        if self.experiment.mailing_id:
            return scores_of(self.experiment)
        return [Score(arm, 0, 0) for arm in self.experiment.versions]

    @cached_property
    def rows(self) -> list[Row]:
        winner = self.experiment.winner_id
        return [Row(one.arm, differences(one.arm), one, one.arm.pk == winner) for one in self.scores]

    @cached_property
    def due_at(self) -> dt.datetime | None:
        return due_at(self.experiment) if self.is_under_way else None

    @property
    def is_under_way(self) -> bool:
        return self.experiment.mailing_id is not None and self.experiment.decided_at is None and not self.is_stopped

    @property
    def is_stopped(self) -> bool:
        mailing = self.experiment.mailing
        return mailing is not None and mailing.state == Mailing.State.CANCELLED

    @property
    def is_held(self) -> bool:
        """Whether nothing is decided by itself because the mailing stands still."""
        mailing = self.experiment.mailing
        return mailing is not None and mailing.state == Mailing.State.PAUSED and self.experiment.is_automatic

    @property
    def awaits_choice(self) -> bool:
        """Whether the figures are complete and somebody has to choose."""
        is_due = self.due_at is not None and self.due_at <= self.now
        return self.is_under_way and is_due and not self.experiment.is_automatic

    @property
    def rest(self) -> int:
        """How many percent of the readers wait for the outcome."""
        return 100 - sum(one.arm.percent for one in self.scores)

    @cached_property
    def waiting(self) -> int:
        """How many messages wait for the outcome."""
        mailing = self.experiment.mailing
        if mailing is None or not self.is_under_way:
            return 0
        return mailing.messages.filter(arm=None, channel="email", state="queued").count()

    @property
    def verdict(self) -> str:
        """What the figures say, in words."""
        verdict, best = verdict_on(self.scores), self.scores[verdict_on(self.scores).best].arm.letter
        if not self.experiment.result.get("is_complete", True):
            return _("It was decided before all figures were in: what they said then proves nothing.")
        if verdict.p is None:
            return _("There are too few readers, or too few who did it, to tell chance from difference.")
        if not verdict.is_difference:
            words = _("No difference was shown. Equal versions differ this much in about %(times)s of 100 tests.")
            return words % {"times": round(100 * verdict.p)}
        if verdict.p < RARELY:
            often = _("less than 1 in 1,000 tests")
        else:
            often = _("about 1 in %(number)s tests") % {"number": intcomma(round(1 / verdict.p))}
        words = _("The versions differ: version %(letter)s did best. Equal versions differ this much in %(often)s.")
        return words % {"letter": best, "often": often}

    @property
    def status(self) -> Status:
        return status_of(self.experiment)

    @property
    def metric(self) -> str:
        """What counts, in words."""
        hours = ngettext("within %d hour", "within %d hours", self.experiment.decide_after_hours)
        return f"{metric_words(self.experiment)}, {hours % self.experiment.decide_after_hours}"


def metric_words(experiment: Experiment) -> str:
    """Return what counts: "Readers who click", or the name of an activity."""
    if experiment.metric == Experiment.Metric.FACTS:
        kind = fact_kinds.get(experiment.fact_kind)
        return str(kind.name if kind else experiment.fact_kind)
    return str(experiment.get_metric_display())


def status_of(experiment: Experiment) -> Status:
    """Return how far a test is."""
    if experiment.mailing is None:
        return Status(_("Set up"), "neutral")
    if experiment.decided_at:
        return Status(_("Decided"), "success")
    if experiment.mailing.state == Mailing.State.CANCELLED:
        return Status(_("Stopped"), "neutral")
    return Status(_("Under way"), "info")


def differences(arm: Arm) -> list[str]:
    """Return in what a version differs from the message itself; a version without any is the message as it is."""
    found = []
    if arm.content_id or arm.subject:
        found.append(_("subject “%s”") % content_of(arm).subject)
    if arm.sender_name:
        found.append(_("from “%s”") % arm.sender_name)
    if arm.content_id:
        found.append(_("a text of its own"))
    if arm.moment:
        found.append(_("at %s") % time_format(arm.moment, "H:i"))
    return found or [_("the message as it is")]


def when(moment: dt.datetime) -> str:
    """Return a moment in words."""
    return date_format(moment, "l j F H:i")
