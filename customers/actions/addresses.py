"""Record news about the postal address: somebody moved away, or post came back."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.actions.people import By
from customers.models import Customer, CustomerChange


@transaction.atomic
def record_post_news(customer: Customer, state: str, *, by: By, now: dt.datetime) -> Customer:
    """Set what is known of the address (``Customer.AddressState``; empty: it is right) and keep what was before.

    No letter goes to an address with such news; a new address clears it. Raises Refused ``unknown_state``.
    """
    if state not in Customer.AddressState.values:
        raise Refused("unknown_state", _("Choose moved away, post came back, or no news."), field="address_state")
    customer = Customer.objects.select_for_update().get(pk=customer.pk)
    if customer.address_state == state:
        return customer
    change = {"address_state": [customer.address_state, state]}
    customer.address_state, customer.updated_at = state, now
    customer.save(update_fields=["address_state", "updated_at"])
    user = by if isinstance(by, User) else None
    name = user.get_full_name() or user.get_username() if user else str(by or "")
    CustomerChange.objects.create(customer=customer, fields=change, changed_by=name, user=user, changed_at=now)
    return customer
