"""Counts of selections: of all at night, and of one that is too heavy for a page."""

from __future__ import annotations

import datetime as dt
from typing import Any

from celery import shared_task

from common.time import clock
from selections.actions import count_all_selections
from selections.background import count
from selections.rules import parse_rule


@shared_task
def count_selections_nightly() -> None:
    """Count every selection anew, so that the list tells sizes of today; counting twice does no harm."""
    count_all_selections(now=clock())


@shared_task
def count_in_background(rule: dict[str, Any], ticket: str, now: str, is_past: bool = False) -> None:
    """Count a rule at a moment (ISO) and keep the answer under its ticket; counting twice does no harm."""
    count(parse_rule(rule), ticket=ticket, now=dt.datetime.fromisoformat(now), is_past=is_past)
