"""Daily lists of everybody who may be reached for a purpose, for mail tools that are not ours."""

from __future__ import annotations

import datetime as dt
from pathlib import PurePosixPath

import pghistory
from django.db import models
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Customer, Purpose


class PublicationQuerySet(models.QuerySet["Publication"]):
    """Reads of publications."""

    def due(self, *, now: dt.datetime) -> PublicationQuerySet:
        """Keep those whose time has come."""
        return self.filter(is_active=True, next_at__lte=now)


@pghistory.track(exclude=["next_at", "webhook_secret"])
class Publication(models.Model):
    """Who may be reached for a purpose over a channel: each day as a file, over the API, and announced by a webhook.

    ``columns`` are codes of ``mailings.publishing.COLUMNS``. Who is on it is decided by the gate's own statement, so
    address, suppression, age, restriction and death count as they do for a mailing; caps and control groups do not.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    purpose = models.ForeignKey(Purpose, models.PROTECT, related_name="+", verbose_name=_("purpose"))
    # Who gets the list, for the register of processing; empty means that the name of the publication says it.
    recipient = models.CharField(_("who gets it"), max_length=120, blank=True)
    channel = models.CharField(_("channel"), max_length=8, choices=Channel, default=Channel.EMAIL)
    columns = models.JSONField(_("columns"), default=list)
    has_file = models.BooleanField(_("as a file"), default=True)
    webhook_url = models.URLField(_("address of the webhook"), max_length=300, blank=True)
    webhook_secret = models.CharField(max_length=80, blank=True)
    daily_at = models.TimeField(_("every day at"), default=dt.time(5, 0))
    is_active = models.BooleanField(_("active"), default=True)
    next_at = models.DateTimeField(_("next"))
    created_at = models.DateTimeField(_("created at"))

    objects = PublicationQuerySet.as_manager()

    class Meta:
        verbose_name = _("publication")
        verbose_name_plural = _("publications")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def file_name(self, day: dt.date) -> str:
        """Return the name of a day's file, below the folder of publications."""
        return str(PurePosixPath(f"{self.pk}-{slugify(self.name)}") / f"{day:%Y-%m-%d}.csv")


class PublicationRun(models.Model):
    """One day of a publication; ``counts`` is outcome of the gate -> customers."""

    class Webhook(models.TextChoices):
        NONE = "", _("None")
        WAITING = "waiting", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")

    publication = models.ForeignKey(Publication, models.CASCADE, related_name="runs")
    day = models.DateField(_("day"))
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    counts = models.JSONField(_("counts"), default=dict)
    people_count = models.PositiveIntegerField(_("people"), default=0)
    file_name = models.CharField(_("file"), max_length=200, blank=True)
    error = models.CharField(_("what went wrong"), max_length=200, blank=True)
    webhook = models.CharField(_("webhook"), max_length=9, choices=Webhook, blank=True, default=Webhook.NONE)
    webhook_reply = models.CharField(_("answer"), max_length=200, blank=True)
    webhook_tries = models.PositiveSmallIntegerField(default=0)
    webhook_next_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("run of a publication")
        verbose_name_plural = _("runs of publications")
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["publication", "day"], name="publication_once_a_day")]

    def __str__(self) -> str:
        return f"{self.publication_id} {self.day}"


class PublishedPerson(models.Model):
    """Who stands on the latest list of a publication; the API gives it out page by page."""

    publication = models.ForeignKey(Publication, models.CASCADE, related_name="people", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("published person")
        verbose_name_plural = _("published people")
        constraints = [models.UniqueConstraint(fields=["publication", "customer"], name="published_once")]

    def __str__(self) -> str:
        return f"{self.publication_id} {self.customer_id}"
