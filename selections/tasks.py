"""Counts of selections: of all at night, and of one that is too heavy for a page."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from celery import shared_task

from common.errors import Refused
from common.time import clock
from selections import actions
from selections.actions import count_all_selections
from selections.background import count
from selections.models import ResultSet
from selections.rules import parse_rule

LOST = dt.timedelta(hours=1)  # after which nobody is at it any more

log = logging.getLogger(__name__)


@shared_task
def count_selections_nightly() -> None:
    """Count every selection anew, so that the list tells sizes of today; counting twice does no harm."""
    count_all_selections(now=clock())


@shared_task
def count_in_background(rule: dict[str, Any], ticket: str, now: str, is_past: bool = False) -> None:
    """Count a rule at a moment (ISO) and keep the answer under its ticket; counting twice does no harm."""
    count(parse_rule(rule), ticket=ticket, now=dt.datetime.fromisoformat(now), is_past=is_past)


@shared_task
def fill_result_set(pk: int) -> None:
    """Look up who are in a result set that waits for it; filling twice does no harm."""
    for kept in ResultSet.objects.filter(pk=pk):
        actions.fill_result_set(kept)


@shared_task
def fill_waiting_sets() -> None:
    """Look up who are in result sets of which the task was lost."""
    for kept in ResultSet.objects.filter(is_waiting=True, made_at__lt=clock() - LOST):
        try:
            actions.fill_result_set(kept)
        except Refused as refusal:
            log.warning("result set %d cannot be filled: %s", kept.pk, refusal.code)
