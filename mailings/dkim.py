"""Signatures by which receivers know that a mail is of the domain it says it is from (DKIM: RFC 6376 and 8463).

Keys come from settings (``DKIM_…``) and belong to a domain; a mail gets a signature of each key of its author's domain,
or of the nearest domain above that. Header and body are signed in their "relaxed" form, as mail servers on the way may
fold lines and spaces anew. Pure.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from mailings.dkim_keys import Signer

#: Signed where they are there, in this order.
SIGNED = (
    "from", "to", "subject", "date", "message-id", "reply-to", "list-unsubscribe", "list-unsubscribe-post", "list-id",
    "feedback-id", "precedence", "auto-submitted", "mime-version", "content-type", "content-transfer-encoding",
)  # fmt: skip
#: Named once more than they are there, so that nobody can add one.
SEALED = ("from", "to", "subject", "date", "reply-to", "list-unsubscribe", "list-unsubscribe-post", "content-type")
_SPACES = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r\n([ \t])")


def signers() -> list[Signer]:
    """Return all there are."""
    if not settings.DKIM:
        return []
    from mailings.dkim_keys import signer  # eight megabytes of cryptography, only for who signs

    return [signer(one["selector"], one["domain"], one["key"]) for one in settings.DKIM.values()]


def signers_of(address: str) -> list[Signer]:
    """Return who signs what an address writes: those of its domain, else of the nearest domain above that."""
    if not settings.DKIM:
        return []
    host = address.rpartition("@")[2].lower()
    able = [one for one in signers() if host == one.domain or host.endswith(f".{one.domain}")]
    nearest = max((len(one.domain) for one in able), default=0)
    return [one for one in able if len(one.domain) == nearest]


def signed(content: bytes, *, author: str, now: datetime) -> bytes:
    """Return a mail with the signatures of its author's domain before it; as it was when there are none."""
    chosen = signers_of(author)
    if not chosen:
        return content
    head, _gap, body = content.partition(b"\r\n\r\n")
    fields = _fields(head)
    names = _names([name for name, _line in fields])
    body_hash = b64encode(sha256(_relaxed_body(body)).digest()).decode()
    return b"".join([*(one.header(fields, names, body_hash, int(now.timestamp())) for one in chosen), content])


def _fields(head: bytes) -> list[tuple[str, bytes]]:
    """Return name and relaxed line of the headers that are signed."""
    found = {}
    for line in _FOLD.sub(rb"\1", head).split(b"\r\n"):
        name, _colon, value = line.partition(b":")
        key = name.strip().lower()
        found[key.decode("latin-1")] = key + b":" + relaxed(value) + b"\r\n"
    return [(name, found[name]) for name in SIGNED if name in found]


def _names(there: Sequence[str]) -> str:
    """Return the list of signed headers, some to a line."""
    names = [*there, *SEALED]
    return ":\r\n ".join(":".join(names[start : start + 5]) for start in range(0, len(names), 5))


def relaxed(value: bytes) -> bytes:
    """Return a header's value with one space for several, and unfolded."""
    return _SPACES.sub(b" ", _FOLD.sub(rb"\1", value)).strip()


def _relaxed_body(body: bytes) -> bytes:
    """Return a body with one space for several, none at the end of a line, and no empty lines at its end.

    Looking first costs a tenth of replacing, and there is seldom something to replace.
    """
    if not body.endswith(b"\r\n"):
        body += b"\r\n"
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    while b"  " in body:  # halves each run; a regular expression takes five times as long
        body = body.replace(b"  ", b" ")
    if b" \r\n" in body:
        body = body.replace(b" \r\n", b"\r\n")
    body = body.rstrip(b"\r\n")
    return body + b"\r\n" if body else b""
