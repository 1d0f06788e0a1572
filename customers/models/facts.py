"""What customers did: one append-only table of facts, and one small row per customer and kind beside it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customers import Branch, Customer, Source
from customers.models.querysets import FactQuerySet


class World(models.Model):
    """A world of the retail concept ("reizen", "spanning"); configurable, facts carry its code."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        verbose_name = _("world")
        verbose_name_plural = _("worlds")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Fact(models.Model):
    """(customer, kind, when, where, what, how much, source, external id); append-only, deduplicated per
    source.

    ``kind`` is a code of ``customers.facts.fact_kinds``; ``world``, ``genre`` and ``sector`` are codes, never
    titles.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="facts", db_index=False)
    kind = models.CharField(_("kind"), max_length=24)
    occurred_at = models.DateTimeField(_("when"))
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, db_index=False, verbose_name=_("branch"))
    sector = models.CharField(_("sector"), max_length=24, blank=True)
    world = models.CharField(_("world"), max_length=40, blank=True)
    genre = models.CharField(_("genre"), max_length=40, blank=True)
    quantity = models.IntegerField(_("quantity"), default=1)
    amount_cents = models.BigIntegerField(_("amount"), default=0)
    duration_seconds = models.IntegerField(_("duration"), default=0)
    source = models.ForeignKey(Source, models.PROTECT, db_index=False, verbose_name=_("source"))
    external_id = models.CharField(_("external id"), max_length=80)

    objects = FactQuerySet.as_manager()

    class Meta:
        verbose_name = _("fact")
        verbose_name_plural = _("facts")
        constraints = [
            # customer stands in the key so that the table can be distributed by customer.
            models.UniqueConstraint(fields=["source", "external_id", "customer"], name="fact_once_per_source"),
        ]
        indexes = [
            models.Index(fields=["customer", "occurred_at"], name="fact_of_customer"),
            models.Index(fields=["kind", "occurred_at"], include=["customer"], name="fact_of_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.occurred_at:%Y-%m-%d}"


class FactTotal(models.Model):
    """First, last, count and sums per customer and kind, kept by statement: "last loan 90 days ago" is a
    look-up.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="fact_totals", db_index=False)
    kind = models.CharField(_("kind"), max_length=24)
    first_at = models.DateTimeField(_("first time"))
    last_at = models.DateTimeField(_("last time"))
    count = models.IntegerField(_("count"))
    quantity = models.BigIntegerField(_("quantity"))
    amount_cents = models.BigIntegerField(_("amount"))

    class Meta:
        verbose_name = _("fact total")
        verbose_name_plural = _("fact totals")
        constraints = [models.UniqueConstraint(fields=["customer", "kind"], name="fact_total_once")]
        indexes = [models.Index(fields=["kind", "last_at"], include=["customer"], name="fact_total_last")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.count}"
