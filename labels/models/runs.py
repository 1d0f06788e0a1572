"""The runs of the night, each once."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class RefreshRun(models.Model):
    """One recomputation of the system labels; ``due_key`` is unique so that two schedulers start it once.

    A run is written with what it did, in one transaction: a run that broke off is not there and may be
    started again. ``is_stale``: a later moment had been computed already, so this one changed nothing.
    """

    due_key = models.CharField(max_length=60, unique=True)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    given_count = models.PositiveIntegerField(_("given"), default=0)
    taken_count = models.PositiveIntegerField(_("taken"), default=0)
    is_stale = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("label run")
        verbose_name_plural = _("label runs")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.due_key
