"""How data comes in: a run per file, and a line for every row that was refused."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customers import Source


@pghistory.track()
class Feed(models.Model):
    """A regular delivery of a source: what is in the file, how its columns are called, and when it comes.

    ``mapping`` is column of the format -> ``{"column": "LENERNR"}`` or ``{"constant": "lid"}``, with
    ``"values": {"Man": "m"}`` where its words are not ours.
    """

    class Matching(models.TextChoices):
        KEY = "key", _("The number at the source")
        NUMBER = "number", _("Our own customer number")
        EMAIL = "email", _("E-mail address and name")

    class Schedule(models.TextChoices):
        NONE = "", _("Only when somebody uploads a file")
        HOURLY = "hourly", _("Look in the folder every hour")
        DAILY = "daily", _("Look in the folder every day")

    source = models.ForeignKey(Source, models.PROTECT, related_name="feeds", verbose_name=_("source"))
    name = models.CharField(_("name"), max_length=100)
    delivers = models.CharField(_("what is in it"), max_length=16)  # code of customers.imports.formats
    mapping = models.JSONField(_("columns"), default=dict, blank=True)
    delimiter = models.CharField(_("delimiter"), max_length=1, blank=True)  # empty: found out
    encoding = models.CharField(_("character set"), max_length=10, blank=True)  # empty: found out
    matching = models.CharField(_("matched by"), max_length=6, choices=Matching, default=Matching.KEY)
    folder = models.CharField(_("folder"), max_length=200, blank=True)  # below settings.IMPORT_FOLDER
    pattern = models.CharField(_("file names"), max_length=100, default="*.csv", blank=True)
    schedule = models.CharField(_("schedule"), max_length=6, choices=Schedule, blank=True, default="")
    at = models.TimeField(_("at"), null=True, blank=True)  # of a daily one, Amsterdam's time
    needs_approval = models.BooleanField(_("show first what it will change"), default=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_whole = models.BooleanField(_("holds everybody whom the source knows"), default=False, db_default=False)
    next_look_at = models.DateTimeField(_("looks next at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["source__name", "name"]
        constraints = [models.UniqueConstraint(fields=["source", "name"], name="feed_once_per_source")]

    def __str__(self) -> str:
        return self.name


class ImportRun(models.Model):
    """One file taken in. All of it happens in one transaction, so a run is either done or without any effect.

    With ``needs_approval`` it stops at PREVIEWED: counted and shown (``preview``), nothing written, until somebody
    says yes.
    """

    class Format(models.TextChoices):
        BRANCHES = "branches", _("Branches")
        CUSTOMERS = "customers", _("Customers")
        SUBSCRIPTIONS = "subscriptions", _("Subscriptions")
        CONSENTS = "consents", _("Consents")
        FACTS = "facts", _("Facts (loans, ticket sales, …)")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        PREVIEWED = "previewed", _("Waiting for your yes")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        CANCELLED = "cancelled", _("Not taken in")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")

    # A code of customers.imports.formats; apps above may bring formats of their own (labels).
    format = models.CharField(_("format"), max_length=16)
    feed = models.ForeignKey(Feed, models.SET_NULL, null=True, related_name="runs", verbose_name=_("delivery"))
    source = models.ForeignKey(Source, models.PROTECT, verbose_name=_("source"))
    file = models.FileField(_("file"), upload_to="imports/%Y/%m/")
    file_name = models.CharField(_("file name"), max_length=255)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.WAITING)
    refusal = models.TextField(_("why refused"), blank=True)
    row_count = models.PositiveIntegerField(_("rows"), default=0)
    new_count = models.PositiveIntegerField(_("new"), default=0)
    changed_count = models.PositiveIntegerField(_("changed"), default=0)
    same_count = models.PositiveIntegerField(_("unchanged"), default=0)
    refused_count = models.PositiveIntegerField(_("refused"), default=0)
    remarks = models.JSONField(default=dict, blank=True)  # code of customers.imports.remedies.REMARKS -> how many rows
    percent = models.PositiveSmallIntegerField(_("progress"), default=0)  # of the file read and written
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)  # a file that kills its worker is given up
    needs_approval = models.BooleanField(_("show first what it will change"), default=False)
    preview = models.JSONField(default=dict, blank=True)  # samples of what it would write, as the page shows them
    approved_by = models.CharField(_("approved by"), max_length=150, blank=True)
    undone_by = models.CharField(_("undone by"), max_length=150, blank=True)
    undone_at = models.DateTimeField(_("undone at"), null=True)
    undo_counts = models.JSONField(default=dict, blank=True)  # {"removed": n, "restored": n, "kept": n}
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


class ImportChange(models.Model):
    """A row as it was before an import changed it; new rows carry the run's id themselves (``run_id``)."""

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="changes")
    table = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    before = models.JSONField()
    after = models.JSONField()

    class Meta:
        verbose_name = _("change by an import")
        verbose_name_plural = _("changes by imports")
        constraints = [models.UniqueConstraint(fields=["run", "table", "row_id"], name="import_change_once")]
        # Undoing asks of each row whether a later run changed it, erasing removes what was noted of one.
        indexes = [models.Index(fields=["row_id", "table"], name="import_change_of_row")]

    def __str__(self) -> str:
        return f"{self.table} {self.row_id}"
