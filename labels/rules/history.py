"""The history of labels as their rules would have made it: the moments of a grid one after the other, the differences
between them as intervals, and at the end one statement that writes what is not known otherwise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dateutil.relativedelta import relativedelta
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import execute
from common.time import start_of_day
from labels.computing import Computing
from labels.models import Backfill, Label, ValueDefinition
from labels.profiling import unprofiled_sql
from labels.rules.behaviour import is_behaviour
from labels.rules.following import wanted_sql
from labels.rules.knowing import NOT_THESE
from labels.system import Family, families
from selections.explain import clause
from selections.past import gaps
from selections.rules import Group, parse_rule, walk

MOST_MONTHS = 36

_TABLES = """
DROP TABLE IF EXISTS pg_temp.backfill_open, pg_temp.backfill_stretch;
CREATE TEMPORARY TABLE backfill_open (label_id bigint, customer_id bigint, since timestamptz,
                                      PRIMARY KEY (customer_id, label_id));
CREATE TEMPORARY TABLE backfill_stretch (label_id bigint, customer_id bigint, since timestamptz, until timestamptz)
"""

_MOMENT = """
WITH wanted AS MATERIALIZED ({wanted}),
gone AS (
    DELETE FROM backfill_open AS o
     WHERE NOT EXISTS (SELECT FROM wanted AS w WHERE w.customer_id = o.customer_id AND w.label_id = o.label_id)
    RETURNING o.label_id, o.customer_id, o.since
),
closed AS (
    INSERT INTO backfill_stretch SELECT label_id, customer_id, since, %(moment)s FROM gone
)
INSERT INTO backfill_open (label_id, customer_id, since)
SELECT label_id, customer_id, %(moment)s FROM wanted AS w
 WHERE NOT EXISTS (SELECT FROM backfill_open AS o WHERE o.customer_id = w.customer_id AND o.label_id = w.label_id)
"""

# What is known of the label, or of its exclusive group, stands: only the time between is filled.
_PARTS = """
CREATE TEMPORARY TABLE backfill_part AS
WITH made AS (
    SELECT label_id, customer_id, range_agg(tstzrange(since, until)) AS stretches FROM (
        SELECT label_id, customer_id, since, until FROM backfill_stretch
        UNION ALL SELECT label_id, customer_id, since, %(until)s FROM backfill_open
    ) AS found GROUP BY label_id, customer_id
),
known AS (
    SELECT made.label_id, made.customer_id, range_agg(tstzrange(a.since, a.until)) AS stretches
      FROM made JOIN labels_label AS label ON label.id = made.label_id
      LEFT JOIN labels_labelgroup AS grp ON grp.id = label.group_id AND grp.is_exclusive AND NOT %(is_system)s
      JOIN labels_assignment AS a ON a.customer_id = made.customer_id
       AND (a.label_id = made.label_id OR a.exclusive_group_id = grp.id)
     GROUP BY made.label_id, made.customer_id
)
SELECT made.label_id, made.customer_id, part.part
  FROM made JOIN customers_customer AS customer ON customer.id = made.customer_id AND customer.merged_into_id IS NULL
  LEFT JOIN known ON known.label_id = made.label_id AND known.customer_id = made.customer_id
 CROSS JOIN LATERAL unnest(made.stretches - coalesce(known.stretches, '{{}}')) AS part (part)
 WHERE true {permitted}
"""

# An interval that the rule itself began where the filled time ends, goes on from the beginning of that time.
_LENGTHEN = """
WITH touched AS (
    SELECT a.id, a.since, part.label_id, part.customer_id, part.part
      FROM backfill_part AS part JOIN labels_assignment AS a
        ON a.label_id = part.label_id AND a.customer_id = part.customer_id AND a.since = upper(part.part)
       AND a.given_how IN ('', 'system', 'rule') AND a.given_by = 'system'
),
noted AS (
    INSERT INTO labels_backfillchange (backfill_id, row_id, since) SELECT %(backfill)s, id, since FROM touched
),
used AS (
    DELETE FROM backfill_part AS part USING touched
     WHERE part.label_id = touched.label_id AND part.customer_id = touched.customer_id AND part.part = touched.part
)
UPDATE labels_assignment AS a SET since = lower(touched.part) FROM touched WHERE a.id = touched.id
"""

_WRITE = """
INSERT INTO labels_assignment (label_id, customer_id, exclusive_group_id, since, until, given_by, given_how,
                               given_through, reason, taken_by, taken_how, taken_through)
SELECT part.label_id, part.customer_id, grp.id, lower(part.part), upper(part.part), 'system', 'backfill',
       %(backfill)s, '', 'system', 'backfill', %(backfill)s
  FROM backfill_part AS part JOIN labels_label AS label ON label.id = part.label_id
  LEFT JOIN labels_labelgroup AS grp ON grp.id = label.group_id AND grp.is_exclusive AND NOT %(is_system)s
"""

# One that was ended since at a moment before what it began at (days of validity in the past) becomes empty.
_SHORTEN = """
UPDATE labels_assignment AS a SET since = least(change.since, a.until) FROM labels_backfillchange AS change
 WHERE change.backfill_id = %(backfill)s AND a.id = change.row_id AND a.since < change.since
"""

_REMOVE = """
DELETE FROM labels_assignment
 WHERE label_id = ANY(%(labels)s) AND given_how = 'backfill' AND given_through = %(backfill)s
"""


@dataclass(frozen=True)
class Gap:
    """A part of a rule that cannot be answered for the past: what it asks, and why not."""

    clause: str
    reason: str

    def __str__(self) -> str:
        return f"“{self.clause}”: {self.reason}"


def moments(first_day: dt.date, grid: str, *, until: dt.datetime) -> list[dt.datetime]:
    """Return the starts of the days of a grid before ``until``; raises Refused on more than ``MOST_MONTHS``."""
    if start_of_day(first_day + relativedelta(months=MOST_MONTHS)) < until:
        message = _("A history goes at most %d months back.")
        raise Refused("too_long", message % MOST_MONTHS, field="first_day")
    return list(_moments(first_day, grid, until=until))


def _moments(first_day: dt.date, grid: str, *, until: dt.datetime) -> Iterator[dt.datetime]:
    step, number = ({"weeks": 1} if grid == Backfill.Grid.WEEK else {"months": 1}), 0
    while (moment := start_of_day(first_day + relativedelta(**{k: v * number for k, v in step.items()}))) < until:  # type: ignore[arg-type]
        yield moment
        number += 1


def gaps_of(label: Label, *, first: dt.datetime, present: dt.datetime) -> list[Gap]:
    """Return which parts of the rule of a label cannot be answered for the past, and why."""
    if label.rule_json is None:
        return []
    tree = parse_rule(label.rule_json)
    nodes = dict(walk(tree))
    return [Gap(_words(nodes[path]), reason) for path, reason in gaps(tree, now=first, present=present).items()]


def family_of(label: Label) -> Family | None:
    """Return the family that computes a system label."""
    if label.kind != Label.Kind.SYSTEM or label.group is None:
        return None
    return next((family for family in families if label.group.code in family.all_groups), None)


def labels_of(backfill: Backfill) -> list[Label]:
    """Return the labels that a backfill writes."""
    if backfill.label_id:
        return list(Label.objects.filter(pk=backfill.label_id).select_related("group", "selection"))
    family = families[backfill.family]
    return list(Label.objects.filter(kind=Label.Kind.SYSTEM, group__code__in=family.all_groups))


def prepare() -> None:
    """Make the temporary tables of one backfill; they live as long as the connection."""
    execute(_TABLES)
    execute("DROP TABLE IF EXISTS pg_temp.backfill_part")


@transaction.atomic
def look_at(backfill: Backfill, moment: dt.datetime) -> None:
    """Note who came and who went since the moment before."""
    wanted, parameters = _wanted_then(backfill, moment)
    execute(_MOMENT.format(wanted=wanted), {**parameters, "moment": moment})


def write(backfill: Backfill, *, now: dt.datetime) -> int:
    """Write what was found between the known intervals; returns how many intervals that makes longer or adds."""
    values = {"backfill": backfill.pk, "until": backfill.until, "is_system": bool(backfill.family)}
    permitted = ""
    if _is_profiling(backfill):  # who refuses at present gets nothing about the past either
        permitted = (
            f"AND NOT EXISTS (SELECT FROM ({unprofiled_sql(now=now)}) AS u WHERE u.customer_id = made.customer_id)"
        )
    execute("ANALYZE backfill_stretch")
    execute("ANALYZE backfill_open")
    execute(_PARTS.format(permitted=permitted), values)
    execute("ANALYZE backfill_part")
    written = execute(_LENGTHEN, values) + execute(_WRITE, values)
    execute("DROP TABLE backfill_open, backfill_stretch, backfill_part")
    return written


def remove(backfill: Backfill) -> int:
    """Take away what a backfill wrote, as far as it is there still; returns how many intervals."""
    values = {"backfill": backfill.pk, "labels": [label.pk for label in labels_of(backfill)]}
    return execute(_SHORTEN, values) + execute(_REMOVE, values)


def _wanted_then(backfill: Backfill, moment: dt.datetime) -> tuple[str, dict[str, object]]:
    if backfill.label_id:
        [label] = labels_of(backfill)
        sql = wanted_sql(_together(label), now=moment, in_force=label, group_as_is=False)
        return f"SELECT customer_id, label_id FROM ({sql}) AS all_of_it WHERE label_id = {label.pk:d}", {}  # noqa: S608
    family = families[backfill.family]
    computing = Computing([family], ValueDefinition.objects.filter(code__in=family.values), now=moment)
    computing.prepare()
    sql, parameters = computing.statement(family)
    left_out = ", ".join(f"'{code}'" for code in sorted(NOT_THESE))
    return (
        f"""
        SELECT computed.customer_id, label.id AS label_id FROM ({sql}) AS computed
          JOIN labels_label AS label ON label.code = computed.code AND label.kind = 'system' AND label.is_active
         WHERE label.code NOT IN ({left_out})
        """,  # noqa: S608 - the statement of the family, and our own
        parameters,
    )


def _together(label: Label) -> Sequence[Label]:
    if label.group is None or not label.group.is_exclusive:
        return [label]
    others = Label.objects.by_rule().filter(group=label.group).exclude(pk=label.pk)
    return [*others.select_related("group", "selection"), label]


def _is_profiling(backfill: Backfill) -> bool:
    if backfill.family:
        return families[backfill.family].is_profiling
    return any(is_behaviour(label.rule_json) for label in labels_of(backfill))


def _words(node: object) -> str:
    return clause(node) if not isinstance(node, Group) or node.children else ""  # type: ignore[arg-type]
