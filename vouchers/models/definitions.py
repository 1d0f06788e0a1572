"""Definitions: what a voucher is worth, for whom, where and when."""

from __future__ import annotations

import datetime as dt
from typing import Self

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Count, IntegerField, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from customers.models import Branch
from vouchers import benefits

#: What may not change once a code has been given out: somebody holds a promise on paper.
FROZEN = ("kind", "benefit", "percent", "amount_cents", "product", "holder", "uses_per_code")


class DefinitionQuerySet(models.QuerySet["Definition"]):
    """Reads about definitions."""

    def with_totals(self, *, today: dt.date) -> Self:
        """Add issued_count, redeemed_count, reversed_count, expired_count, refused_count and discount_total (cents).

        Redeemed counts what stands (not reversed); expired is issued, not blocked, not used up, and past its last day.
        """
        from vouchers.models import Attempt, Redemption, Voucher

        redemptions = Redemption.objects.all()
        return self.annotate(
            issued_count=_count(Voucher.objects.all(), "definition"),
            expired_count=_count(Voucher.objects.expired(on=today), "definition"),
            redeemed_count=_count(redemptions.standing(), "voucher__definition"),
            reversed_count=_count(redemptions.filter(reversal__isnull=False), "voucher__definition"),
            refused_count=_count(Attempt.objects.all(), "voucher__definition"),
            discount_total=_of_definition(redemptions.standing(), "voucher__definition", Sum("discount_cents")),
        )

    def issuable(self) -> Self:
        """Definitions of which vouchers may be given out."""
        return self.filter(state=Definition.State.ACTIVE)


def _count(queryset: models.QuerySet[models.Model], path: str) -> Coalesce:
    return _of_definition(queryset, path, Count("pk"))


def _of_definition(queryset: models.QuerySet[models.Model], path: str, figure: models.Aggregate) -> Coalesce:
    """A figure over the rows that belong to the outer definition; 0 when there are none."""
    rows = queryset.filter(**{path: OuterRef("pk")}).order_by().values(path).annotate(figure=figure).values("figure")
    return Coalesce(Subquery(rows), 0, output_field=IntegerField())


@pghistory.track()
class Definition(models.Model):
    """What a voucher is worth and under which conditions; the benefit is frozen after the first issue."""

    class Kind(models.TextChoices):
        DISCOUNT = "discount", _("Discount voucher")  # kortingsbon
        ACTION = "action", _("Action voucher")  # actiebon: something for free

    Benefit = benefits.Benefit

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
    benefit = models.CharField(_("benefit"), max_length=12, choices=benefits.Benefit)
    percent = models.PositiveSmallIntegerField(_("percentage"), null=True, blank=True)
    amount_cents = models.PositiveIntegerField(_("amount"), null=True, blank=True)
    product = models.CharField(_("product"), max_length=100, blank=True)  # "koffie", "theaterkaart"; empty: anything
    holder = models.CharField(_("holder"), max_length=8, choices=Holder, default=Holder.CUSTOMER)
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)  # the day itself included
    valid_days = models.PositiveSmallIntegerField(_("days valid after issue"), null=True, blank=True)
    branches = models.ManyToManyField(Branch, blank=True, related_name="+", verbose_name=_("branches"))  # none: all
    limit_issued = models.PositiveIntegerField(_("most to give out"), null=True, blank=True)
    limit_total = models.PositiveIntegerField(_("most to take in"), null=True, blank=True)
    uses_per_code = models.PositiveSmallIntegerField(_("uses per code"), default=1)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.DRAFT)
    created_at = models.DateTimeField(_("created at"))

    objects = DefinitionQuerySet.as_manager()

    class Meta:
        verbose_name = _("voucher definition")
        verbose_name_plural = _("voucher definitions")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(benefit="percent", percent__gte=1, percent__lte=100)
                    | Q(benefit="fixed", amount_cents__gte=1)
                    | Q(benefit="set_price", amount_cents__isnull=False)
                    | (Q(benefit="free_product") & ~Q(product=""))
                ),
                name="benefit_is_complete",
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_from__lte=models.F("valid_until")),
                name="validity_in_order",
            ),
            models.CheckConstraint(condition=Q(uses_per_code__gte=1), name="voucher_usable_once"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="freeze_benefit",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf(*FROZEN),  # type: ignore[no-untyped-call]
                condition=pgtrigger.AnyChange(*FROZEN),
                func="""
                    IF EXISTS (SELECT 1 FROM vouchers_voucher WHERE definition_id = OLD.id) THEN
                        RAISE EXCEPTION 'the benefit of voucher definition % is frozen', OLD.id
                            USING ERRCODE = 'restrict_violation';
                    END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def benefit_words(self) -> str:
        """The benefit in the active language, e.g. "25% off coffee"."""
        return benefits.describe(self)

    @property
    def needs_order(self) -> bool:
        """Whether the discount cannot be told without the amount of the order."""
        return benefits.needs_order(self)

    def validity_of_issue(self, day: dt.date) -> tuple[dt.date, dt.date | None]:
        """First and last day (included) of a voucher given out on ``day``; the last is None when it never expires."""
        ends = [self.valid_until] if self.valid_until else []
        if self.valid_days is not None:
            ends.append(day + dt.timedelta(days=self.valid_days))
        return max(day, self.valid_from or day), min(ends, default=None)
