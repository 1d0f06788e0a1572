"""The addresses in a message: signed, opaque, made without a query, and good for as long as the mail is kept.

A mail may hold dozens of tracked links, so theirs are one HMAC each; the others are tokens of ``common.tokens``.
"""

from __future__ import annotations

import hmac
import re
from binascii import b2a_base64
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from common.tokens import BadToken, make_token, read_token

SIGNATURE_LENGTH = 22  # 132 bits in base64
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
BOUNCE_SIGNATURE_LENGTH = 20  # 80 bits in hexadecimal: mail servers may change capitals, and a guess is one mail
_MESSAGE_ID = re.compile(r"<mailing\.\d{1,18}\.(\d{1,18})\.([0-9a-f]{20})@")


@cache
def _around(name: str, base_url: str) -> tuple[str, str]:
    """Return what stands before and after the token in the address of that name."""
    before, _token, after = reverse(name, args=["TOKEN"]).partition("TOKEN")
    return base_url + before, after


def _address(name: str, token: str) -> str:
    before, after = _around(name, settings.BASE_URL)
    return before + token + after


@cache
def _click_key(link_key: str) -> bytes:
    return hmac.digest(link_key.encode(), b"wise.click", "sha256")


def _signature(body: str, key: bytes) -> str:
    digest = hmac.digest(key, body.encode(), "sha256")
    return b2a_base64(digest, newline=False).translate(_URL_SAFE).decode()[:SIGNATURE_LENGTH]


def read_click_token(token: str) -> tuple[int, int, int]:
    """Return message id, link position and mailing id, 0 when it is not in it; raises BadToken when it is not ours."""
    body, _dot, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(body, _click_key(settings.LINK_KEY)).encode()):
        raise BadToken("click")
    message_id, position, *mailing_id = [int(part, 16) for part in body.split(".")]
    return message_id, position, mailing_id[0] if mailing_id else 0


def click_url(message_id: int, position: int, *, mailing_id: int = 0) -> str:
    """Return the address that counts a click and leads on to the link at that position."""
    return click_writer(mailing_id)(message_id, position)


def click_writer(mailing_id: int = 0) -> Callable[[int, int], str]:
    """Return ``click_url`` with everything looked up that is the same for all, for thousands in a row.

    With the mailing in it, a click is answered without a query.
    """
    before, after = _around("mailings:click", settings.BASE_URL)
    key, ending = _click_key(settings.LINK_KEY), f".{mailing_id:x}" if mailing_id else ""

    def write(message_id: int, position: int) -> str:
        body = f"{message_id:x}.{position:x}{ending}"
        return f"{before}{body}.{_signature(body, key)}{after}"

    return write


@cache
def _bounce_key(link_key: str) -> bytes:
    return hmac.digest(link_key.encode(), b"wise.bounce", "sha256")


def _bounce_signature(body: str) -> str:
    return hmac.digest(_bounce_key(settings.LINK_KEY), body.encode(), "sha256").hex()[:BOUNCE_SIGNATURE_LENGTH]


def bounce_address(message_id: int) -> str:
    """Return the address that mail servers report about this message to; empty where BOUNCE_ADDRESS is not set.

    ``bounce@example.nl`` becomes ``bounce+<id>-<signature>@example.nl``, all in lower case.
    """
    if not settings.BOUNCE_ADDRESS:
        return ""
    local, _at, host = settings.BOUNCE_ADDRESS.partition("@")
    body = f"{message_id:x}"
    return f"{local}+{body}-{_bounce_signature(body)}@{host}"


def read_bounce_address(address: str) -> int | None:
    """Return the message id in an address that ``bounce_address`` made, None when it is another or forged."""
    found = re.search(r"\+([0-9a-f]{1,16})-([0-9a-f]{20})@", address.lower())
    if found and hmac.compare_digest(found[2], _bounce_signature(found[1])):
        return int(found[1], 16)
    return None


@cache
def _message_key(link_key: str) -> bytes:
    return hmac.digest(link_key.encode(), b"wise.message", "sha256")


def message_mark(message_id: int) -> str:
    """Return what a Message-ID of ours ends in before the @: who has not seen the mail cannot guess it."""
    return hmac.digest(_message_key(settings.LINK_KEY), b"%x" % message_id, "sha256").hex()[:BOUNCE_SIGNATURE_LENGTH]


def read_message_id(text: str) -> int | None:
    """Return the id of the message whose Message-ID stands in a text; None when there is none, or all are forged."""
    for number, mark in _MESSAGE_ID.findall(text):
        if hmac.compare_digest(mark, message_mark(int(number))):
            return int(number)
    return None


def unsubscribe_url(message_id: int) -> str:
    """Return the address of the page to unsubscribe, which also takes the one-click POST of RFC 8058."""
    return _address("mailings:unsubscribe", make_token("unsubscribe", message_id))


def preferences_url(customer_id: int, link_version: int) -> str:
    """Return the address that lets this customer into MijnMenu until his links are made worthless."""
    return _address("mijnmenu:enter", make_token("mijnmenu", [customer_id, link_version]))


def open_url(mailing_id: int) -> str:
    """Return the address of the picture of one point: the same for all, so it tells of a mailing, never of a person."""
    return _address("mailings:open", make_token("open", mailing_id))


def own_open_url(message_id: int) -> str:
    """Return the address of the picture in one message, for who allowed us to see that he opens our mails."""
    return _address("mailings:open", make_token("opened", message_id))


def picture_url(key: UUID | str) -> str:
    """Return the public address of a picture."""
    return settings.BASE_URL + reverse("mailings:picture", args=[key])


def read_id(purpose: str, token: str) -> int:
    """Return the id in an ``unsubscribe``, ``open`` or ``opened`` token; raises BadToken."""
    payload: Any = read_token(purpose, token)
    if not isinstance(payload, int):
        raise BadToken(purpose)
    return payload
