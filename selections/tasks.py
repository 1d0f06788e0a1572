"""The nightly count of the selections."""

from __future__ import annotations

from celery import shared_task

from common.time import clock
from selections.actions import count_all_selections


@shared_task
def count_selections_nightly() -> None:
    """Count every selection anew, so that the list tells sizes of today; counting twice does no harm."""
    count_all_selections(now=clock())
