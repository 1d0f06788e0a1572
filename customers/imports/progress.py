"""How far a run is, while its transaction is open: told over a connection of its own, since nobody sees what a
transaction wrote before it ends.

Who works calls ``reached`` after each step with his share of the work; without a run that is followed it does nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import DatabaseError, connection

PATIENCE = 0.5  # seconds; what is done sooner needs no bar, and nobody looks more often


class Progress:
    """The bar of one run, between two percentages. ``UPDATE`` waits for nobody: a bar is never worth a standstill."""

    def __init__(self, run_id: int, low: int, high: int) -> None:
        self._run_id = run_id
        self._low, self._high = low, high
        self._told_at = time.monotonic()
        self._other = connection.copy()

    def reached(self, share: float) -> None:
        """Show that this share (0 to 1) of the work is done."""
        if time.monotonic() < self._told_at + PATIENCE:
            return
        percent = round(self._low + (self._high - self._low) * share)
        try:
            with self._other.cursor() as cursor:
                cursor.execute("SET lock_timeout = '200ms'")
                cursor.execute("UPDATE customers_importrun SET percent = %s WHERE id = %s", [percent, self._run_id])
        except DatabaseError:
            self.close()  # the next one tries anew
        self._told_at = time.monotonic()

    def close(self) -> None:
        """Give the connection back."""
        self._other.close()


_followed: ContextVar[Progress | None] = ContextVar("followed", default=None)
_span: ContextVar[tuple[float, float]] = ContextVar("span", default=(0.0, 1.0))


@contextmanager
def following(run_id: int, low: int, high: int) -> Iterator[None]:
    """Show the work of this block as the bar of a run, from ``low`` to ``high`` percent.

    Within a transaction of the caller nobody else sees the run, so nothing is told.
    """
    if connection.in_atomic_block:
        yield
        return
    progress = Progress(run_id, low, high)
    before = _followed.set(progress)
    try:
        yield
    finally:
        _followed.reset(before)
        progress.close()


@contextmanager
def span(low: float, high: float) -> Iterator[None]:
    """Let what this block calls a share be a share of this part of the work."""
    before = _span.set((low, high))
    try:
        yield
    finally:
        _span.reset(before)
    reached(high)


def reached(share: float) -> None:
    """Say that this share (0 to 1) of the present part is done."""
    progress = _followed.get()
    if progress is not None:
        low, high = _span.get()
        progress.reached(low + (high - low) * share)
