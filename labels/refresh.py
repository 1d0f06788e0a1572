"""Recompute the system labels and the computed values, and write what differs.

A run looks at everybody, or at those for whom something changed (``labels.changes``). What families want to know of
facts is gathered in one pass (``labels.computing``); then family by family the labels that should be are held against
those that are, and only differences are written. Measured on a million customers with one in a hundred differing: 4
times faster than MERGE, 7 times than delete and insert.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation

from common.sql import execute
from labels import changes
from labels.computing import Among, Computing
from labels.models import Label, LabelGroup, RefreshRun, ValueDefinition
from labels.profiling import refused_sql
from labels.standard import ensure_standard_values
from labels.system import Family, LabelSpec, families
from labels.system.thresholds import chosen

_LOCK = 0x77_6D_6C_61  # one refresh at a time: transaction-scoped advisory lock

_DIFFERENCE = """
CREATE TEMPORARY TABLE label_difference ON COMMIT DROP AS
SELECT coalesce(target.label_id, present.label_id) AS label_id,
       coalesce(target.customer_id, present.customer_id) AS customer_id, target.label_id IS NULL AS is_gone
  FROM (
      SELECT label.id AS label_id, computed.customer_id FROM ({family}) AS computed
        JOIN labels_label AS label ON label.code = computed.code AND label.kind = 'system' AND label.is_active
  ) AS target FULL JOIN (
      SELECT label_id, customer_id FROM {present}
       WHERE until IS NULL AND label_id = ANY(%(of_family)s) AND {among}
  ) AS present ON present.label_id = target.label_id AND present.customer_id = target.customer_id
 WHERE target.label_id IS NULL OR present.label_id IS NULL
"""
_CLOSE = """
UPDATE labels_assignment AS a SET until = %(now)s, taken_by = 'system' FROM label_difference AS d
 WHERE d.is_gone AND a.label_id = d.label_id AND a.customer_id = d.customer_id AND a.until IS NULL
"""
_OPEN = """
INSERT INTO labels_assignment (label_id, customer_id, since, given_by, reason, taken_by)
SELECT label_id, customer_id, %(now)s, 'system', '', '' FROM label_difference WHERE NOT is_gone
"""

# Labels of a family that is no more.
_ORPHANS = """
UPDATE labels_assignment AS a SET until = %(now)s, taken_by = 'system' FROM labels_label AS label
 WHERE label.id = a.label_id AND a.until IS NULL AND label.kind = 'system' AND NOT label.is_active
   AND label.group_id NOT IN (SELECT id FROM labels_labelgroup WHERE code = ANY(%(groups)s))
"""

# Who refused after labels of his own or of his address came in; who did before did not get them.
_IMPORTED = """
UPDATE labels_assignment AS a SET until = %(now)s, taken_by = 'system'
  FROM customers_importrun AS run
 WHERE a.until IS NULL AND run.format IN ('home_labels', 'labels') AND a.given_by = 'import ' || run.id
   AND a.customer_id IN ({refused})
"""

_VALUES = """
WITH difference AS (
    SELECT coalesce(target.customer_id, held.customer_id) AS customer_id,
           coalesce(target.value_id, held.value_id) AS value_id, target.number
      FROM label_value AS target FULL JOIN (SELECT * FROM labels_customervalue WHERE {among}) AS held
        ON held.customer_id = target.customer_id AND held.value_id = target.value_id
     WHERE held.number IS DISTINCT FROM target.number
),
gone AS (
    DELETE FROM labels_customervalue AS held USING difference AS d
     WHERE d.number IS NULL AND held.customer_id = d.customer_id AND held.value_id = d.value_id
)
INSERT INTO labels_customervalue (customer_id, value_id, number)
SELECT customer_id, value_id, number FROM difference WHERE number IS NOT NULL ORDER BY customer_id, value_id
ON CONFLICT (customer_id, value_id) DO UPDATE SET number = excluded.number
"""


@transaction.atomic
def ensure_system_labels(*, now: dt.datetime) -> None:
    """Make the groups and labels of all families, bring their texts up to date, rest those of worlds that are
    gone; and make the values that come with the product.

    Texts are kept in the language of the site; pages in another language take theirs from the code.
    """
    ensure_standard_values(now=now)
    with translation.override(settings.LANGUAGE_CODE):
        specs = [(family, spec) for family in families for spec in (*family.labels, *family.more_labels())]
        _ensure_labels(specs, now=now)
    known = [spec.code for _family, spec in specs]
    Label.objects.filter(kind=Label.Kind.SYSTEM, is_active=True).exclude(code__in=known).update(is_active=False)


@transaction.atomic
def refresh_system_labels(*, now: dt.datetime, due_key: str, full: bool = True) -> RefreshRun:
    """Give and take system labels and write computed values so that they are right at ``now``; only differences are
    written.

    Without ``full`` only who changed is looked at, where that is enough. Happens once per ``due_key``: asking again
    returns the run that was. A run for a moment before one that has been computed already changes nothing, so a late
    or repeated run can do no harm.
    """
    execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    known = RefreshRun.objects.filter(due_key=due_key).first()
    if known:
        return known
    run = RefreshRun(due_key=due_key, started_at=now)
    run.is_stale = RefreshRun.objects.filter(started_at__gt=now, is_stale=False).exists()
    if not run.is_stale:
        ensure_standard_values(now=now)
        _compute(run, why=RefreshRun.WhyFull.ASKED if full else "")
    run.finished_at = now
    run.save()
    return run


def _compute(run: RefreshRun, *, why: str) -> None:
    """Look at whom the run is about, and write the difference; fills in what the run did."""
    work = _work(run.started_at)
    seen = changes.look(work)
    previous = RefreshRun.objects.filter(is_stale=False).order_by("-started_at", "-pk").first()
    changes.take_marks()
    why = why or changes.why_full(seen, previous, now=run.started_at)
    if not why and previous:
        work, why = _narrowed(run, work, previous)
    if why:
        ensure_system_labels(now=run.started_at)
        work = _work(run.started_at)
        work.prepare()
        run.affected_count = None
    run.is_full, run.why_full = bool(why), why
    run.seen_xid, run.cluster, run.fingerprint = seen.xid, seen.cluster, seen.fingerprint
    run.parts = [{"code": code, "seconds": round(seconds, 2)} for code, seconds in work.seconds.items()]
    run.parts += [_write_values(work), *(_write(family, work) for family in work.families), _write_others(work)]
    run.given_count = sum(part.get("given", 0) for part in run.parts)
    run.taken_count = sum(part.get("taken", 0) for part in run.parts)


def _work(now: dt.datetime, *, scoped: bool = False) -> Computing:
    """Return the computation of everything, by thresholds read just now."""
    known = chosen.read()
    limits = {family.code: family.limits(known=known) for family in families}
    return Computing(families, ValueDefinition.objects.all(), now=now, limits=limits, scoped=scoped)


def _narrowed(run: RefreshRun, work: Computing, previous: RefreshRun) -> tuple[Computing, str]:
    """Prepare a computation of who changed since; or tell why it has to be everybody all the same."""
    started = time.monotonic()
    run.affected_count = changes.find_changed(work, previous)
    if changes.is_too_many(run.affected_count):
        return work, RefreshRun.WhyFull.MANY
    narrow = _work(run.started_at, scoped=True)
    narrow.seconds["changes"] = time.monotonic() - started
    narrow.prepare()
    return narrow, RefreshRun.WhyFull.NEWS if changes.has_news(narrow) else ""


def _write(family: Family, work: Computing) -> dict[str, Any]:
    """Give and take the labels of one family; return what was done, for the run."""
    started = time.monotonic()
    execute("DROP TABLE IF EXISTS pg_temp.label_difference")
    statement, params = work.statement(family)
    among = Among(scoped=work.scoped, with_mates=family.of_household)["customer_id"]
    labels = Label.objects.filter(kind=Label.Kind.SYSTEM, group__code__in=family.all_groups)
    params["of_family"] = list(labels.values_list("pk", flat=True))
    differing = execute(_DIFFERENCE.format(family=statement, present=work.present, among=among), params)
    taken = execute(_CLOSE, {"now": work.now}) if differing else 0
    given = execute(_OPEN, {"now": work.now}) if differing else 0
    return {"code": family.code, "seconds": round(time.monotonic() - started, 2), "given": given, "taken": taken}


def _write_values(work: Computing) -> dict[str, Any]:
    """Write the computed values that differ, in one statement."""
    started = time.monotonic()
    written = execute(_VALUES.format(among=Among(scoped=work.scoped)["customer_id"]))
    return {"code": "values", "seconds": round(time.monotonic() - started, 2), "written": written}


def _write_others(work: Computing) -> dict[str, Any]:
    """End labels of families that are gone, and labels of files of who refused since."""
    started = time.monotonic()
    among = "SELECT customer_id FROM label_scope" if work.scoped else ""
    groups = [code for family in families for code in family.all_groups]
    taken = 0 if work.scoped else execute(_ORPHANS, {"now": work.now, "groups": groups})
    taken += execute(_IMPORTED.format(refused=refused_sql(now=work.now, among=among)), {"now": work.now})
    return {"code": "others", "seconds": round(time.monotonic() - started, 2), "given": 0, "taken": taken}


def _ensure_groups() -> dict[str, LabelGroup]:
    """Make the groups of all families and bring them up to date; code -> group. Only what differs is written."""
    wanted = {
        code: {"name": str(name)[:80], "is_exclusive": family.holds_one(code)}
        for family in families
        for code, name in family.all_groups.items()
    }
    groups = LabelGroup.objects.in_bulk(list(wanted), field_name="code")
    new = [LabelGroup(code=code, **fields) for code, fields in wanted.items() if code not in groups]
    for code, group in groups.items():
        if _differs(group, wanted[code]):
            group.save(update_fields=list(wanted[code]))
    return groups | {group.code: group for group in LabelGroup.objects.bulk_create(new)}


def _ensure_labels(specs: Sequence[tuple[Family, LabelSpec]], *, now: dt.datetime) -> None:
    """Make the labels of these families, with their groups, and bring them up to date; only what differs is written."""
    groups = _ensure_groups()
    present = Label.objects.select_related("group").in_bulk([spec.code for _family, spec in specs], field_name="code")
    new: dict[str, Label] = {}
    for family, spec in specs:
        label = present.get(spec.code) or new.setdefault(spec.code, Label(code=spec.code, created_at=now))
        wanted = {
            "name": str(spec.name)[:80],
            "description": str(spec.description),
            "kind": Label.Kind.SYSTEM,
            "group": groups[spec.group or family.code],
            "colour": spec.colour,
            "rank": spec.rank,
            "is_active": True,
        }
        if _differs(label, wanted) and spec.code not in new:
            label.save(update_fields=list(wanted))
    Label.objects.bulk_create(new.values())


def _differs(row: Label | LabelGroup, wanted: dict[str, Any]) -> bool:
    """Give a row the values that are wanted; tell whether any was another."""
    differing = {field: value for field, value in wanted.items() if getattr(row, field) != value}
    for field, value in differing.items():
        setattr(row, field, value)
    return bool(differing)
