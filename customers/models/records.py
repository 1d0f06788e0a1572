"""What each source says of a person, and how several records turned out to be one person."""

from __future__ import annotations

from typing import Self

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customers import Customer, Source


class SourceRecord(models.Model):
    """What one source says of one person, in normal form; the customer's columns follow from all of them.

    ``values`` is field -> text (``1980-03-14``, ``1441AB``, branch by its code; empty text where it has nothing).
    ``changed`` is field -> moment at which this source last said something else than before; a field that is not in it
    was said at ``created_at``. ``key`` is the source's own number of the person.
    """

    source = models.ForeignKey(Source, models.PROTECT, db_index=False, verbose_name=_("source"))
    key = models.CharField(_("number at the source"), max_length=80)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="records")
    values = models.JSONField(_("values"), default=dict)
    changed = models.JSONField(_("changed"), default=dict)
    run_id = models.BigIntegerField(null=True, editable=False)  # the import that brought it first
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("record of a source")
        verbose_name_plural = _("records of sources")
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="record_once_per_source")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.key}"


class Absence(models.Model):
    """A record that the newest delivery of everybody by its source did not name: the source knows him no longer.

    No foreign key in the database: records go by the hundred thousand when an import is undone.
    """

    record = models.OneToOneField(SourceRecord, models.CASCADE, primary_key=True, db_constraint=False)
    since = models.DateTimeField(_("since"))
    run_id = models.BigIntegerField(editable=False)  # the import that did not name him first

    class Meta:
        verbose_name = _("absence from a delivery")
        verbose_name_plural = _("absences from deliveries")

    def __str__(self) -> str:
        return f"{self.record_id} {self.since:%Y-%m-%d}"


class MatchPairQuerySet(models.QuerySet["MatchPair"]):
    """Reads of pairs."""

    def standing(self) -> Self:
        """Keep pairs of which both are persons of their own, and those that were merged with each other."""
        gone = self.filter(models.Q(first__merged_into__isnull=False) | models.Q(second__merged_into__isnull=False))
        return self.exclude(pk__in=gone.exclude(state=MatchPair.State.MERGED).values("pk"))

    def waiting(self) -> Self:
        """Keep those that nobody judged yet, the likeliest first."""
        return self.filter(
            state=MatchPair.State.OPEN, first__merged_into__isnull=True, second__merged_into__isnull=True
        ).order_by("-score", "pk")


class MatchPair(models.Model):
    """Two customers that may be one person: how likely, why, and what was decided. ``first`` has the lower id."""

    class State(models.TextChoices):
        OPEN = "open", _("To be judged")
        MERGED = "merged", _("Merged")
        DIFFERENT = "different", _("Not the same person")

    first = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    second = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    score = models.PositiveSmallIntegerField(_("likelihood"))  # 0 to 100
    reasons = models.JSONField(_("why"), default=list)  # [[code of a reason, points], …]
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.OPEN)
    found_at = models.DateTimeField(_("found at"))
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True)

    objects = MatchPairQuerySet.as_manager()

    class Meta:
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="match_pair_once"),
            models.CheckConstraint(condition=models.Q(first__lt=models.F("second")), name="match_pair_in_order"),
        ]
        indexes = [models.Index(fields=["state", "-score"], name="match_pair_worklist")]

    def __str__(self) -> str:
        return f"{self.first_id} {self.second_id}: {self.score}"


class MergeQuerySet(models.QuerySet["Merge"]):
    """Reads of merges."""

    def about(self, customer: Customer) -> Self:
        """Keep those that this customer has to do with: in which he was kept or taken up, or who he is now was."""
        return self.filter(
            models.Q(kept=customer) | models.Q(absorbed=customer) | models.Q(kept__merged_into=customer)
        ).select_related("kept", "absorbed")


class Merge(models.Model):
    """One person's row taken up in another's, with why, and all that is needed to take it apart again.

    ``score`` and ``reasons`` are as in ``MatchPair``, as they were when it was done.
    """

    kept = models.ForeignKey(Customer, models.CASCADE, related_name="merges")
    absorbed = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    merged_by = models.CharField(_("merged by"), max_length=150)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    merged_at = models.DateTimeField(_("merged at"))
    score = models.PositiveSmallIntegerField(_("likelihood"), default=0, db_default=0)
    reasons = models.JSONField(_("why"), default=list, db_default=[])
    before = models.JSONField(default=dict)  # the columns of both rows as they were: {"kept": {…}, "absorbed": {…}}
    undone_by = models.CharField(_("undone by"), max_length=150, blank=True)
    undone_at = models.DateTimeField(_("undone at"), null=True)

    objects = MergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["absorbed"], condition=models.Q(undone_at__isnull=True), name="absorbed_once_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.absorbed_id} -> {self.kept_id}"


class MergedRows(models.Model):
    """Which rows of a table a merge moved, so that undoing it moves back exactly those."""

    merge = models.ForeignKey(Merge, models.CASCADE, related_name="rows")
    table = models.CharField(max_length=63)
    column = models.CharField(max_length=63)
    ids = ArrayField(models.BigIntegerField())

    class Meta:
        verbose_name = _("moved rows")
        verbose_name_plural = _("moved rows")
        constraints = [models.UniqueConstraint(fields=["merge", "table", "column"], name="moved_rows_once")]

    def __str__(self) -> str:
        return f"{self.table}: {len(self.ids)}"


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(exclude=["matched_at"])),
    exclude=["matched_at"],
)
class MatchSettings(models.Model):
    """From which likelihood two customers are shown as possibly one person, and from which they merge by themselves."""

    possible_from = models.PositiveSmallIntegerField(_("shown as a possible duplicate from"), default=60)
    certain_from = models.PositiveSmallIntegerField(_("merged by itself from"), default=95)
    merges_itself = models.BooleanField(_("merge what is certain"), default=True)
    matched_at = models.DateTimeField(null=True, editable=False)  # who changed after this is still to be compared

    class Meta:
        verbose_name = _("settings of matching")
        verbose_name_plural = _("settings of matching")
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_row_of_match_settings"),
            models.CheckConstraint(
                condition=models.Q(
                    possible_from__gte=1, possible_from__lte=models.F("certain_from"), certain_from__lte=100
                ),
                name="match_thresholds_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.possible_from}-{self.certain_from}"

    @classmethod
    def load(cls) -> MatchSettings:
        """Return the settings; before anybody saved them a row with defaults that is not in the database."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)
