"""Saved audiences in folders, who is in those whose entrance somebody waits for, and who was in one at a moment."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.errors import Refused
from customers.models import Customer
from selections.rules import parse_rule

COUNTED = ["last_count", "counted_at", "baseline_at", "updated_at"]  # what the product itself writes


class Folder(models.Model):
    """A drawer of selections; drawers hold no drawers."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("folder")
        verbose_name_plural = _("folders")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SelectionQuerySet(models.QuerySet["Selection"]):
    """Reads of selections."""

    def in_use(self) -> SelectionQuerySet:
        """Leave out what is archived: what somebody may choose from."""
        return self.filter(archived_at__isnull=True)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(exclude=COUNTED)),
    pghistory.DeleteEvent(),
    exclude=COUNTED,
)
class Selection(models.Model):
    """A named audience. ``rule`` is the tree of ``selections.rules`` as versioned JSON; members are computed,
    not kept.
    """

    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.TextField(_("description"), blank=True)
    rule = models.JSONField(_("rule"), default=dict)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
    )
    folder = models.ForeignKey(
        Folder, models.SET_NULL, null=True, blank=True, related_name="selections", verbose_name=_("folder")
    )
    archived_at = models.DateTimeField(_("archived at"), null=True)  # out of the list, as long as nothing uses it
    # Entering this selection is a trigger somewhere: the nightly run then records who came in and who left.
    is_watched = models.BooleanField(default=False)
    baseline_at = models.DateTimeField(null=True)  # since when it is known who enters; empty: at the next run
    last_count = models.PositiveIntegerField(_("size"), null=True)
    counted_at = models.DateTimeField(_("counted at"), null=True)
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))

    objects = SelectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("selection")
        verbose_name_plural = _("selections")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_readable(self) -> bool:
        """Whether its rule can still be read: what it asks about may be gone."""
        try:
            parse_rule(self.rule)
        except Refused:
            return False
        return True


class Membership(models.Model):
    """One stay of a customer in a watched selection: open while ``until`` is empty.

    Those who are in already when the watching begins did not enter: their stay is the ``is_baseline``.
    """

    selection = models.ForeignKey(Selection, models.CASCADE, related_name="memberships", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True)
    is_baseline = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["selection", "customer"],
                condition=models.Q(until__isnull=True),
                name="one_open_membership",
            )
        ]
        indexes = [models.Index(fields=["selection", "since"])]

    def __str__(self) -> str:
        return f"{self.selection_id}: {self.customer_id}"


class Comment(models.Model):
    """What a colleague remarks about a selection."""

    selection = models.ForeignKey(Selection, models.CASCADE, related_name="comments")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by whom")
    )
    text = models.TextField(_("text"), max_length=2000)
    written_at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.selection_id}: {self.written_at:%Y-%m-%d}"


class ResultSet(models.Model):
    """Who were in a selection at a moment, kept as they were: ``rule`` and ``sentence`` are those of then.

    ``as_of`` is the moment they were looked up for, ``made_at`` when that was asked; ``member_count`` how many there
    were then, of whom some may have been erased since. While it ``is_waiting`` nobody is in it yet: a worker looks them
    up, and nothing may be asked of it.
    """

    name = models.CharField(_("name"), max_length=120, unique=True)
    selection = models.ForeignKey(
        Selection, models.SET_NULL, null=True, related_name="result_sets", verbose_name=_("selection")
    )
    rule = models.JSONField(_("rule"), default=dict)
    sentence = models.TextField(_("rule in words"))
    as_of = models.DateTimeField(_("as it was at"))
    member_count = models.PositiveIntegerField(_("customers"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by whom")
    )
    made_at = models.DateTimeField(_("kept on"))
    # What is not known of that moment is answered with what holds at present.
    assumes_present = models.BooleanField(default=False, db_default=False, editable=False)
    is_waiting = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("result set")
        verbose_name_plural = _("result sets")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class ResultMember(models.Model):
    """That a customer is in a result set."""

    result_set = models.ForeignKey(ResultSet, models.CASCADE, related_name="memberships", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("member of a result set")
        verbose_name_plural = _("members of result sets")
        constraints = [models.UniqueConstraint(fields=["result_set", "customer"], name="once_in_a_result_set")]

    def __str__(self) -> str:
        return f"{self.result_set_id}: {self.customer_id}"


class Export(models.Model):
    """That somebody took customers out of the product, of a selection or a result set: who, when, as what, how many;
    not whom.
    """

    class Kind(models.TextChoices):
        """What they were taken out as."""

        FILE = "file", _("file")
        CALLS = "calls", _("call list")
        ADDRESSES = "addresses", _("address labels")

    selection = models.ForeignKey(
        Selection, models.SET_NULL, null=True, related_name="exports", verbose_name=_("selection")
    )
    result_set = models.ForeignKey(
        ResultSet, models.SET_NULL, null=True, related_name="exports", verbose_name=_("result set")
    )
    selection_name = models.CharField(_("selection"), max_length=120)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.FILE)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by whom")
    )
    columns = models.JSONField(_("columns"), default=list)
    row_count = models.PositiveIntegerField(_("rows"))
    exported_at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.selection_name} {self.exported_at:%Y-%m-%d}"
