"""How this organisation sends: who it is, and the limits it keeps to."""

from __future__ import annotations

from email.utils import parseaddr

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


@pghistory.track()
class SendingSettings(models.Model):
    """The one row of sending settings (id 1): legally required identity, sender, hours, waiting, controls, cost."""

    organisation = models.CharField(_("organisation"), max_length=120)
    postal_address = models.CharField(_("postal address"), max_length=200)  # stands in the footer of each mail, by law
    sender_name = models.CharField(_("sender name"), max_length=80)
    sender_email = models.EmailField(_("sender address"))
    reply_to = models.EmailField(_("replies go to"), blank=True)
    unsubscribe_email = models.EmailField(_("mailbox for unsubscribing by e-mail"), blank=True)
    privacy_url = models.URLField(_("privacy statement"), blank=True)
    wait_days = models.PositiveSmallIntegerField(_("days a message may wait for its turn"), default=3)
    minimum_age = models.PositiveSmallIntegerField(_("minimum age for marketing"), default=16)
    hold_out_percent = models.PositiveSmallIntegerField(_("control group (percent)"), default=0)
    send_from_hour = models.PositiveSmallIntegerField(_("send from (hour)"), default=0)
    send_until_hour = models.PositiveSmallIntegerField(_("send until (hour)"), default=24)
    send_days = models.CharField(_("send on"), max_length=7, default="1234567")  # ISO days of the week
    approval_from = models.PositiveIntegerField(_("second person from how many messages on"), default=0)  # 0 is never
    # paper, envelope and postage of one letter; 0: nobody said
    letter_cents = models.PositiveIntegerField(_("cost of a letter"), default=0)
    # in per mille of the messages that were tried, once so many were; 0 is never
    brake_after = models.PositiveIntegerField(_("brake from how many messages on"), default=200)
    brake_bounces = models.PositiveSmallIntegerField(_("brake at bounces (per mille)"), default=50)
    brake_complaints = models.PositiveSmallIntegerField(_("brake at complaints (per mille)"), default=3)
    brake_unsubscribes = models.PositiveSmallIntegerField(_("brake at unsubscribes (per mille)"), default=30)

    class Meta:
        verbose_name = _("sending settings")
        verbose_name_plural = _("sending settings")
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="only_one_row_of_settings"),
            models.CheckConstraint(
                condition=models.Q(send_from_hour__lt=models.F("send_until_hour"), send_until_hour__lte=24),
                name="sending_hours_in_order",
            ),
            models.CheckConstraint(condition=models.Q(send_days__regex="^[1-7]+$"), name="sends_on_some_day"),
            models.CheckConstraint(condition=models.Q(hold_out_percent__lte=50), name="hold_out_at_most_half"),
        ]

    def __str__(self) -> str:
        return self.organisation

    @classmethod
    def load(cls) -> SendingSettings:
        """Return the settings; before anybody saved them a row with defaults that is not in the database."""
        return cls.objects.filter(pk=1).first() or cls(pk=1, **cls.defaults())

    @staticmethod
    def defaults() -> dict[str, str]:
        """Return what a new installation starts with, out of the environment."""
        name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
        return {"organisation": name or settings.SITE_HOST, "sender_name": name, "sender_email": address}

    @property
    def is_complete(self) -> bool:
        """Whether the identity that the law requires in each message is there."""
        return bool(self.organisation and self.postal_address and self.sender_email)
