"""Database work that survives a restart of the database."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

log = logging.getLogger(__name__)
T = TypeVar("T")

DATABASE_RETRY_SECONDS = 45


def persist(work: Callable[[], T]) -> T:
    """Run database work, again when the database went away or broke off a deadlock; every statement in it may be
    repeated.
    """
    until = time.monotonic() + DATABASE_RETRY_SECONDS
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError):
            if time.monotonic() >= until or connection.in_atomic_block:
                raise
            log.warning("the database is away; trying again")
            connection.close()
            time.sleep(0.5)
