"""What was counted of the quality of the data, per night."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customers import Branch, Source


class QualityCount(models.Model):
    """How many customers had an issue on a day: of all, of one branch (none: without a branch), or of one source.

    ``issue`` is a code of ``customers.quality.issues``; empty for how many customers there were at all.
    """

    class Scope(models.TextChoices):
        ALL = "all", _("All customers")
        BRANCH = "branch", _("Per branch")
        SOURCE = "source", _("Per source")

    day = models.DateField(_("day"))
    issue = models.CharField(_("issue"), max_length=40, blank=True)
    scope = models.CharField(_("of whom"), max_length=6, choices=Scope)
    branch = models.ForeignKey(Branch, models.CASCADE, null=True, db_index=False, verbose_name=_("branch"))
    source = models.ForeignKey(Source, models.CASCADE, null=True, db_index=False, verbose_name=_("source"))
    count = models.IntegerField(_("count"))
    counted_at = models.DateTimeField(_("counted at"))

    class Meta:
        verbose_name = _("count of data quality")
        verbose_name_plural = _("counts of data quality")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "scope", "issue", "branch", "source"], name="quality_count_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.issue} {self.scope}: {self.count}"
