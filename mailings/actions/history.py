"""Who did it, beside what changed: the history triggers read this context."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import pghistory
from django.contrib.auth.models import AnonymousUser, User

By = User | AnonymousUser | None


def noted(by: By) -> AbstractContextManager[Any]:
    """Let every change made inside carry the user's name, or "system"."""
    return pghistory.context(by=name_of(by))


def name_of(by: By) -> str:
    """Return how a log names whoever did it."""
    return (by.get_username() if by else "") or "system"
