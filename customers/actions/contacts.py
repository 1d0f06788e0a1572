"""Find or make the customer who belongs to an e-mail address that signs up for something."""

from __future__ import annotations

import datetime as dt
import secrets
from itertools import count

from django.db import transaction

from common.sql import execute
from customers.actions.people import add_customer
from customers.models import Branch, Customer


@transaction.atomic
def contact_for(
    address: str,
    *,
    first_name: str = "",
    name_prefix: str = "",
    last_name: str = "",
    branch: Branch | None = None,
    source_code: str,
    actor: str,
    now: dt.datetime,
) -> Customer:
    """Return the customer who has this address (in lower case), else a new newsletter contact.

    An address that several customers share (a family) is nobody's in particular: a newsletter contact of its own is
    made for it, once.
    """
    lock_address(address)
    customers = Customer.objects.filter(contact_points__value=address, contact_points__channel="email").distinct()
    known = list(customers.order_by("pk")[:50])
    contacts = [customer for customer in known if customer.kind == Customer.Kind.NEWSLETTER]
    if len(known) == 1 or contacts:
        return known[0] if len(known) == 1 else contacts[0]
    return add_customer(
        number=_free_number(), kind=Customer.Kind.NEWSLETTER, email=address, first_name=first_name,
        name_prefix=name_prefix, last_name=last_name, branch=branch, source_code=source_code, by=actor, now=now,
    )  # fmt: skip


def lock_address(address: str) -> None:
    """Let nobody else sign up this address until the transaction ends: two at one moment would make two contacts."""
    execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"subscribe {address}"])


def _free_number() -> str:
    """Return a customer number of our own, apart from those of a library system."""
    numbers = (f"N{secrets.randbelow(10**9):09d}" for _attempt in count())
    return next(number for number in numbers if not Customer.everyone.filter(number=number).exists())
