"""Who did it, and what it changed about a customer."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User

from customers.models import Customer, CustomerChange

By = User | str | None


def name_of(by: By) -> str:
    """Return how receipts and histories name whoever did it."""
    return by.get_full_name() or by.get_username() if isinstance(by, User) else str(by or "")


def note(customer: Customer, changes: dict[str, list[str]], *, by: By, now: dt.datetime) -> CustomerChange:
    """Keep ``{field: [before, after]}`` in the customer's history."""
    return CustomerChange.objects.create(
        customer=customer,
        fields=changes,
        changed_by=name_of(by),
        user=by if isinstance(by, User) else None,
        changed_at=now,
    )
