"""Add and change a person: normal forms, contact points, household, and a record of who changed what."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypedDict, Unpack

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.time import local_date
from customers import names
from customers.actions.sources import source
from customers.models import Branch, ContactPoint, Customer, CustomerChange, Household, Source

By = User | str | None


class Fields(TypedDict, total=False):
    """What may be said of a person; ``email`` and ``phone`` are the primary contact points, empty text
    removes them.
    """

    kind: str
    initials: str
    first_name: str
    name_prefix: str
    last_name: str
    birth_date: dt.date | None
    gender: str
    street: str
    house_number: str
    house_number_addition: str
    postal_code: str
    city: str
    branch: Branch | None
    registered_on: dt.date | None
    email: str
    phone: str


ADDRESS = ("postal_code", "house_number", "house_number_addition")
CONTACTS = {"email": ContactPoint.Channel.EMAIL, "phone": ContactPoint.Channel.PHONE}


@transaction.atomic
def add_customer(
    *,
    number: str,
    by: By,
    now: dt.datetime,
    source_code: str = "workbench",
    **fields: Unpack[Fields],
) -> Customer:
    """Add somebody under a number that is not taken; a kind is needed. Raises Refused with the field that is wrong."""
    number = number.strip()
    if not number or len(number) > 40:
        raise Refused("no_number", _("Fill in a customer number of at most 40 characters."), field="number")
    if Customer.objects.filter(number=number).exists():
        raise Refused("number_taken", _("There is a customer with number %s already.") % number, field="number")
    told_by = source(source_code)
    customer = Customer(number=number, source=told_by, created_at=now, updated_at=now)
    if "kind" not in fields:
        raise TypeError("a customer needs a kind")
    values = _checked(fields, now)
    _put(customer, values)
    customer.save()
    _put_contacts(customer, values, told_by, now)
    _keep(customer, {"number": ["", number]}, by, now)
    return customer


@transaction.atomic
def change_customer(
    customer: Customer,
    *,
    by: By,
    now: dt.datetime,
    source_code: str = "workbench",
    **fields: Unpack[Fields],
) -> Customer:
    """Write only what differs and keep before and after; raises Refused with the field that is wrong.

    What people enter is not overruled by a later file: contact points keep the source that named them.
    """
    customer = Customer.objects.select_for_update().get(pk=customer.pk)
    values = _checked(fields, now)
    before = {name: _shown(_value(customer, name)) for name in values}
    _put(customer, values)
    _put_contacts(customer, values, source(source_code), now)
    changes = {
        name: [before[name], after] for name, value in values.items() if (after := _shown(value)) != before[name]
    }
    if not changes:
        return customer
    customer.updated_at = now
    customer.save()
    _keep(customer, changes, by, now)
    return customer


def _keep(customer: Customer, changes: dict[str, list[str]], by: By, now: dt.datetime) -> None:
    user = by if isinstance(by, User) else None
    name = user.get_full_name() or user.get_username() if user else str(by or "")
    CustomerChange.objects.create(customer=customer, fields=changes, changed_by=name, user=user, changed_at=now)


def _checked(fields: Any, now: dt.datetime) -> dict[str, Any]:
    """Return the fields in their normal form; raises Refused."""
    unknown = set(fields) - set(Fields.__annotations__)
    if unknown:
        raise TypeError(f"not fields of a customer: {sorted(unknown)}")
    values: dict[str, Any] = {
        name: value.strip() if isinstance(value, str) else value for name, value in fields.items()
    }
    for name, normalise, is_right, message in (
        ("email", names.normalise_email, names.is_email, _("This is not a complete e-mail address.")),
        ("phone", names.normalise_phone, names.is_phone, _("This is not a complete phone number.")),
        ("postal_code", names.normalise_postal_code, names.is_postal_code, _("Write a postal code as 1441 AB.")),
    ):
        if values.get(name):
            values[name] = normalise(values[name])
            if not is_right(values[name]):
                raise Refused(f"bad_{name}", message, field=name)
    born = values.get("birth_date")
    if born and not dt.date(1900, 1, 1) <= born <= local_date(now):
        raise Refused("bad_birth_date", _("A birth date lies between 1900 and today."), field="birth_date")
    if "kind" in values and values["kind"] not in Customer.Kind.values:
        raise Refused("unknown_kind", _("The kind “%s” does not exist.") % values["kind"], field="kind")
    return values


def _value(customer: Customer, name: str) -> Any:
    if name not in CONTACTS:
        return getattr(customer, name)
    points = customer.contact_points.filter(channel=CONTACTS[name], is_primary=True)
    return points.values_list("value", flat=True).first() or ""


def _shown(value: Any) -> str:
    """Return a value as the record of changes keeps it."""
    if value is None:
        return ""
    return value.code if isinstance(value, Branch) else str(value)


def _put(customer: Customer, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if name not in CONTACTS:
            setattr(customer, name, value)
    if customer._state.adding or any(name in values for name in ADDRESS):
        key = names.household_key(customer.postal_code, customer.house_number, customer.house_number_addition)
        customer.household = Household.objects.get_or_create(key=key)[0] if key else None


def _put_contacts(customer: Customer, values: dict[str, Any], told_by: Source, now: dt.datetime) -> None:
    """Make the given address the primary one. Removing takes away all of them, else a file's old one would
    come up.
    """
    for name, channel in CONTACTS.items():
        if name not in values:
            continue
        points = ContactPoint.objects.filter(customer=customer, channel=channel)
        if not values[name]:
            points.delete()
        elif not points.filter(value=values[name], is_primary=True).exists():
            points.update(is_primary=False)
            points.filter(source=told_by).exclude(value=values[name]).delete()
            points.update_or_create(
                customer=customer,
                channel=channel,
                value=values[name],
                defaults={"is_primary": True, "source": told_by, "updated_at": now},
            )
