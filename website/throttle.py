"""Enough is enough: so many hits a minute per network address and process. Counted in memory, kept nowhere."""

from __future__ import annotations

import threading
import time

PER_MINUTE = 600  # a library's public computers share one address
MOST_ADDRESSES = 20_000

_lock = threading.Lock()
_counts: dict[str, int] = {}
_minute = 0


def is_too_much(address: str) -> bool:
    """Count one hit of this address; tell whether there were more than PER_MINUTE in this minute."""
    global _minute  # noqa: PLW0603 - one counter per process is the point
    with _lock:
        minute = int(time.monotonic() // 60)
        if minute != _minute:
            _counts.clear()
            _minute = minute
        if address not in _counts and len(_counts) >= MOST_ADDRESSES:
            return True
        _counts[address] = _counts.get(address, 0) + 1
        return _counts[address] > PER_MINUTE


def start_again() -> None:
    """Forget all counts."""
    with _lock:
        _counts.clear()
