"""A customer's session: opened by a link out of a mail, two hours long, apart from a sign-in of staff."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest

from common.tokens import BadToken, read_token
from customers.models import Customer

KEY = "mijnmenu"
PURPOSE = "mijnmenu"
LINK_DAYS = 30
FRESH_DAYS = 1  # a link this young proves that the mailbox is still the customer's own
HOURS = 2


def customer_of(token: str) -> Customer | None:
    """Return whose link this is; None when it is forged, too old, or was made worthless since."""
    try:
        customer_id, version = map(int, read_token(PURPOSE, token, max_age_days=LINK_DAYS))
    except (BadToken, TypeError, ValueError):
        return None
    named = Customer.everyone.filter(pk=customer_id, link_version=version).select_related("merged_into").first()
    # A link from before somebody was merged opens the page of who was kept.
    return named.merged_into or named if named else None


def is_fresh(token: str) -> bool:
    """Whether the link was made within the last day."""
    try:
        read_token(PURPOSE, token, max_age_days=FRESH_DAYS)
    except BadToken:
        return False
    return True


def open_for(request: HttpRequest, customer: Customer, *, fresh: bool, now: dt.datetime) -> None:
    """Let this browser in as this customer, under a new session key."""
    request.session.cycle_key()
    request.session[KEY] = {
        "customer": customer.pk,
        "version": customer.link_version,
        "until": (now + dt.timedelta(hours=HOURS)).timestamp(),
        "fresh": fresh,
    }


def current_customer(request: HttpRequest, *, now: dt.datetime) -> Customer | None:
    """Return who is in, or None when nobody is, the time is up, or the links were made worthless."""
    kept = request.session.get(KEY)
    if not kept or kept["until"] <= now.timestamp():
        return None
    people = Customer.objects.select_related("branch")
    return people.filter(pk=kept["customer"], link_version=kept["version"]).first()


def came_by_fresh_link(request: HttpRequest) -> bool:
    """Whether the session was opened by a link of the last day."""
    return bool(request.session.get(KEY, {}).get("fresh"))


def close(request: HttpRequest) -> None:
    """Leave; a staff sign-in in the same browser stays."""
    request.session.pop(KEY, None)
    request.session.cycle_key()
