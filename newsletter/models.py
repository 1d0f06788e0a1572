"""Newsletters, their editions, and the text items an edition is composed of."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from customers.consents import CONSENT, allowed_sql
from customers.models import Channel, Customer, Purpose
from labels.models import Label
from mailings.models import Content, Mailing, Message, message_count
from selections.models import Selection


class NewsletterQuerySet(models.QuerySet["Newsletter"]):
    """Reads of newsletters."""

    def with_numbers(self) -> NewsletterQuerySet:
        """Add ``edition_count`` and ``last_sent_at``."""
        editions = Edition.objects.filter(newsletter=models.OuterRef("pk")).order_by().values("newsletter")
        sent = editions.filter(state=Edition.State.SENT)
        return self.annotate(
            edition_count=_count(editions),
            last_sent_at=models.Subquery(sent.annotate(at=models.Max("send_at")).values("at")),
        )


@pghistory.track()
class Newsletter(models.Model):
    """A recurring newsletter. Being subscribed is a granted consent for its ``purpose``: there is no second list."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.TextField(_("description"), blank=True)  # shown to customers in MijnMenu
    purpose = models.OneToOneField(Purpose, models.PROTECT, related_name="newsletter", verbose_name=_("purpose"))
    is_active = models.BooleanField(_("active"), default=True)
    priority = models.PositiveSmallIntegerField(
        _("priority"), choices=Mailing.Priority, default=Mailing.Priority.NORMAL
    )
    hold_out_percent = models.PositiveSmallIntegerField(_("own control group (percent)"), default=0)
    created_at = models.DateTimeField(_("created at"))

    objects = NewsletterQuerySet.as_manager()

    class Meta:
        verbose_name = _("newsletter")
        verbose_name_plural = _("newsletters")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(hold_out_percent__lte=50), name="newsletter_hold_out_at_most_half"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def mailings(self) -> models.QuerySet[Mailing]:
        """What its editions sent."""
        return Mailing.objects.filter(edition__newsletter=self)

    def subscribers(self, *, now: dt.datetime) -> models.QuerySet[Customer]:
        """Customers who said yes to this newsletter by e-mail and did not take it back by ``now``."""
        allowed = allowed_sql(purpose=self.purpose, channel=Channel.EMAIL, as_of=now, basis=CONSENT)
        return Customer.objects.filter(pk__in=RawSQL(allowed, []))  # noqa: S611 - bound by allowed_sql


class EditionQuerySet(models.QuerySet["Edition"]):
    """Reads of editions."""

    def due(self, now: dt.datetime) -> EditionQuerySet:
        """Planned for ``now`` or earlier."""
        return self.filter(state=Edition.State.PLANNED, send_at__lte=now)

    def with_numbers(self) -> EditionQuerySet:
        """Add ``item_count``, and ``message_count`` and ``sent_count`` of its mailing."""
        items = TextItem.objects.filter(edition=models.OuterRef("pk")).order_by().values("edition")
        return self.annotate(
            item_count=_count(items),
            message_count=message_count("mailing"),
            sent_count=message_count("mailing", Message.State.SENT),
        )


def _count(grouped: models.QuerySet[Any, Any]) -> Coalesce:
    return Coalesce(models.Subquery(grouped.annotate(n=models.Count("id")).values("n")), 0)


@pghistory.track()
class Edition(models.Model):
    """One issue of a newsletter: draft, planned for a moment, or handed to the gate as a mailing."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PLANNED = "planned", _("Planned")
        SENT = "sent", _("Handed over for sending")

    newsletter = models.ForeignKey(Newsletter, models.CASCADE, related_name="editions", verbose_name=_("newsletter"))
    subject = models.CharField(_("subject"), max_length=200)
    preheader = models.CharField(_("preview text"), max_length=200, blank=True)
    introduction = models.TextField(_("introduction"), blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.DRAFT)
    send_at = models.DateTimeField(_("send at"), null=True, blank=True)
    planned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("planned by")
    )
    content = models.OneToOneField(Content, models.PROTECT, null=True, blank=True, related_name="edition")
    mailing = models.OneToOneField(Mailing, models.SET_NULL, null=True, blank=True, related_name="edition")
    error = models.TextField(_("what went wrong"), blank=True)  # at the last attempt to send a planned edition
    tried_at = models.DateTimeField(_("last attempt"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))

    objects = EditionQuerySet.as_manager()

    class Meta:
        verbose_name = _("edition")
        verbose_name_plural = _("editions")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="planned") | models.Q(send_at__isnull=False),
                name="planned_edition_has_moment",
            )
        ]

    def __str__(self) -> str:
        return self.subject


@pghistory.track()
class TextItem(models.Model):
    """A piece of an edition; with a selection or a label it is only for those, so each gets an issue of his own."""

    edition = models.ForeignKey(Edition, models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField(_("position"))
    title = models.CharField(_("title"), max_length=150)
    body = models.TextField(_("text"))  # sanitised HTML
    link = models.URLField(_("link"), blank=True)
    link_text = models.CharField(_("link text"), max_length=60, blank=True)
    selection = models.ForeignKey(
        Selection,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("only for selection"),
    )
    label = models.ForeignKey(
        Label, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("only with label")
    )

    class Meta:
        verbose_name = _("text item")
        verbose_name_plural = _("text items")
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(selection__isnull=True) | models.Q(label__isnull=True), name="item_has_one_audience"
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def audience(self) -> dict[str, str | int] | None:
        """Whom it is for, as a block of a content says it; None: everybody."""
        if self.selection_id:
            return {"kind": "selection", "id": self.selection_id}
        return {"kind": "label", "id": self.label_id} if self.label_id else None
