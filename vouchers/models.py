"""Voucher definitions, codes, and everything that happened to a code: redemption, reversal, refusal."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Branch, Customer


@pghistory.track()
class Definition(models.Model):
    """What a voucher is worth and under which conditions; the benefit is frozen after the first issue."""

    class Kind(models.TextChoices):
        DISCOUNT = "discount", _("Discount voucher")  # kortingsbon
        ACTION = "action", _("Action voucher")  # actiebon: something for free

    class Benefit(models.TextChoices):
        PERCENT = "percent", _("Percentage off")
        FIXED = "fixed", _("Amount off")
        SET_PRICE = "set_price", _("Special price")
        FREE_PRODUCT = "free_product", _("Free product")

    class Holder(models.TextChoices):
        CUSTOMER = "customer", _("Only for the customer on it")
        ANYONE = "anyone", _("For whoever hands it in")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        CLOSED = "closed", _("Closed")

    name = models.CharField(_("name"), max_length=100, unique=True)
    purpose = models.TextField(_("goal"), blank=True)  # why we give it: for the report
    conditions = models.TextField(_("conditions"), blank=True)  # shown to customer and counter
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    benefit = models.CharField(_("benefit"), max_length=12, choices=Benefit)
    percent = models.PositiveSmallIntegerField(_("percentage"), null=True, blank=True)
    amount_cents = models.PositiveIntegerField(_("amount"), null=True, blank=True)
    product = models.CharField(
        _("product"), max_length=100, blank=True
    )  # "koffie", "theaterkaart"; empty: anything
    holder = models.CharField(_("holder"), max_length=8, choices=Holder, default=Holder.CUSTOMER)
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)  # the day itself included
    valid_days = models.PositiveSmallIntegerField(_("days valid after issue"), null=True, blank=True)
    branches = models.ManyToManyField(
        Branch, blank=True, related_name="+", verbose_name=_("branches")
    )  # none: all
    limit_total = models.PositiveIntegerField(_("most in all"), null=True, blank=True)
    uses_per_code = models.PositiveSmallIntegerField(_("uses per code"), default=1)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.DRAFT)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("voucher definition")
        verbose_name_plural = _("voucher definitions")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=(
                    models.Q(benefit="percent", percent__gte=1, percent__lte=100)
                    | models.Q(benefit__in=["fixed", "set_price"], amount_cents__isnull=False)
                    | (models.Q(benefit="free_product") & ~models.Q(product=""))
                ),
                name="benefit_is_complete",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Voucher(models.Model):
    """One code. ``code`` is canonical (upper case, no dashes); expiry is derived from ``valid_until``."""

    class State(models.TextChoices):
        ISSUED = "issued", _("Issued")
        REDEEMED = "redeemed", _("Redeemed")
        BLOCKED = "blocked", _("Blocked")

    definition = models.ForeignKey(
        Definition, models.PROTECT, related_name="vouchers", verbose_name=_("voucher")
    )
    code = models.CharField(_("code"), max_length=16, unique=True)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="vouchers", verbose_name=_("customer")
    )
    origin = models.CharField(
        _("given through"), max_length=60
    )  # "mailing:12", "by hand:7": where it came from
    issued_at = models.DateTimeField(_("issued at"))
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    uses = models.PositiveSmallIntegerField(_("uses"), default=0)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.ISSUED)

    class Meta:
        verbose_name = _("voucher")
        verbose_name_plural = _("vouchers")
        ordering = ["-id"]
        constraints = [
            # Issuing for the same occasion twice gives the same voucher, not a second one.
            models.UniqueConstraint(
                fields=["definition", "origin", "customer"], name="voucher_once_per_origin"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Redemption(models.Model):
    """A voucher taken in. The same ``idempotency_key`` gives the same redemption; append-only."""

    voucher = models.ForeignKey(Voucher, models.PROTECT, related_name="redemptions")
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="+")
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, related_name="+", verbose_name=_("branch"))
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    channel = models.CharField(_("channel"), max_length=12)  # "counter", "cart", "api"
    order_cents = models.PositiveIntegerField(_("order amount"), null=True)
    discount_cents = models.PositiveIntegerField(_("discount"), default=0)
    reference = models.CharField(_("reference"), max_length=80, blank=True)
    idempotency_key = models.CharField(max_length=80, unique=True)
    redeemed_at = models.DateTimeField(_("redeemed at"))

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.voucher_id} {self.redeemed_at:%Y-%m-%d}"


class Reversal(models.Model):
    """A redemption taken back, once, with its reason; the voucher can be used again."""

    redemption = models.OneToOneField(Redemption, models.PROTECT, related_name="reversal")
    reason = models.CharField(_("reason"), max_length=200)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reversed_at = models.DateTimeField(_("reversed at"))

    class Meta:
        verbose_name = _("reversal")
        verbose_name_plural = _("reversals")

    def __str__(self) -> str:
        return self.reason


class Attempt(models.Model):
    """A refused attempt to redeem, with the reason; ``code`` is what was typed, cut to 40 characters."""

    code = models.CharField(_("code"), max_length=40)
    voucher = models.ForeignKey(Voucher, models.SET_NULL, null=True, related_name="attempts")
    reason = models.CharField(_("reason"), max_length=24)
    branch = models.ForeignKey(Branch, models.SET_NULL, null=True, related_name="+", verbose_name=_("branch"))
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    channel = models.CharField(_("channel"), max_length=12)
    tried_at = models.DateTimeField(_("tried at"))

    class Meta:
        verbose_name = _("refused attempt")
        verbose_name_plural = _("refused attempts")
        ordering = ["-id"]
        indexes = [models.Index(fields=["staff", "tried_at"])]

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"
