"""A copy of everything we hold of somebody (AVG 15, 20): asked for here, made in a task, gone after two weeks."""

from __future__ import annotations

import datetime as dt
import logging
import tempfile
from uuid import uuid4

from django.contrib.auth.models import User
from django.core.files import File
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F
from django.utils.translation import override

from customers.actions.privacy.history import By, name_of
from customers.models import AccessRequest, Customer
from customers.privacy.copies import write_json
from customers.privacy.erasing import delete_files
from customers.privacy.persons import identify
from customers.privacy.printing import print_copy
from customers.privacy.register import for_customers

log = logging.getLogger(__name__)

State = AccessRequest.State
VALID_DAYS = 14
ATTEMPTS = 3


@transaction.atomic
def request_access(customer: Customer, *, by: By, now: dt.datetime, language: str = "nl") -> AccessRequest:
    """Put a copy in line, and return the request; one that waits already, or was asked for within a day, will do."""
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    recent = AccessRequest.objects.filter(customer=customer, asked_at__gt=now - dt.timedelta(days=1))
    usable = AccessRequest.objects.filter(customer=customer, state=State.WAITING) | recent.filter(state=State.READY)
    found = usable.order_by("-pk").first()
    if found:
        AccessRequest.objects.filter(pk=found.pk, attempts__gte=ATTEMPTS).update(attempts=0)
        return found
    return AccessRequest.objects.create(
        customer=customer,
        asked_by=name_of(by),
        user=by if isinstance(by, User) else None,
        asked_at=now,
        language=language,
    )


def make_waiting_copies(*, now: dt.datetime) -> int:
    """Make the copies that wait, one after the other; return how many. One that fails is tried three times."""
    waiting = AccessRequest.objects.filter(state=State.WAITING, attempts__lt=ATTEMPTS).order_by("pk")
    made = 0
    for pk in list(waiting.values_list("pk", flat=True)[:20]):
        # Counted before, so that a copy that kills its worker is not tried for ever.
        AccessRequest.objects.filter(pk=pk).update(attempts=F("attempts") + 1)
        try:
            made += make_access_files(pk, now=now)
        except Exception:
            log.exception("copy %s could not be made", pk)
    return made


@transaction.atomic
def make_access_files(request_id: int, *, now: dt.datetime) -> bool:
    """Write both files of a request; False when it does not wait any more or another worker is at it."""
    request = (
        AccessRequest.objects.select_for_update(skip_locked=True).filter(pk=request_id, state=State.WAITING).first()
    )
    if request is None:
        return False
    persons = identify([request.customer_id], now=now)
    # Names that nobody can guess, and that say nothing.
    with tempfile.TemporaryFile("w+b") as file, override(request.language):
        for piece in write_json(persons, now=now):
            file.write(piece.encode())
        request.json.save(f"{uuid4().hex}.json", File(file), save=False)
    pdf = print_copy(persons, context=for_customers(), language=request.language, now=now)
    request.pdf.save(f"{uuid4().hex}.pdf", ContentFile(pdf), save=False)
    request.state, request.ready_at = State.READY, now
    request.expires_at = now + dt.timedelta(days=VALID_DAYS)
    request.save()
    return True


def expire_copies(*, now: dt.datetime) -> int:
    """Remove the files of copies that lay ready for two weeks; that they were made stays known. Return how many."""
    count = 0
    for request in AccessRequest.objects.filter(state=State.READY, expires_at__lte=now).iterator():
        delete_files([request.pdf.name or "", request.json.name or ""])
        count += AccessRequest.objects.filter(pk=request.pk).update(state=State.EXPIRED, pdf="", json="")
    return count
