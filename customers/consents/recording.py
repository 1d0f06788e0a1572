"""Add to the ledger; nothing in it is ever changed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.time import local_date
from customers.consents.rules import asks_guardian, is_child
from customers.models import Channel, Consent, Customer, Guardianship, Purpose, Source

ANSWERS = (Consent.State.GRANTED, Consent.State.WITHDRAWN, Consent.State.OBJECTED)


@transaction.atomic
def record_consent(
    customer: Customer,
    *,
    purpose: Purpose,
    channel: str,
    state: str,
    source_code: str,
    actor: str,
    event_at: dt.datetime,
    wording_version: str = "",
    evidence: dict[str, Any] | None = None,
    guardian: Customer | None = None,
) -> Consent:
    """Add a row to the ledger and return it; the same event told twice is one row.

    ``actor`` is a user name, "customer" or "import 12"; ``guardian`` the parent who answers for a child. What is said
    by somebody who was merged is said by whom was kept. Raises Refused for an unknown channel, state or source, for a
    yes by a child under 16 itself (AVG 8), for a guardian who is not, and for one who answers for somebody of 16.
    """
    if channel not in Channel.values or state not in ANSWERS:
        raise Refused("unknown_consent", _("This channel or answer does not exist."))
    source = Source.objects.filter(code=source_code).first()
    if source is None:
        raise Refused("unknown_source", _("The source “%s” does not exist.") % source_code, field="source")
    customer, guardian = present(customer), present(guardian) if guardian else None
    _check_age(customer, purpose, channel, state, guardian, event_at)
    consent, _created = Consent.objects.get_or_create(
        customer=customer,
        purpose=purpose,
        channel=channel,
        state=state,
        source=source,
        event_at=event_at,
        defaults={
            "actor": actor,
            "wording_version": wording_version,
            "evidence": evidence or {},
            "guardian_id": guardian.pk if guardian else None,
        },
    )
    return consent


def present(customer: Customer) -> Customer:
    """Return the customer, or who was kept when the row was merged into another's."""
    kept = Customer.everyone.get(pk=customer.pk)
    while kept.merged_into_id:
        kept = Customer.everyone.get(pk=kept.merged_into_id)
    return customer if kept.pk == customer.pk else kept


def _check_age(
    customer: Customer, purpose: Purpose, channel: str, state: str, guardian: Customer | None, event_at: dt.datetime
) -> None:
    child = is_child(customer.birth_date, on=local_date(event_at))
    if guardian is not None:
        _check_guardian(customer, guardian, is_grown=customer.birth_date is not None and not child)
    elif state == Consent.State.GRANTED and child and asks_guardian(purpose, channel):
        raise Refused(
            "needs_guardian",
            _(
                "Under 16 a parent or guardian says yes to this. Link the parent to the child first; the parent then "
                "answers in MijnMenu or at the desk."
            ),
            field="guardian",
        )


def _check_guardian(child: Customer, guardian: Customer, *, is_grown: bool) -> None:
    if not Guardianship.objects.filter(child=child, guardian=guardian).exists():
        text = _("This person is not known as parent or guardian of the child.")
        raise Refused("not_guardian", text, field="guardian")
    if is_grown:
        raise Refused("grown", _("Who is 16 or older answers for himself."), field="guardian")
