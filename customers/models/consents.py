"""What customers allow: purposes, and an append-only ledger from which every present state is derived."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models.customers import Customer, Source


class Channel(models.TextChoices):
    """Ways to reach somebody, each with its own permission."""

    EMAIL = "email", _("E-mail")
    POST = "post", _("Post")
    PHONE = "phone", _("Phone")
    SMS = "sms", _("SMS")


class Purpose(models.Model):
    """What we would reach somebody for. ``rule`` says what holds while the ledger is silent (Tw 11.7, AVG 6
    and 21).

    - service: part of the service itself, needs no permission, only for people we have a relation with;
    - marketing: e-mail, SMS and phone need a yes, or (e-mail) a paying member relation; post may until a no;
    - opt_in: never without a yes, on any channel (newsletters, profiling, open tracking).
    """

    class Rule(models.TextChoices):
        SERVICE = "service", _("Service: no permission needed")
        MARKETING = "marketing", _("Marketing: permission or customer relation; post until objection")
        OPT_IN = "opt_in", _("Only with permission")

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True)  # shown to customers in MijnMenu
    rule = models.CharField(_("rule"), max_length=12, choices=Rule)
    is_public = models.BooleanField(_("shown in MijnMenu"), default=True)

    class Meta:
        verbose_name = _("purpose")
        verbose_name_plural = _("purposes")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Consent(models.Model):
    """One event in the ledger: who allowed or refused what, over which channel, when, how and with which
    words.

    Rows are never changed or deleted (a database trigger refuses it). The latest by ``event_at`` wins; at a
    tie the refusal wins; an objection beats every basis that is only inferred.
    """

    class State(models.TextChoices):
        GRANTED = "granted", _("Yes")
        WITHDRAWN = "withdrawn", _("No")
        OBJECTED = "objected", _("Objection")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="consents", db_index=False)
    purpose = models.ForeignKey(Purpose, models.PROTECT, related_name="+", db_index=False, verbose_name=_("purpose"))
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    state = models.CharField(_("state"), max_length=10, choices=State)
    source = models.ForeignKey(Source, models.PROTECT, db_index=False, verbose_name=_("source"))
    actor = models.CharField(_("by whom"), max_length=150, blank=True)  # user name, "customer", "import 12"
    wording_version = models.CharField(_("wording version"), max_length=40, blank=True)
    evidence = models.JSONField(_("evidence"), default=dict, blank=True)
    event_at = models.DateTimeField(_("when"))
    received_at = models.DateTimeField(_("received at"), db_default=Now())

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            # The same file imported twice changes nothing.
            models.UniqueConstraint(
                fields=["customer", "purpose", "channel", "event_at", "state", "source"], name="consent_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose_id} {self.channel} {self.state}"
