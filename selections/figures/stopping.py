"""Figures that nobody waits for any more: who builds a rule changes it while the rule before it is still counted.

A figure of a page runs under a name of its own (``application_name``), by which the next request of that page finds and
cancels it: no list of what runs that could be wrong, whichever process it is in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import transaction

from common.sql import execute, rows

_page: ContextVar[str] = ContextVar("name of the figures in the making", default="")
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_CANCEL = """
    SELECT pg_cancel_backend(pid) FROM pg_stat_activity
    WHERE application_name = ANY(%s) AND usename = current_user AND datname = current_database()
        AND pid <> pg_backend_pid()
"""


@contextmanager
def superseding(page: str, kind: str, *also: str) -> Iterator[None]:
    """Stop figures of a kind (and ``also`` those kinds) that are still made for a page; what is made inside can be
    stopped in the same way, and then raises Refused ``superseded``. Without a page nothing is special.
    """
    if not page:
        yield
        return
    stop(page, kind, *also)
    token = _page.set(name_of(page, kind))
    try:
        yield
    finally:
        _page.reset(token)


def stop(page: str, *kinds: str) -> None:
    """Cancel what is counted for a page. In a transaction of its own, since the lock is held until its end."""
    names = [name_of(page, kind) for kind in kinds]
    with transaction.atomic():
        for name in sorted(names):
            execute(_LOCK, [name])
        rows(_CANCEL, [names])


def name_of(page: str, kind: str) -> str:
    """Return the name under which figures of a page run; at most 63 bytes, and it tells nothing of the page."""
    return f"figures {hashlib.sha256(f'{page} {kind}'.encode()).hexdigest()[:40]}"


def present_name() -> str:
    """Return the name under which the figure at hand must run; empty when it is of no page."""
    return _page.get()


def finish(name: str) -> None:
    """Wait until nobody is about to cancel what ran under this name, before the connection does something else."""
    execute(_LOCK, [name])
