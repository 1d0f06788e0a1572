"""What comes back: hits on links we know, clicks of people and of programs, addresses we must not use any more."""

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


class Hit(models.Model):
    """A link that was followed just now: a bare row, so that whoever clicked waits for nothing.

    It is judged within half a minute, when it is known what came with it, and becomes a Click or a MachineClick.
    """

    message_id = models.BigIntegerField()
    position = models.PositiveSmallIntegerField()
    hit_at = models.DateTimeField()
    reason = models.CharField(max_length=8, blank=True)  # why it is no person's, of MachineClick.Reason

    class Meta:
        indexes = [models.Index(fields=["message_id", "hit_at"], name="hit_of_message")]

    def __str__(self) -> str:
        return f"{self.message_id} {self.position}"


class Click(models.Model):
    """A link followed by a person from one message; every time stays here, the first becomes a fact."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="clicks")
    link = models.ForeignKey(Link, models.CASCADE, related_name="clicks", db_index=False)
    clicked_at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("click")
        verbose_name_plural = _("clicks")
        indexes = [models.Index(fields=["link", "message"], name="click_of_link")]

    def __str__(self) -> str:
        return f"{self.link_id} {self.clicked_at:%Y-%m-%d}"


class MachineClick(models.Model):
    """A link followed by a program: kept to be looked at, and never taken for what a person did."""

    class Reason(models.TextChoices):
        HEAD = "head", _("only asked whether the page exists")
        PREFETCH = "prefetch", _("loaded ahead, in case somebody clicks")
        AGENT = "agent", _("says itself that it is a program")
        HEADERS = "headers", _("names no language, as every browser does")
        SPEED = "speed", _("within seconds after delivery")
        BURST = "burst", _("many links in the same seconds")

    message = models.ForeignKey(Message, models.CASCADE, related_name="machine_clicks")
    link = models.ForeignKey(Link, models.CASCADE, related_name="machine_clicks", db_index=False)
    clicked_at = models.DateTimeField(_("when"))
    reason = models.CharField(_("reason"), max_length=8, choices=Reason)

    class Meta:
        verbose_name = _("click by a program")
        verbose_name_plural = _("clicks by programs")
        indexes = [models.Index(fields=["link", "reason"], name="machine_click_of_link")]

    def __str__(self) -> str:
        return f"{self.link_id} {self.reason}"


class UnsubscribeReasonQuerySet(models.QuerySet["UnsubscribeReason"]):
    """Reads of why readers unsubscribed."""

    def by_reason(self) -> dict[str, int]:
        """Return reason -> times."""
        return dict(self.order_by().values_list("reason").annotate(n=models.Sum("count")))


class UnsubscribeReason(models.Model):
    """How often a reason was given to unsubscribe after a mailing; by whom is not kept."""

    class Reason(models.TextChoices):
        TOO_MUCH = "too_much", _("I get too many messages")
        NOT_FOR_ME = "not_for_me", _("The subjects are not for me")
        NEVER_ASKED = "never_asked", _("I never asked for this")
        NO_CUSTOMER = "no_customer", _("I am no customer any more")
        ELSEWHERE = "elsewhere", _("I follow you in another way")
        OTHER = "other", _("Another reason")

    mailing = models.ForeignKey(Mailing, models.CASCADE, related_name="unsubscribe_reasons", db_index=False)
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    count = models.PositiveIntegerField(_("times"), default=0)

    objects = UnsubscribeReasonQuerySet.as_manager()

    class Meta:
        verbose_name = _("reason to unsubscribe")
        verbose_name_plural = _("reasons to unsubscribe")
        ordering = ["-count", "reason"]
        constraints = [models.UniqueConstraint(fields=["mailing", "reason"], name="unsubscribe_reason_once")]

    def __str__(self) -> str:
        return self.reason


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
