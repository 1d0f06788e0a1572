"""An action is what we do (send this, with that voucher); a trigger is when and for whom it is done."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Purpose
from labels.models import Label
from mailings.models import Content, Mailing, message_count
from selections.models import Selection


class ActionQuerySet(models.QuerySet["Action"]):
    """Reads of actions."""

    def in_use(self) -> ActionQuerySet:
        """Leave out what is archived."""
        return self.filter(is_archived=False)

    def with_reach(self) -> ActionQuerySet:
        """Add ``mailing_count``, ``message_count`` (handed to delivery) and ``last_mailing_at`` of its mailings."""
        mailings = Mailing.objects.filter(content=models.OuterRef("content")).order_by().values("content")
        messages = mailings.annotate(n=models.Sum(message_count("pk")))
        return self.annotate(
            mailing_count=Coalesce(models.Subquery(mailings.annotate(n=models.Count("id")).values("n")), 0),
            message_count=Coalesce(models.Subquery(messages.values("n")), 0, output_field=models.BigIntegerField()),
            last_mailing_at=models.Subquery(mailings.annotate(at=models.Max("created_at")).values("at")),
        )


class TriggerQuerySet(models.QuerySet["Trigger"]):
    """Reads of triggers."""

    def working(self) -> TriggerQuerySet:
        """Those the scheduler works off: active, of an action in use or of a running campaign."""
        running = models.Q(campaign__state="running") | models.Q(action__is_archived=False)
        return self.filter(running, is_active=True)

    def with_last_run(self) -> TriggerQuerySet:
        """Add ``last_due_on``, ``last_count`` and ``last_error`` of the latest run."""
        last = TriggerRun.objects.filter(trigger=models.OuterRef("pk")).order_by("-due_on")
        return self.annotate(
            last_due_on=models.Subquery(last.values("due_on")[:1]),
            last_count=models.Subquery(last.values("candidate_count")[:1]),
            last_error=models.Subquery(last.values("error")[:1]),
        )


@pghistory.track()
class Action(models.Model):
    """A letter or e-mail with text, links and vouchers, for one purpose; run by a trigger, a step, or by hand."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    purpose = models.ForeignKey(Purpose, models.PROTECT, verbose_name=_("purpose"))
    channels = models.CharField(_("channels"), max_length=16, choices=Mailing.Channels)
    letters_to = models.CharField(
        _("letters to"), max_length=9, choices=Mailing.LettersTo, default=Mailing.LettersTo.PERSON
    )
    content = models.OneToOneField(Content, models.PROTECT, related_name="action", verbose_name=_("content"))
    gives_label = models.ForeignKey(
        Label, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("label it gives")
    )
    priority = models.PositiveSmallIntegerField(
        _("priority"), choices=Mailing.Priority, default=Mailing.Priority.NORMAL
    )
    hold_out_percent = models.PositiveSmallIntegerField(_("own control group (percent)"), default=0)
    is_archived = models.BooleanField(_("archived"), default=False)
    created_at = models.DateTimeField(_("created at"))

    objects = ActionQuerySet.as_manager()

    class Meta:
        verbose_name = _("action")
        verbose_name_plural = _("actions")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(hold_out_percent__lte=50), name="action_hold_out_at_most_half")
        ]

    def __str__(self) -> str:
        return self.name

    def mailings(self) -> models.QuerySet[Mailing]:
        """What was sent of it, by hand, by a trigger or as a step."""
        return Mailing.objects.filter(content=self.content_id)


@pghistory.track()
class Trigger(models.Model):
    """Each day, those to whom something happens (a birthday, a fact N days ago, entering a selection) get an effect.

    ``kind`` is a code of ``campaigns.triggers``; ``params`` are that kind's, e.g. ``{"days_before": 7}``. Exactly one
    of ``action`` (run it) and ``campaign`` (enrol into it) is filled. ``selection`` narrows whom it concerns.
    """

    name = models.CharField(_("name"), max_length=120, unique=True)
    kind = models.CharField(_("kind"), max_length=32)
    params = models.JSONField(_("settings"), default=dict)
    selection = models.ForeignKey(
        Selection,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("only for selection"),
    )
    action = models.ForeignKey(
        Action, models.CASCADE, null=True, blank=True, related_name="triggers", verbose_name=_("run action")
    )
    campaign = models.ForeignKey(
        "campaigns.Campaign", models.CASCADE, null=True, blank=True, related_name="triggers",
        verbose_name=_("enrol in campaign"),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=False)
    active_since = models.DateField(_("active since"), null=True, blank=True)  # the first day it is worked off for
    activated_at = models.DateTimeField(_("activated at"), null=True, blank=True)
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("activated by")
    )
    created_at = models.DateTimeField(_("created at"))

    objects = TriggerQuerySet.as_manager()

    class Meta:
        verbose_name = _("trigger")
        verbose_name_plural = _("triggers")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(action__isnull=True, campaign__isnull=False)
                | models.Q(action__isnull=False, campaign__isnull=True),
                name="trigger_has_one_effect",
            )
        ]

    def __str__(self) -> str:
        return self.name


class TriggerRun(models.Model):
    """A trigger worked off for one Amsterdam day; the unique key lets it happen once, whoever asks.

    A run that failed keeps its row with the ``error`` in words and is tried again later; nothing of it took effect.
    """

    trigger = models.ForeignKey(Trigger, models.CASCADE, related_name="runs")
    due_on = models.DateField(_("day"))
    candidate_count = models.PositiveIntegerField(_("candidates"), default=0)
    enrolled_count = models.PositiveIntegerField(_("enrolled"), default=0)  # of a trigger that enrols
    mailing = models.ForeignKey(Mailing, models.SET_NULL, null=True, related_name="+")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=1)
    error = models.TextField(_("what went wrong"), blank=True)
    ran_at = models.DateTimeField(_("ran at"))

    class Meta:
        verbose_name = _("trigger run")
        verbose_name_plural = _("trigger runs")
        ordering = ["-due_on"]
        constraints = [models.UniqueConstraint(fields=["trigger", "due_on"], name="trigger_once_a_day")]

    def __str__(self) -> str:
        return f"{self.trigger_id} {self.due_on}"


class Happening(models.Model):
    """Something that happened to a customer and set a trigger off; the unique key lets it do so once.

    Only of kinds that go off for each happening (``TriggerKind.happenings_sql``), such as a move between labels.
    """

    trigger = models.ForeignKey(Trigger, models.CASCADE, related_name="happenings", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    happened_at = models.DateTimeField(_("when"))
    run = models.ForeignKey(TriggerRun, models.CASCADE, related_name="happenings")

    class Meta:
        verbose_name = _("happening")
        verbose_name_plural = _("happenings")
        constraints = [
            models.UniqueConstraint(fields=["trigger", "customer", "happened_at"], name="happening_sets_off_once")
        ]

    def __str__(self) -> str:
        return f"{self.trigger_id} {self.customer_id}"
