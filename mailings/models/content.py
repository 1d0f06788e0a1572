"""What a message says: typed blocks, no template language."""

from __future__ import annotations

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _


@pghistory.track()
class Content(models.Model):
    """Subject and blocks. ``blocks`` is a list of ``{"id": str, "type": code, "data": {...}, "audience": selection id|null}``."""

    name = models.CharField(_("name"), max_length=120)
    subject = models.CharField(_("subject"), max_length=200, blank=True)  # may hold merge fields
    preheader = models.CharField(_("preview text"), max_length=200, blank=True)
    blocks = models.JSONField(_("blocks"), default=list)
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("content")
        verbose_name_plural = _("contents")

    def __str__(self) -> str:
        return self.name
