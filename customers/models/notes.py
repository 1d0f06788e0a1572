"""What staff wrote down of a contact with a customer: a call, a visit, a complaint."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customers import Customer, Source

LONGEST = 4000  # characters of a text


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(exclude=["customer"])),
    exclude=["customer"],  # a merge moves notes; their history hangs on them
)
class Note(models.Model):
    """A note or the report of a contact. Who wrote it, or an administrator, may correct it; earlier texts stay.

    ``author`` is the name as it was; ``external_id`` makes a row from another system come in once.
    """

    class Kind(models.TextChoices):
        NOTE = "note", _("Note")
        CALL = "call", _("Phone call")
        MAIL = "mail", _("E-mail or letter")
        VISIT = "visit", _("Visit")
        COMPLAINT = "complaint", _("Complaint")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="notes", db_index=False)
    kind = models.CharField(_("kind"), max_length=9, choices=Kind)
    text = models.TextField(_("text"), max_length=LONGEST)
    happened_at = models.DateTimeField(_("when"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    author = models.CharField(_("written by"), max_length=150)
    source = models.ForeignKey(Source, models.PROTECT, related_name="+", verbose_name=_("source"))
    external_id = models.CharField(_("external id"), max_length=80, blank=True)
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["-happened_at", "-id"]
        indexes = [models.Index(fields=["customer", "-happened_at"], name="note_of_customer")]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"], condition=~models.Q(external_id=""), name="note_once_per_source"
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.kind}"
