"""Print the letters of a mailing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

from django.contrib.auth.models import User
from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import execute
from customers.consents import verdicts_sql
from customers.models import Channel, Customer
from mailings.actions.history import By, noted
from mailings.actions.states import finish_mailings
from mailings.models import LetterBatch, Mailing, Message, PrintedLetter, SendingSettings
from mailings.piles import Place, changed, key_of, waiting_places, write_pile

PRINT_LOCK = 0x7072696E
PRINT_AT_ONCE = 100  # letters; more than somebody who asks should wait for
MOST_PER_BATCH = 1000  # letters: about a minute of work and a stack of paper that a person can carry


def print_letters(mailing: Mailing, *, by: By = None, now: dt.datetime) -> LetterBatch:
    """Print the waiting letters of a mailing, by postal code, and count them as sent: both or neither.

    Who objected or moved away since the gate is taken out first; one envelope per household where the mailing says so.
    At most 1000 at a time; call again for the next. Raises Refused when none is waiting, when the mailing is not being
    sent, and when letters were withdrawn in the meantime.
    """
    _withdraw_refused(mailing, now=now)
    return _print_waiting(mailing, by=by, now=now)


def is_large_pile(mailing: Mailing) -> bool:
    """Return whether so many letters wait that a worker prints them (``tasks.print_letters_of``)."""
    waiting = mailing.messages.filter(channel=Message.Channel.POST, state=Message.State.QUEUED)
    return waiting.count() > PRINT_AT_ONCE


def check_printable(mailing: Mailing) -> None:
    """Raises Refused when letters of this mailing cannot be printed now."""
    _check_sending(mailing)


def _withdraw_refused(mailing: Mailing, *, now: dt.datetime) -> None:
    waiting = f"mailing_id = {mailing.pk:d} AND channel = 'post' AND state = 'queued'"
    own = f"SELECT customer_id FROM mailings_message WHERE {waiting}"  # noqa: S608 - a number of ours
    verdicts = verdicts_sql(own, purpose=mailing.purpose, channel=Channel.POST, as_of=now)
    execute(
        f"""
        UPDATE mailings_message AS message
        SET state = 'withdrawn', state_at = %(now)s,
            withdrawn_because = CASE WHEN verdict.verdict <> 'allowed' THEN 'no_permission' ELSE 'no_address' END
        FROM ({verdicts}) AS verdict JOIN customers_customer AS customer ON customer.id = verdict.customer_id
        WHERE message.mailing_id = %(mailing)s AND message.channel = 'post' AND message.state = 'queued'
        AND verdict.customer_id = message.customer_id
        AND (verdict.verdict <> 'allowed' OR customer.address_state <> '' OR customer.merged_into_id IS NOT NULL
            OR '' IN (customer.street, customer.postal_code, customer.city))
        """,  # noqa: S608
        {"now": now, "mailing": mailing.pk},
    )
    finish_mailings(now=now)


@transaction.atomic
def _print_waiting(mailing: Mailing, *, by: By, now: dt.datetime) -> LetterBatch:
    """Lay the letters out while nobody waits for us, so that pausing and cancelling take effect at once; what they
    changed meanwhile throws the pile away.
    """
    execute("SELECT pg_advisory_xact_lock(%s, %s)", [PRINT_LOCK, mailing.pk % 2**31])  # the next pile is another one
    places = waiting_places(mailing, most=MOST_PER_BATCH)
    if not places:
        raise Refused("no_letters", _("There are no letters waiting in this mailing."))
    _check_sending(Mailing.objects.get(pk=mailing.pk))
    batch = LetterBatch(mailing=mailing, letter_count=places[-1].number, created_at=now)
    batch.cents_each = SendingSettings.load().letter_cents
    batch.created_by = by if isinstance(by, User) else None
    with noted(by), TemporaryFile() as file:
        batch.save()
        _keep(batch, places)
        kind = write_pile(batch, places, file)
        _hold(mailing, places)
        batch.file.save(f"{mailing.pk}-{now:%Y%m%d-%H%M%S}.{kind}", File(file))
    with _file_goes_too(batch):
        Message.objects.filter(pk__in=[place.message_id for place in places]).update(
            state=Message.State.SENT, sent_at=now, state_at=now, attempts=1
        )
        finish_mailings(now=now)
    return batch


def _check_sending(mailing: Mailing) -> None:
    if mailing.state != Mailing.State.SENDING:
        raise Refused("wrong_state", _("Letters are printed while a mailing is being sent; this one is not."))


def _hold(mailing: Mailing, places: list[Place]) -> None:
    """Hold the mailing and these letters until the end. Raises Refused when they do not all wait any more."""
    _check_sending(Mailing.objects.select_for_update(no_key=True).get(pk=mailing.pk))
    waiting = Message.objects.filter(pk__in=[place.message_id for place in places], state=Message.State.QUEUED)
    if len(waiting.order_by("id").select_for_update().values_list("id", flat=True)) < len(places):
        raise changed()


@contextmanager
def _file_goes_too(batch: LetterBatch) -> Iterator[None]:
    """When what follows fails, take the file away: no row would tell that names and addresses lie there."""
    try:
        yield
    except BaseException:
        batch.file.storage.delete(batch.file.name or "")
        raise


def _keep(batch: LetterBatch, places: list[Place]) -> None:
    """Write down which letter is in which envelope, and to which address it went."""
    people = Customer.objects.in_bulk([place.customer_id for place in places])
    PrintedLetter.objects.bulk_create(
        PrintedLetter(
            batch=batch,
            number=place.number,
            message_id=place.message_id,
            address_key=key_of(people[place.customer_id]),
        )
        for place in places
    )
