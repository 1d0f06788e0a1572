"""Double opt-in: take a sign-up, mail a link, remind once, and write the yes into the ledger when it is confirmed.

What is answered never tells whether an address is known; nothing counts, and nobody is a customer, before confirming.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.network import truncated
from customers.actions import source
from customers.actions.contacts import contact_for, lock_address
from customers.consents import record_consent
from customers.models import Branch, Channel, Consent, Customer, ErasedKey, Purpose
from customers.names import is_email, normalise_email
from customers.privacy.keys import release
from mailings.confirming import confirmation_mail
from mailings.delivery import send_test
from mailings.models import Confirmation, Message, Suppression
from mailings.models.confirmations import MOST_TRIES, VALID_DAYS

ACTOR = "customer"
PER_MINUTE = 60  # for everybody together: a flood of sign-ups is not passed on as a flood of mail
PER_DAY = 3  # mails to one address, whoever asks
WAIT = dt.timedelta(minutes=10)  # an address that asked just now has its mail on the way


class Names(TypedDict, total=False):
    """What somebody may tell about himself when he signs up."""

    first_name: str
    name_prefix: str
    last_name: str
    branch: Branch | None


@transaction.atomic
def ask_confirmation(
    purpose: Purpose,
    *,
    address: str,
    source_code: str,
    wording_version: str,
    network_address: str = "",
    now: dt.datetime,
    **names: Unpack[Names],
) -> Confirmation | None:
    """Note that somebody signs up; None when this address asked shortly before or often today.

    ``network_address`` is kept as the network it lies in. Raises Refused for what is no e-mail address, and ``busy``
    when there are too many sign-ups at all.
    """
    address = normalise_email(address)
    if not is_email(address):
        raise Refused("bad_email", _("This is not a complete e-mail address."), field="email")
    since = now - dt.timedelta(minutes=1)
    if Confirmation.objects.filter(asked_at__gt=since).count() >= PER_MINUTE:
        raise Refused("busy", _("Many people sign up at this moment. Please try again in a few minutes."))
    today = Confirmation.objects.filter(address=address, asked_at__gt=now - dt.timedelta(days=1))
    if today.count() >= PER_DAY or today.filter(purpose=purpose, asked_at__gt=now - WAIT).exists():
        return None
    return Confirmation.objects.create(
        purpose=purpose, address=address, source=source(source_code), wording_version=wording_version, asked_at=now,
        asked_from=truncated(network_address), **names,
    )  # fmt: skip


def send_confirmations(*, now: dt.datetime) -> int:
    """Mail the link for each sign-up that waits, and once again to who forgot it; return how many went out.

    At least once each: a worker that dies between sending and writing it down sends it again. Five tries.
    """
    waiting = list(Confirmation.objects.to_send(now=now).values_list("pk", flat=True)[:200])
    return sum(_send(pk, now) for pk in waiting)


@transaction.atomic
def _send(pk: int, now: dt.datetime) -> bool:
    waiting = Confirmation.objects.to_send(now=now).select_for_update(skip_locked=True, of=("self",))
    confirmation = waiting.select_related("purpose").filter(pk=pk).first()
    if confirmation is None:
        return False
    is_reminder = confirmation.sent_at is not None
    if is_reminder and _is_settled(confirmation):
        confirmation.reminded_at = now  # asked again, or confirmed another one: nothing to remind of
        confirmation.save(update_fields=["reminded_at"])
        return False
    is_blocked = Suppression.objects.filter(address=confirmation.address, released_at=None).exists()
    is_sent = not is_blocked and send_test(
        confirmation_mail(confirmation, is_reminder=is_reminder, now=now)
    ).state == Message.State.SENT  # fmt: skip
    confirmation.tries = 2 * MOST_TRIES if is_blocked else confirmation.tries + 1
    if is_sent:
        setattr(confirmation, "reminded_at" if is_reminder else "sent_at", now)
    confirmation.save(update_fields=["tries", "sent_at", "reminded_at"])
    return is_sent


def _is_settled(confirmation: Confirmation) -> bool:
    later = Confirmation.objects.filter(purpose=confirmation.purpose, pk__gt=confirmation.pk)
    return later.filter(address=confirmation.address).exists()


@transaction.atomic
def confirm(confirmation: Confirmation, *, network_address: str = "", now: dt.datetime) -> Consent | None:
    """Write the yes into the ledger, of the customer who has the address or of a new contact; None when that was done.

    Who asks for an address that was erased gets it back: the hash that kept it out is forgotten. Raises Refused
    ``outdated`` after 14 days, and ``needs_guardian`` for a child.
    """
    lock_address(confirmation.address)  # before the row: another sign-up of this address deletes this one
    found = Confirmation.objects.select_for_update(of=("self",)).select_related("purpose", "source", "branch")
    waiting = found.filter(pk=confirmation.pk, confirmed_at=None).first()
    if waiting is None:
        return None
    confirmation = waiting
    if confirmation.is_outdated(now=now):
        raise Refused("outdated", _("This link does not work any more. Please sign up again."))
    release([(ErasedKey.What.EMAIL, confirmation.address)], now=now)
    consent = record_consent(
        _person(confirmation, now),
        purpose=confirmation.purpose,
        channel=Channel.EMAIL,
        state=Consent.State.GRANTED,
        source_code=confirmation.source.code,
        actor=ACTOR,
        event_at=now,
        wording_version=confirmation.wording_version,
        evidence=_evidence(confirmation, network_address, now),
    )
    _empty(confirmation, now)
    return consent


def _person(confirmation: Confirmation, now: dt.datetime) -> Customer:
    return contact_for(
        confirmation.address, first_name=confirmation.first_name, name_prefix=confirmation.name_prefix,
        last_name=confirmation.last_name, branch=confirmation.branch, source_code=confirmation.source.code,
        actor=ACTOR, now=now,
    )  # fmt: skip


def _evidence(confirmation: Confirmation, network_address: str, now: dt.datetime) -> dict[str, Any]:
    """Return what proves the yes (AVG 7(1)): when and from which network it was asked for and confirmed."""
    return {
        "method": "double opt-in",
        "asked_at": _utc(confirmation.asked_at),
        "asked_from": confirmation.asked_from,
        "mailed_at": _utc(confirmation.sent_at) if confirmation.sent_at else "",
        "confirmed_at": _utc(now),
        "confirmed_from": truncated(network_address),
    }


def _utc(instant: dt.datetime) -> str:
    return instant.astimezone(dt.UTC).isoformat()


def _empty(confirmation: Confirmation, now: dt.datetime) -> None:
    """Forget who it was, here and in other sign-ups of this address for the same purpose: the ledger knows now."""
    same = Confirmation.objects.filter(address=confirmation.address, purpose=confirmation.purpose, confirmed_at=None)
    same.exclude(pk=confirmation.pk).delete()
    Confirmation.objects.filter(pk=confirmation.pk).update(
        confirmed_at=now, address="", first_name="", name_prefix="", last_name="", branch=None
    )


def forget_old_confirmations(*, now: dt.datetime) -> int:
    """Delete sign-ups of more than 14 days ago: they hold addresses of people who did not want it after all."""
    return Confirmation.objects.filter(asked_at__lte=now - dt.timedelta(days=VALID_DAYS)).delete()[0]
