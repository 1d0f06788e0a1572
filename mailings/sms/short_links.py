"""Short addresses for text messages: a code of about ten signs that says which message and which link, signed.

Without a table: a code holds the message's id and a slot, in base 62, and six signs of an HMAC.
"""

from __future__ import annotations

import hmac
from functools import cache

from django.conf import settings
from django.urls import reverse

from common.tokens import BadToken

STOP = 0  # the slot of the page to say no; links have 1 and up
SLOTS = 16
MOST_LINKS = SLOTS - 1
SIGNATURE_LENGTH = 6  # 35 bits: whoever guesses needs billions of requests for one link
_SIGNS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES = {sign: value for value, sign in enumerate(_SIGNS)}
_MOST_SIGNS = 11  # what fits in a bigint


def short_url(message_id: int, slot: int) -> str:
    """Return the short address of a slot of a message."""
    body = _written(message_id * SLOTS + slot)
    return settings.SHORT_URL + reverse("sms:short", args=[body + _signature(body)])


def read_code(code: str) -> tuple[int, int]:
    """Return message id and slot; raises BadToken when the code is not one of ours."""
    body, signature = code[:-SIGNATURE_LENGTH], code[-SIGNATURE_LENGTH:]
    if not body or len(body) > _MOST_SIGNS or not set(code) <= set(_SIGNS):
        raise BadToken("short")
    if not hmac.compare_digest(signature, _signature(body)):
        raise BadToken("short")
    number = 0
    for sign in body:
        number = number * 62 + _VALUES[sign]
    return divmod(number, SLOTS)


@cache
def _key(link_key: str) -> bytes:
    return hmac.digest(link_key.encode(), b"wise.short", "sha256")


def _signature(body: str) -> str:
    digest = hmac.digest(_key(settings.LINK_KEY), body.encode(), "sha256")
    return _written(int.from_bytes(digest[:8], "big") % 62**SIGNATURE_LENGTH).rjust(SIGNATURE_LENGTH, "0")


def _written(number: int) -> str:
    signs = ""
    while number:
        number, rest = divmod(number, 62)
        signs = _SIGNS[rest] + signs
    return signs or "0"
