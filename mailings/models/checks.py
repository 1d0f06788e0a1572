"""What was found out before sending: whether links answer."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class LinkCheckQuerySet(models.QuerySet["LinkCheck"]):
    """What is asked about links."""

    def of(self, urls: Iterable[str]) -> dict[str, LinkCheck]:
        """Return address -> what is known of it, for those that were ever asked."""
        return {one.url: one for one in self.filter(digest__in={LinkCheck.digest_of(url) for url in urls})}

    def waiting(self) -> LinkCheckQuerySet:
        """Keep what was asked and not looked up yet."""
        return self.filter(checked_at__isnull=True)


class LinkCheck(models.Model):
    """An address on the web and what it answered; the same for all contents that hold it.

    A row without ``checked_at`` asks a worker to look it up.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Being looked up")
        FINE = "fine", _("Answers")
        BROKEN = "broken", _("No page there")
        UNREACHABLE = "unreachable", _("Did not answer")
        INTERNAL = "internal", _("In a closed network")

    FRESH_FOR: ClassVar[dt.timedelta] = dt.timedelta(days=1)

    digest = models.CharField(_("digest"), max_length=64, unique=True)  # of the address, which may be too long to index
    url = models.TextField(_("address"))
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.WAITING)
    detail = models.CharField(_("answer"), max_length=200, blank=True)
    asked_at = models.DateTimeField(_("asked at"))
    checked_at = models.DateTimeField(_("looked up at"), null=True, blank=True)

    objects = LinkCheckQuerySet.as_manager()

    class Meta:
        verbose_name = _("link check")
        verbose_name_plural = _("link checks")
        indexes = [
            models.Index(fields=["asked_at"], name="link_check_waiting", condition=models.Q(checked_at__isnull=True))
        ]

    def __str__(self) -> str:
        return self.url

    @staticmethod
    def digest_of(url: str) -> str:
        """Return the key of an address."""
        return hashlib.sha256(url.encode()).hexdigest()

    def is_fresh(self, now: dt.datetime) -> bool:
        """Whether what it answered still counts."""
        return self.checked_at is not None and self.checked_at > now - self.FRESH_FOR
