"""Tests in which readers get different versions of one message, and the best one goes to the rest."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailings.models.content import Content
from mailings.models.mailings import Mailing


class ExperimentQuerySet(models.QuerySet["Experiment"]):
    """Reads of tests."""

    def planned(self) -> ExperimentQuerySet:
        """Those whose mailing has yet to start: at most one for a content."""
        return self.filter(mailing=None)

    def under_way(self) -> ExperimentQuerySet:
        """Those of which it is not decided yet, and of which the mailing was not cancelled."""
        return self.filter(mailing__isnull=False, decided_at=None).exclude(mailing__state=Mailing.State.CANCELLED)


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent(), exclude=["result"])
class Experiment(models.Model):
    """A test of a content in two or more versions (arms): set up before its mailing starts, and used by one mailing.

    A part of the readers gets one of the arms; the rest waits until it is decided, ``decide_after_hours`` after the
    last of that part has left. What of a reader counts is what he does in as many hours after his own message.
    ``result`` keeps the figures on which it was decided: ``{"arms": [[arm id, sent, reached], …], "p": number}``.
    """

    class Metric(models.TextChoices):
        CLICKS = "clicks", _("Readers who click")
        FACTS = "facts", _("Readers who do something else")

    class Outcome(models.TextChoices):
        UNDECIDED = "", _("Not decided yet")
        DIFFERENCE = "difference", _("A difference was shown: the best version")
        NO_DIFFERENCE = "no_difference", _("No difference was shown: the first version")
        TOO_FEW = "too_few", _("Too few readers to tell: the first version")
        BY_HAND = "by_hand", _("Chosen by hand")

    content = models.ForeignKey(Content, models.CASCADE, related_name="experiments", verbose_name=_("content"))
    mailing = models.OneToOneField(
        Mailing, models.CASCADE, null=True, related_name="experiment", verbose_name=_("mailing")
    )
    metric = models.CharField(_("what counts"), max_length=8, choices=Metric, default=Metric.CLICKS)
    fact_kind = models.CharField(_("which activity"), max_length=24, blank=True)  # a code of customers.facts
    decide_after_hours = models.PositiveSmallIntegerField(_("decide after (hours)"), default=24)
    is_automatic = models.BooleanField(_("decide by itself"), default=True)
    winner = models.ForeignKey(
        "mailings.Arm", models.SET_NULL, null=True, related_name="+", verbose_name=_("version for the rest")
    )
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome, blank=True)
    result = models.JSONField(default=dict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("made by")
    )
    created_at = models.DateTimeField(_("created at"))
    started_at = models.DateTimeField(_("started"), null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)

    objects = ExperimentQuerySet.as_manager()

    class Meta:
        verbose_name = _("test of versions")
        verbose_name_plural = _("tests of versions")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["content"], condition=models.Q(mailing=None), name="one_planned_test_of_a_content"
            ),
            models.CheckConstraint(
                condition=models.Q(decide_after_hours__gte=1, decide_after_hours__lte=336),
                name="test_decides_within_two_weeks",
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=models.Q(decided_at=None), name="test_not_decided")]

    def __str__(self) -> str:
        return str(self.mailing or self.content)

    @property
    def versions(self) -> list[Arm]:
        """The arms in order; each knows its test."""
        found = list(self.arms.select_related("content"))
        for arm in found:
            arm.experiment = self
        return found

    @property
    def window(self) -> dt.timedelta:
        """How long after his message counts what a reader does."""
        return dt.timedelta(hours=self.decide_after_hours)


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent(), exclude=["compiled"])
class Arm(models.Model):
    """One version in a test, for ``percent`` of the readers. What is empty is as in the message itself.

    ``moment`` is a time of day in Amsterdam at which its readers get it; empty: at once. ``compiled`` is its content as
    frozen at the start, as ``Mailing.compiled`` is.
    """

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="arms", db_index=False)
    position = models.PositiveSmallIntegerField(_("position"))
    percent = models.PositiveSmallIntegerField(_("share of the readers (percent)"))
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    sender_name = models.CharField(_("sender name"), max_length=80, blank=True)
    moment = models.TimeField(_("time of sending"), null=True)
    content = models.OneToOneField(Content, models.SET_NULL, null=True, related_name="arm", verbose_name=_("content"))
    compiled = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "position"], name="version_once_per_position"),
            models.CheckConstraint(condition=models.Q(percent__gte=1, percent__lte=100), name="version_has_a_share"),
        ]

    def __str__(self) -> str:
        return self.letter

    @property
    def letter(self) -> str:
        """How people call it: A, B, C."""
        return "ABCDEFGHIJ"[self.position]

    @property
    def what(self) -> tuple[Any, ...]:
        """What its readers get, to see whether two are the same."""
        return self.subject, self.sender_name, self.moment, self.content_id
