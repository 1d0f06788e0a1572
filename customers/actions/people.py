"""Add and change a person: normal forms, the word of a source, and a history of who changed what."""

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
from customers.golden import adopt_sql, refresh
from customers.models import Branch, Customer, CustomerChange, Source, SourceRecord
from customers.privacy import keys
from customers.privacy.persons import home_of
from customers.records import ADDRESS, CONTACTS, FIELDS

By = User | str | None


class Fields(TypedDict, total=False):
    """What may be said of a person; ``email`` and ``phone`` are the primary contact points, empty text
    removes them.
    """

    kind: str
    card_number: str
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
    deceased_on: dt.date | None
    email: str
    phone: str


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
    if Customer.everyone.filter(number=number).exists():
        raise Refused("number_taken", _("There is a customer with number %s already.") % number, field="number")
    told_by = source(source_code)
    if "kind" not in fields:
        raise TypeError("a customer needs a kind")
    values = {name: _shown(value) for name, value in _checked(fields, now).items()}
    customer = Customer.objects.create(
        number=number, kind=values["kind"], source=told_by, created_at=now, updated_at=now
    )
    _say(customer, values, told_by, now)
    _let_in(values | {"number": number, "home": home_of(values)}, told_by, now)
    refresh([customer.pk], now=now)
    _keep(customer, {"number": ["", number]}, told_by, by, now)
    customer.refresh_from_db()
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
    """Say in the record of this source what differs, and keep before and after; raises Refused with the field that
    is wrong.

    Whether it shows on the customer is a matter of precedence: the last word of people holds until a source of the
    same rank says something new.
    """
    customer = Customer.objects.select_for_update().get(pk=customer.pk)
    values = {name: _shown(value) for name, value in _checked(fields, now).items()}
    before = _texts(customer)
    differing = {name: value for name, value in values.items() if value != before[name]}
    if not differing:
        return customer
    if any(name in ADDRESS for name in differing):
        differing = {part: before[part] for part in ADDRESS} | differing
    adopt_sql("SELECT %(customer)s::bigint", {"customer": customer.pk})
    _say(customer, differing, source(source_code), now)
    _let_in(differing, source(source_code), now)
    refresh([customer.pk], now=now)
    customer.refresh_from_db()
    after = _texts(customer)
    changes = {name: [before[name], after[name]] for name in FIELDS if before[name] != after[name]}
    if changes:
        _keep(customer, changes, source(source_code), by, now)
    return customer


def _say(customer: Customer, values: dict[str, str], told_by: Source, now: dt.datetime) -> None:
    """Write these values into the record that the source has of this customer, making it when there is none."""
    records = SourceRecord.objects.filter(source=told_by)
    record = records.filter(customer=customer).order_by("pk").first()
    if record is None:
        key = (
            customer.number if not records.filter(key=customer.number).exists() else f"{customer.number}#{customer.pk}"
        )
        records.create(source=told_by, key=key, customer=customer, values=values, created_at=now, updated_at=now)
        return
    record.values |= values
    record.changed |= dict.fromkeys(values, now.isoformat())
    record.updated_at = now
    record.save(update_fields=["values", "changed", "updated_at"])


def _let_in(values: dict[str, str], told_by: Source, now: dt.datetime) -> None:
    """Let erased addresses and numbers in again when it is people who bring them: their owner asked for something.

    Raises Refused ``erased`` when it is a system.
    """
    if told_by.kind == Source.Kind.PEOPLE:
        known = [(what, values.get(what, "")) for what in ("number", "email", "phone")]
        keys.release([*known, ("home", values.get("home") or home_of(values))], now=now)
    else:
        keys.refuse_erased(values)


def _texts(customer: Customer) -> dict[str, str]:
    """Return field -> what stands on the customer, as records and the history of changes write it."""
    points = customer.contact_points.filter(is_primary=True)
    contacts = dict.fromkeys(CONTACTS, "") | dict(points.values_list("channel", "value"))
    return {name: _shown(getattr(customer, name)) for name in FIELDS if name not in CONTACTS} | contacts


def _keep(customer: Customer, changes: dict[str, list[str]], told_by: Source, by: By, now: dt.datetime) -> None:
    user = by if isinstance(by, User) else None
    name = user.get_full_name() or user.get_username() if user else str(by or "")
    CustomerChange.objects.create(
        customer=customer, fields=changes, changed_by=name, user=user, source=told_by, changed_at=now
    )


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
    died = values.get("deceased_on")
    if died and not dt.date(1900, 1, 1) <= died <= local_date(now):
        raise Refused("bad_deceased_on", _("A date of death lies between 1900 and today."), field="deceased_on")
    if len(values.get("card_number", "")) > 40:
        raise Refused("bad_card_number", _("A card number has at most 40 characters."), field="card_number")
    if "kind" in values and values["kind"] not in Customer.Kind.values:
        raise Refused("unknown_kind", _("The kind “%s” does not exist.") % values["kind"], field="kind")
    return values


def _shown(value: Any) -> str:
    """Return a value as the record of changes keeps it."""
    if value is None:
        return ""
    return value.code if isinstance(value, Branch) else str(value)
