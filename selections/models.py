"""Saved audiences, and who is in those whose entrance somebody waits for."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Customer

COUNTED = ["last_count", "counted_at", "baseline_at", "updated_at"]  # what the product itself writes


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(exclude=COUNTED)),
    pghistory.DeleteEvent(),
    exclude=COUNTED,
)
class Selection(models.Model):
    """A named audience. ``rule`` is the tree of ``selections.rules`` as versioned JSON; members are computed,
    not kept.
    """

    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.TextField(_("description"), blank=True)
    rule = models.JSONField(_("rule"), default=dict)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
    )
    # Entering this selection is a trigger somewhere: the nightly run then records who came in and who left.
    is_watched = models.BooleanField(default=False)
    baseline_at = models.DateTimeField(null=True)  # since when it is known who enters; empty: at the next run
    last_count = models.PositiveIntegerField(_("size"), null=True)
    counted_at = models.DateTimeField(_("counted at"), null=True)
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("selection")
        verbose_name_plural = _("selections")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One stay of a customer in a watched selection: open while ``until`` is empty.

    Those who are in already when the watching begins did not enter: their stay is the ``is_baseline``.
    """

    selection = models.ForeignKey(Selection, models.CASCADE, related_name="memberships", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True)
    is_baseline = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["selection", "customer"],
                condition=models.Q(until__isnull=True),
                name="one_open_membership",
            )
        ]
        indexes = [models.Index(fields=["selection", "since"])]

    def __str__(self) -> str:
        return f"{self.selection_id}: {self.customer_id}"


class Export(models.Model):
    """That somebody took a selection's customers out of the product: who, when, how many; not whom."""

    selection = models.ForeignKey(
        Selection, models.SET_NULL, null=True, related_name="exports", verbose_name=_("selection")
    )
    selection_name = models.CharField(_("selection"), max_length=120)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by whom")
    )
    columns = models.JSONField(_("columns"), default=list)
    row_count = models.PositiveIntegerField(_("rows"))
    exported_at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.selection_name} {self.exported_at:%Y-%m-%d}"
