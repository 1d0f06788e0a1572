"""A thread with an event loop, on which sinks and proxies play."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Stage:
    """Runs coroutines for a test that itself waits in an ordinary way."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def play(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run to the end and return what came out."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def call(self, work: Callable[[], T]) -> T:
        """Do something where sinks and proxies live."""

        async def once() -> T:
            return work()

        return self.play(once())


async def _clear() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def stage() -> Iterator[Stage]:
    made = Stage()
    thread = threading.Thread(target=made.loop.run_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.play(_clear())
        made.loop.call_soon_threadsafe(made.loop.stop)
        thread.join()
        made.loop.close()
