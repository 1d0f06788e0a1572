"""Saved audiences, and who is in those whose entrance somebody waits for."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Customer


@pghistory.track()
class Selection(models.Model):
    """A named audience. ``rule`` is the tree of ``selections.rules`` as versioned JSON; members are computed, not kept."""

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
    """One stay of a customer in a watched selection: open while ``until`` is empty."""

    selection = models.ForeignKey(Selection, models.CASCADE, related_name="memberships", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True)

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
