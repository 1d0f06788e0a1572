"""POST to other systems, signed as standardwebhooks.com says."""

from __future__ import annotations

import datetime as dt
import hmac
from base64 import b64decode, b64encode
from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: TID251 - this is the place
from urllib.parse import urlsplit

from common.errors import DeliveryFailed

CONNECT_SECONDS = 10


def sign_webhook(body: bytes, *, secret: str, webhook_id: str, at: int) -> str:
    """Return the signature of standardwebhooks.com, version 1; ``secret`` is base64 after "whsec_"."""
    key = b64decode(secret.removeprefix("whsec_"))
    return f"v1,{b64encode(hmac.digest(key, f'{webhook_id}.{at}.'.encode() + body, 'sha256')).decode()}"


def post_webhook(url: str, body: bytes, *, secret: str, webhook_id: str, now: dt.datetime) -> str:
    """POST a signed message (JSON) and return the answer's status line; a redirect is not followed.

    Raises DeliveryFailed: permanent for 4xx other than 408, 425 and 429, else it may be tried again.
    """
    parts, at = urlsplit(url), int(now.timestamp())
    make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "wise-marketing",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(at),
        "webhook-signature": sign_webhook(body, secret=secret, webhook_id=webhook_id, at=at),
    }
    line = make(parts.hostname or "", parts.port, timeout=CONNECT_SECONDS)
    try:
        line.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
        answer = line.getresponse()
        status = f"{answer.status} {answer.reason}"
    except (OSError, HTTPException) as error:
        raise DeliveryFailed(str(error) or type(error).__name__, permanent=False) from error
    finally:
        line.close()
    if answer.status // 100 != 2:
        raise DeliveryFailed(status, permanent=answer.status // 100 == 4 and answer.status not in (408, 425, 429))
    return status
