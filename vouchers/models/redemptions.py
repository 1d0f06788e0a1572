"""What happened to codes: taken in, taken back, refused."""

from __future__ import annotations

import datetime as dt
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, Sum
from django.db.models.functions import Coalesce, TruncWeek
from django.utils.translation import gettext_lazy as _

from common.time import AMSTERDAM
from customers.models import Branch, Customer
from vouchers.models.definitions import Definition
from vouchers.models.vouchers import Voucher


def append_only(*forgets: str) -> pgtrigger.Trigger:
    """Return the guard of a book: no row is changed or deleted. Erasing a person (AVG 17) may empty these columns."""
    columns = ", ".join(f"'{column}'" for column in forgets)
    return pgtrigger.Trigger(
        name="append_only",
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete,
        func=f"""
            IF TG_OP = 'UPDATE' AND current_setting('wise.erasing', true) = 'on'
                AND to_jsonb(NEW) - ARRAY[{columns}] = to_jsonb(OLD) - ARRAY[{columns}] THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'Cannot update or delete rows from % table', TG_TABLE_NAME;
        """,
    )


class RedemptionQuerySet(models.QuerySet["Redemption"]):
    """Reads about redemptions."""

    def standing(self) -> Self:
        """Redemptions that were not reversed."""
        return self.filter(reversal__isnull=True)

    def of_definition(self, definition: Definition) -> Self:
        """Redemptions of the codes of one definition."""
        return self.filter(voucher__definition=definition)

    def for_pages(self) -> Self:
        """With voucher, definition, customer, branch, staff and reversal fetched."""
        return self.select_related(
            "voucher__definition", "voucher__customer", "customer", "branch", "staff", "reversal__staff"
        )

    def by_branch(self) -> list[dict[str, Any]]:
        """Rows ``{"branch", "count", "discount"}`` (cents), most first; branch is None when none was named."""
        rows = self.order_by().values(branch_name=F("branch__name"))
        figures = rows.annotate(count=Count("pk"), discount=Sum("discount_cents"))
        return [
            {"branch": row["branch_name"], "count": row["count"], "discount": row["discount"]}
            for row in figures.order_by("-count", "branch_name")
        ]

    def per_week(self) -> list[tuple[dt.date, int]]:
        """(Monday of the Amsterdam week, redemptions), in order; weeks without any in between included."""
        weeks = self.order_by().annotate(week=TruncWeek("redeemed_at", tzinfo=AMSTERDAM)).values("week")
        counted = {row["week"].date(): row["count"] for row in weeks.annotate(count=Count("pk"))}
        if not counted:
            return []
        first, span = min(counted), (max(counted) - min(counted)).days // 7
        mondays = [first + dt.timedelta(weeks=number) for number in range(span + 1)]
        return [(monday, counted.get(monday, 0)) for monday in mondays]

    def by_delay(self) -> dict[str, int]:
        """How many were taken in within a day, a week, a month (30 days) of issue, and later."""
        delay = ExpressionWrapper(F("redeemed_at") - F("voucher__issued_at"), output_field=DurationField())
        day, week, month = (dt.timedelta(days=days) for days in (1, 7, 30))
        return self.annotate(delay=delay).aggregate(
            day=Count("pk", filter=Q(delay__lt=day)),
            week=Count("pk", filter=Q(delay__gte=day, delay__lt=week)),
            month=Count("pk", filter=Q(delay__gte=week, delay__lt=month)),
            later=Count("pk", filter=Q(delay__gte=month)),
        )

    def discount_total(self) -> int:
        """The discounts together, in cents."""
        return int(self.aggregate(total=Coalesce(Sum("discount_cents"), 0))["total"])


class Redemption(models.Model):
    """A voucher taken in. The same ``idempotency_key`` gives the same redemption; append-only.

    ``fingerprint`` is a digest of all that was asked with that key, so that another question with it is noticed.
    """

    voucher = models.ForeignKey(Voucher, models.PROTECT, related_name="redemptions")
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="+")
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, related_name="+", verbose_name=_("branch"))
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    channel = models.CharField(_("channel"), max_length=12)  # "counter", "cart", "api"
    order_cents = models.PositiveIntegerField(_("order amount"), null=True)
    discount_cents = models.PositiveIntegerField(_("discount"), default=0)
    reference = models.CharField(_("reference"), max_length=80, blank=True)
    idempotency_key = models.CharField(max_length=80, unique=True)
    fingerprint = models.CharField(max_length=64)
    redeemed_at = models.DateTimeField(_("redeemed at"))

    objects = RedemptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        ordering = ["-id"]
        indexes = [models.Index(fields=["branch", "-redeemed_at"], name="redemption_at_branch")]
        constraints = [
            models.CheckConstraint(
                condition=Q(order_cents__isnull=True) | Q(discount_cents__lte=F("order_cents")),
                name="discount_within_order",
            )
        ]
        triggers = [append_only("customer_id", "reference", "idempotency_key", "fingerprint")]

    def __str__(self) -> str:
        return f"{self.voucher_id} {self.redeemed_at:%Y-%m-%d}"

    @property
    def to_pay_cents(self) -> int | None:
        """What is left to pay of the order; None when the order is not known."""
        return None if self.order_cents is None else self.order_cents - self.discount_cents

    @property
    def is_reversed(self) -> bool:
        """Whether this redemption was taken back."""
        return hasattr(self, "reversal")


class Reversal(models.Model):
    """A redemption taken back, once, with its reason; the voucher can be used again."""

    redemption = models.OneToOneField(Redemption, models.PROTECT, related_name="reversal")
    reason = models.CharField(_("reason"), max_length=200)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reversed_at = models.DateTimeField(_("reversed at"))

    class Meta:
        verbose_name = _("reversal")
        verbose_name_plural = _("reversals")
        triggers = [append_only("reason")]

    def __str__(self) -> str:
        return self.reason


class AttemptQuerySet(models.QuerySet["Attempt"]):
    """Reads about refusals."""

    def by_reason(self) -> list[tuple[str, int]]:
        """(reason in words, how often), most first."""
        words = dict(Attempt.Reason.choices)
        counted = self.order_by().values("reason").annotate(count=Count("pk")).order_by("-count", "reason")
        return [(str(words.get(row["reason"], row["reason"])), row["count"]) for row in counted]

    def misses_since(self, since: dt.datetime) -> Self:
        """Guesses: codes that do not exist. Who brings a real voucher that is used or expired is not guessing."""
        return self.filter(tried_at__gt=since, reason=Attempt.Reason.UNKNOWN)


class Attempt(models.Model):
    """A refused attempt to redeem, with the reason; ``code`` is what was typed, normalised and cut to 40 characters."""

    class Reason(models.TextChoices):
        UNKNOWN = "unknown", _("Unknown code")
        USED = "used", _("Already used")
        EXPIRED = "expired", _("Expired")
        NOT_YET_VALID = "not_yet_valid", _("Not valid yet")
        BLOCKED = "blocked", _("Blocked")
        OTHER_CUSTOMER = "other_customer", _("In another customer's name")
        CUSTOMER_NEEDED = "customer_needed", _("No customer number given")
        UNKNOWN_CUSTOMER = "unknown_customer", _("Unknown customer number")
        WRONG_BRANCH = "wrong_branch", _("Not at this branch")
        DEFINITION_PAUSED = "definition_paused", _("Voucher paused")
        DEFINITION_CLOSED = "definition_closed", _("Voucher closed")
        LIMIT = "limit", _("Limit reached")
        TOO_MANY_ATTEMPTS = "too_many_attempts", _("Too many attempts")
        KEY_REUSED = "key_reused", _("Request number used before")

    code = models.CharField(_("code"), max_length=40)
    voucher = models.ForeignKey(Voucher, models.SET_NULL, null=True, related_name="attempts")
    reason = models.CharField(_("reason"), max_length=24, choices=Reason)
    branch = models.ForeignKey(Branch, models.SET_NULL, null=True, related_name="+", verbose_name=_("branch"))
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    channel = models.CharField(_("channel"), max_length=12)
    tried_at = models.DateTimeField(_("tried at"))

    objects = AttemptQuerySet.as_manager()

    class Meta:
        verbose_name = _("refused attempt")
        verbose_name_plural = _("refused attempts")
        ordering = ["-id"]
        indexes = [models.Index(fields=["staff", "tried_at"])]

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"
