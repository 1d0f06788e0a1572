"""What somebody was typing in the editor of a content and did not save yet."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailings.models.content import Content


class DraftQuerySet(models.QuerySet["Draft"]):
    """What is asked about unsaved work."""

    def written(self) -> DraftQuerySet:
        """Leave out forms of which the work was saved or thrown away."""
        return self.exclude(fields={})


class Draft(models.Model):
    """The fields of one form of the editor as one person left them; saving or throwing away empties it.

    ``place`` is ``head``, ``block:<id>`` or ``add:<type>:<column>``; ``fields`` holds a list of values per name.
    ``form`` is the page's form that it came from, and ``step`` counts what that sent: what was under way while a later
    step, or the saving (``ENDED``), came in does not come back.
    """

    ENDED: ClassVar[int] = 2**31 - 1

    content = models.ForeignKey(Content, models.CASCADE, related_name="drafts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    place = models.CharField(_("place"), max_length=100)
    fields = models.JSONField(_("fields"))
    form = models.CharField(max_length=32, default="")
    step = models.PositiveIntegerField(default=0)
    saved_at = models.DateTimeField(_("saved at"))

    objects = DraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("unsaved work")
        verbose_name_plural = _("unsaved work")
        constraints = [models.UniqueConstraint(fields=["content", "user", "place"], name="one_draft_per_form")]

    def __str__(self) -> str:
        return self.place
