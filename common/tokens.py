"""Signed, opaque tokens for links; one purpose each, so a token of one kind opens nothing else.

Links must outlive a rotation of SECRET_KEY (unsubscribe, clicks, preferences in old mails), so LINK_KEY signs them.
"""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core import signing


class BadToken(Exception):  # noqa: N818
    """The token is not ours, was changed, or is too old."""


def make_token(purpose: str, payload: Any) -> str:
    """Return a URL-safe token that carries ``payload`` (JSON) for one ``purpose``."""
    # ``signing.dumps`` without what it does anew for each: a mailing makes some for every reader
    body = _base64(json.dumps(payload, separators=(",", ":")).encode("latin-1"))
    signed = f"{body}:{signing.b62_encode(int(time.time()))}"
    return f"{signed}:{_base64(hmac.digest(_key(settings.LINK_KEY, purpose), signed.encode(), 'sha256'))}"


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@lru_cache(maxsize=64)
def _key(link_key: str, purpose: str) -> bytes:
    """Return the key that Django derives for a signer of this salt."""
    return sha256(f"wise.{purpose}signer{link_key}".encode()).digest()


def read_token(purpose: str, token: str, *, max_age_days: int | None = None) -> Any:
    """Return the payload; raises BadToken when it is forged, of another purpose, or older than ``max_age_days``."""
    max_age = None if max_age_days is None else max_age_days * 86400
    try:
        return signing.loads(token, key=settings.LINK_KEY, salt=f"wise.{purpose}", max_age=max_age)
    except signing.BadSignature as error:
        raise BadToken(purpose) from error
