"""What a rule would do to who has a label: how many get it, keep it and lose it, and a few of them by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from common.sql import as_subquery, rows
from common.time import AMSTERDAM, local_date
from customers.models import Customer
from labels.models import Label
from labels.profiling import unprofiled_sql
from labels.rules.behaviour import is_behaviour
from labels.rules.following import wanted_sql
from labels.rules.order import refuse_cycle
from selections.compiler import compile_rule, members
from selections.figures import PAGE_SECONDS, time_limit

EXAMPLES = 10
NIGHT = dt.time(3, 30)  # when the rules are followed: see the schedule

# Scattered as in ``selections.figures.sample``, so that the examples are not all of one file.
_COMPARE = """
WITH wanted AS MATERIALIZED (SELECT customer_id FROM ({wanted}) AS w WHERE label_id = %(label)s),
present AS MATERIALIZED (SELECT customer_id FROM labels_assignment WHERE label_id = %(label)s AND until IS NULL),
compared AS MATERIALIZED (
    SELECT coalesce(wanted.customer_id, present.customer_id) AS customer_id,
           CASE WHEN present.customer_id IS NULL THEN 'gives' WHEN wanted.customer_id IS NULL THEN 'takes'
                ELSE 'keeps' END AS fate
      FROM wanted FULL JOIN present USING (customer_id)
)
SELECT fate, count(*) AS many,
       ARRAY(SELECT customer_id FROM compared AS one WHERE one.fate = compared.fate
              ORDER BY customer_id * 7919 %% 10007, customer_id LIMIT {examples}) AS examples
  FROM compared GROUP BY fate
"""


_UNPERMITTED = """
SELECT count(*) AS n FROM ({met}) AS met WHERE met.id IN (SELECT u.customer_id FROM ({unprofiled}) AS u)
"""
_HELD = """
SELECT count(*) AS n FROM ({wanted}) AS w WHERE label_id = %(label)s AND EXISTS (
    SELECT FROM labels_assignment AS hand WHERE hand.customer_id = w.customer_id AND hand.until IS NULL
       AND hand.exclusive_group_id = %(group)s AND hand.label_id <> ALL (%(unit)s)
)
"""


@dataclass(frozen=True)
class Preview:
    """What the first run would do. ``unpermitted``: who meets the rule, but permits no labels about what he does;
    ``held``: who meets it, but keeps another label of the exclusive group that was given by hand.

    ``first_day`` is the day of the first run; None when there will be none, since the label is out of use or its days
    are over.
    """

    gives: int
    keeps: int
    takes: int
    unpermitted: int
    held: int
    is_behaviour: bool
    first_day: dt.date | None
    given_examples: Sequence[Customer]
    taken_examples: Sequence[Customer]


def preview(label: Label, *, now: dt.datetime, seconds: float = PAGE_SECONDS) -> Preview:
    """Compare who has a label with who would have it by the rule it has in memory, as if it were in force today.

    The label may be new, without an id. Raises Refused when the rule is too heavy for a page, or asks for itself.
    """
    draft = _with_id(label)
    refuse_cycle(draft)
    sql = wanted_sql(_unit_of(draft), now=now, in_force=draft)
    behaviour = is_behaviour(draft.rule_json)
    with time_limit(seconds):
        found = {row["fate"]: row for row in rows(_COMPARE.format(wanted=sql, examples=EXAMPLES), {"label": draft.pk})}
        unpermitted = _unpermitted(draft, now=now) if behaviour else 0
        held = _held(draft, now=now) if draft.group is not None and draft.group.is_exclusive else 0
    many = {fate: row["many"] for fate, row in found.items()}
    return Preview(
        gives=many.get("gives", 0),
        keeps=many.get("keeps", 0),
        takes=many.get("takes", 0),
        unpermitted=unpermitted,
        held=held,
        is_behaviour=behaviour,
        first_day=first_day(draft, now=now),
        given_examples=_people(found.get("gives", {}).get("examples", [])),
        taken_examples=_people(found.get("takes", {}).get("examples", [])),
    )


def first_day(label: Label, *, now: dt.datetime) -> dt.date | None:
    """Return the day whose night run is the first to follow the rule; None when there will be none."""
    today = local_date(now)
    is_past = now.astimezone(AMSTERDAM).time() >= NIGHT
    coming = today + dt.timedelta(days=1) if is_past else today
    day = max(coming, label.valid_from) if label.valid_from else coming
    if not label.is_in_use or (label.valid_until and label.valid_until < day):
        return None
    return day


def _with_id(label: Label) -> Label:
    """Return the label, with an id that nothing has when it is new."""
    if not label._state.adding:
        return label
    return Label(pk=0, **{f.attname: getattr(label, f.attname) for f in Label._meta.concrete_fields if f.name != "id"})


def _unit_of(label: Label) -> list[Label]:
    """Return the label with those by rule that it is worked out together with."""
    if label.group is None or not label.group.is_exclusive:
        return [label]
    others = Label.objects.by_rule().filter(group=label.group).exclude(pk=label.pk)
    return [*others.select_related("group", "selection"), label]


def _unpermitted(label: Label, *, now: dt.datetime) -> int:
    found = members(label.selection, now=now) if label.selection else compile_rule(label.rule or {}, now=now)
    met = as_subquery(found.order_by().values("id"))
    return int(rows(_UNPERMITTED.format(met=met, unprofiled=unprofiled_sql(now=now)), {})[0]["n"])


def _held(label: Label, *, now: dt.datetime) -> int:
    """Return how many the unit would give the label to, had they not another one of the group by hand."""
    unit = _unit_of(label)
    wanted = wanted_sql(unit, now=now, in_force=label, group_as_is=False)
    parameters = {"label": label.pk, "group": label.group_id, "unit": [one.pk for one in unit]}
    return int(rows(_HELD.format(wanted=wanted), parameters)[0]["n"])


def _people(ids: Sequence[int]) -> list[Customer]:
    known = Customer.objects.select_related("branch").in_bulk(ids)
    return [known[pk] for pk in ids if pk in known]
