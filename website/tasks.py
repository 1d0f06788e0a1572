"""Work off what websites sent; lost, doubled or late calls do no harm."""

from __future__ import annotations

from celery import shared_task

from common.time import clock
from website import actions


@shared_task(ignore_result=True)
def record_visits() -> int:
    """Make facts of what identified visitors did; return how many."""
    return actions.record_visits(now=clock())


@shared_task(ignore_result=True)
def roll_up_nightly() -> int:
    """Turn the hits of earlier days into counts; return how many hits."""
    return actions.roll_up(now=clock())
