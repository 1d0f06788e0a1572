"""What somebody was typing in the editor of a content and did not save yet."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailings.models.content import Content


class Draft(models.Model):
    """The fields of one form of the editor as one person left them; saving or throwing away removes it.

    ``place`` is ``head``, ``block:<id>`` or ``add:<type>:<column>``; ``fields`` holds a list of values per name.
    """

    content = models.ForeignKey(Content, models.CASCADE, related_name="drafts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    place = models.CharField(_("place"), max_length=100)
    fields = models.JSONField(_("fields"))
    saved_at = models.DateTimeField(_("saved at"))

    class Meta:
        verbose_name = _("unsaved work")
        verbose_name_plural = _("unsaved work")
        constraints = [models.UniqueConstraint(fields=["content", "user", "place"], name="one_draft_per_form")]

    def __str__(self) -> str:
        return self.place
