"""The limits an organisation sets itself: how many messages in how many days, and on which days none."""

from __future__ import annotations

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Branch, Purpose
from mailings.models.mailings import Message


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class CapRule(models.Model):
    """At most ``messages`` to a customer in ``days`` days: of one purpose or of all, over one channel or over all.

    All rules hold at once; service messages neither count nor are held back.
    """

    purpose = models.ForeignKey(Purpose, models.CASCADE, null=True, related_name="+", verbose_name=_("purpose"))
    channel = models.CharField(_("channel"), max_length=8, choices=Message.Channel, blank=True)  # empty: all
    messages = models.PositiveSmallIntegerField(_("most messages per customer"))
    days = models.PositiveSmallIntegerField(_("in how many days"))

    class Meta:
        verbose_name = _("limit on messages")
        verbose_name_plural = _("limits on messages")
        ordering = ["days", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "channel", "days"], nulls_distinct=False, name="one_cap_of_a_kind_and_period"
            ),
            models.CheckConstraint(condition=models.Q(messages__gte=1, days__gte=1), name="cap_of_something"),
        ]

    def __str__(self) -> str:
        return f"{self.messages} / {self.days}"


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class ClosingDay(models.Model):
    """Days on which nothing but service mail goes out to the readers of a branch; without a branch to nobody."""

    name = models.CharField(_("name"), max_length=80)
    branch = models.ForeignKey(Branch, models.CASCADE, null=True, related_name="+", verbose_name=_("branch"))
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))

    class Meta:
        verbose_name = _("closing day")
        verbose_name_plural = _("closing days")
        ordering = ["first_day", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(last_day__gte=models.F("first_day")), name="closed_in_order")
        ]

    def __str__(self) -> str:
        return self.name
