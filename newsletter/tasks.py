"""The bell of the scheduler: once a minute, see which editions are due."""

from __future__ import annotations

from celery import shared_task

from common.time import clock
from newsletter import actions


@shared_task
def send_due_editions() -> None:
    """Hand over the planned editions whose moment has come; lost, doubled or late ticks do no harm."""
    actions.send_due_editions(now=clock())


@shared_task
def ask_links_ahead() -> int:
    """Have the links of what is soon due looked up by the task that does so, and return how many."""
    return actions.ask_links_ahead(now=clock())
