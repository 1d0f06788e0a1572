"""Newsletters, and being subscribed to one: a row in the ledger of consents, nothing else."""

from __future__ import annotations

import datetime as dt
from itertools import count
from typing import TYPE_CHECKING, Any, Unpack

import pghistory
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from common.errors import Refused
from common.network import truncated
from customers.actions.contacts import contact_for
from customers.actions.purposes import create_purpose
from customers.consents import PROCESSING, record_consent
from customers.models import Branch, Channel, Consent, Customer, ErasedKey, Purpose
from customers.names import normalise_email
from customers.privacy.keys import is_erased
from mailings.actions.confirmations import Names, ask_confirmation
from mailings.gate import checked_hold_out
from mailings.models import Mailing
from newsletter.models import Newsletter

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@transaction.atomic
def create_newsletter(
    *,
    name: str,
    description: str = "",
    purpose: Purpose | None = None,
    priority: int = Mailing.Priority.NORMAL,
    hold_out_percent: int = 0,
    by: User | None,
    now: dt.datetime,
) -> Newsletter:
    """Make a newsletter with a purpose of its own, for which nobody has said yes yet.

    ``purpose``: an opt-in purpose that people said yes to before, and that no newsletter has taken.
    Raises Refused on a name or a purpose in use.
    """
    if Newsletter.objects.filter(name__iexact=name).exists():
        raise Refused("name_taken", _("There is a newsletter with this name already."), field="name")
    if purpose is None:
        purpose = create_purpose(
            code=_free_code(name), name=name, description=description, rule=Purpose.Rule.OPT_IN, by=by
        )
    elif (
        purpose.rule != Purpose.Rule.OPT_IN
        or purpose.code in PROCESSING
        or Newsletter.objects.filter(purpose=purpose).exists()
    ):
        raise Refused("purpose", _("A newsletter needs an opt-in purpose of its own."), field="purpose")
    with pghistory.context(**_who(by)):
        return Newsletter.objects.create(
            name=name, description=description, purpose=purpose, priority=priority,
            hold_out_percent=checked_hold_out(hold_out_percent), created_at=now,
        )  # fmt: skip


@transaction.atomic
def change_newsletter(
    newsletter: Newsletter,
    *,
    name: str,
    description: str,
    is_active: bool,
    priority: int | None = None,
    hold_out_percent: int | None = None,
    by: User | None,
    now: dt.datetime,
) -> Newsletter:
    """Change what customers read about it; its purpose carries the same words. Raises Refused on a name in use, and a
    control group above half.
    """
    if Newsletter.objects.filter(name__iexact=name).exclude(pk=newsletter.pk).exists():
        raise Refused("name_taken", _("There is a newsletter with this name already."), field="name")
    newsletter.name, newsletter.description, newsletter.is_active = name, description, is_active
    newsletter.priority = priority or newsletter.priority
    if hold_out_percent is not None:
        newsletter.hold_out_percent = checked_hold_out(hold_out_percent)
    with pghistory.context(**_who(by)):
        newsletter.save()
        Purpose.objects.filter(pk=newsletter.purpose_id).update(name=name, description=description, is_public=is_active)
    return newsletter


def subscribe(
    customer: Customer,
    newsletter: Newsletter,
    *,
    source_code: str,
    actor: str,
    now: dt.datetime,
    wording_version: str = "",
    evidence: dict[str, Any] | None = None,
    guardian: Customer | None = None,
) -> Consent:
    """Record a yes to the newsletter by e-mail. Raises Refused when it has stopped, or a child says it itself."""
    if not newsletter.is_active:
        raise Refused("newsletter_stopped", _("“%s” does not appear any more.") % newsletter)
    told = (source_code, actor, now, wording_version, evidence)
    return _record(customer, newsletter, Consent.State.GRANTED, *told, guardian)


def unsubscribe(
    customer: Customer,
    newsletter: Newsletter,
    *,
    source_code: str,
    actor: str,
    now: dt.datetime,
    wording_version: str = "",
    evidence: dict[str, Any] | None = None,
) -> Consent:
    """Record a no to the newsletter by e-mail."""
    return _record(customer, newsletter, Consent.State.WITHDRAWN, source_code, actor, now, wording_version, evidence)


@transaction.atomic
def subscribe_contact(
    newsletter: Newsletter,
    *,
    email: str,
    first_name: str = "",
    name_prefix: str = "",
    last_name: str = "",
    branch: Branch | None = None,
    source_code: str,
    actor: str,
    wording_version: str,
    evidence: dict[str, Any] | None = None,
    now: dt.datetime,
) -> Customer:
    """Subscribe an e-mail address that was proven elsewhere; return the customer who has it, else a new contact.

    Nobody proved it yet? Then ``sign_up``.
    """
    address = email.strip().lower()
    if not address:
        raise Refused("no_email", _("Fill in an e-mail address."), field="email")
    customer = contact_for(
        address, first_name=first_name, name_prefix=name_prefix, last_name=last_name, branch=branch,
        source_code=source_code, actor=actor, now=now,
    )  # fmt: skip
    subscribe(
        customer, newsletter, source_code=source_code, actor=actor, now=now, wording_version=wording_version,
        evidence=evidence,
    )  # fmt: skip
    return customer


def sign_up(
    newsletter: Newsletter,
    *,
    email: str,
    source_code: str,
    actor: str,
    wording_version: str,
    network_address: str = "",
    now: dt.datetime,
    **names: Unpack[Names],
) -> None:
    """Take a sign-up of somebody who may be a stranger: it counts once confirmed by mail.

    Where the purpose asks for no double opt-in it counts at once, since whoever sends it vouches for it; but an address
    that was erased comes back by its owner's own hand only. Says nothing about whether the address is known. Raises
    Refused.
    """
    if not newsletter.is_active:
        raise Refused("newsletter_stopped", _("“%s” does not appear any more.") % newsletter)
    channel = newsletter.purpose.channels.filter(channel=Channel.EMAIL).first()
    is_erased_address = is_erased(ErasedKey.What.EMAIL, normalise_email(email))
    if channel is None or channel.needs_double_opt_in or is_erased_address:
        ask_confirmation(
            newsletter.purpose, address=email, source_code=source_code, wording_version=wording_version,
            network_address=network_address, now=now, **names,
        )  # fmt: skip
        return
    evidence = {"asked_from": truncated(network_address)} if network_address else {}
    subscribe_contact(
        newsletter, email=email, source_code=source_code, actor=actor, wording_version=wording_version,
        evidence=evidence, now=now, **names,
    )  # fmt: skip


def _record(
    customer: Customer,
    newsletter: Newsletter,
    state: str,
    source_code: str,
    actor: str,
    now: dt.datetime,
    wording_version: str,
    evidence: dict[str, Any] | None,
    guardian: Customer | None = None,
) -> Consent:
    return record_consent(
        customer,
        purpose=newsletter.purpose,
        channel=Channel.EMAIL,
        state=state,
        source_code=source_code,
        actor=actor,
        event_at=now,
        wording_version=wording_version,
        evidence=evidence,
        guardian=guardian,
    )


def _free_code(name: str) -> str:
    base = f"nieuwsbrief-{slugify(name)}"[:34].strip("-")
    taken = set(Purpose.objects.filter(code__startswith=base).values_list("code", flat=True))
    return base if base not in taken else next(code for n in count(2) if (code := f"{base}-{n}") not in taken)


def _who(by: User | None) -> dict[str, Any]:
    return {"user": by.pk} if by else {}
