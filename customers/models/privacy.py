"""What the law asks of us: copies on request, erasure with a receipt, and what was tidied up when its time came."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customers import Customer


class AccessRequest(models.Model):
    """Everything we hold of somebody, asked for (AVG 15, 20), made in a task: a PDF to read, a JSON to take."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        READY = "ready", _("Ready")
        EXPIRED = "expired", _("Expired")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="access_requests")
    asked_by = models.CharField(_("asked by"), max_length=150)  # user name, or "customer"
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField(_("asked at"))
    ready_at = models.DateTimeField(_("ready at"), null=True)
    expires_at = models.DateTimeField(_("expires at"), null=True)
    pdf = models.FileField(upload_to="access/%Y/%m/", blank=True)
    json = models.FileField(upload_to="access/%Y/%m/", blank=True)
    language = models.CharField(max_length=5, default="nl")
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("access request")
        verbose_name_plural = _("access requests")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.state}"


class Erasure(models.Model):
    """The receipt of an erasure (AVG 17): how many rows went from which table; nothing that tells who it was.

    A night of retention has one for all whom it erased: ``persons`` says how many that were.
    """

    class Ground(models.TextChoices):
        REQUEST = "request", _("At the customer's request")
        RETENTION = "retention", _("Retention period over")
        ERROR = "error", _("Entered by mistake")

    ground = models.CharField(_("ground"), max_length=9, choices=Ground)
    erased_by = models.CharField(_("erased by"), max_length=150)
    erased_at = models.DateTimeField(_("erased at"))
    persons = models.PositiveIntegerField(_("persons"), default=1)
    counts = models.JSONField(_("rows per table"), default=dict)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.erased_at:%Y-%m-%d}"


class ErasureRequest(models.Model):
    """A customer who asks to be erased; staff answer. When it is done the request goes with the customer."""

    class State(models.TextChoices):
        OPEN = "open", _("To be answered")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn by the customer")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="erasure_requests")
    asked_at = models.DateTimeField(_("asked at"))
    note = models.TextField(_("in their own words"), blank=True, max_length=1000)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.OPEN)
    answer = models.TextField(_("answer to the customer"), blank=True)
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True)

    class Meta:
        verbose_name = _("request for erasure")
        verbose_name_plural = _("requests for erasure")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.state}"


class ErasedKey(models.Model):
    """A keyed hash of an address or number that was erased: not mailed, not imported until its owner asks.

    Those of one person have one ``erasure``, so that who asks again by one of them is let in by all.
    """

    class What(models.TextChoices):
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")
        NUMBER = "number", _("Customer number")
        HOME = "home", _("Name and address")

    what = models.CharField(max_length=6, choices=What)
    digest = models.BinaryField(max_length=32)
    erased_at = models.DateTimeField()
    erasure = models.ForeignKey(Erasure, models.SET_NULL, null=True, related_name="keys")

    class Meta:
        verbose_name = _("erased key")
        verbose_name_plural = _("erased keys")
        constraints = [models.UniqueConstraint(fields=["digest", "what"], name="erased_key_once")]

    def __str__(self) -> str:
        return self.what


@pghistory.track()
class RetentionSetting(models.Model):
    """What the organisation chose for a rule of retention (``customers.privacy.retention``); without a row the rule's
    own default holds. ``period`` counts in the rule's unit: days or months.
    """

    code = models.SlugField(_("code"), max_length=40, unique=True)
    is_on = models.BooleanField(_("switched on"))
    period = models.PositiveSmallIntegerField(_("kept for"))

    class Meta:
        verbose_name = _("retention period")
        verbose_name_plural = _("retention periods")
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code}: {self.period}"


class RetentionRun(models.Model):
    """What one night's retention did: rows per rule; once a day."""

    day = models.DateField(_("day"), unique=True)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    counts = models.JSONField(_("counts"), default=dict)

    class Meta:
        verbose_name = _("retention run")
        verbose_name_plural = _("retention runs")
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"{self.day}"


@pghistory.track()
class RegisterTexts(models.Model):
    """What only the organisation can say in its register of processing (AVG 30); one row, id 1."""

    controller = models.TextField(_("controller"), blank=True)  # name, address, telephone, e-mail
    officer = models.TextField(_("data protection officer"), blank=True)
    recipients = models.TextField(_("other recipients"), blank=True)
    transfers = models.TextField(_("transfers outside the European Economic Area"), blank=True)
    security = models.TextField(_("security measures"), blank=True)
    changed_at = models.DateTimeField(_("changed at"), null=True)

    class Meta:
        verbose_name = _("texts of the register of processing")
        verbose_name_plural = _("texts of the register of processing")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="only_one_row_of_register_texts")]

    def __str__(self) -> str:
        return self.controller

    @classmethod
    def load(cls) -> RegisterTexts:
        """Return the texts; before anybody saved them an empty row that is not in the database."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)
