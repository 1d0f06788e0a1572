"""How messages in doubt were settled: what staff found out, or chose."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailings.models.mailings import Message


class Settlement(models.Model):
    """One decision of staff about one message of which nobody knew whether it had arrived.

    ``reply`` is what was known of it before. A message that is sent again may come into doubt, and be settled, again.
    """

    class Decision(models.TextChoices):
        SENT = "sent", _("Was sent")
        AGAIN = "again", _("Sent again")
        DROPPED = "dropped", _("Not sent, and not tried again")

    message = models.ForeignKey(Message, models.CASCADE, related_name="settlements", verbose_name=_("message"))
    decision = models.CharField(_("decision"), max_length=8, choices=Decision)
    reply = models.CharField(_("what was known"), max_length=300, blank=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    settled_at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("settled doubt")
        verbose_name_plural = _("settled doubts")
        ordering = ["-settled_at", "-id"]
        indexes = [models.Index(fields=["-settled_at", "-id"], name="settled_latest_first")]

    def __str__(self) -> str:
        return f"{self.message_id} {self.decision}"
