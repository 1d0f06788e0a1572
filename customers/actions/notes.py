"""Write down a contact with a customer, correct what was written, take away what stands with the wrong person."""

from __future__ import annotations

import datetime as dt

import pghistory
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.actions.sources import source
from customers.models import Customer, CustomerChange
from customers.models.notes import LONGEST, Note


@transaction.atomic
def write_note(
    customer: Customer,
    *,
    kind: str,
    text: str,
    by: User,
    now: dt.datetime,
    happened_at: dt.datetime | None = None,
    source_code: str = "workbench",
    external_id: str = "",
    author: str = "",
) -> Note:
    """Add a note; one that another system sent before under ``external_id`` is returned as it is.

    Raises Refused for an empty or long text, a moment ahead, an unknown kind or source.
    """
    told_by = source(source_code)
    if external_id:
        connection.cursor().execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"note:{told_by.pk}:{external_id}"])
        if known := Note.objects.filter(source=told_by, external_id=external_id).first():
            return known
    with pghistory.context(user=by.pk):
        return Note.objects.create(
            customer=customer,
            user=by,
            author=author or by.get_full_name() or by.get_username(),
            source=told_by,
            external_id=external_id,
            created_at=now,
            updated_at=now,
            **_checked(kind, text, happened_at or now, now),
        )


@transaction.atomic
def correct_note(note: Note, *, kind: str, text: str, happened_at: dt.datetime, by: User, now: dt.datetime) -> Note:
    """Write what it should have been; the text before stays in the history. Raises Refused for somebody else's note."""
    note = _locked(note, by)
    wanted = _checked(kind, text, happened_at, now)
    if any(getattr(note, name) != value for name, value in wanted.items()):
        for name, value in wanted.items():
            setattr(note, name, value)
        note.updated_at = now
        with pghistory.context(user=by.pk):
            note.save(update_fields=[*wanted, "updated_at"])
    return note


@transaction.atomic
def remove_note(note: Note, *, by: User, now: dt.datetime) -> None:
    """Remove a note with its history, because it stands with the wrong person; that it was removed is kept."""
    note = _locked(note, by)
    name = (by.get_full_name() or by.get_username())[:150]
    removed = {"note": [str(note.get_kind_display()), ""]}
    CustomerChange.objects.create(customer_id=note.customer_id, fields=removed, changed_by=name, changed_at=now)
    note.events.all().delete()  # type: ignore[attr-defined]
    note.delete()


def may_correct(note: Note, by: User) -> bool:
    """Tell whether somebody may correct or remove it: who wrote it, and who manages users."""
    return note.user_id == by.pk or by.has_perm("common.manage_users")


def _locked(note: Note, by: User) -> Note:
    note = Note.objects.select_for_update().get(pk=note.pk)
    if not may_correct(note, by):
        raise Refused("not_yours", _("Only %s or an administrator can change this note.") % note.author)
    return note


def _checked(kind: str, text: str, happened_at: dt.datetime, now: dt.datetime) -> dict[str, object]:
    text = text.replace("\x00", "").strip()
    if kind not in Note.Kind:
        raise Refused("unknown_kind", _("Choose what kind of note it is."), field="kind")
    if not text:
        raise Refused("no_text", _("Write down what it was about."), field="text")
    if len(text) > LONGEST:
        raise Refused("too_long", _("Write at most %d characters.") % LONGEST, field="text")
    if happened_at > now:
        raise Refused("future", _("This lies in the future."), field="happened_at")
    return {"kind": kind, "text": text, "happened_at": happened_at}
