"""Restriction (AVG 18) and the objection to profiling (AVG 21)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.actions.privacy.history import By, name_of, note
from customers.consents import channels_of, record_consent
from customers.models import Consent, Customer, Purpose

PROFILING = "profiling"
RESTRICTED = "restricted"  # in the history: since when and why, empty when it ended


@transaction.atomic
def restrict(customer: Customer, *, reason: str, by: By, now: dt.datetime) -> Customer:
    """Keep somebody's data and use them for nothing until it is lifted. Raises Refused: no_reason, restricted."""
    return _set(customer, now, reason, by, now)


@transaction.atomic
def unrestrict(customer: Customer, *, reason: str, by: By, now: dt.datetime) -> Customer:
    """Lift a restriction; the customer is told before (AVG 18(3)). Raises Refused: no_reason, not_restricted."""
    return _set(customer, None, reason, by, now)


def _set(customer: Customer, since: dt.datetime | None, reason: str, by: By, now: dt.datetime) -> Customer:
    customer = Customer.objects.select_for_update().get(pk=customer.pk)
    if not reason.strip():
        raise Refused("no_reason", _("Write down why."), field="reason")
    if since and customer.restricted_at:
        raise Refused("restricted", _("The data of this customer are restricted already."))
    if not since and not customer.restricted_at:
        raise Refused("not_restricted", _("The data of this customer are not restricted."))
    words = [_("no"), _("yes")] if since else [_("yes"), _("no")]
    customer.restricted_at = since
    customer.updated_at = now
    customer.save(update_fields=["restricted_at", "updated_at"])
    note(customer, {RESTRICTED: words, "reason": ["", reason.strip()[:500]]}, by=by, now=now)
    return customer


@transaction.atomic
def object_to_profiling(customer: Customer, *, by: By, source_code: str, now: dt.datetime) -> int:
    """Record the objection over every channel that is asked about; return how many rows of the ledger.

    The labels that were derived from behaviour are taken by who calls (``labels.actions.take_profiling_labels``), and
    not given again while it stands.
    """
    purpose = Purpose.objects.get(code=PROFILING)
    channels = channels_of(purpose)
    for channel in channels:
        record_consent(
            customer,
            purpose=purpose,
            channel=channel,
            state=Consent.State.OBJECTED,
            source_code=source_code,
            actor=name_of(by),
            event_at=now,
        )
    return len(channels)
