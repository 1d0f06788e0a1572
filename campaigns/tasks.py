"""The bell of the scheduler: once a minute, see what is due."""

from __future__ import annotations

from celery import shared_task

from campaigns.actions import advance
from campaigns.actions.links import ask_links_ahead as ask_links_of_actions
from common.time import clock

#: When a day of triggers and steps begins (Amsterdam): after the night's imports and labels, and nobody is woken.
DAY_BEGINS_AT_HOUR = 7


@shared_task
def run_due() -> None:
    """Work off what is due. Lost, doubled or late ticks do no harm: each run has a unique key in the database."""
    advance(now=clock(), from_hour=DAY_BEGINS_AT_HOUR)


@shared_task
def ask_links_ahead() -> int:
    """Have the links of what is soon due looked up by the task that does so, and return how many."""
    return ask_links_of_actions(now=clock())
