"""Erase persons (AVG 17), and answer those who ask for it."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.errors import Refused
from common.traces import traces
from customers.actions.imports import hold_off_imports
from customers.actions.privacy.history import By, name_of
from customers.models import Customer
from customers.models.privacy import ErasedKey, Erasure, ErasureRequest
from customers.names import normalise_email, normalise_phone
from customers.privacy import journal, keys
from customers.privacy.erasing import erase
from customers.privacy.persons import identify, keys_of, person_ids

log = logging.getLogger(__name__)


@transaction.atomic
def erase_customer(customer: Customer, *, ground: str, by: By, now: dt.datetime) -> Erasure:
    """Erase somebody for good, in every table, file and trace, with all who were merged into him; return the receipt.

    At the customer's request, keyed hashes keep what only he is known by from coming back; after a retention period or
    a mistake of entry the source may deliver him again. Raises Refused: gone; a code of a trace that stands in the way.
    """
    if not hold_off_imports():
        raise Refused(
            "import_running",
            _("A file is being taken in, or somebody else erased, at this moment. Try again in a few minutes."),
        )
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
    by_age = ground == Erasure.Ground.RETENTION
    barring = [trace.blocked for trace in traces if trace.blocked and not (by_age and trace.waits)]
    blocked = {pk for is_blocked in barring if own for pk in is_blocked(own, now)}
    if blocked:
        found = [pk for pk in found if not blocked.intersection(person_ids([pk]))]
    return _erase(found, ground=ground, by=by, now=now) if found and own else None


def _erase(ids: Collection[int], *, ground: str, by: str, now: dt.datetime) -> Erasure:
    persons = identify(ids, now=now, by_age=ground == Erasure.Ground.RETENTION)
    receipt = Erasure.objects.create(
        ground=ground,
        erased_by=by,
        erased_at=now,
        persons=Customer.objects.filter(pk__in=persons.ids).count(),
    )
    pairs = keys_of(persons)
    if ground == Erasure.Ground.REQUEST:
        keys.remember(pairs, now=now, erasure=receipt)
    digests = {(what, keys.digest(what, value)) for what, value in pairs if value}
    journal.write(journal.ERASED, digests, at=now, ground=ground)
    receipt.counts = erase(persons)
    receipt.save(update_fields=["counts"])
    return receipt


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


@transaction.atomic
def request_erasure(customer: Customer, *, note: str = "", now: dt.datetime) -> ErasureRequest:
    """Note that a customer wants to be erased; staff answer within a month (AVG 12(3)). Asking twice is one request."""
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    waiting = ErasureRequest.objects.filter(customer=customer, state=ErasureRequest.State.OPEN).first()
    return waiting or ErasureRequest.objects.create(customer=customer, asked_at=now, note=note.strip()[:1000])


def withdraw_request(customer: Customer, *, now: dt.datetime) -> int:
    """Take the request back; return how many there were."""
    return _close(ErasureRequest.objects.filter(customer=customer), ErasureRequest.State.WITHDRAWN, "customer", "", now)


@transaction.atomic
def refuse_request(request: ErasureRequest, *, answer: str, by: By, now: dt.datetime) -> None:
    """Refuse an open request, with reasons that the customer reads in MijnMenu (AVG 12(4)). Raises Refused: no_answer,
    answered.
    """
    if not answer.strip():
        raise Refused(
            "no_answer", _("Write to the customer why, and that he may complain to the authority."), field="answer"
        )
    own = ErasureRequest.objects.filter(pk=request.pk)
    if not _close(own, ErasureRequest.State.REFUSED, name_of(by), answer.strip(), now):
        raise Refused("answered", _("This request has been answered already."))


def _close(requests: QuerySet[ErasureRequest], state: str, by: str, answer: str, now: dt.datetime) -> int:
    return requests.filter(state=ErasureRequest.State.OPEN).update(
        state=state, answer=answer, decided_by=by, decided_at=now
    )


@transaction.atomic
def release_address(value: str, *, by: By, now: dt.datetime) -> int:
    """Let an erased address or number come in again, because its owner asks for it; return how many hashes went.

    Raises Refused ``unknown`` when nothing of the kind was erased.
    """
    pairs = [
        (ErasedKey.What.EMAIL.value, normalise_email(value)),
        (ErasedKey.What.PHONE.value, normalise_phone(value)),
        (ErasedKey.What.NUMBER.value, value.strip()),
    ]
    if not (found := keys.release(pairs, now=now, whole=True)):
        raise Refused("unknown", _("This address or number has not been erased."), field="value")
    log.info("%s released an erased address", getattr(by, "pk", by))
    return found
