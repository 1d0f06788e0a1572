"""Messages whose server takes its time: a thread of its own waits for what becomes of them, and the worker goes on.

A server may be silent for minutes after the final dot, and hanging up would leave a doubt. Until such a connection has
its answer it counts among those that this process may have, so a server that hangs on all is not called any more.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from uuid import UUID

from django.db import connections

from mailings import queue
from mailings.delivery import Crew
from mailings.models import Mailing
from mailings.persisting import persist

HEARTBEAT_SECONDS = 15

_waiting: dict[Crew, threading.Thread] = {}
_lock = threading.Lock()


def leave(crew: Crew, mailing: Mailing, token: UUID) -> None:
    """Leave a crew to its last messages, which this claim marked; whoever calls lets go of it."""
    crew.send_home()
    thread = threading.Thread(target=_wait, args=(crew, mailing, token), daemon=True)
    with _lock:
        _waiting[crew] = thread
    thread.start()


def busy_by_relay() -> Counter[int | None]:
    """Return how many connections still wait, by relay."""
    with _lock:
        return sum((crew.busy_by_relay() for crew in _waiting), Counter())


def finish(*, seconds: float) -> bool:
    """Wait for them, for who is about to stop; say whether all have their outcome."""
    until = time.monotonic() + seconds
    with _lock:
        threads = list(_waiting.values())
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


def _wait(crew: Crew, mailing: Mailing, token: UUID) -> None:
    try:
        while crew.busy:
            outcomes = crew.collect(wanted=1, timeout=HEARTBEAT_SECONDS)
            persist(lambda found=outcomes: queue.record(mailing, found, token=token))  # type: ignore[misc]
            persist(lambda: queue.extend(token))
    finally:
        with _lock:
            del _waiting[crew]
        crew.dismiss()
        connections.close_all()  # those of this thread
