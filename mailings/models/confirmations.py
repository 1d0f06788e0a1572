"""Somebody signed up with an e-mail address, and must show that it is his before it counts (double opt-in)."""

from __future__ import annotations

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Branch, Purpose, Source

VALID_DAYS = 14
REMIND_DAYS = 3
MOST_TRIES = 5


class ConfirmationQuerySet(models.QuerySet["Confirmation"]):
    """Reads of sign-ups."""

    def open(self, *, now: dt.datetime) -> Self:
        """Keep those that can still be confirmed."""
        return self.filter(confirmed_at=None, asked_at__gt=now - dt.timedelta(days=VALID_DAYS))

    def to_send(self, *, now: dt.datetime) -> Self:
        """Keep those whose mail has not left yet, and those to be reminded; the oldest first."""
        waits = Q(sent_at=None, tries__lt=MOST_TRIES)
        forgotten = Q(
            sent_at__lte=now - dt.timedelta(days=REMIND_DAYS), reminded_at=None, tries__lt=2 * MOST_TRIES
        )  # fmt: skip
        return self.open(now=now).filter(waits | forgotten).order_by("id")


class Confirmation(models.Model):
    """A sign-up for a purpose by e-mail. It is no consent: confirming makes one, with what stands here as evidence.

    Nobody is made a customer before that. Once confirmed, address and names are emptied; the row goes after 14 days.
    """

    purpose = models.ForeignKey(Purpose, models.CASCADE, related_name="+", verbose_name=_("purpose"))
    address = models.CharField(_("e-mail address"), max_length=254)  # lower case
    first_name = models.CharField(_("first name"), max_length=80, blank=True)
    name_prefix = models.CharField(_("name prefix"), max_length=20, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    branch = models.ForeignKey(Branch, models.SET_NULL, null=True, blank=True, verbose_name=_("branch"))
    source = models.ForeignKey(Source, models.PROTECT, related_name="+", verbose_name=_("source"))
    wording_version = models.CharField(_("wording version"), max_length=40, blank=True)
    asked_at = models.DateTimeField(_("asked at"))
    asked_from = models.CharField(_("network"), max_length=50, blank=True)  # cut: 192.0.2.0/24
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    reminded_at = models.DateTimeField(_("reminded at"), null=True)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True)

    objects = ConfirmationQuerySet.as_manager()

    class Meta:
        verbose_name = _("sign-up to confirm")
        verbose_name_plural = _("sign-ups to confirm")
        indexes = [
            models.Index(fields=["address", "asked_at"], name="confirmation_of_address"),
            models.Index(fields=["asked_at"], name="confirmation_asked"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose_id} {self.asked_at:%Y-%m-%d}"

    def is_outdated(self, *, now: dt.datetime) -> bool:
        """Whether it was asked too long ago to be confirmed; what was confirmed in time stays so."""
        return self.confirmed_at is None and self.asked_at <= now - dt.timedelta(days=VALID_DAYS)
