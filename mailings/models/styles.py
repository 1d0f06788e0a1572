"""How mails and letters look: the style of the organisation, and of branches that have one of their own."""

from __future__ import annotations

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Branch
from mailings.models.content import Picture


@pghistory.track()
class HouseStyle(models.Model):
    """The style of a branch; without ``branch`` that of the organisation. What is empty in a branch's own is as the
    organisation's. Who sends for the organisation stands in ``SendingSettings``.
    """

    class Font(models.TextChoices):
        ARIAL = "arial", "Arial"
        VERDANA = "verdana", "Verdana"
        TAHOMA = "tahoma", "Tahoma"
        TREBUCHET = "trebuchet", "Trebuchet"
        GEORGIA = "georgia", "Georgia"

    branch = models.ForeignKey(
        Branch, models.CASCADE, null=True, blank=True, related_name="styles", verbose_name=_("branch")
    )
    logo = models.ForeignKey(Picture, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("logo"))
    accent = models.CharField(_("accent colour"), max_length=7, blank=True)  # #rrggbb
    font = models.CharField(_("font"), max_length=12, choices=Font, blank=True)
    sender_name = models.CharField(_("sender name"), max_length=80, blank=True)
    sender_email = models.EmailField(_("sender address"), blank=True)
    social = models.JSONField(_("social media"), default=dict, blank=True)  # network (mailings.styles) -> address

    class Meta:
        verbose_name = _("house style")
        verbose_name_plural = _("house styles")
        constraints = [
            models.UniqueConstraint(fields=["branch"], nulls_distinct=False, name="one_style_per_branch"),
            models.CheckConstraint(
                condition=models.Q(branch__isnull=False) | models.Q(sender_name="", sender_email=""),
                name="organisation_sends_by_its_settings",
            ),
        ]

    def __str__(self) -> str:
        return str(self.branch or _("The organisation"))
