"""A pile of printed letters: it is posted, undone, or printed again."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import Customer
from mailings.actions.history import By, noted
from mailings.actions.states import finish_mailings, set_state
from mailings.models import LetterBatch, Mailing, Message, PrintedLetter
from mailings.piles import LETTERS_PER_PDF, Place, key_of, pdf_of, places_of

UNDO_DAYS = 30  # who has not said so by then has posted them


@transaction.atomic
def post_batch(batch: LetterBatch, *, by: By = None, now: dt.datetime) -> LetterBatch:
    """Note that a pile was brought to the post; it cannot be undone any more. Raises Refused when it was undone."""
    batch = _held(batch)
    _check_not_undone(batch)
    if batch.posted_at is None:
        batch.posted_at = now
        with noted(by):
            batch.save(update_fields=["posted_at"])
    return batch


def can_undo(batch: LetterBatch, *, now: dt.datetime) -> bool:
    """Whether a pile can still be undone: nobody posted it, and it is not too long ago."""
    return not (batch.posted_at or batch.undone_at) and now - batch.created_at < dt.timedelta(days=UNDO_DAYS)


@transaction.atomic
def undo_batch(batch: LetterBatch, *, by: By = None, now: dt.datetime) -> int:
    """Let the letters of a pile wait again, as if it had not been printed, and return of how many readers.

    Its file goes; those on paper have to be thrown away. In a cancelled mailing they are withdrawn. Raises Refused when
    the pile was posted or is too old.
    """
    mailing = Mailing.objects.select_for_update(no_key=True).get(pk=batch.mailing_id)
    batch = _held(batch)
    _check_not_undone(batch)
    if not can_undo(batch, now=now):
        raise Refused("wrong_state", _("These letters have been posted. They cannot be undone any more."))
    count = _let_wait(batch, is_cancelled=mailing.state == Mailing.State.CANCELLED, now=now)
    _remove_file(batch)
    batch.undone_at = now
    with noted(by):
        batch.save(update_fields=["undone_at", "file"])
    if mailing.state == Mailing.State.FINISHED:
        set_state(mailing, Mailing.State.SENDING, by=by)
        finish_mailings(now=now)
    return count


@transaction.atomic
def reprint(batch: LetterBatch, *, first: int = 1, last: int | None = None, by: By = None, now: dt.datetime) -> bytes:
    """Return envelopes ``first`` to ``last`` (the end, as far as one PDF goes) of a pile as PDF; nothing counts as sent
    again. They go to where people live now: to another address than before under a code of its own, so that what comes
    back is known by that.

    Who objected or moved away since is left out. Raises Refused when it was undone, for more than one PDF holds, and
    when nobody is left.
    """
    batch = _held(batch)
    _check_not_undone(batch)
    last = min(batch.letter_count, first + LETTERS_PER_PDF - 1) if last is None else last
    if not 1 <= first <= last <= batch.letter_count:
        words = _("Choose letters from 1 up to and including %(last)d, the first one first.")
        raise Refused("range", words % {"last": batch.letter_count}, field="first")
    if last - first >= LETTERS_PER_PDF:
        raise Refused("too_many", _("Choose at most %(most)d letters at a time.") % {"most": LETTERS_PER_PDF})
    places = places_of(batch, first=first, last=last, now=now)
    if not places:
        raise Refused("nobody", _("None of these people may be written any more."))
    batch.reprint_count += 1
    with noted(by):
        batch.save(update_fields=["reprint_count"])
    return pdf_of(batch, places, again=_keep_moved(batch, places))


def _keep_moved(batch: LetterBatch, places: list[Place]) -> dict[int, int]:
    """Write down whose letters go to another address than the first time, and return their messages: id -> the time.
    Of who shared an envelope each is looked at by himself: the letter of who stayed follows nobody who left.
    """
    people = Customer.objects.in_bulk([place.customer_id for place in places])
    printed = PrintedLetter.objects.in_bulk([place.message_id for place in places], field_name="message_id")
    to = {place.message_id: key_of(people[place.customer_id]) for place in places}
    moved = [
        one
        for place in places
        if (one := printed[place.message_id]).address_key and one.address_key != to[place.message_id]
    ]
    for one in moved:
        one.later_keys = {**one.later_keys, str(batch.reprint_count): to[one.message_id]}
    PrintedLetter.objects.bulk_update(moved, ["later_keys"])
    return {one.message_id: batch.reprint_count for one in moved}


def _held(batch: LetterBatch) -> LetterBatch:
    held = LetterBatch.objects.select_for_update(of=("self",), no_key=True).select_related("mailing__purpose")
    return held.get(pk=batch.pk)


def _check_not_undone(batch: LetterBatch) -> None:
    if batch.undone_at:
        raise Refused("wrong_state", _("These letters were undone; they are in no pile any more."))


def _let_wait(batch: LetterBatch, *, is_cancelled: bool, now: dt.datetime) -> int:
    messages = Message.objects.filter(printed_letter__batch=batch, state=Message.State.SENT)
    back: dict[str, Any] = {"sent_at": None, "state_at": now, "attempts": 0, "state": Message.State.QUEUED}
    if is_cancelled:
        back |= {"state": Message.State.WITHDRAWN, "withdrawn_because": Message.Withdrawn.CANCELLED}
    count = Message.objects.filter(pk__in=list(messages.values_list("pk", flat=True))).update(**back)
    batch.printed.all().delete()
    return count


def _remove_file(batch: LetterBatch) -> None:
    name = batch.file.name
    if name:
        transaction.on_commit(lambda: default_storage.delete(name))
    batch.file = ""
