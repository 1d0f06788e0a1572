"""What a customer may ask of us about his own data (AVG 12-21), and what staff do about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.traces import traces
from customers.actions.imports import hold_off_imports
from customers.models import Customer
from customers.models.privacy import Erasure
from customers.privacy import keys
from customers.privacy.erasing import erase
from customers.privacy.persons import identify, keys_of, person_ids

By = User | str | None


def name_of(by: By) -> str:
    """Return how receipts and histories name whoever did it."""
    return by.get_full_name() or by.get_username() if isinstance(by, User) else str(by or "")


@transaction.atomic
def erase_customer(customer: Customer, *, ground: str, by: By, now: dt.datetime) -> Erasure:
    """Erase somebody for good, in every table, file and trace, with all who were merged into him; return the receipt.

    At the customer's request, keyed hashes keep what only he is known by from coming back; after a retention period or
    a mistake of entry the source may deliver him again. Raises Refused: gone; a code of a trace that stands in the way.
    """
    if not hold_off_imports():
        raise Refused("import_running", _("A file is being taken in at this moment. Try again in a few minutes."))
    ids = _locked([_root_of(customer)])
    if not ids:
        raise Refused("gone", _("This customer is not there any more."))
    for trace in traces:
        if trace.blocked and trace.blocked(ids, now):
            raise Refused(trace.code, str(trace.remedy))
    return _erase(ids, ground=ground, by=name_of(by), now=now)


@transaction.atomic
def erase_many(ids: Collection[int], *, ground: str, by: str, now: dt.datetime) -> Erasure | None:
    """Erase a batch of at most some hundreds (ids), leaving out whom something stands in the way of; None for nobody.

    For retention: who could not be erased tonight is found again tomorrow.
    """
    found = list(ids) if hold_off_imports() else []
    own = _locked(found)
    blocked = {pk for trace in traces if trace.blocked and own for pk in trace.blocked(own, now)}
    if blocked:
        found = [pk for pk in found if not blocked.intersection(person_ids([pk]))]
    return _erase(found, ground=ground, by=by, now=now) if found and own else None


def _erase(ids: Collection[int], *, ground: str, by: str, now: dt.datetime) -> Erasure:
    persons = identify(ids, now=now)
    if ground == Erasure.Ground.REQUEST:
        keys.remember(keys_of(persons), now=now)
    number_of_persons = Customer.objects.filter(pk__in=persons.ids).count()
    counts = erase(persons)
    return Erasure.objects.create(ground=ground, erased_by=by, erased_at=now, persons=number_of_persons, counts=counts)


def _root_of(customer: Customer) -> int:
    """Return the id of who was kept, when this row was merged into another."""
    row = Customer.everyone.filter(pk=customer.pk).values_list("pk", "merged_into").first()
    while row and row[1]:
        row = Customer.everyone.filter(pk=row[1]).values_list("pk", "merged_into").first()
    return row[0] if row else customer.pk


def _locked(ids: Collection[int]) -> tuple[int, ...]:
    """Lock these customers and whoever was merged into them, in order; return their ids."""
    own = person_ids(ids)
    found = Customer.everyone.filter(pk__in=own).order_by("pk").select_for_update()
    return tuple(found.values_list("pk", flat=True))
