"""What customers allow: purposes, and an append-only ledger from which every present state is derived."""

from __future__ import annotations

import datetime as dt

import pghistory
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


@pghistory.track()
class Purpose(models.Model):
    """What we would reach somebody for, or do with what we know of him. ``rule`` says what sort of purpose it is;
    on what ground it may use a channel stands in ``PurposeChannel`` (Tw 11.7, AVG 6 and 21).

    - service: part of the service itself; the caps and control groups of marketing do not touch it;
    - marketing: tips and offers, which may rest on other grounds than a yes;
    - opt_in: what people ask for themselves (newsletters), or allow us to do (profiling, open tracking).
    """

    class Rule(models.TextChoices):
        SERVICE = "service", _("Service: belongs to the membership")
        MARKETING = "marketing", _("Marketing: tips and offers")
        OPT_IN = "opt_in", _("On request: newsletters and the like")

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


@pghistory.track()
class PurposeChannel(models.Model):
    """On what ground a purpose may use a channel while the ledger is silent; a channel without a row needs a yes.

    RELATION is the customer exception of Tw 11.7(3). It holds for who has a payment obligation, and only once the
    organisation has confirmed the other four conditions here.
    """

    class Basis(models.TextChoices):
        CONSENT = "consent", _("Only with permission")
        RELATION = "customer_relation", _("Customer relation (Tw 11.7)")
        SERVICE = "service", _("Part of the service")
        INTEREST = "legitimate_interest", _("Legitimate interest, until objection")
        NONE = "none", _("Not used")

    purpose = models.ForeignKey(Purpose, models.CASCADE, related_name="channels", verbose_name=_("purpose"))
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    basis = models.CharField(_("legal basis"), max_length=20, choices=Basis, default=Basis.CONSENT)
    same_entity = models.BooleanField(_("we are the organisation that they pay"), default=False)
    was_informed = models.BooleanField(_("they were told when they gave their address"), default=False)
    could_refuse = models.BooleanField(_("they could refuse at that moment"), default=False)
    own_similar = models.BooleanField(_("it is about our own, similar offer"), default=False)
    needs_double_opt_in = models.BooleanField(_("confirmed by e-mail (double opt-in)"), default=False)
    # Null: since there is this purpose. What held before stands in the history: customers_grounds(as_of) reads it.
    since = models.DateTimeField(_("since"), null=True, editable=False)

    class Meta:
        verbose_name = _("channel of a purpose")
        verbose_name_plural = _("channels of a purpose")
        constraints = [models.UniqueConstraint(fields=["purpose", "channel"], name="purpose_channel_once")]

    def __str__(self) -> str:
        return f"{self.purpose_id} {self.channel}: {self.basis}"

    @property
    def is_confirmed(self) -> bool:
        """Whether the organisation has confirmed all conditions of the customer relation that it must answer for."""
        return self.same_entity and self.was_informed and self.could_refuse and self.own_similar

    @property
    def effective(self) -> str:
        """The basis that holds at present, which the API tells: a customer relation that is not confirmed is none."""
        unconfirmed = self.basis == self.Basis.RELATION and not self.is_confirmed
        return self.Basis.CONSENT.value if unconfirmed else self.basis


class WordingQuerySet(models.QuerySet["Wording"]):
    """Reads of wordings."""

    def current(self, *, now: dt.datetime) -> WordingQuerySet:
        """Keep those in use at ``now``: the newest of each purpose."""
        return self.filter(valid_from__lte=now).order_by("purpose_id", "-valid_from", "-pk").distinct("purpose_id")


@pghistory.track()
class Wording(models.Model):
    """The words to which people say yes; a version is never changed once somebody answered it; a trigger sees to it."""

    purpose = models.ForeignKey(Purpose, models.PROTECT, related_name="wordings", verbose_name=_("purpose"))
    version = models.CharField(_("version"), max_length=40)
    text = models.TextField(_("text"))
    valid_from = models.DateTimeField(_("valid from"))

    objects = WordingQuerySet.as_manager()

    class Meta:
        verbose_name = _("wording")
        verbose_name_plural = _("wordings")
        ordering = ["-valid_from"]
        constraints = [models.UniqueConstraint(fields=["purpose", "version"], name="wording_once")]

    def __str__(self) -> str:
        return self.version


class Consent(models.Model):
    """One event in the ledger: who allowed or refused what, over which channel, when, how and with which
    words.

    Rows are never changed or deleted (a database trigger refuses it). The latest by ``event_at`` wins; at a
    tie the refusal wins; an objection beats every basis that is only inferred. A row RETRACTED says that the row it
    names (``retracts``) was never said: an import that was undone.

    The rows of one ``subject_id`` (the customer as whom it was recorded, whatever merged since) are a chain:
    ``position`` counts, ``hash`` covers the row and the hash before it. The database fills all three in.
    """

    class State(models.TextChoices):
        GRANTED = "granted", _("Yes")
        WITHDRAWN = "withdrawn", _("No")
        OBJECTED = "objected", _("Objection")
        RETRACTED = "retracted", _("Taken back")

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
    # A parent who answered for a child under 16 (AVG 8); no foreign key, the ledger outlives rows.
    guardian_id = models.BigIntegerField(null=True, blank=True)
    retracts = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    run_id = models.BigIntegerField(null=True, editable=False)
    subject_id = models.BigIntegerField(editable=False, db_default=0)
    position = models.IntegerField(editable=False, db_default=0)
    hash = models.BinaryField(max_length=32, editable=False, db_default=b"")

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            # The same file imported twice changes nothing.
            models.UniqueConstraint(
                fields=["customer", "purpose", "channel", "event_at", "state", "source"], name="consent_once"
            ),
            models.UniqueConstraint(fields=["subject_id", "position"], name="consent_chain"),
            models.CheckConstraint(
                condition=models.Q(state="retracted", retracts__isnull=False)
                | ~models.Q(state="retracted") & models.Q(retracts__isnull=True),
                name="retraction_names_a_row",
            ),
        ]
        indexes = [
            models.Index(fields=["retracts"], condition=models.Q(retracts__isnull=False), name="consent_retracted"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose_id} {self.channel} {self.state}"


class LedgerCheck(models.Model):
    """One look at the whole ledger: does every chain hold? ``broken`` names at most 1,000 rows: [[id, what], …]."""

    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    row_count = models.BigIntegerField(_("rows"), default=0)
    last_id = models.BigIntegerField(_("last row"), default=0)
    broken_count = models.BigIntegerField(_("broken"), default=0)
    missing_count = models.BigIntegerField(_("missing"), default=0)  # gone since the check before, without an erasure
    broken = models.JSONField(default=list)

    class Meta:
        verbose_name = _("check of the ledger")
        verbose_name_plural = _("checks of the ledger")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d}: {self.broken_count}"

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found."""
        return not self.broken_count and not self.missing_count
