"""Locks that keep work of one kind apart, whichever process does it. PostgreSQL frees those of who died."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def session_lock(number: int, *, wait: bool) -> Iterator[bool]:
    """Hold a lock for as long as this connection lives and the block lasts, over any number of transactions; yield
    whether we have it, which with ``wait`` is always so.
    """
    with connection.cursor() as cursor:
        function = "pg_advisory_lock" if wait else "pg_try_advisory_lock"
        cursor.execute(f"SELECT {function}(%s)", [number])
        has_lock = wait or bool(cursor.fetchone()[0])
    try:
        yield has_lock
    finally:
        if has_lock and connection.connection and not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
