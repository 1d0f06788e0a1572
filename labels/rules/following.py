"""Bring labels in line with their rules: one statement per unit, which writes only what differs.

Of an exclusive group the label with the highest place goes to who meets the rules of several; who has another label of
the group that was given by hand keeps that one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from common.errors import Refused
from common.sql import as_subquery, rows
from common.time import local_date
from labels.models import Label
from labels.profiling import unprofiled_sql
from labels.rules.behaviour import is_behaviour
from selections.compiler import compile_rule, members

_NOBODY = "SELECT NULL::bigint AS customer_id, NULL::bigint AS label_id, 0 AS rank WHERE false"

_FOLLOW = """
WITH wanted AS MATERIALIZED ({wanted}),
present AS MATERIALIZED (
    SELECT id, customer_id, label_id FROM labels_assignment WHERE label_id = ANY(%(labels)s) AND until IS NULL
),
difference AS MATERIALIZED (
    SELECT wanted.customer_id, wanted.label_id, present.id AS gone
      FROM wanted FULL JOIN present ON present.customer_id = wanted.customer_id AND present.label_id = wanted.label_id
     WHERE wanted.customer_id IS NULL OR present.id IS NULL
),
closed AS (
    UPDATE labels_assignment AS a
       SET until = greatest(a.since, %(now)s), taken_by = 'system', taken_how = 'rule', taken_through = a.label_id
      FROM difference WHERE a.id = difference.gone RETURNING a.id
),
opened AS (
    INSERT INTO labels_assignment (label_id, customer_id, exclusive_group_id, since, given_by, given_how, given_through,
                                   reason, taken_by)
    SELECT label_id, customer_id, %(exclusive_group)s, %(now)s, 'system', 'rule', label_id, '', '' FROM difference
     WHERE gone IS NULL AND (SELECT count(*) FROM closed) >= 0 -- so that the others are closed first
    ON CONFLICT DO NOTHING
    RETURNING label_id
)
SELECT asked.id AS label_id,
       (SELECT count(*) FROM opened WHERE opened.label_id = asked.id) AS given,
       (SELECT count(*) FROM difference JOIN present ON present.id = difference.gone
         WHERE present.label_id = asked.id) AS taken
  FROM unnest(%(labels)s) AS asked (id)
"""


def follow(unit: Sequence[Label], *, now: dt.datetime) -> dict[int, tuple[int, int]]:
    """Give and take the labels of a unit as their rules say; returns label id -> (given, taken).

    Raises Refused when a rule cannot be worked out; then nothing was changed. The caller holds the transaction and has
    locked the labels, and the group when that is exclusive.
    """
    group = unit[0].group
    parameters = {
        "labels": [label.pk for label in unit],
        "exclusive_group": group.pk if group and group.is_exclusive else None,
        "now": now,
    }
    found = rows(_FOLLOW.format(wanted=wanted_sql(unit, now=now)), parameters)
    return {row["label_id"]: (row["given"], row["taken"]) for row in found}


def wanted_sql(
    unit: Sequence[Label], *, now: dt.datetime, in_force: Label | None = None, group_as_is: bool = True
) -> str:
    """Return SQL that yields ``customer_id, label_id`` of who should have the labels of a unit at ``now``.

    A label that is out of use, or not valid that day, has nobody; but ``in_force`` as if it were. ``group_as_is``:
    leave out who has another label of the exclusive group by hand at present. Values are bound; percent signs doubled.
    """
    applied = [label for label in unit if label is in_force or _is_in_force(label, local_date(now))]
    parts = [_members_sql(label, now=now) for label in applied]
    if not parts:
        return f"SELECT customer_id, label_id FROM ({_NOBODY}) AS nobody"  # noqa: S608
    group = unit[0].group
    if group is None or not group.is_exclusive:
        return " UNION ALL ".join(f"SELECT customer_id, label_id FROM ({part}) AS met" for part in parts)  # noqa: S608
    ids = ", ".join(str(label.pk) for label in unit)
    taken = f"""WHERE NOT EXISTS (
        SELECT FROM labels_assignment AS hand WHERE hand.customer_id = met.customer_id AND hand.until IS NULL
           AND hand.exclusive_group_id = {group.pk:d} AND hand.label_id NOT IN ({ids})
    )"""
    return f"""
        SELECT DISTINCT ON (customer_id) customer_id, label_id FROM ({" UNION ALL ".join(parts)}) AS met
        {taken if group_as_is else ""} ORDER BY customer_id, rank DESC, label_id DESC
    """  # noqa: S608


def _is_in_force(label: Label, day: dt.date) -> bool:
    return label.is_in_use and label.is_valid_on(day)


def _members_sql(label: Label, *, now: dt.datetime) -> str:
    """Return SQL for who meets the rule of a label and permits that it is worked out."""
    if label.selection is not None:
        found = members(label.selection, now=now)
    elif label.rule is not None:
        found = compile_rule(label.rule, now=now)
    else:
        raise Refused("no_rule", f"{label} has no rule.")
    met = as_subquery(found.order_by().values("id"))
    permitted = ""
    if is_behaviour(label.rule_json):
        permitted = f" WHERE NOT EXISTS (SELECT FROM ({unprofiled_sql(now=now)}) AS u WHERE u.customer_id = met.id)"
    return (
        f"SELECT met.id AS customer_id, {label.pk:d} AS label_id, {label.rank:d} AS rank FROM ({met}) AS met{permitted}"  # noqa: S608
    )
