"""Who did it, beside what changed: the history triggers read this context."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pghistory

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def noted(by: User | None) -> AbstractContextManager[Any]:
    """Let every change made inside carry the user's name, or "system"."""
    return pghistory.context(by=name_of(by))


def name_of(by: User | None) -> str:
    """Return how a log names whoever did it."""
    return by.get_username() if by else "system"
