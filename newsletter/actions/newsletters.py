"""Newsletters, and being subscribed to one: a row in the ledger of consents, nothing else."""

from __future__ import annotations

import datetime as dt
import secrets
from itertools import count
from typing import TYPE_CHECKING, Any

import pghistory
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import execute
from customers.actions import add_customer
from customers.actions.purposes import create_purpose
from customers.consents import record_consent
from customers.models import Branch, Channel, Consent, Customer, Purpose
from newsletter.models import Newsletter

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@transaction.atomic
def create_newsletter(
    *, name: str, description: str = "", purpose: Purpose | None = None, by: User | None, now: dt.datetime
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
    elif purpose.rule != Purpose.Rule.OPT_IN or Newsletter.objects.filter(purpose=purpose).exists():
        raise Refused("purpose", _("A newsletter needs an opt-in purpose of its own."), field="purpose")
    with pghistory.context(**_who(by)):
        return Newsletter.objects.create(name=name, description=description, purpose=purpose, created_at=now)


@transaction.atomic
def change_newsletter(
    newsletter: Newsletter, *, name: str, description: str, is_active: bool, by: User | None, now: dt.datetime
) -> Newsletter:
    """Change what customers read about it; its purpose carries the same words. Raises Refused on a name in use."""
    if Newsletter.objects.filter(name__iexact=name).exclude(pk=newsletter.pk).exists():
        raise Refused("name_taken", _("There is a newsletter with this name already."), field="name")
    newsletter.name, newsletter.description, newsletter.is_active = name, description, is_active
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
    """Subscribe an e-mail address: of the customer who has it, else of a new newsletter contact; return the customer.

    An address that several customers share (a family) is nobody's in particular: a newsletter contact of its own
    is made for it, once.
    """
    address = email.strip().lower()
    if not address:
        raise Refused("no_email", _("Fill in an e-mail address."), field="email")
    # Two sign-ups of one address at the same moment must not make two contacts.
    execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"subscribe {address}"])
    customers = Customer.objects.filter(contact_points__value=address, contact_points__channel="email").distinct()
    known = list(customers.order_by("pk")[:50])
    contacts = [customer for customer in known if customer.kind == Customer.Kind.NEWSLETTER]
    customer = known[0] if len(known) == 1 else contacts[0] if contacts else None
    if customer is None:
        customer = add_customer(
            number=_free_number(), kind=Customer.Kind.NEWSLETTER, email=address, first_name=first_name,
            name_prefix=name_prefix, last_name=last_name, branch=branch, source_code=source_code, by=actor, now=now,
        )  # fmt: skip
    subscribe(
        customer, newsletter, source_code=source_code, actor=actor, now=now, wording_version=wording_version,
        evidence=evidence,
    )  # fmt: skip
    return customer


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


def _free_number() -> str:
    """Return a customer number of our own, apart from those of a library system."""
    numbers = (f"N{secrets.randbelow(10**9):09d}" for _attempt in count())
    return next(number for number in numbers if not Customer.objects.filter(number=number).exists())


def _who(by: User | None) -> dict[str, Any]:
    return {"user": by.pk} if by else {}
