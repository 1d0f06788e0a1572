"""Count selections: one that somebody asks for, and all at night."""

from __future__ import annotations

import datetime as dt
import logging

from common.errors import Refused
from selections.compiler import members
from selections.figures import room
from selections.models import Selection

log = logging.getLogger(__name__)


def count_selection(selection: Selection, *, now: dt.datetime) -> int:
    """Count the members at ``now`` and keep the number with the selection."""
    with room():
        count = members(selection, now=now).count()
    selection.last_count, selection.counted_at = count, now
    selection.save(update_fields=["last_count", "counted_at"])
    return count


def count_all_selections(*, now: dt.datetime) -> int:
    """Count every selection that is not archived, one statement each; returns how many were counted.

    A faulty one is logged and skipped.
    """
    counted = 0
    for selection in Selection.objects.in_use():
        try:
            count_selection(selection, now=now)
            counted += 1
        except Refused as refusal:
            log.warning("selection %d is not counted: %s", selection.pk, refusal.code)
    return counted
