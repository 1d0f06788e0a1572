"""What every template knows about this installation."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Return `demo` (bool: mailbox and log-in hints) and `base_url` (str, no slash at the end)."""
    return {"demo": settings.DEMO, "base_url": settings.BASE_URL}
