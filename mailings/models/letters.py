"""Letters on paper: the piles that were printed, in which envelope each reader's letter is, and what came back."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from mailings.models.mailings import Mailing, Message


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange("posted_at", "undone_at", "reprint_count")),
    fields=["letter_count", "cents_each", "posted_at", "undone_at", "reprint_count"],
    model_name="LetterBatchEvent",
    obj_field=pghistory.ObjForeignKey(related_name="events"),
)
class LetterBatch(models.Model):
    """A pile of letters of a mailing, ready to print: ``letter_count`` envelopes, numbered from 1, as one PDF, or as a
    ZIP of several when there are many.

    Until it was posted it can be undone: its letters wait again, and those on paper are thrown away. ``file`` is empty
    once it has been removed; it can be made again.
    """

    mailing = models.ForeignKey(Mailing, models.CASCADE, related_name="letter_batches")
    file = models.FileField(_("file"), upload_to="letters/%Y/%m/")
    letter_count = models.PositiveIntegerField(_("letters"))
    cents_each = models.PositiveIntegerField(_("cost of a letter"), default=0)  # at that time; 0: nobody said
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created at"))
    posted_at = models.DateTimeField(_("posted at"), null=True)
    undone_at = models.DateTimeField(_("undone at"), null=True)
    reprint_count = models.PositiveIntegerField(_("times printed again"), default=0)

    class Meta:
        verbose_name = _("letter batch")
        verbose_name_plural = _("letter batches")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(posted_at=None) | models.Q(undone_at=None), name="letters_posted_or_undone"
            )
        ]

    def __str__(self) -> str:
        return self.file.name or ""

    @property
    def file_type(self) -> str:
        """The type of its file: that of a PDF, or of a ZIP with more than one."""
        return "application/zip" if (self.file.name or "").endswith(".zip") else "application/pdf"

    @property
    def cents(self) -> int:
        """What the whole pile costs; nothing when it was undone."""
        return 0 if self.undone_at else self.letter_count * self.cents_each


class PrintedLetter(models.Model):
    """In which envelope of which pile the letter of a message is; a household shares one envelope."""

    batch = models.ForeignKey(LetterBatch, models.CASCADE, related_name="printed", db_index=False)
    number = models.PositiveIntegerField(_("number"))  # of the envelope in its pile, from 1
    message = models.OneToOneField(Message, models.CASCADE, related_name="printed_letter")
    # where it went, as the key of a household; empty for what was printed before this was kept
    address_key = models.CharField(_("address"), max_length=60, blank=True, default="", db_default="")
    # where it went when it was printed again to another address: time (of the pile) -> key
    later_keys = models.JSONField(_("later addresses"), default=dict, db_default={})

    class Meta:
        verbose_name = _("printed letter")
        verbose_name_plural = _("printed letters")
        ordering = ["batch", "number", "id"]
        indexes = [models.Index(fields=["batch", "number"], name="printed_letter_of_batch")]

    def __str__(self) -> str:
        return f"{self.batch_id}-{self.number}"


class PostReturn(models.Model):
    """A letter to a customer that came back. ``message`` is empty when only his number was known.

    ``state_before`` is what was known of his address until then, so that a slip can be taken back. The letter may have
    gone to an address that he has left since: then ``was_old_address``, and nothing is held against the new one.
    """

    class Reason(models.TextChoices):
        UNKNOWN = "unknown", _("Unknown at this address")
        MOVED = "moved", _("Moved away")
        REFUSED = "refused", _("Refused")
        OTHER = "other", _("Another reason, or none given")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="post_returns")
    message = models.OneToOneField(Message, models.CASCADE, null=True, related_name="post_return")
    reason = models.CharField(_("reason"), max_length=8, choices=Reason)
    # of its pile, as the code says
    again = models.PositiveIntegerField(_("time printed again"), default=0, db_default=0)
    state_before = models.CharField(max_length=8, blank=True)
    was_old_address = models.BooleanField(_("was sent to an earlier address"), default=False)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("returned letter")
        verbose_name_plural = _("returned letters")
        ordering = ["-recorded_at", "-id"]
        indexes = [models.Index(fields=["-recorded_at", "-id"], name="post_return_by_time")]

    def __str__(self) -> str:
        return self.reason
