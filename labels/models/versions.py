"""Versions of import labels that were ended in one go."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from labels.models.labels import LabelGroup


class VersionEnd(models.Model):
    """That a version of a group of import labels was ended for everybody; taking it back gives the labels again."""

    group = models.ForeignKey(LabelGroup, models.CASCADE, related_name="version_ends", verbose_name=_("group"))
    version = models.CharField(_("version"), max_length=20)
    ended_at = models.DateTimeField(_("ended at"))
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    # Keys of the labels that were in use until then; unknown of an end from before this was kept.
    put_out = models.JSONField(_("put out of use"), null=True)
    taken_count = models.PositiveIntegerField(_("taken"), default=0)
    undone_at = models.DateTimeField(_("taken back at"), null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("end of a version")
        verbose_name_plural = _("ends of versions")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.group} {self.version}"
