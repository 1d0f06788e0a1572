"""Vouchers: the codes that were given out."""

from __future__ import annotations

import datetime as dt
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Sum
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from vouchers import codes
from vouchers.models.definitions import Definition


class VoucherQuerySet(models.QuerySet["Voucher"]):
    """Reads about codes."""

    def open(self, *, on: dt.date) -> Self:
        """Codes that can be redeemed on this Amsterdam day, as far as the code itself goes."""
        return self.filter(Q(valid_until__isnull=True) | Q(valid_until__gte=on), state="issued", valid_from__lte=on)

    def expired(self, *, on: dt.date) -> Self:
        """Codes that were not used up and whose last day has passed."""
        return self.filter(state="issued", valid_until__lt=on)

    def used_count(self) -> int:
        """Redemptions that stand, over all these codes (an index look-up for the codes of one definition)."""
        return self.filter(uses__gt=0).aggregate(total=Sum("uses"))["total"] or 0

    def search(self, text: str) -> Self:
        """Codes that start with ``text`` (as typed), or of customers with this number or e-mail address."""
        text = text.strip()
        points = Q(customer__contact_points__channel="email", customer__contact_points__value=text.lower())
        found = Q(customer__number=text) | points
        if code := codes.normalise(text):
            found |= Q(code__startswith=code)
        return self.filter(found).distinct()

    def for_pages(self) -> Self:
        """With definition and customer fetched, newest first."""
        return self.select_related("definition", "customer").order_by("-id")


class Voucher(models.Model):
    """One code. ``code`` is canonical (upper case, no dashes); expiry is derived from ``valid_until``."""

    class State(models.TextChoices):
        ISSUED = "issued", _("Issued")
        REDEEMED = "redeemed", _("Redeemed")
        BLOCKED = "blocked", _("Blocked")

    definition = models.ForeignKey(Definition, models.PROTECT, related_name="vouchers", verbose_name=_("voucher"))
    code = models.CharField(_("code"), max_length=16, unique=True)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="vouchers", verbose_name=_("customer")
    )
    origin = models.CharField(_("given through"), max_length=60)  # "mailing:12", "by hand:7": where it came from
    issued_at = models.DateTimeField(_("issued at"))
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    uses = models.PositiveSmallIntegerField(_("uses"), default=0)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.ISSUED)
    block_reason = models.CharField(_("why blocked"), max_length=200, blank=True)
    blocked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    blocked_at = models.DateTimeField(_("blocked at"), null=True, blank=True)

    objects = VoucherQuerySet.as_manager()

    class Meta:
        verbose_name = _("voucher")
        verbose_name_plural = _("vouchers")
        ordering = ["-id"]
        constraints = [
            # Issuing for the same occasion twice gives the same voucher, not a second one.
            models.UniqueConstraint(fields=["definition", "origin", "customer"], name="voucher_once_per_origin"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                name="voucher_validity_in_order",
            ),
        ]
        indexes = [
            # What has been used of a definition, for its limit: read while the definition is locked.
            models.Index(fields=["definition"], include=["uses"], condition=Q(uses__gt=0), name="voucher_used"),
        ]

    def __str__(self) -> str:
        return self.grouped_code

    @property
    def grouped_code(self) -> str:
        """The code as people read it: ``ABCD-2345-EFG6``."""
        return codes.group(self.code)

    def is_expired(self, on: dt.date) -> bool:
        """Whether the last day has passed while the voucher was not used up."""
        return self.state == self.State.ISSUED and self.valid_until is not None and self.valid_until < on
