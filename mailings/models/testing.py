"""Which tests of a content went to which colleagues."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailings.models.content import Content


class SentTest(models.Model):
    """A test of a content to one colleague; as whom it was written is kept only as far as it names no customer."""

    class State(models.TextChoices):
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    content = models.ForeignKey(Content, models.CASCADE, related_name="tests")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    arm = models.ForeignKey("mailings.Arm", models.SET_NULL, null=True, related_name="+", verbose_name=_("version"))
    # of a text message: whose number it is nobody has to know
    number_ending = models.CharField(_("number ends in"), max_length=4, blank=True, db_default="")
    subject = models.CharField(_("subject"), max_length=250)
    audience = models.CharField(_("audience"), max_length=40, blank=True)  # a key such as selection:3
    as_customer = models.BooleanField(_("as a customer"), default=False)
    state = models.CharField(_("state"), max_length=8, choices=State)
    reply = models.CharField(_("answer of the mail server"), max_length=200, blank=True)
    sent_at = models.DateTimeField(_("sent at"))

    class Meta:
        verbose_name = _("test")
        verbose_name_plural = _("tests")
        indexes = [models.Index(fields=["content", "-sent_at"], name="tests_of_content")]

    def __str__(self) -> str:
        return f"{self.subject} {self.sent_at:%Y-%m-%d}"
