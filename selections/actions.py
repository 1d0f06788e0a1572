"""Make, change, count and watch selections."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from typing import Any

import pghistory
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common.criteria import criteria
from common.errors import Refused
from common.sql import as_subquery, rows
from selections.compiler import compile_rule, members
from selections.models import Export, Selection
from selections.rules import Condition, Group, RuleRefused, parse_rule, pointer_of, walk
from selections.usages import uses_of

log = logging.getLogger(__name__)

By = User | AnonymousUser | None
Rule = Group | dict[str, Any]


def create_selection(*, name: str, rule: Rule, description: str = "", by: By = None, now: dt.datetime) -> Selection:
    """Save a new selection; raises Refused on a name in use or a rule that is not one (``field`` tells
    where).
    """
    selection = Selection(name=name.strip(), description=description, rule=checked(rule, now=now).to_json())
    selection.owner = by if isinstance(by, User) else None
    selection.created_at = selection.updated_at = now
    _save(selection, by=by)
    return selection


def change_selection(
    selection: Selection,
    *,
    name: str | None = None,
    rule: Rule | None = None,
    description: str | None = None,
    by: By = None,
    now: dt.datetime,
) -> Selection:
    """Change what is given; a new rule makes the last count worthless. Raises Refused as
    ``create_selection``.
    """
    if name is not None:
        selection.name = name.strip()
    if description is not None:
        selection.description = description
    if rule is not None:
        _change_rule(selection, checked(rule, now=now, inside=selection), now=now)
    selection.updated_at = now
    _save(selection, by=by)
    return selection


def checked(rule: Rule, *, now: dt.datetime, inside: Selection | None = None) -> Group:
    """Return the parsed rule once all it points at exists and it compiles; ``inside`` may not be referred to.

    Raises RuleRefused with the pointer of the faulty node.
    """
    group = parse_rule(rule)
    for path, node in walk(group):
        if not isinstance(node, Condition):
            continue
        try:
            criteria[node.criterion].check(node.params)
        except Refused as refusal:
            where = f"{pointer_of(path)}/params/{refusal.field or ''}".rstrip("/")
            raise RuleRefused(refusal.code, str(refusal), where) from refusal
    if inside is None or inside.pk is None:
        compile_rule(group, now=now)
    else:
        members(Selection(pk=inside.pk, name=inside.name, rule=group.to_json()), now=now)
    return group


@transaction.atomic
def delete_selection(selection: Selection, *, by: By = None) -> None:
    """Delete a selection and the record of who was in it; raises Refused, telling where, while it is used."""
    uses = uses_of(selection)
    if uses:
        where = ", ".join(map(str, uses[:5])) + (_(" and %d more") % (len(uses) - 5) if len(uses) > 5 else "")
        message = _("“%(name)s” is still used by: %(where)s. Take it out there first.")
        raise Refused("in_use", message % {"name": selection.name, "where": where})
    with pghistory.context(**_who(by)):
        selection.delete()


def count_selection(selection: Selection, *, now: dt.datetime) -> int:
    """Count the members at ``now`` and keep the number with the selection."""
    count = members(selection, now=now).count()
    selection.last_count, selection.counted_at = count, now
    selection.save(update_fields=["last_count", "counted_at"])
    return count


def count_all_selections(*, now: dt.datetime) -> int:
    """Count every selection, one statement each; returns how many were counted. A faulty one is logged and skipped."""
    counted = 0
    for selection in Selection.objects.all():
        try:
            count_selection(selection, now=now)
            counted += 1
        except Refused as refusal:
            log.warning("selection %d is not counted: %s", selection.pk, refusal.code)
    return counted


def record_export(selection: Selection, *, columns: Sequence[str], row_count: int, by: By, now: dt.datetime) -> Export:
    """Keep that a user takes these customers out of the product."""
    return Export.objects.create(
        selection=selection,
        selection_name=selection.name,
        user=by if isinstance(by, User) else None,
        columns=list(columns),
        row_count=row_count,
        exported_at=now,
    )


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


def _change_rule(selection: Selection, rule: Group, *, now: dt.datetime) -> None:
    if rule.to_json() != selection.rule:
        selection.rule = rule.to_json()
        selection.last_count = selection.counted_at = selection.baseline_at = None


@transaction.atomic
def _save(selection: Selection, *, by: By) -> None:
    if not selection.name:
        raise Refused("name_missing", _("Give the selection a name."), field="name")
    try:
        with pghistory.context(**_who(by)), transaction.atomic():
            selection.save()
    except IntegrityError:
        message = _("There is a selection with this name already. Choose another name.")
        raise Refused("name_taken", message, field="name") from None


def _who(by: By) -> dict[str, Any]:
    return {"user": by.pk} if by is not None and by.pk else {}
