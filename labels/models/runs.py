"""The runs of the night, each once."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class RefreshRun(models.Model):
    """One recomputation of the system labels; ``due_key`` is unique so that two schedulers start it once.

    A run is written with what it did, in one transaction: a run that broke off is not there and may be
    started again. ``is_stale``: a later moment had been computed already, so this one changed nothing.

    ``is_full`` looked at everybody, for the reason ``why_full``; otherwise at ``affected_count`` customers.
    ``seen_xid``, ``cluster`` and ``fingerprint`` are what the next run needs to see what changed since
    (``labels.changes``). ``parts``: ``[{"code": family, "seconds": 1.2, "given": 3, "taken": 4}]``, in order.
    """

    class WhyFull(models.TextChoices):
        FIRST = "first", _("the first time")
        ASKED = "asked", _("asked for")
        DEFINITIONS = "definitions", _("thresholds, worlds, values or profiling changed")
        WEEKLY = "weekly", _("once a week")
        MOVED = "moved", _("the database was moved or restored")
        MANY = "many", _("too many customers changed")
        NEWS = "news", _("a new genre or sector")

    due_key = models.CharField(max_length=60, unique=True)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    given_count = models.PositiveIntegerField(_("given"), default=0)
    taken_count = models.PositiveIntegerField(_("taken"), default=0)
    is_stale = models.BooleanField(default=False)
    is_full = models.BooleanField(_("full"), default=True, db_default=True)
    why_full = models.CharField(_("why full"), max_length=12, choices=WhyFull, blank=True, default="", db_default="")
    affected_count = models.PositiveIntegerField(_("customers looked at"), null=True)
    seen_xid = models.BigIntegerField(null=True)
    cluster = models.CharField(max_length=24, blank=True, default="", db_default="")
    fingerprint = models.CharField(max_length=64, blank=True, default="", db_default="")
    parts = models.JSONField(_("per family"), default=list)

    class Meta:
        verbose_name = _("label run")
        verbose_name_plural = _("label runs")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.due_key
