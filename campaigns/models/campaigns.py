"""Campaigns: steps on a calendar, and who is how far."""

from __future__ import annotations

import datetime as dt

import pghistory
from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from campaigns.models.actions import Action
from customers.models import Customer
from mailings.models import Mailing
from selections.models import Selection

CURRENT_STATES = ("running", "paused")


class CampaignQuerySet(models.QuerySet["Campaign"]):
    """Reads of campaigns."""

    def current(self) -> CampaignQuerySet:
        """Those under way: started and not finished; a paused campaign still takes its place."""
        return self.filter(state__in=CURRENT_STATES)

    def with_counts(self) -> CampaignQuerySet:
        """Add ``active_count``, ``completed_count`` and ``left_count`` of the enrolments, and ``step_count``."""
        steps = Step.objects.in_use().filter(campaign=models.OuterRef("pk")).order_by().values("campaign")
        return self.annotate(
            active_count=_enrolments(Enrolment.State.ACTIVE),
            completed_count=_enrolments(Enrolment.State.COMPLETED),
            left_count=_enrolments(Enrolment.State.LEFT),
            step_count=Coalesce(models.Subquery(steps.annotate(n=models.Count("id")).values("n")), 0),
        )


def _enrolments(state: str) -> Coalesce:
    found = Enrolment.objects.filter(campaign=models.OuterRef("pk"), state=state).order_by().values("campaign")
    return Coalesce(models.Subquery(found.annotate(n=models.Count("id")).values("n")), 0)


class StepQuerySet(models.QuerySet["Step"]):
    """Reads of steps."""

    def in_use(self) -> StepQuerySet:
        """Leave out steps that were taken out of the campaign."""
        return self.filter(removed_on__isnull=True)

    def due(self, day: dt.date) -> StepQuerySet:
        """Steps of running campaigns that somebody has to get on ``day`` or should have got before."""
        waiting = Enrolment.objects.filter(
            next_step=models.OuterRef("pk"), state=Enrolment.State.ACTIVE, next_on__lte=day
        )
        return self.in_use().filter(models.Exists(waiting), campaign__state=Campaign.State.RUNNING)

    def with_progress(self) -> StepQuerySet:
        """Add ``done_count`` (enrolments that have it behind them) and ``waiting_count`` (it is their next one)."""
        done = StepDone.objects.filter(step=models.OuterRef("pk")).order_by().values("step")
        waiting = Enrolment.objects.filter(next_step=models.OuterRef("pk"), state=Enrolment.State.ACTIVE)
        return self.annotate(
            done_count=Coalesce(models.Subquery(done.annotate(n=models.Count("id")).values("n")), 0),
            waiting_count=Coalesce(
                models.Subquery(waiting.order_by().values("next_step").annotate(n=models.Count("id")).values("n")), 0
            ),
        )


class StepRunQuerySet(models.QuerySet["StepRun"]):
    """Reads of runs of steps."""

    def failing(self) -> StepRunQuerySet:
        """Runs that went wrong, of steps that have not gone well since."""
        better = StepRun.objects.filter(step=models.OuterRef("step"), ran_at__gt=models.OuterRef("ran_at"), error="")
        return self.exclude(error="").exclude(models.Exists(better))


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    """Reads of enrolments."""

    def of(self, customer: Customer) -> EnrolmentQuerySet:
        """A customer's stays in campaigns, the latest first, with the campaign, the next step and ``taken_count``."""
        return (
            self.filter(customer=customer)
            .select_related("campaign", "next_step__action")
            .with_progress()
            .order_by("-entered_on", "-id")
        )

    def with_progress(self) -> EnrolmentQuerySet:
        """Add ``taken_count``: how many steps are behind it."""
        done = StepDone.objects.filter(enrolment=models.OuterRef("pk")).order_by().values("enrolment")
        return self.annotate(taken_count=Coalesce(models.Subquery(done.annotate(n=models.Count("id")).values("n")), 0))


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
    hold_out_percent = models.PositiveSmallIntegerField(_("own control group (percent)"), default=0)
    created_at = models.DateTimeField(_("created at"))
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=~models.Q(kind="free") & models.Q(state__in=["running", "paused"]),
                name="one_current_base_campaign",
            ),
            models.CheckConstraint(
                condition=models.Q(starts_on__isnull=True)
                | models.Q(ends_on__isnull=True)
                | models.Q(ends_on__gte=models.F("starts_on")),
                name="campaign_ends_after_start",
            ),
            models.CheckConstraint(condition=models.Q(hold_out_percent__lte=50), name="campaign_hold_out_at_most_half"),
        ]

    def __str__(self) -> str:
        return self.name

    def mailings(self) -> models.QuerySet[Mailing]:
        """What its steps sent."""
        return Mailing.objects.filter(origin__in=[f"step:{step}" for step in self.steps.values_list("pk", flat=True)])

    @property
    def is_base(self) -> bool:
        """Whether it is one of the four base campaigns."""
        return self.kind != self.Kind.FREE

    @property
    def is_current(self) -> bool:
        """Whether it is under way: started and not finished, so it counts for the limits."""
        return self.state in CURRENT_STATES


@pghistory.track()
class Step(models.Model):
    """An action N days after enrolment; steps of a campaign are worked off in order of day.

    A step added to a running campaign is only for those whose day has yet to come: nobody gets it in arrears.
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="steps")
    action = models.ForeignKey(Action, models.PROTECT, related_name="steps", verbose_name=_("action"))
    day = models.PositiveSmallIntegerField(_("days after enrolment"))
    added_on = models.DateField(_("added on"))
    removed_on = models.DateField(_("taken out on"), null=True, blank=True)
    # who started the campaign with it in, or put it in a campaign under way
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("activated by")
    )

    objects = StepQuerySet.as_manager()

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["day", "id"]

    def __str__(self) -> str:
        return f"{self.day}: {self.action_id}"


class Enrolment(models.Model):
    """One stay of a customer in a campaign; progress is what of its steps was handed to the gate.

    ``next_step`` and ``next_on`` are derived (``enrolments.plan_steps``), so that a tick finds by index what is due.
    """

    class State(models.TextChoices):
        ACTIVE = "active", _("Taking part")
        COMPLETED = "completed", _("Completed")
        LEFT = "left", _("Left")

    class LeaveReason(models.TextChoices):
        SELECTION = "selection", _("Met the condition for leaving")
        FINISHED = "finished", _("The campaign was finished")
        CUSTOMER = "customer", _("Own wish")
        STAFF = "staff", _("Taken out by staff")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="enrolments", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="enrolments")
    entered_on = models.DateField(_("entered on"))
    entered_by = models.CharField(_("entered by"), max_length=150)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ACTIVE)
    left_at = models.DateTimeField(_("left at"), null=True)
    left_reason = models.CharField(_("why left"), max_length=200, blank=True)  # a LeaveReason, or other words
    next_step = models.ForeignKey(
        Step, models.SET_NULL, null=True, related_name="+", db_index=False, verbose_name=_("next step")
    )
    next_on = models.DateField(_("next step on"), null=True)

    objects = EnrolmentQuerySet.as_manager()

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
        indexes = [
            models.Index(fields=["campaign", "state", "entered_on"]),
            models.Index(fields=["next_step", "next_on"], condition=models.Q(state="active"), name="enrolment_due"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.customer_id}"

    @property
    def left_reason_words(self) -> str:
        """Why the customer left, in the active language where it is a reason of ours."""
        return str(dict(self.LeaveReason.choices).get(self.left_reason, self.left_reason))


class StepRun(models.Model):
    """A step worked off: everybody whose turn it was went to the gate in one mailing.

    ``part`` is 1 for the first run of a day; those who enter later that day get theirs in a next part. A run that
    failed keeps its row with the ``error`` in words and is tried again later; nothing of it took effect.
    """

    step = models.ForeignKey(Step, models.CASCADE, related_name="runs")
    due_on = models.DateField(_("day"))
    part = models.PositiveSmallIntegerField(_("part"), default=1)
    candidate_count = models.PositiveIntegerField(_("candidates"), default=0)
    mailing = models.ForeignKey(Mailing, models.SET_NULL, null=True, related_name="+")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=1)
    error = models.TextField(_("what went wrong"), blank=True)
    ran_at = models.DateTimeField(_("ran at"))

    objects = StepRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("step run")
        verbose_name_plural = _("step runs")
        ordering = ["-due_on", "-part"]
        constraints = [models.UniqueConstraint(fields=["step", "due_on", "part"], name="step_run_once")]

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


class DayRun(models.Model):
    """The daily look at the watched selections and at who may leave a campaign, done for one Amsterdam day."""

    due_on = models.DateField(_("day"), unique=True)
    ran_at = models.DateTimeField(_("ran at"))

    class Meta:
        verbose_name = _("daily run")
        verbose_name_plural = _("daily runs")
        ordering = ["-due_on"]

    def __str__(self) -> str:
        return f"{self.due_on}"
