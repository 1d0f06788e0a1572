"""Text messages (SMS): what a content says in one, how they are sent, and what became of each."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailings.models.content import Content
from mailings.models.mailings import Message
from vouchers.models import Definition


@pghistory.track()
class ShortText(models.Model):
    """What a content says as a text message: plain text with merge fields and addresses, and at most one voucher.

    ``{{ voucher }}`` stands for the reader's own code. ``mailings.sms.composing`` adds how to say no to more.
    """

    content = models.OneToOneField(Content, models.CASCADE, related_name="short_text", verbose_name=_("content"))
    text = models.TextField(_("text"), blank=True)
    voucher = models.ForeignKey(
        Definition, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("voucher")
    )
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("text of a text message")
        verbose_name_plural = _("texts of text messages")

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def mark(self) -> str:
        """What tells this text from an earlier or later one; empty while there is none."""
        return self.updated_at.isoformat() if self.pk else ""


@pghistory.track()
class TextSettings(models.Model):
    """The one row (id 1) of how text messages are sent: from whom, when, at what price.

    ``sender`` is a name of at most 11 letters and digits, or a number; only a number can be answered. ``price_mills``
    is in thousandths of a euro per part. They also keep to the days of ``SendingSettings``.
    """

    sender = models.CharField(_("sender"), max_length=16, blank=True)
    price_mills = models.PositiveIntegerField(_("price per part"), default=75)
    most_parts = models.PositiveSmallIntegerField(_("most parts per message"), default=3)
    from_hour = models.PositiveSmallIntegerField(_("send from (hour)"), default=9)
    until_hour = models.PositiveSmallIntegerField(_("send until (hour)"), default=20)

    class Meta:
        verbose_name = _("settings of text messages")
        verbose_name_plural = _("settings of text messages")
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="only_one_row_of_text_settings"),
            models.CheckConstraint(
                condition=models.Q(from_hour__lt=models.F("until_hour"), until_hour__lte=24),
                name="text_hours_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.sender

    @classmethod
    def load(cls) -> TextSettings:
        """Return the settings; before anybody saved them a row with defaults that is not in the database."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    @property
    def can_be_answered(self) -> bool:
        """Whether readers can answer and we hear it, so that STOP is a way to say no."""
        is_heard = bool(settings.SMS_WEBHOOK_SECRET) or not settings.SMS_API
        return is_heard and self.sender.lstrip("+").isdecimal()


class SentTextQuerySet(models.QuerySet["SentText"]):
    """Reads of what became of text messages."""

    def figures(self) -> dict[str, int]:
        """Return how many left (``count``), in how many ``parts``, for how much (``cost_mills``), how many arrived
        (``delivered``) and how many did not (``undelivered``); of the rest nothing is known yet.
        """
        delivery = SentText.Delivery
        found = self.aggregate(
            count=models.Count("pk"),
            parts=models.Sum("parts", default=0),
            cost_mills=models.Sum("cost_mills", default=0),
            delivered=models.Count("pk", filter=models.Q(delivery=delivery.DELIVERED)),
            undelivered=models.Count("pk", filter=models.Q(delivery=delivery.UNDELIVERED)),
        )
        return {name: int(value) for name, value in found.items()}


class SentText(models.Model):
    """What a text message that left cost, by which reference its provider knows it, and whether it arrived."""

    class Delivery(models.TextChoices):
        UNKNOWN = "", _("No report yet")
        DELIVERED = "delivered", _("Arrived")
        UNDELIVERED = "undelivered", _("Did not arrive")

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="sent_text")
    reference = models.CharField(_("reference of the provider"), max_length=80, blank=True, db_index=True)
    parts = models.PositiveSmallIntegerField(_("parts"))
    cost_mills = models.PositiveIntegerField(_("cost"))  # thousandths of a euro
    delivery = models.CharField(_("delivery"), max_length=12, choices=Delivery, blank=True)
    reported_at = models.DateTimeField(_("reported at"), null=True)

    objects = SentTextQuerySet.as_manager()

    class Meta:
        verbose_name = _("sent text message")
        verbose_name_plural = _("sent text messages")

    def __str__(self) -> str:
        return f"{self.message_id}: {self.delivery}"


class TextReply(models.Model):
    """What somebody wrote back to the last text message at his number; ``is_stop`` was taken as a no, at once."""

    key = models.CharField(max_length=64, unique=True)  # of what the provider told: told twice is kept once
    message = models.ForeignKey(Message, models.CASCADE, related_name="replies", verbose_name=_("message"))
    text = models.CharField(_("answer"), max_length=500)
    is_stop = models.BooleanField(_("wants no more"), default=False)
    received_at = models.DateTimeField(_("received"))

    class Meta:
        verbose_name = _("answer to a text message")
        verbose_name_plural = _("answers to text messages")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.message_id}"
