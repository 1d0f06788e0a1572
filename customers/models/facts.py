"""What customers did: one append-only table of facts, and one small row per customer and kind beside it."""

from __future__ import annotations

import pghistory
from django.contrib.postgres.indexes import BrinIndex
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
    # Of which it is a line; null takes no room in the many facts without one.
    order_number = models.CharField(_("order"), max_length=40, null=True, blank=True)
    # The import that brought it; no foreign key, which would cost more than it gives at tens of millions of rows.
    run_id = models.BigIntegerField(null=True, editable=False)

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
            # Who did it how often and how many pieces, and who paid how much: told by the index alone.
            models.Index(fields=["kind", "occurred_at"], include=["customer", "quantity"], name="fact_of_kind"),
            models.Index(
                fields=["kind", "occurred_at"],
                include=["customer", "amount_cents"],
                condition=~models.Q(amount_cents=0),
                name="fact_with_amount",
            ),
            # The facts of one import lie together, so a few kilobytes find them when it is undone.
            BrinIndex(fields=["run_id"], name="fact_of_run"),
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


class FactTally(models.Model):
    """How many facts of a kind a source brought in a month; counted anew every night and after an import, so that pages
    need not look at all of them.
    """

    kind = models.CharField(_("kind"), max_length=24)
    source = models.ForeignKey(Source, models.CASCADE, verbose_name=_("source"))
    month = models.DateField(_("month"))  # its first day, in Amsterdam
    count = models.BigIntegerField(_("count"))
    last_at = models.DateTimeField(_("last time"))
    counted_at = models.DateTimeField(_("counted at"))

    class Meta:
        verbose_name = _("tally of facts")
        verbose_name_plural = _("tallies of facts")
        constraints = [models.UniqueConstraint(fields=["kind", "source", "month"], name="fact_tally_once")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.kind}: {self.count}"


class FactRemainder(models.Model):
    """What a customer's facts added up to whose retention is over: no moments, worlds or branches, only enough to keep
    his totals ("last loan", "how often ever") as they were.

    ``origin`` is the customer at the time, so that these rows move along with a merge and back again.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="fact_remainders", db_index=False)
    kind = models.CharField(_("kind"), max_length=24)
    origin = models.BigIntegerField(editable=False)
    first_at = models.DateTimeField(_("first time"))
    last_at = models.DateTimeField(_("last time"))
    count = models.IntegerField(_("count"))
    quantity = models.BigIntegerField(_("quantity"))
    amount_cents = models.BigIntegerField(_("amount"))

    class Meta:
        verbose_name = _("remainder of facts")
        verbose_name_plural = _("remainders of facts")
        constraints = [models.UniqueConstraint(fields=["customer", "kind", "origin"], name="fact_remainder_once")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.count}"


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(exclude=["kept_from"])),
    pghistory.DeleteEvent(),
)
class KindSetting(models.Model):
    """What the organisation set for a kind of fact; also a kind of its own, which the code does not know.

    ``keep_months`` is how long personal rows stay; after that they become counts (``FactCount``).
    """

    code = models.SlugField(_("code"), max_length=24, unique=True)
    is_own = models.BooleanField(_("own kind"), default=False, editable=False)
    name = models.CharField(_("name"), max_length=60, blank=True)
    verb = models.CharField(_("verb in the past tense"), max_length=60, blank=True)  # "bezocht een workshop"
    participle = models.CharField(_("verb after “have”"), max_length=60, blank=True)  # "een workshop bezocht"
    icon = models.CharField(_("icon"), max_length=40, blank=True)
    unit = models.CharField(_("what its number counts"), max_length=30, blank=True, default="")  # "dagdelen"
    has_amount = models.BooleanField(_("has an amount in euros"), default=False)
    has_duration = models.BooleanField(_("has a duration"), default=False)
    keep_months = models.PositiveSmallIntegerField(_("kept for months"), null=True, blank=True)
    # Rows before this moment became counts; one that comes in again would count twice. It never goes back.
    kept_from = models.DateTimeField(_("kept from"), null=True, editable=False)

    class Meta:
        verbose_name = _("kind of activity")
        verbose_name_plural = _("kinds of activity")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name or self.code


class FactCount(models.Model):
    """What is left of facts whose retention is over: counts per month without anybody in them."""

    month = models.DateField(_("month"))  # its first day
    kind = models.CharField(_("kind"), max_length=24)
    sector = models.CharField(_("sector"), max_length=24, blank=True)
    world = models.CharField(_("world"), max_length=40, blank=True)
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, verbose_name=_("branch"))
    count = models.BigIntegerField(_("count"))
    quantity = models.BigIntegerField(_("quantity"))
    amount_cents = models.BigIntegerField(_("amount"))
    duration_seconds = models.BigIntegerField(_("duration"))

    class Meta:
        verbose_name = _("count of facts")
        verbose_name_plural = _("counts of facts")
        constraints = [
            models.UniqueConstraint(
                fields=["month", "kind", "sector", "world", "branch"], name="fact_count_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.kind}: {self.count}"
