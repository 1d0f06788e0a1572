"""Newsletters, their editions, and the text items an edition is composed of."""

from __future__ import annotations

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Purpose
from labels.models import Label
from mailings.models import Mailing
from selections.models import Selection


@pghistory.track()
class Newsletter(models.Model):
    """A recurring newsletter. Being subscribed is a granted consent for its own ``purpose``: there is no second list."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.TextField(_("description"), blank=True)  # shown to customers in MijnMenu
    purpose = models.OneToOneField(
        Purpose, models.PROTECT, related_name="newsletter", verbose_name=_("purpose")
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("newsletter")
        verbose_name_plural = _("newsletters")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Edition(models.Model):
    """One issue of a newsletter: draft, planned for a moment, or handed to the gate as a mailing."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PLANNED = "planned", _("Planned")
        SENT = "sent", _("Handed over for sending")

    newsletter = models.ForeignKey(
        Newsletter, models.CASCADE, related_name="editions", verbose_name=_("newsletter")
    )
    subject = models.CharField(_("subject"), max_length=200)
    preheader = models.CharField(_("preview text"), max_length=200, blank=True)
    introduction = models.TextField(_("introduction"), blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.DRAFT)
    send_at = models.DateTimeField(_("send at"), null=True, blank=True)
    mailing = models.OneToOneField(Mailing, models.SET_NULL, null=True, blank=True, related_name="edition")
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("edition")
        verbose_name_plural = _("editions")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.subject


@pghistory.track()
class TextItem(models.Model):
    """A piece of an edition; with a selection or a label it appears only for those people, so each gets his own issue."""

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

    def __str__(self) -> str:
        return self.title
