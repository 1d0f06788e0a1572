"""What was found out before sending: whether links answer, and which warnings somebody chose to pass over."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from mailings.models.content import Content
from mailings.models.mailings import Mailing


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

    A row without ``checked_at`` asks a worker to look it up; ``state`` is what was found before, or waiting.
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

    @property
    def is_bad(self) -> bool:
        """Whether it did not answer as a page does, which may be otherwise a moment later."""
        return self.state in (self.State.BROKEN, self.State.UNREACHABLE)


class SeenWarningsQuerySet(models.QuerySet["SeenWarnings"]):
    """What is asked about confirmed warnings."""

    def of_mailing(self, mailing: Mailing) -> SeenWarningsQuerySet:
        """Keep what was confirmed for a mailing, or for what made it and was there already; the latest first."""
        own = Q(about=mailing.due_key) | Q(about=mailing.origin)
        return self.filter(own, content=mailing.content_id, confirmed_at__lte=mailing.created_at)


class SeenWarnings(models.Model):
    """Somebody saw the warnings about a content and had it go out all the same; kept as long as the content.

    ``about``: the ``due_key`` of the mailing, or the ``origin`` of all mailings that a trigger or step makes.
    """

    content = models.ForeignKey(Content, models.CASCADE, related_name="seen_warnings")
    about = models.CharField(max_length=120)
    warnings = models.JSONField(_("warnings"))  # [{"code", "place", "words"}], as they were shown
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    confirmed_at = models.DateTimeField(_("confirmed at"))

    objects = SeenWarningsQuerySet.as_manager()

    class Meta:
        verbose_name = _("confirmed warnings")
        verbose_name_plural = _("confirmed warnings")
        ordering = ["-confirmed_at", "-id"]

    def __str__(self) -> str:
        return self.about
