"""Who does it, as the history keeps it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser, User

By = User | AnonymousUser | None


def who(by: By) -> dict[str, Any]:
    """Return what the history notes of who did it."""
    return {"user": by.pk} if by is not None and by.pk else {}
