"""What was done by the rules of labels: the runs, and the histories that were worked out afterwards."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from labels.models.labels import Label


class RuleRun(models.Model):
    """One time that a label was brought in line with its rule; ``due_key`` is unique per label, so once per night.

    ``problem`` says why the rule could not be applied; then nothing was changed.
    """

    label = models.ForeignKey(Label, models.CASCADE, related_name="rule_runs")
    due_key = models.CharField(max_length=60)
    at = models.DateTimeField(_("when"))
    given_count = models.PositiveIntegerField(_("given"), default=0)
    taken_count = models.PositiveIntegerField(_("taken"), default=0)
    problem = models.CharField(_("problem"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("run of a rule")
        verbose_name_plural = _("runs of rules")
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["label", "due_key"], name="one_rule_run_per_due_key")]

    def __str__(self) -> str:
        return f"{self.label_id} {self.due_key}"


class Backfill(models.Model):
    """The history of a label, or of all labels of a system family, as its rule would have made it.

    A worker looks at the moments of a grid from ``first_day`` on, one after the other, and writes at the end; while it
    is busy ``beat_at`` goes on, so that another can tell when it broke off. Taking it back removes what it wrote.
    """

    class Grid(models.TextChoices):
        WEEK = "week", _("week by week")
        MONTH = "month", _("month by month")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("busy")
        DONE = "done", _("done")
        FAILED = "failed", _("not possible")
        UNDONE = "undone", _("taken back")

    label = models.ForeignKey(Label, models.CASCADE, null=True, related_name="backfills", verbose_name=_("label"))
    family = models.CharField(_("family"), max_length=40, blank=True)
    grid = models.CharField(_("how often"), max_length=5, choices=Grid, default=Grid.MONTH)
    first_day = models.DateField(_("from"))
    until = models.DateTimeField(_("until"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    moment_count = models.PositiveSmallIntegerField(default=0)
    moments_done = models.PositiveSmallIntegerField(default=0)
    written_count = models.PositiveIntegerField(_("intervals"), default=0)
    problem = models.CharField(_("problem"), max_length=500, blank=True)
    asked_at = models.DateTimeField(_("asked at"))
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    beat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    undone_at = models.DateTimeField(_("taken back at"), null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("worked-out history")
        verbose_name_plural = _("worked-out histories")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(label__isnull=False, family="") | Q(label__isnull=True) & ~Q(family=""),
                name="backfill_is_of_a_label_or_a_family",
            ),
            models.UniqueConstraint(
                fields=["label", "family"],
                condition=Q(state__in=["waiting", "running"]),
                nulls_distinct=False,
                name="one_backfill_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label_id or self.family} {self.first_day}"


class BackfillChange(models.Model):
    """An interval that a backfill let begin earlier, as it was before: needed to take the backfill back.

    ``row_id`` is the id of an ``Assignment``, which may be gone: erasing a customer asks nothing of this table.
    """

    backfill = models.ForeignKey(Backfill, models.CASCADE, related_name="changes")
    row_id = models.BigIntegerField()
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["backfill", "row_id"], name="one_change_per_backfill")]

    def __str__(self) -> str:
        return f"{self.backfill_id}: {self.row_id}"
