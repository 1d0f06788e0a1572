"""Labels attach properties to customers, as intervals: who had it, since when, by what, and why."""

from __future__ import annotations

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Customer


class LabelGroup(models.Model):
    """Labels that belong together; in an exclusive group a customer holds at most one at a time."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    is_exclusive = models.BooleanField(_("exclusive"), default=False)

    class Meta:
        verbose_name = _("label group")
        verbose_name_plural = _("label groups")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Label(models.Model):
    """A property of customers with a name; system labels are computed and never given by hand."""

    class Kind(models.TextChoices):
        SYSTEM = "system", _("System label")
        OWN = "own", _("Own label")
        CUSTOMER = "customer", _("Chosen by customers")
        IMPORTED = "imported", _("Import label")

    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=80)
    description = models.TextField(_("description"), blank=True)  # what it means, in words a marketeer uses
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    group = models.ForeignKey(
        LabelGroup, models.PROTECT, null=True, blank=True, related_name="labels", verbose_name=_("group")
    )
    colour = models.CharField(_("colour"), max_length=12, default="blue")
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Assignment(models.Model):
    """One interval in which a customer has a label; open while ``until`` is empty."""

    label = models.ForeignKey(Label, models.CASCADE, related_name="assignments", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="label_assignments")
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True)
    given_by = models.CharField(
        _("given by"), max_length=150
    )  # "system", "customer", "import 12", a user name
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    taken_by = models.CharField(_("taken by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("label assignment")
        verbose_name_plural = _("label assignments")
        constraints = [
            models.UniqueConstraint(
                fields=["label", "customer"],
                condition=models.Q(until__isnull=True),
                name="one_open_assignment",
            ),
            models.CheckConstraint(
                condition=models.Q(until__isnull=True) | models.Q(until__gte=models.F("since")),
                name="assignment_ends_after_start",
            ),
        ]
        indexes = [models.Index(fields=["label", "since"])]

    def __str__(self) -> str:
        return f"{self.label_id}: {self.customer_id}"


class RefreshRun(models.Model):
    """One recomputation of the system labels; ``due_key`` is unique so that two schedulers start it once."""

    due_key = models.CharField(max_length=60, unique=True)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    given_count = models.PositiveIntegerField(_("given"), default=0)
    taken_count = models.PositiveIntegerField(_("taken"), default=0)

    class Meta:
        verbose_name = _("label run")
        verbose_name_plural = _("label runs")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.due_key
