"""What mail servers and readers' programs reported about our mail after it was sent."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from mailings.models.mailings import Message


class Bounce(models.Model):
    """One report about one address; ``message`` is empty when it does not say about which.

    ``key`` makes a report that comes twice (a mailbox that is read again, a provider that repeats itself) one row.
    """

    class Kind(models.TextChoices):
        HARD = "hard", _("The address does not exist")
        SOFT = "soft", _("Not delivered this time")
        COMPLAINT = "complaint", _("Reported as spam")
        DELAYED = "delayed", _("Delayed, still being tried")
        AUTO_REPLY = "auto_reply", _("Automatic reply")
        UNKNOWN = "unknown", _("Could not be read")

    class Source(models.TextChoices):
        MAILBOX = "mailbox", _("Mailbox")
        SMTP = "smtp", _("Own mail entrance")
        PROVIDER = "provider", _("Mail provider")

    message = models.ForeignKey(Message, models.CASCADE, null=True, related_name="bounces")
    address = models.CharField(_("address"), max_length=254, blank=True)  # lower case
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    status = models.CharField(_("status"), max_length=12, blank=True)  # RFC 3463: "5.1.1"
    detail = models.CharField(_("explanation"), max_length=300, blank=True)
    source = models.CharField(_("came by"), max_length=8, choices=Source)
    received_at = models.DateTimeField(_("received"))
    key = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = _("bounce")
        verbose_name_plural = _("bounces")
        ordering = ["-received_at", "-id"]
        indexes = [
            models.Index(fields=["address", "received_at"], name="bounce_of_address"),
            models.Index(fields=["-received_at", "-id"], name="bounce_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.status}".strip()
