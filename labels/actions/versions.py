"""Import labels come in versions ("Mosaic 2026"): end an old one for everybody in one go, and take that back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pghistory
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import execute, rows
from labels.actions.counts import forget_counts
from labels.actions.labels import By, who
from labels.models import Assignment, Label, LabelGroup, VersionEnd
from labels.profiling import refused_sql


@dataclass(frozen=True)
class Version:
    """One version of a group of import labels: its labels, how many have them now, the first and last given, and when
    the last one ended.
    """

    group: LabelGroup
    version: str
    labels: int
    holders: int
    is_active: bool
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    ended_at: dt.datetime | None


_VERSIONS = """
SELECT label.group_id, label.version, count(DISTINCT label.id) AS labels, bool_or(label.is_active) AS is_active,
       count(a.id) FILTER (WHERE a.until IS NULL) AS holders, min(a.since) AS first_at, max(a.since) AS last_at,
       max(a.until) AS ended_at
  FROM labels_label AS label LEFT JOIN labels_assignment AS a ON a.label_id = label.id
 WHERE label.kind = 'imported' AND label.version <> '' AND label.group_id IS NOT NULL
 GROUP BY label.group_id, label.version
"""

_END = """
UPDATE labels_assignment AS a
   SET until = greatest(a.since, %(now)s), taken_by = %(by)s, taken_how = 'version', taken_through = %(end)s
  FROM labels_label AS label
 WHERE label.id = a.label_id AND label.group_id = %(group)s AND label.version = %(version)s
   AND label.kind = 'imported' AND a.until IS NULL
"""

# As far as nothing took their place since, and not to who said no to being profiled meanwhile.
_GIVE_BACK = """
UPDATE labels_assignment AS a SET until = NULL, taken_by = '', taken_how = '', taken_through = NULL
  FROM labels_label AS label, customers_customer AS customer
 WHERE label.id = a.label_id AND label.group_id = %(group)s AND label.version = %(version)s
   AND customer.id = a.customer_id AND customer.merged_into_id IS NULL
   AND a.taken_how = 'version' AND a.taken_through = %(end)s AND a.customer_id NOT IN ({refused})
   AND NOT EXISTS (
       SELECT FROM labels_assignment AS other
        WHERE other.customer_id = a.customer_id AND (other.until IS NULL OR other.until > a.until)
          AND (other.label_id = a.label_id OR other.exclusive_group_id = a.exclusive_group_id)
   )
"""


def versions() -> list[Version]:
    """Return all versions of import labels, those of a group together, the newest first."""
    groups = LabelGroup.objects.in_bulk()
    found = [Version(groups[row.pop("group_id")], **row) for row in rows(_VERSIONS)]
    return sorted(sorted(found, key=lambda one: one.version, reverse=True), key=lambda one: one.group.name)


@transaction.atomic
def end_version(group: LabelGroup, version: str, *, by: By = None, name: str, now: dt.datetime) -> VersionEnd:
    """End all labels of a version for who has them, and put those labels out of use; ``name`` is who does it.

    Raises Refused when there is no such version, or it has ended.
    """
    LabelGroup.objects.select_for_update(no_key=True).get(pk=group.pk)
    labels = Label.objects.filter(group=group, version=version, kind=Label.Kind.IMPORTED)
    if not version or not labels.exists():
        raise Refused("unknown_version", _("There is no such version."), field="version")
    held = Assignment.objects.open().filter(label__in=labels).exists()
    if not held and not labels.filter(is_active=True).exists():
        raise Refused("ended", _("This version has ended already."), field="version")
    end = VersionEnd(group=group, version=version, ended_at=now, ended_by_id=by.pk if by else None)
    end.put_out = list(labels.filter(is_active=True).order_by("pk").values_list("pk", flat=True))
    end.save()
    values = {"group": group.pk, "version": version, "now": now, "by": name[:150], "end": end.pk}
    end.taken_count = execute(_END, values)
    end.save(update_fields=["taken_count"])
    with pghistory.context(**who(by)):
        labels.update(is_active=False)
    return end


@transaction.atomic
def take_version_back(end: VersionEnd, *, by: By = None, now: dt.datetime) -> int:
    """Give the labels of an ended version again to who lost them by that, and put those in use that were; returns how
    many were given.
    """
    LabelGroup.objects.select_for_update(no_key=True).get(pk=end.group_id)
    known = VersionEnd.objects.select_for_update().get(pk=end.pk)
    if known.undone_at is not None:
        raise Refused("undone", _("This was taken back already."))
    statement = _GIVE_BACK.format(refused=refused_sql(now=now))
    forget_counts(Label.objects.filter(group=known.group_id, version=known.version), since=known.ended_at)
    given = execute(statement, {"group": known.group_id, "version": known.version, "end": known.pk})
    labels = Label.objects.filter(group=known.group_id, version=known.version)
    with pghistory.context(**who(by)):
        (labels if known.put_out is None else labels.filter(pk__in=known.put_out)).update(is_active=True)
    known.undone_at, known.undone_by_id = now, by.pk if by else None
    known.save()
    return given
