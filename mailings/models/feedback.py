"""What comes back: clicks on links we know, and addresses we must not use any more."""

from __future__ import annotations

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailings.models.mailings import Mailing, Message
from mailings.models.querysets import LinkQuerySet, SuppressionQuerySet


class Link(models.Model):
    """A link of a mailing; the redirect looks its target up here and never takes it from the address."""

    mailing = models.ForeignKey(Mailing, models.CASCADE, related_name="links", db_index=False)
    position = models.PositiveSmallIntegerField(_("position"))
    url = models.URLField(_("target"), max_length=1000)

    objects = LinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        constraints = [models.UniqueConstraint(fields=["mailing", "position"], name="link_once_per_position")]

    def __str__(self) -> str:
        return self.url


class Click(models.Model):
    """A link followed from one message; the raw hits stay here, the behaviour becomes a fact."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="clicks")
    link = models.ForeignKey(Link, models.CASCADE, related_name="clicks", db_index=False)
    clicked_at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("click")
        verbose_name_plural = _("clicks")
        indexes = [models.Index(fields=["link", "message"], name="click_of_link")]

    def __str__(self) -> str:
        return f"{self.link_id} {self.clicked_at:%Y-%m-%d}"


@pghistory.track()
class Suppression(models.Model):
    """An address that must not be used until staff release it; keyed by the address, not by the customer."""

    class Reason(models.TextChoices):
        BOUNCE = "bounce", _("Refused by the mail server for good")
        COMPLAINT = "complaint", _("Reported as spam")
        MANUAL = "manual", _("Blocked by staff")

    address = models.CharField(_("address"), max_length=254, unique=True)  # lower case
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    since = models.DateTimeField(_("since"))
    released_at = models.DateTimeField(_("released at"), null=True)  # empty: in force
    released_by = models.CharField(_("released by"), max_length=150, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        ordering = ["-since"]

    def __str__(self) -> str:
        return self.address
