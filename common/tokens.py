"""Signed, opaque tokens for links; one purpose each, so a token of one kind opens nothing else.

Links must outlive a rotation of SECRET_KEY (unsubscribe, clicks, preferences in old mails), so LINK_KEY signs them.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import signing


class BadToken(Exception):  # noqa: N818
    """The token is not ours, was changed, or is too old."""


def make_token(purpose: str, payload: Any) -> str:
    """Return a URL-safe token that carries ``payload`` (JSON) for one ``purpose``."""
    return signing.dumps(payload, key=settings.LINK_KEY, salt=f"wise.{purpose}", compress=False)


def read_token(purpose: str, token: str, *, max_age_days: int | None = None) -> Any:
    """Return the payload; raises BadToken when it is forged, of another purpose, or older than ``max_age_days``."""
    max_age = None if max_age_days is None else max_age_days * 86400
    try:
        return signing.loads(token, key=settings.LINK_KEY, salt=f"wise.{purpose}", max_age=max_age)
    except signing.BadSignature as error:
        raise BadToken(purpose) from error
