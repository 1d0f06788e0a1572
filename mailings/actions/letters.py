"""Print the letters of a mailing."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import execute
from customers.consents import verdicts_sql
from customers.models import Channel, Customer
from mailings.actions.history import By
from mailings.actions.states import finish_mailings
from mailings.letters import Letter, print_pdf
from mailings.models import LetterBatch, Mailing, Message, SendingSettings
from mailings.recipients import load_recipients

MOST_PER_BATCH = 1000  # letters in one PDF: about ten seconds of work and a stack of paper that a person can carry


def print_letters(mailing: Mailing, *, by: By = None, now: dt.datetime) -> LetterBatch:
    """Print the waiting letters of a mailing, by postal code, and count them as sent: both or neither.

    Who objected or moved away since the gate is taken out first. At most 1000 at a time; call again for the next.
    Raises Refused when none is waiting or the mailing is not being sent.
    """
    _withdraw_refused(mailing, now=now)
    return _print_waiting(mailing, by=by, now=now)


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
        AND (verdict.verdict <> 'allowed' OR customer.address_state <> '' OR customer.merged_into_id IS NOT NULL)
        """,  # noqa: S608
        {"now": now, "mailing": mailing.pk},
    )
    finish_mailings(now=now)


@transaction.atomic
def _print_waiting(mailing: Mailing, *, by: By, now: dt.datetime) -> LetterBatch:
    mailing = Mailing.objects.select_for_update(no_key=True).get(pk=mailing.pk)
    waiting = list(
        Message.objects.filter(mailing=mailing, channel=Message.Channel.POST, state=Message.State.QUEUED)
        .select_for_update(of=("self",))
        .order_by("customer__postal_code", "customer__house_number", "customer__last_name", "id")
        .values_list("id", "customer_id")[:MOST_PER_BATCH]
    )
    if not waiting:
        raise Refused("no_letters", _("There are no letters waiting in this mailing."))
    if mailing.state != Mailing.State.SENDING:
        raise Refused("wrong_state", _("Letters are printed while a mailing is being sent; this one is not."))
    batch = LetterBatch(mailing=mailing, letter_count=len(waiting), created_at=now)
    batch.created_by = by if isinstance(by, User) else None
    batch.file.save(f"{mailing.pk}-{now:%Y%m%d-%H%M%S}.pdf", ContentFile(_pdf(mailing, waiting, now)))
    Message.objects.filter(pk__in=[message_id for message_id, _customer in waiting]).update(
        state=Message.State.SENT, sent_at=now, state_at=now, attempts=1
    )
    finish_mailings(now=now)
    return batch


def _pdf(mailing: Mailing, messages: list[tuple[int, int]], now: dt.datetime) -> bytes:
    identity = SendingSettings.load()
    recipients = load_recipients(
        messages, compiled=mailing.compiled, identity=identity, origin=f"mailing:{mailing.pk}", medium="post", now=now
    )
    customers = Customer.objects.in_bulk([customer_id for _message, customer_id in messages])
    letters = [
        Letter(
            address_lines=[customers[one.customer_id].full_name, *customers[one.customer_id].address_lines],
            audiences=frozenset(one.audiences),
            values=dict(one.values),
            branch_id=one.branch_id,
        )
        for one in recipients
    ]
    return print_pdf(letters, compiled=mailing.compiled, identity=identity, now=now)
