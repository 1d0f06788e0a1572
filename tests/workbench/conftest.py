from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from wise_marketing.celery import app

Nudged = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def nudged(django_capture_on_commit_callbacks: Any) -> Nudged:
    """Let the tasks that a page rings for be done here, at the end of its transaction."""

    @contextmanager
    def at_once() -> Iterator[None]:
        app.conf.task_always_eager = True
        try:
            with django_capture_on_commit_callbacks(execute=True):
                yield
        finally:
            app.conf.task_always_eager = False

    return at_once
