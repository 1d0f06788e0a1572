"""Asking the same thing once while a page is made: many criteria on one page offer the same branches and labels."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_memory: ContextVar[dict[Hashable, Any] | None] = ContextVar("what was asked already", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Within this block every ``remembered`` function is asked once per set of arguments."""
    if _memory.get() is not None:
        yield
        return
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def remembered(function: Callable[P, R]) -> Callable[P, R]:
    """Let a read without side effects answer once within ``remembering``; elsewhere it is as it was.

    Its arguments must be hashable, and what it returns must not be changed by who gets it.
    """

    @wraps(function)
    def ask(*args: P.args, **kwargs: P.kwargs) -> R:
        memory = _memory.get()
        if memory is None:
            return function(*args, **kwargs)
        key = (function, args, tuple(sorted(kwargs.items())))
        if key not in memory:
            memory[key] = function(*args, **kwargs)
        found: R = memory[key]
        return found

    return ask
