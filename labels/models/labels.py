"""Labels attach properties to customers, as intervals: who had it, since when, by what, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import pghistory
from django.db import models
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from common.time import end_of_day
from customers.models import Customer, Merge
from labels.system import specs

#: Colour of a label -> tone of a badge.
TONES = {
    "blue": "info",
    "green": "success",
    "teal": "brand",
    "yellow": "warning",
    "orange": "accent",
    "red": "danger",
    "grey": "neutral",
}


class LabelGroup(models.Model):
    """Labels that belong together; in an exclusive group a customer holds at most one at a time."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    is_exclusive = models.BooleanField(_("exclusive"), default=False)

    class Meta:
        verbose_name = _("label group")
        verbose_name_plural = _("label groups")
        ordering = ["name"]

    def __str__(self) -> str:
        return str(specs.group_name(self.code) or self.name)

    @property
    def is_system(self) -> bool:
        """Whether its labels are computed; own labels do not belong in it."""
        return specs.group_name(self.code) is not None


class LabelQuerySet(models.QuerySet["Label"]):
    """Reads of labels."""

    def with_counts(self) -> LabelQuerySet:
        """Add ``holders``: how many customers have the label now."""
        return self.annotate(holders=Count("assignments", filter=Q(assignments__until__isnull=True)))

    def for_hand(self) -> LabelQuerySet:
        """Return the labels that staff may give and take."""
        return self.filter(kind__in=[Label.Kind.OWN, Label.Kind.IMPORTED], is_active=True)

    def for_customers(self) -> LabelQuerySet:
        """Return the labels customers choose from in MijnMenu."""
        return self.filter(kind=Label.Kind.CUSTOMER, is_active=True)


@pghistory.track()
class Label(models.Model):
    """A property of customers with a name; system labels are computed and never given by hand."""

    class Kind(models.TextChoices):
        SYSTEM = "system", _("System label")
        OWN = "own", _("Own label")
        CUSTOMER = "customer", _("Chosen by customers")
        IMPORTED = "imported", _("Import label")

    class Colour(models.TextChoices):
        BLUE = "blue", _("Blue")
        GREEN = "green", _("Green")
        TEAL = "teal", _("Teal")
        YELLOW = "yellow", _("Yellow")
        ORANGE = "orange", _("Orange")
        RED = "red", _("Red")
        GREY = "grey", _("Grey")

    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=80)
    # What it means in words a marketeer uses; for labels that customers choose, what they read in MijnMenu.
    description = models.TextField(_("description"), blank=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    group = models.ForeignKey(
        LabelGroup, models.PROTECT, null=True, blank=True, related_name="labels", verbose_name=_("group")
    )
    colour = models.CharField(_("colour"), max_length=12, choices=Colour, default=Colour.BLUE)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"))

    objects = LabelQuerySet.as_manager()

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        ordering = ["name"]

    def __str__(self) -> str:
        return str(specs.label_name(self.code) or self.name) if self.kind == self.Kind.SYSTEM else self.name

    @property
    def definition(self) -> str:
        """What it means, in the active language where the product itself defines it."""
        known = specs.label_description(self.code) if self.kind == self.Kind.SYSTEM else None
        return str(known or self.description)

    @property
    def tone(self) -> str:
        """The colour as the pages know it: a tone of the badge component."""
        return TONES.get(self.colour, "neutral")

    @property
    def is_given_by_hand(self) -> bool:
        """Whether staff may give and take it."""
        return self.kind in (self.Kind.OWN, self.Kind.IMPORTED)


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    """Reads of who has which label."""

    def open(self) -> AssignmentQuerySet:
        """Return what holds now."""
        return self.filter(until__isnull=True)

    def at(self, instant: dt.datetime) -> AssignmentQuerySet:
        """Return what held at an instant; the end of an interval no longer belongs to it."""
        return self.filter(Q(until__isnull=True) | Q(until__gt=instant), since__lte=instant)

    def counts_at(self, days: Sequence[dt.date]) -> dict[dt.date, int]:
        """Return per day how many customers had it at its end; two statements however many days there are.

        Whoever was merged may have had a label twice at a time, and counts once; for the others a row is a customer.
        """
        ends = {day: end_of_day(day) for day in days}
        if not ends:
            return {}
        merged = Merge.objects.filter(undone_at__isnull=True).values("kept")
        alone = self.exclude(customer__in=merged)._held(ends, "pk")
        together = self.filter(customer__in=merged)._held(ends, "customer", distinct=True)
        return {day: alone[f"{day:d%Y%m%d}"] + together[f"{day:d%Y%m%d}"] for day in days}

    def _held(self, ends: Mapping[dt.date, dt.datetime], what: str, *, distinct: bool = False) -> dict[str, int]:
        return self.aggregate(
            **{
                f"{day:d%Y%m%d}": Count(
                    what, distinct=distinct, filter=Q(since__lt=end) & (Q(until__isnull=True) | Q(until__gte=end))
                )
                for day, end in ends.items()
            }
        )

    def between(self, start: dt.datetime, end: dt.datetime) -> AssignmentQuerySet:
        """Return what held at some instant from ``start`` up to and including ``end``."""
        return self.filter(Q(until__isnull=True) | Q(until__gt=start), since__lte=end)


class Assignment(models.Model):
    """One interval ``[since, until)`` in which a customer has a label; open while ``until`` is empty.

    ``exclusive_group`` repeats the label's group when that is exclusive, so that the database itself refuses
    a second one. System labels leave it empty: the statement that computes them yields one per customer.
    """

    label = models.ForeignKey(Label, models.CASCADE, related_name="assignments", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="label_assignments")
    exclusive_group = models.ForeignKey(LabelGroup, models.PROTECT, null=True, related_name="+", db_index=False)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True)
    given_by = models.CharField(_("given by"), max_length=150)  # "system", "customer", "import 12", a user name
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    taken_by = models.CharField(_("taken by"), max_length=150, blank=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("label assignment")
        verbose_name_plural = _("label assignments")
        constraints = [
            models.UniqueConstraint(
                fields=["label", "customer"], condition=Q(until__isnull=True), name="one_open_assignment"
            ),
            models.UniqueConstraint(
                fields=["customer", "exclusive_group"],
                condition=Q(until__isnull=True, exclusive_group__isnull=False),
                name="one_open_assignment_per_exclusive_group",
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=models.F("since")),
                name="assignment_ends_after_start",
            ),
        ]
        # Who had it at an instant is answered from the index alone.
        indexes = [models.Index(fields=["label", "customer"], include=["since", "until"], name="assignment_of_label")]

    def __str__(self) -> str:
        return f"{self.label_id}: {self.customer_id}"
