"""What staff are told by mail: something that they planned has stopped by itself."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class StaffNotice(models.Model):
    """One mail to a colleague; its ``key``, such as "trigger:5:2026-11-22", lets it be written once.

    ``page``: the path of what it is about.
    """

    key = models.CharField(_("key"), max_length=80, unique=True)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=250)
    reason = models.TextField(_("reason"))
    page = models.CharField(_("page"), max_length=200)
    tries = models.PositiveSmallIntegerField(_("attempts"), default=0)
    asked_at = models.DateTimeField(_("asked at"))
    sent_at = models.DateTimeField(_("sent at"), null=True)

    class Meta:
        verbose_name = _("notice to staff")
        verbose_name_plural = _("notices to staff")

    def __str__(self) -> str:
        return self.key
