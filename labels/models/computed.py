"""What the organisation set for system labels, numbers computed per customer, and notes of what changed."""

from __future__ import annotations

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Customer


@pghistory.track()
class ThresholdSetting(models.Model):
    """A threshold of a family of system labels that the organisation set; without a row that of the code counts."""

    family = models.CharField(_("family"), max_length=40)
    code = models.CharField(_("threshold"), max_length=40)
    number = models.FloatField(_("number"))  # as ``labels.system.thresholds.Threshold`` counts; money in cents

    class Meta:
        verbose_name = _("threshold")
        verbose_name_plural = _("thresholds")
        constraints = [models.UniqueConstraint(fields=["family", "code"], name="threshold_once")]

    def __str__(self) -> str:
        return f"{self.family}.{self.code}: {self.number:g}"


@pghistory.track()
class ValueDefinition(models.Model):
    """A number that is computed for every customer, as a formula: the sum of ``terms``.

    A term is ``{"weight": 1, "what": "amount", "kinds": ["income"], "months": 24}``; ``what`` is one of
    ``labels.formulas.MEASURED``. Standard ones come with the product: their window and kinds may be changed, what they
    measure not, since labels follow from them.
    """

    class Unit(models.TextChoices):
        NUMBER = "number", _("a number")
        CENTS = "cents", _("euros")
        DAYS = "days", _("days")

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80, blank=True)  # empty: that of the product
    description = models.TextField(_("description"), blank=True)
    unit = models.CharField(_("what it counts"), max_length=8, choices=Unit)
    terms = models.JSONField(_("formula"))
    is_standard = models.BooleanField(_("standard"), default=False, editable=False)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("computed value")
        verbose_name_plural = _("computed values")
        ordering = ["-is_standard", "name"]

    def __str__(self) -> str:
        from labels.formulas import standard_name  # names of standard ones are in the language of the visitor

        return str(standard_name(self) or self.name)


class CustomerValue(models.Model):
    """What a computed value is for a customer; nobody has a row of whom nothing is known.

    Of a definition that counts the days since the last time, ``number`` holds minus that day (as days since 1970), so
    that it stays the same while days pass: ``labels.values`` adds today.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="computed_values", db_index=False)
    value = models.ForeignKey(ValueDefinition, models.CASCADE, related_name="numbers", db_index=False)
    number = models.FloatField(_("number"))

    class Meta:
        verbose_name = _("computed value of a customer")
        verbose_name_plural = _("computed values of customers")
        constraints = [
            models.UniqueConstraint(fields=["customer", "value"], include=["number"], name="computed_value_once")
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.value_id}: {self.number:g}"


class ChangeMark(models.Model):
    """Somebody whose labels may differ, though no row of his tells: what was about him is gone.

    The database itself writes these when a subscription, total or customer is removed or somebody leaves a household
    (``household_id``: whom it is about are those who live there). The next run uses them up. No foreign keys, since
    what they point at may be gone.
    """

    customer_id = models.BigIntegerField(null=True)
    household_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("mark of a change")
        verbose_name_plural = _("marks of changes")

    def __str__(self) -> str:
        return f"{self.customer_id or ''} {self.household_id or ''}"
