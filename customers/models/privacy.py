"""What the law asks of us: copies on request, erasure with a receipt, and what was tidied up when its time came."""

from __future__ import annotations

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
    """The receipt of an erasure (AVG 17): how many rows went from which table; nothing that tells who it was."""

    class Ground(models.TextChoices):
        REQUEST = "request", _("At the customer's request")
        RETENTION = "retention", _("Retention period over")
        ERROR = "error", _("Entered by mistake")

    ground = models.CharField(_("ground"), max_length=9, choices=Ground)
    erased_by = models.CharField(_("erased by"), max_length=150)
    erased_at = models.DateTimeField(_("erased at"))
    counts = models.JSONField(_("rows per table"), default=dict)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.erased_at:%Y-%m-%d}"


class ErasedKey(models.Model):
    """A keyed hash of an address or number that was erased: not mailed, not imported until its owner asks."""

    class What(models.TextChoices):
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")
        NUMBER = "number", _("Customer number")
        HOME = "home", _("Name and address")

    what = models.CharField(max_length=6, choices=What)
    digest = models.BinaryField(max_length=32)
    erased_at = models.DateTimeField()

    class Meta:
        verbose_name = _("erased key")
        verbose_name_plural = _("erased keys")
        constraints = [models.UniqueConstraint(fields=["digest", "what"], name="erased_key_once")]

    def __str__(self) -> str:
        return self.what


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
