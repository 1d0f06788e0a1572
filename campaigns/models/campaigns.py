"""Campaigns: steps on a calendar, and who is how far."""

from __future__ import annotations

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.actions import Action
from customers.models import Customer
from mailings.models import Mailing
from selections.models import Selection


@pghistory.track()
class Campaign(models.Model):
    """A series of actions. Base campaigns (Welcome, Loyalty, Retention, Win-back) run always; others between dates."""

    class Kind(models.TextChoices):
        WELCOME = "welcome", _("Welcome")
        LOYALTY = "loyalty", _("Loyalty")
        RETENTION = "retention", _("Retention")
        WINBACK = "winback", _("Win-back")
        FREE = "free", _("Own campaign")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        FINISHED = "finished", _("Finished")

    name = models.CharField(_("name"), max_length=120, unique=True)
    goal = models.TextField(_("goal"), blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.DRAFT)
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    leave_when = models.ForeignKey(
        Selection,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("leaves when in selection"),
    )
    may_reenter = models.BooleanField(_("may enter again after leaving"), default=False)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_base(self) -> bool:
        """Whether it is one of the four base campaigns."""
        return self.kind != self.Kind.FREE


@pghistory.track()
class Step(models.Model):
    """An action N days after enrolment; steps of a campaign are worked off in order of day."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="steps")
    action = models.ForeignKey(Action, models.PROTECT, related_name="steps", verbose_name=_("action"))
    day = models.PositiveSmallIntegerField(_("days after enrolment"))

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["day", "id"]

    def __str__(self) -> str:
        return f"{self.day}: {self.action_id}"


class Enrolment(models.Model):
    """One stay of a customer in a campaign; progress is what of its steps was handed to the gate."""

    class State(models.TextChoices):
        ACTIVE = "active", _("Taking part")
        COMPLETED = "completed", _("Completed")
        LEFT = "left", _("Left")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="enrolments", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="enrolments")
    entered_on = models.DateField(_("entered on"))
    entered_by = models.CharField(_("entered by"), max_length=150)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ACTIVE)
    left_at = models.DateTimeField(_("left at"), null=True)
    left_reason = models.CharField(_("why left"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "customer"],
                condition=models.Q(state="active"),
                name="one_active_enrolment",
            )
        ]
        indexes = [models.Index(fields=["campaign", "state", "entered_on"])]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.customer_id}"


class StepRun(models.Model):
    """A step worked off for one day: everybody whose turn it was went to the gate in one mailing."""

    step = models.ForeignKey(Step, models.CASCADE, related_name="runs")
    due_on = models.DateField(_("day"))
    candidate_count = models.PositiveIntegerField(_("candidates"), default=0)
    mailing = models.ForeignKey(Mailing, models.SET_NULL, null=True, related_name="+")
    ran_at = models.DateTimeField(_("ran at"))

    class Meta:
        verbose_name = _("step run")
        verbose_name_plural = _("step runs")
        ordering = ["-due_on"]
        constraints = [models.UniqueConstraint(fields=["step", "due_on"], name="step_once_a_day")]

    def __str__(self) -> str:
        return f"{self.step_id} {self.due_on}"


class StepDone(models.Model):
    """A step that an enrolment has behind it: handed to the gate in that run."""

    enrolment = models.ForeignKey(Enrolment, models.CASCADE, related_name="steps_done", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    step = models.ForeignKey(Step, models.CASCADE, related_name="done")
    run = models.ForeignKey(StepRun, models.CASCADE, related_name="done")

    class Meta:
        verbose_name = _("step taken")
        verbose_name_plural = _("steps taken")
        constraints = [models.UniqueConstraint(fields=["enrolment", "step"], name="step_once_per_enrolment")]

    def __str__(self) -> str:
        return f"{self.enrolment_id}: {self.step_id}"
