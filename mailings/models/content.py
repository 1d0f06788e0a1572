"""What a message says: typed blocks, no template language."""

from __future__ import annotations

import uuid
from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Picture(models.Model):
    """An image for mails and letters, checked and stored under a name of ours; everybody who has its address may see
    it.
    """

    key = models.UUIDField(_("key"), unique=True, default=uuid.uuid4, editable=False)
    file = models.FileField(_("file"), upload_to="pictures/%Y/%m/")
    alt = models.CharField(_("description for those who do not see it"), max_length=200)
    width = models.PositiveIntegerField(_("width"))  # pixels
    height = models.PositiveIntegerField(_("height"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.alt


@pghistory.track()
class Content(models.Model):
    """Subject and blocks.

    ``blocks`` is a list of ``{"id": str, "type": code, "data": {...}, "audience": null | {"kind": "selection"|"label",
    "id": n}}``; ``mailings.content`` checks it, nothing else may write it.
    """

    name = models.CharField(_("name"), max_length=120)
    subject = models.CharField(_("subject"), max_length=200, blank=True)  # may hold merge fields
    preheader = models.CharField(_("preview text"), max_length=200, blank=True)
    blocks = models.JSONField(_("blocks"), default=list)
    version = models.PositiveIntegerField(_("version"), default=0)  # its number, from 1 on; each is in the history
    parent = models.PositiveIntegerField(_("made out of version"), default=0)
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("content")
        verbose_name_plural = _("contents")

    def __str__(self) -> str:
        return self.name

    @property
    def records(self) -> models.QuerySet[Any]:
        """What the history wrote down of it: at least one record of each version."""
        return self.events.all()  # type: ignore[attr-defined, no-any-return]
