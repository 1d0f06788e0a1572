"""Moves that tell nothing of the customer: the first time that a group was computed, thresholds or rules that were
changed, labels that began or ended for everybody, histories worked out afterwards. Who acts on moves leaves these out
unless he wants them.
"""

from __future__ import annotations

import datetime as dt

from common.sql import rows
from labels.models import Label
from labels.shifts.moves import moves_sql
from labels.shifts.scale import Scale

# What a backfill wrote, or let begin earlier; and what ended for everybody who had it.
_OWN = """
SELECT move.customer_id, move.at, move.was, move.became FROM ({moves}) AS move
 WHERE move.at <> ALL('{{{moments}}}'::timestamptz[])
   AND NOT EXISTS (
       SELECT FROM labels_assignment AS a
        WHERE a.customer_id = move.customer_id AND a.label_id = ANY('{{{labels}}}'::bigint[])
          AND (a.until = move.at AND a.taken_how IN ('backfill', 'version', 'validity')
               OR a.since = move.at AND (a.given_how = 'backfill' OR EXISTS (
                   SELECT FROM labels_backfillchange AS change JOIN labels_backfill AS b ON b.id = change.backfill_id
                    WHERE change.row_id = a.id AND b.state = 'done'))))
"""

# Runs that computed with other definitions than the one before, and the first of all.
_RUNS = """
SELECT started_at AS at FROM (
    SELECT started_at, fingerprint, lag(fingerprint) OVER (ORDER BY started_at, id) AS was,
           row_number() OVER (ORDER BY started_at, id) AS number
      FROM labels_refreshrun WHERE NOT is_stale AND started_at < %(end)s
) AS run
 WHERE started_at >= %(start)s AND (number = 1 OR fingerprint <> was)
"""

# The first run of a label by rule, and the first after its rule, or that of its selection, was changed, or after the
# label came into force.
_RULES = """
WITH run AS (
    SELECT label_id, at, lag(at) OVER (PARTITION BY label_id ORDER BY at, id) AS before
      FROM labels_rulerun WHERE label_id = ANY(%(labels)s) AND problem = '' AND at < %(end)s
),
changed AS (
    SELECT id AS label_id, pgh_created_at AS at FROM (
        SELECT id, pgh_created_at, ROW(rule, selection_id, is_active) IS DISTINCT FROM
               lag(ROW(rule, selection_id, is_active)) OVER (PARTITION BY id ORDER BY pgh_id) AS differs
          FROM labels_labelevent WHERE id = ANY(%(labels)s)
    ) AS event WHERE differs
    UNION ALL
    SELECT label.id, event.pgh_created_at FROM (
        SELECT id, pgh_created_at, rule IS DISTINCT FROM lag(rule) OVER (PARTITION BY id ORDER BY pgh_id) AS differs
          FROM selections_selectionevent
         WHERE id IN (SELECT selection_id FROM labels_label WHERE id = ANY(%(labels)s))
    ) AS event JOIN labels_label AS label ON label.selection_id = event.id
     WHERE event.differs AND label.id = ANY(%(labels)s)
    UNION ALL
    SELECT id, valid_from::timestamp AT TIME ZONE 'Europe/Amsterdam' FROM labels_label
     WHERE id = ANY(%(labels)s) AND valid_from IS NOT NULL
)
SELECT DISTINCT run.at FROM run
 WHERE run.at >= %(start)s AND (run.before IS NULL OR EXISTS (
     SELECT FROM changed
      WHERE changed.label_id = run.label_id AND changed.at > run.before AND changed.at <= run.at))
"""


# Before the first file of a source nothing was known, and a file with a new version replaces the labels of everybody.
_FIRST = """
SELECT min(a.since) AS at FROM labels_assignment AS a JOIN labels_label AS label ON label.id = a.label_id
 WHERE a.label_id = ANY(%(labels)s) GROUP BY label.version
"""


def own_moves_sql(scale: Scale, *, start: dt.datetime, end: dt.datetime) -> str:
    """Return SQL as ``moves_sql``, without the moves that tell nothing of the customer."""
    moments = moments_without_meaning(scale, start=start, end=end)
    return _OWN.format(
        moves=moves_sql(scale, start=start, end=end),
        moments=", ".join(f'"{moment.astimezone(dt.UTC).isoformat()}"' for moment in moments),
        labels=", ".join(f"{pk:d}" for pk in scale.ids),
    )


def moments_without_meaning(scale: Scale, *, start: dt.datetime, end: dt.datetime) -> list[dt.datetime]:
    """Return the instants in ``[start, end)`` at which labels of a group were computed for the first time, by other
    thresholds or rules than before, or brought by the first file of a version: a move at such an instant may be no
    doing of the customer.
    """
    values = {"start": start, "end": end, "labels": scale.ids}
    found = []
    if any(label.kind == Label.Kind.SYSTEM for label in scale.labels):
        found += rows(_RUNS, values)
    if any(label.is_by_rule for label in scale.labels):
        found += rows(_RULES, values)
    if any(label.kind == Label.Kind.IMPORTED for label in scale.labels):
        found += [row for row in rows(_FIRST, values) if row["at"] and start <= row["at"] < end]
    return sorted({row["at"] for row in found})
