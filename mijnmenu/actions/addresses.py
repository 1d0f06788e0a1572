"""Change one's e-mail address: it holds after the link that is mailed to the new address was followed."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.actions import change_customer
from customers.models import Customer
from mailings.delivery import send_test
from mijnmenu.mails import confirmation_mail, farewell_mail
from mijnmenu.models import AddressChange

PER_HOUR = 3
MOST_TRIES = 5
VALID_DAYS = 1


@transaction.atomic
def ask_for_address(customer: Customer, *, address: str, now: dt.datetime) -> AddressChange:
    """Note the address that a customer wants; raises Refused: same_address, too_many."""
    address = address.strip().lower()
    if customer.contact_points.filter(channel="email", is_primary=True, value=address).exists():
        raise Refused("same_address", _("This is the address we already have."), field="address")
    recent = AddressChange.objects.filter(customer=customer, asked_at__gt=now - dt.timedelta(hours=1))
    if recent.count() >= PER_HOUR:
        raise Refused("too_many", _("You have asked this a few times already. Please try again in an hour."))
    return AddressChange.objects.create(customer=customer, address=address, asked_at=now)


def send_confirmations(*, now: dt.datetime) -> int:
    """Mail the confirmation link for each change that waits; return how many went out.

    At least once each, and at most 5 tries.
    """
    sent = 0
    for pk in list(_waiting().values_list("pk", flat=True)[:100]):
        sent += _send(pk, now)
    return sent


@transaction.atomic
def _send(pk: int, now: dt.datetime) -> bool:
    change = _waiting().select_for_update(skip_locked=True, of=["self"]).filter(pk=pk).first()
    if change is None:
        return False
    is_sent = send_test(confirmation_mail(change, now=now)).state == "sent"
    change.tries += 1
    change.sent_at = now if is_sent else None
    change.save(update_fields=["tries", "sent_at"])
    return is_sent


def _waiting() -> QuerySet[AddressChange]:
    waiting = AddressChange.objects.filter(sent_at=None, confirmed_at=None, tries__lt=MOST_TRIES)
    return waiting.select_related("customer").order_by("id")


@transaction.atomic
def confirm_address(change: AddressChange, *, link_version: int, now: dt.datetime) -> Customer:
    """Make the address the customer's, and every earlier link worthless: it may lie in somebody else's mailbox.

    Confirming twice changes nothing more. Raises Refused ``outdated`` when the address was changed otherwise meanwhile.
    """
    customer = Customer.objects.select_for_update(no_key=True).get(pk=change.customer_id)
    change = AddressChange.objects.select_for_update().get(pk=change.pk)
    if change.confirmed_at:
        return customer
    if customer.link_version != link_version:
        raise Refused("outdated", _("This link does not work any more. Ask for the change again on your own page."))
    points = customer.contact_points.filter(channel="email", is_primary=True)
    change.old_address = points.values_list("value", flat=True).first() or ""
    customer = change_customer(customer, by="customer", now=now, source_code="mijnmenu", email=change.address)
    own = Customer.everyone.filter(Q(pk=customer.pk) | Q(merged_into=customer.pk))
    own.update(link_version=F("link_version") + 1)
    change.confirmed_at, change.tries = now, 0
    change.save(update_fields=["confirmed_at", "old_address", "tries"])
    customer.refresh_from_db()
    return customer


def tell_old_addresses(*, now: dt.datetime) -> int:
    """Tell each address that was replaced that it was; return how many were told. At most 5 tries each."""
    told = 0
    for pk in list(_untold().values_list("pk", flat=True)[:100]):
        told += _tell(pk, now)
    return told


@transaction.atomic
def _tell(pk: int, now: dt.datetime) -> bool:
    change = _untold().select_for_update(skip_locked=True, of=["self"]).filter(pk=pk).first()
    if change is None:
        return False
    is_sent = send_test(farewell_mail(change, now=now)).state == "sent"
    change.tries += 1
    change.told_at = now if is_sent else None
    change.save(update_fields=["tries", "told_at"])
    return is_sent


def _untold() -> QuerySet[AddressChange]:
    changes = AddressChange.objects.exclude(old_address="").filter(confirmed_at__isnull=False, told_at=None)
    return changes.filter(tries__lt=MOST_TRIES).select_related("customer").order_by("id")
