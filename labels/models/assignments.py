"""Who has which label: intervals with who gave it, by what and why, and the same of taking."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from operator import or_

from django.db import models
from django.db.models import Count, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.time import end_of_day
from customers.models import Customer, Merge
from labels.models.counts import LabelCount
from labels.models.labels import Label, LabelGroup

COUNTED_AT_ONCE = 20_000  # labels with more holders are not counted while somebody waits


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

    def holders(self, labels: Collection[Label]) -> dict[int, int]:
        """Return label id -> how many have it; those of very many as they were counted last night."""
        counted = LabelCount.objects.filter(label__in=labels).order_by("label", "-day").distinct("label")
        last_night = dict(counted.values_list("label", "holders"))
        few = [label.pk for label in labels if last_night.get(label.pk, 0) <= COUNTED_AT_ONCE]
        now = self.open().filter(label__in=few).order_by().values_list("label").annotate(Count("pk"))
        return {label.pk: last_night.get(label.pk, 0) for label in labels} | dict.fromkeys(few, 0) | dict(now)

    def given_by_what(self, hows: Collection[str]) -> AssignmentQuerySet:
        """Return what was given by one of these; rows that do not say it are told by who gave them."""
        return self.filter(Q(given_how__in=hows) | _told_by("given_by", hows, Q(given_how="")))

    def taken_by_what(self, hows: Collection[str]) -> AssignmentQuerySet:
        """Return what was taken by one of these, as ``given_by_what``."""
        return self.filter(Q(taken_how__in=hows) | _told_by("taken_by", hows, Q(taken_how="", until__isnull=False)))

    def between(self, start: dt.datetime, end: dt.datetime) -> AssignmentQuerySet:
        """Return what held at some instant from ``start`` up to and including ``end``."""
        return self.filter(Q(until__isnull=True) | Q(until__gt=start), since__lte=end)


def _told_by(field: str, hows: Collection[str], unsaid: Q) -> Q:
    """Return the condition that a row which says no ``…_how`` was given or taken by one of these, by its name."""
    names = {
        "system": Q(**{field: "system"}),
        "customer": Q(**{field: "customer"}),
        "merge": Q(**{field: "merge"}),
        "import": Q(**{f"{field}__startswith": "import "}),
    }
    said = reduce(or_, (names[how] for how in hows if how in names), Q(pk__in=[]))
    if "hand" in hows:
        said |= ~reduce(or_, names.values())
    return unsaid & said


class Assignment(models.Model):
    """One interval ``[since, until)`` in which a customer has a label; open while ``until`` is empty.

    ``given_how`` and ``taken_how`` say by what: by hand, a selection, a rule, …; ``given_through`` and
    ``taken_through`` its id (selection, import run, action, backfill, ended version); ``…_by`` who, ``reason`` and
    ``taken_reason`` why. Rows that say no ``…_how`` are told by who it was (``Assignment.how_given``).

    ``exclusive_group`` repeats the label's group when that is exclusive, so that the database itself refuses
    a second one. System labels leave it empty: the statement that computes them yields one per customer.
    """

    class How(models.TextChoices):
        SYSTEM = "system", _("computed")
        HAND = "hand", _("by hand")
        SELECTION = "selection", _("for a selection")
        RULE = "rule", _("by a rule")
        IMPORT = "import", _("by an import")
        ACTION = "action", _("by an action")
        CUSTOMER = "customer", _("by the customer")
        API = "api", _("by another system")
        BACKFILL = "backfill", _("worked out afterwards")
        MERGE = "merge", _("customers were merged")
        GROUP = "group", _("another of its group was given")
        VALIDITY = "validity", _("the label is valid no longer")
        AGE = "age", _("it lasts so long")
        VERSION = "version", _("the version was ended")
        OBJECTION = "objection", _("the customer objected")

    label = models.ForeignKey(Label, models.CASCADE, related_name="assignments", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="label_assignments")
    exclusive_group = models.ForeignKey(LabelGroup, models.PROTECT, null=True, related_name="+", db_index=False)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True)
    given_by = models.CharField(_("given by"), max_length=150)  # "system", "customer", "import 12", a user name
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    given_how = models.CharField(_("given how"), max_length=12, choices=How, blank=True, default="", db_default="")
    given_through = models.BigIntegerField(null=True)
    taken_by = models.CharField(_("taken by"), max_length=150, blank=True)
    taken_how = models.CharField(_("taken how"), max_length=12, choices=How, blank=True, default="", db_default="")
    taken_through = models.BigIntegerField(null=True)
    taken_reason = models.CharField(_("why it was taken"), max_length=200, blank=True, default="", db_default="")

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

    @property
    def how_given(self) -> str:
        """By what it was given, one of ``How``."""
        return self.given_how or _how(self.given_by)

    @property
    def how_taken(self) -> str:
        """By what it was taken, one of ``How``; empty while it is open."""
        return self.taken_how or ("" if self.until is None else _how(self.taken_by))

    @property
    def given_words(self) -> str:
        """By what and by whom it was given, in words: "by its rule", "by Petra, for a selection"."""
        return _words(self.how_given, self.given_by, self.given_through)

    @property
    def taken_words(self) -> str:
        """By what and by whom it was taken, in words; empty while it is open."""
        return _words(self.how_taken, self.taken_by, self.taken_through) if self.until else ""


def _how(name: str) -> str:
    if name in ("system", "customer", "merge"):
        return name
    return "import" if name.startswith("import ") else "hand"


def _words(how: str, name: str, through: int | None) -> str:
    person = {"name": name}
    said = {
        "system": lambda: gettext("by the system"),
        "hand": lambda: gettext("by %(name)s") % person,
        "selection": lambda: gettext("for a selection, by %(name)s") % person,
        "rule": lambda: gettext("by its rule"),
        "import": lambda: gettext("by import %(number)s") % {"number": through or name.removeprefix("import ")},
        "action": lambda: gettext("by an action"),
        "customer": lambda: gettext("by the customer"),
        "api": lambda: gettext("by another system, %(name)s") % person,
        "backfill": lambda: gettext("worked out afterwards"),
        "merge": lambda: gettext("because customers were merged"),
        "group": lambda: gettext("because another of its group was given"),
        "validity": lambda: gettext("because its days were over"),
        "age": lambda: gettext("because its time was up"),
        "version": lambda: gettext("because its version was ended, by %(name)s") % person,
        "objection": lambda: gettext("because the customer objected"),
    }
    return said[how]() if how in said else name
