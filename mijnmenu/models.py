"""What customers asked for that needs a mail: a new link, another e-mail address. Rows wait here for a task."""

from __future__ import annotations

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer


class LinkRequestQuerySet(models.QuerySet["LinkRequest"]):
    """Reads about requests for a link."""

    def waiting(self) -> Self:
        """Not answered yet, oldest first."""
        return self.filter(handled_at=None).order_by("id")

    def recent(self, address: str, *, since: dt.datetime) -> Self:
        """Requests for one address after an instant."""
        return self.filter(address=address, asked_at__gt=since)


class LinkRequest(models.Model):
    """Somebody typed an e-mail address to get a link; whether we know it is nobody's business but the task's."""

    class Outcome(models.TextChoices):
        WAITING = "", _("Waiting")
        SENT = "sent", _("Handed over for sending")
        UNKNOWN = "unknown", _("Unknown address")
        REFUSED = "refused", _("Could not be sent")

    address = models.CharField(_("e-mail address"), max_length=254)  # lower case
    asked_at = models.DateTimeField(_("asked at"))
    handled_at = models.DateTimeField(_("handled at"), null=True)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome, blank=True, default=Outcome.WAITING)

    objects = LinkRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request for a link")
        verbose_name_plural = _("requests for a link")
        indexes = [
            models.Index(fields=["id"], condition=Q(handled_at=None), name="link_request_waiting"),
            models.Index(fields=["address", "asked_at"], name="link_request_of_address"),
            models.Index(fields=["asked_at"], name="link_request_asked"),
        ]

    def __str__(self) -> str:
        return f"{self.asked_at:%Y-%m-%d %H:%M}"


class AddressChange(models.Model):
    """Another e-mail address that a customer asked for; it holds once the link mailed to that address was followed."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    address = models.CharField(_("e-mail address"), max_length=254)  # lower case
    asked_at = models.DateTimeField(_("asked at"))
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True)
    # Told that it was replaced, so that somebody who did not ask for it notices.
    old_address = models.CharField(_("former e-mail address"), max_length=254, blank=True, default="")
    told_at = models.DateTimeField(_("told at"), null=True)

    class Meta:
        verbose_name = _("change of address")
        verbose_name_plural = _("changes of address")
        indexes = [
            models.Index(fields=["id"], condition=Q(sent_at=None), name="address_change_waiting"),
            models.Index(fields=["customer", "asked_at"], name="address_change_of_customer"),
            models.Index(fields=["id"], condition=Q(told_at=None) & ~Q(old_address=""), name="address_change_to_tell"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.asked_at:%Y-%m-%d}"
