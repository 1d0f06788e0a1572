"""Blocks that were kept, to use them again in other messages."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


@pghistory.track()
class SavedBlock(models.Model):
    """A block under a name: ``type`` and ``data`` as in ``Content.blocks``. Using it makes a copy."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    type = models.CharField(_("kind"), max_length=40)
    data = models.JSONField(_("data"), default=dict)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("saved block")
        verbose_name_plural = _("saved blocks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
