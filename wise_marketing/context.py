"""What every template knows about this installation."""

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Return `demo` (bool: mailbox and log-in hints), `demo_logins` and `base_url` (no slash at the end)."""
    return {"demo": settings.DEMO, "demo_logins": demo_logins, "base_url": settings.BASE_URL}


def demo_logins() -> list[dict[str, str]]:
    """Return role, user name and password of those who may try the demo; read only when a template asks."""
    file = settings.STATE_DIR / "demo-logins.json"
    return json.loads(file.read_text(encoding="utf-8")) if settings.DEMO and file.is_file() else []
