"""Labels, properties of customers with a name, and the groups they stand in."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pghistory
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from labels.system import specs
from selections.models import Selection

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


class Colour(models.TextChoices):
    """Colours of labels and groups; ``TONES`` tells how the pages show them."""

    BLUE = "blue", _("Blue")
    GREEN = "green", _("Green")
    TEAL = "teal", _("Teal")
    YELLOW = "yellow", _("Yellow")
    ORANGE = "orange", _("Orange")
    RED = "red", _("Red")
    GREY = "grey", _("Grey")


@pghistory.track()
class LabelGroup(models.Model):
    """Labels that belong together; in an exclusive group a customer holds at most one at a time.

    Labels of a group that is out of use can no longer be given or chosen.
    """

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    description = models.TextField(_("description"), blank=True, default="", db_default="")
    colour = models.CharField(_("colour"), max_length=12, choices=Colour, default=Colour.BLUE, db_default=Colour.BLUE)
    is_exclusive = models.BooleanField(_("exclusive"), default=False)
    is_active = models.BooleanField(_("active"), default=True, db_default=True)

    class Meta:
        verbose_name = _("label group")
        verbose_name_plural = _("label groups")
        ordering = ["name"]

    def __str__(self) -> str:
        return str(specs.group_name(self.code) or self.name)

    @property
    def tone(self) -> str:
        """The colour as the pages know it: a tone of the badge component."""
        return TONES.get(self.colour, "neutral")

    @property
    def is_system(self) -> bool:
        """Whether its labels are computed; own labels do not belong in it."""
        return specs.group_name(self.code) is not None


class LabelQuerySet(models.QuerySet["Label"]):
    """Reads of labels."""

    def with_counts(self) -> LabelQuerySet:
        """Add ``holders``: how many customers have the label now."""
        return self.annotate(holders=Count("assignments", filter=Q(assignments__until__isnull=True)))

    def in_use(self) -> LabelQuerySet:
        """Return the labels that are in use, and stand in no group that is out of use."""
        return self.filter(Q(group__isnull=True) | Q(group__is_active=True), is_active=True)

    def valid_on(self, day: dt.date) -> LabelQuerySet:
        """Return the labels that may be held on a day."""
        begun = Q(valid_from__isnull=True) | Q(valid_from__lte=day)
        return self.filter(begun, Q(valid_until__isnull=True) | Q(valid_until__gte=day))

    def for_hand(self) -> LabelQuerySet:
        """Return the labels that staff, imports and actions may give and take: not those that follow a rule."""
        return self.in_use().filter(kind__in=[Label.Kind.OWN, Label.Kind.IMPORTED]).exclude(_BY_RULE)

    def for_customers(self) -> LabelQuerySet:
        """Return the labels customers choose from in MijnMenu."""
        return self.in_use().filter(kind=Label.Kind.CUSTOMER)

    def by_rule(self) -> LabelQuerySet:
        """Return the labels that are given and taken by a rule each night."""
        return self.filter(_BY_RULE)


_BY_RULE = Q(selection__isnull=False) | Q(rule__isnull=False)


@pghistory.track()
class Label(models.Model):
    """A property of customers with a name; system labels are computed and never given by hand."""

    class Kind(models.TextChoices):
        SYSTEM = "system", _("System label")
        OWN = "own", _("Own label")
        CUSTOMER = "customer", _("Chosen by customers")
        IMPORTED = "imported", _("Import label")

    Colour = Colour

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
    # Place within the group, lowest first: from one to a higher one is a move up.
    rank = models.PositiveSmallIntegerField(_("place in the group"), default=0, db_default=0)
    # Of an import label: the version of the group it came with ("2026"); a new version ends the one before.
    version = models.CharField(_("version"), max_length=20, blank=True, default="", db_default="")
    # An own label with one of these follows a rule: each night who meets it has the label, and nobody else.
    selection = models.ForeignKey(
        Selection, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by selection")
    )
    rule = models.JSONField(_("rule"), null=True, blank=True)  # the tree of ``selections.rules``
    # Outside of these days (both included) nobody has it.
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    max_age_days = models.PositiveIntegerField(
        _("ends after days"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    created_at = models.DateTimeField(_("created at"))

    objects = LabelQuerySet.as_manager()

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(selection__isnull=True, rule__isnull=True)
                | (Q(kind="own") & (Q(selection__isnull=True) | Q(rule__isnull=True))),
                name="label_has_one_rule_at_most",
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gte=models.F("valid_from")),
                name="label_is_valid_for_a_day_at_least",
            ),
        ]

    def __str__(self) -> str:
        """Return its name, of an import label with the version: the next one often calls its labels the same."""
        if self.kind == self.Kind.SYSTEM:
            return str(specs.label_name(self.code) or self.name)
        return f"{self.name} ({self.version})" if self.version and self.version not in self.name else self.name

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
    def is_by_rule(self) -> bool:
        """Whether it follows a rule, of its own or a saved selection."""
        return self.selection_id is not None or self.rule is not None

    @property
    def rule_json(self) -> dict[str, Any] | None:
        """The rule it follows, its own or that of its selection; None when it follows none."""
        return self.selection.rule if self.selection else self.rule

    @property
    def is_given_by_hand(self) -> bool:
        """Whether staff may give and take it."""
        return self.kind in (self.Kind.OWN, self.Kind.IMPORTED) and not self.is_by_rule

    @property
    def is_in_use(self) -> bool:
        """Whether it may be given at all: itself and its group are in use."""
        return self.is_active and (self.group is None or self.group.is_active)

    def is_valid_on(self, day: dt.date) -> bool:
        """Tell whether anybody may have it on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )
