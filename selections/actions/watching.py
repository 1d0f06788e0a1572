"""Record who comes into and leaves the selections that a trigger waits for."""

from __future__ import annotations

import datetime as dt
import logging

from django.db import transaction

from common.errors import Refused
from common.sql import as_subquery, rows
from selections.compiler import members
from selections.models import Selection

log = logging.getLogger(__name__)


@transaction.atomic
def watch_selection(selection: Selection, *, now: dt.datetime | None = None) -> None:
    """Record from now on who comes in and who leaves; those who are in already are the baseline.

    Without ``now`` the first ``refresh_memberships`` takes the baseline. Watching twice changes nothing.
    """
    if not selection.is_watched:
        selection.is_watched, selection.baseline_at = True, None
        selection.save(update_fields=["is_watched", "baseline_at"])
    if now is not None and selection.baseline_at is None:
        _refresh_one(selection, now=now)


@transaction.atomic
def unwatch_selection(selection: Selection, *, now: dt.datetime) -> None:
    """Stop recording; open stays end."""
    selection.is_watched = False
    selection.save(update_fields=["is_watched"])
    selection.memberships.filter(until__isnull=True).update(until=now)


def refresh_memberships(*, now: dt.datetime) -> dict[int, tuple[int, int]]:
    """Record who came into and left each watched selection since the last time, one statement each.

    Returns selection id -> (came, left). The first time, and the first time after its rule was changed,
    newcomers are baseline: nobody came. One selection that no longer compiles must not stop the others: it is
    logged and skipped.
    """
    changes = {}
    for selection in Selection.objects.filter(is_watched=True):
        try:
            with transaction.atomic():
                changes[selection.pk] = _refresh_one(selection, now=now)
        except Refused as refusal:
            log.warning("selection %d is not watched: %s", selection.pk, refusal.code)
    return changes


_DIFFERENCES = """
WITH present AS MATERIALIZED ({members}),
staying AS MATERIALIZED (
    SELECT id, customer_id FROM selections_membership WHERE selection_id = %(selection)s AND until IS NULL
),
difference AS MATERIALIZED (
    SELECT present.id AS came, staying.id AS gone
      FROM present FULL JOIN staying ON staying.customer_id = present.id
     WHERE present.id IS NULL OR staying.id IS NULL
),
closed AS (
    UPDATE selections_membership m SET until = greatest(m.since, %(now)s)
      FROM difference WHERE m.id = difference.gone RETURNING m.id
),
opened AS (
    INSERT INTO selections_membership (selection_id, customer_id, since, is_baseline)
    SELECT %(selection)s, came, %(now)s, %(is_baseline)s FROM difference WHERE came IS NOT NULL RETURNING id
)
SELECT (SELECT count(*) FROM opened) AS came, (SELECT count(*) FROM closed) AS gone
"""


def _refresh_one(selection: Selection, *, now: dt.datetime) -> tuple[int, int]:
    """Write the differences for one selection; its row is locked, so two runs at once write them once."""
    is_baseline = Selection.objects.select_for_update(no_key=True).get(pk=selection.pk).baseline_at is None
    statement = _DIFFERENCES.format(members=as_subquery(members(selection, now=now).values("id")))
    parameters = {"selection": selection.pk, "now": now, "is_baseline": is_baseline}
    [change] = rows(statement, parameters)
    if is_baseline:
        selection.baseline_at = now
        selection.save(update_fields=["baseline_at"])
    return (0 if is_baseline else change["came"]), change["gone"]
