"""How many had a label at the end of each day: what lists and charts show of labels with very many holders."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from labels.models.labels import Label


class LabelCount(models.Model):
    """How many customers had a label at the end of an Amsterdam day, as it was counted that night."""

    label = models.ForeignKey(Label, models.CASCADE, related_name="counts", db_index=False)
    day = models.DateField(_("day"))
    holders = models.PositiveIntegerField(_("customers"))

    class Meta:
        verbose_name = _("daily count of a label")
        verbose_name_plural = _("daily counts of labels")
        constraints = [models.UniqueConstraint(fields=["label", "day"], name="one_count_per_label_and_day")]

    def __str__(self) -> str:
        return f"{self.label_id} {self.day}: {self.holders}"
