"""The proof that a visitor is a customer: signed by us, given to the site after its own login, good for an hour."""

from __future__ import annotations

import datetime as dt

from common.tokens import BadToken, make_token, read_token
from customers.models import Customer

PURPOSE = "website"
VALID = dt.timedelta(hours=1)


def make_web_token(customer: Customer, *, now: dt.datetime) -> str:
    """Return a token by which a page may say who its visitor is."""
    return make_token(PURPOSE, {"c": customer.pk, "u": int((now + VALID).timestamp())})


def read_web_token(token: str, *, now: dt.datetime) -> int:
    """Return the key of the customer; raises BadToken when it is not ours or too old."""
    payload = read_token(PURPOSE, token)
    if payload["u"] < now.timestamp():
        raise BadToken(PURPOSE)
    return int(payload["c"])
