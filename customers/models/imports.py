"""How data comes in: a run per file, and a line for every row that was refused."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customers import Source


class ImportRun(models.Model):
    """One file taken in. All of it happens in one transaction, so a run is either done or without any effect."""

    class Format(models.TextChoices):
        BRANCHES = "branches", _("Branches")
        CUSTOMERS = "customers", _("Customers")
        SUBSCRIPTIONS = "subscriptions", _("Subscriptions")
        CONSENTS = "consents", _("Consents")
        FACTS = "facts", _("Facts (loans, ticket sales, …)")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")

    format = models.CharField(_("format"), max_length=16, choices=Format)
    source = models.ForeignKey(Source, models.PROTECT, verbose_name=_("source"))
    file = models.FileField(_("file"), upload_to="imports/%Y/%m/")
    file_name = models.CharField(_("file name"), max_length=255)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    refusal = models.TextField(_("why refused"), blank=True)
    row_count = models.PositiveIntegerField(_("rows"), default=0)
    new_count = models.PositiveIntegerField(_("new"), default=0)
    changed_count = models.PositiveIntegerField(_("changed"), default=0)
    same_count = models.PositiveIntegerField(_("unchanged"), default=0)
    refused_count = models.PositiveIntegerField(_("refused"), default=0)
    percent = models.PositiveSmallIntegerField(_("progress"), default=0)  # of the file read and written
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)  # a file that kills its worker is given up
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.file_name


class ImportError(models.Model):  # noqa: A001 - a row of an import; nobody means the builtin here
    """One refused row: where, which value, what is wrong with it and what to do."""

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="errors")
    row_number = models.PositiveIntegerField(_("row"))  # as a spreadsheet shows it: the header is row 1
    column = models.CharField(_("column"), max_length=80, blank=True)
    value = models.CharField(_("value"), max_length=200, blank=True)
    code = models.CharField(_("problem"), max_length=40)
    remedy = models.TextField(_("remedy"))

    class Meta:
        verbose_name = _("refused row")
        verbose_name_plural = _("refused rows")
        ordering = ["row_number", "id"]

    def __str__(self) -> str:
        return f"{self.row_number}: {self.code}"
