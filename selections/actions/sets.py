"""Result sets: keep who are in a selection, as they are or were."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import as_subquery, execute
from customers.models import Customer
from selections.actions.selections import Rule, checked, refuse_used
from selections.actions.who import By
from selections.compiler import compile_rule, entering
from selections.explain import describe
from selections.figures import room
from selections.models import ResultSet, Selection
from selections.past import as_of as at_a_past_moment
from selections.rules import Group, parse_rule

MANY = 10_000  # rows after which the planner's figures would be too old to plan by


def keep_selection(
    selection: Selection,
    *,
    name: str,
    as_of: dt.datetime | None = None,
    assume_present: bool = False,
    later: bool = False,
    by: By = None,
    now: dt.datetime,
) -> ResultSet:
    """Keep who are in a selection now, or were at a past moment. Raises Refused as ``keep_rule``."""
    with entering(selection):
        return keep_rule(
            selection.rule,
            name=name,
            selection=selection,
            as_of=as_of,
            assume_present=assume_present,
            later=later,
            by=by,
            now=now,
        )


@transaction.atomic
def keep_rule(
    rule: Rule,
    *,
    name: str,
    selection: Selection | None = None,
    as_of: dt.datetime | None = None,
    assume_present: bool = False,
    later: bool = False,
    by: By = None,
    now: dt.datetime,
) -> ResultSet:
    """Keep whom a rule means now, or meant at a past moment, in one statement; ``later`` only notes it, for
    ``fill_result_set``.

    Raises Refused on a name in use, on a rule that is not one, and as ``selections.past.as_of``.
    """
    group = checked(rule, now=now)
    _meant(group, as_of=as_of, assume_present=assume_present, now=now)  # refuses now what could not be filled later
    kept = _begin(
        ResultSet(
            name=name.strip(),
            selection=selection,
            rule=group.to_json(),
            sentence=describe(group),
            as_of=as_of or now,
            member_count=0,
            made_by=by if isinstance(by, User) else None,
            made_at=now,
            assumes_present=assume_present,
            is_waiting=True,
        )
    )
    return kept if later else fill_result_set(kept)


def _meant(group: Group, *, as_of: dt.datetime | None, assume_present: bool, now: dt.datetime) -> QuerySet[Customer]:
    if as_of is None:
        return compile_rule(group, now=now)
    return at_a_past_moment(group, now=as_of, present=now, assume_present=assume_present)


@transaction.atomic
def fill_result_set(kept: ResultSet) -> ResultSet:
    """Look up who are in a result set that waits for them; of one that waits no longer, or is gone, nothing is done.

    Raises Refused when its rule cannot be asked any more, as when a selection inside it was deleted.
    """
    kept = ResultSet.objects.select_for_update().filter(pk=kept.pk).first() or kept
    if not kept.is_waiting:
        return kept
    now, as_of = kept.made_at, kept.as_of if kept.as_of < kept.made_at else None
    found = _meant(parse_rule(kept.rule), as_of=as_of, assume_present=kept.assumes_present, now=now)
    members = as_subquery(found.order_by().values("id"))
    with room():
        kept.member_count = execute(
            # Read whole before anything is written, and written in order: twice as fast for many.
            f"WITH found AS MATERIALIZED ({members})"  # noqa: S608 - bound by as_subquery
            " INSERT INTO selections_resultmember (result_set_id, customer_id)"
            " SELECT %(kept)s, found.id FROM found ORDER BY found.id",
            {"kept": kept.pk},
        )
    kept.is_waiting = False
    kept.save(update_fields=["member_count", "is_waiting"])
    if kept.member_count >= MANY:
        execute("ANALYZE selections_resultmember")
    return kept


def rename_result_set(kept: ResultSet, *, name: str) -> ResultSet:
    """Give a result set another name; raises Refused on a name in use."""
    kept.name = name.strip()
    return _begin(kept)


@transaction.atomic
def delete_result_set(kept: ResultSet) -> None:
    """Delete a result set and who were in it; raises Refused, telling where, while a rule uses it."""
    refuse_used(kept)
    execute("DELETE FROM selections_resultmember WHERE result_set_id = %s", [kept.pk])
    kept.delete()


def _begin(kept: ResultSet) -> ResultSet:
    if not kept.name:
        raise Refused("name_missing", _("Give the result set a name."), field="name")
    try:
        with transaction.atomic():
            kept.save()
    except IntegrityError:
        message = _("There is a result set with this name already. Choose another name.")
        raise Refused("name_taken", message, field="name") from None
    return kept
