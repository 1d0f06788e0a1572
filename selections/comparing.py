"""Selections and result sets laid over each other: how many are in which of them, and a rule for each part.

And one rule laid over itself at two moments: who came, who left, who stayed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import as_subquery, rows
from customers.models import Customer
from selections.compiler import compile_rule
from selections.figures import time_limit
from selections.models import ResultSet, Selection
from selections.past import as_of
from selections.rules import VERSION, Group, Op, parse_rule

MOST_SIDES = 3  # more nobody can read

Side = Selection | ResultSet


@dataclass(frozen=True)
class Part:
    """Those who are in exactly the sides that ``inside`` marks, in the order of the sides."""

    inside: tuple[bool, ...]
    count: int


def overlap(sides: Sequence[Side], *, now: dt.datetime, seconds: float = 30) -> list[Part]:
    """Return how many are in each combination of sides, most sides first, in one statement; empty ones too.

    Raises Refused on fewer than two or more than three sides, on the same one twice, and ``too_heavy``.
    """
    check_sides(sides)
    each = [
        f"SELECT m.id, {1 << place} AS bit FROM ({as_subquery(_members(side, now=now))}) AS m"  # noqa: S608 - bound
        for place, side in enumerate(sides)
    ]
    statement = (
        "SELECT mask, count(*) AS n FROM (SELECT id, sum(bit)::int AS mask"  # noqa: S608 - bound by as_subquery
        f" FROM ({' UNION ALL '.join(each)}) AS one GROUP BY id) AS masks GROUP BY mask"
    )
    with time_limit(seconds):
        counts = {row["mask"]: row["n"] for row in rows(statement, {})}
    parts = [Part(_inside(mask, len(sides)), counts.get(mask, 0)) for mask in range(1, 1 << len(sides))]
    return sorted(parts, key=lambda part: (-sum(part.inside), [not one for one in part.inside]))


def check_sides(sides: Sequence[Side]) -> None:
    """Refuse what cannot be compared."""
    if not 2 <= len(sides) <= MOST_SIDES:
        raise Refused("sides", _("Choose two or three to compare."), field="with")
    if len({(type(side), side.pk) for side in sides}) < len(sides):
        raise Refused("sides", _("Choose different ones: something is always the same as itself."), field="with")


def part_rule(sides: Sequence[Side], inside: Sequence[bool]) -> Group:
    """Return the rule of those who are in exactly the sides that are marked; at any later moment too."""
    chosen = list(zip(sides, inside, strict=True))
    children: list[dict[str, Any]] = [_condition(side) for side, is_in in chosen if is_in]
    if others := [_condition(side) for side, is_in in chosen if not is_in]:
        children.append({"op": Op.NONE.value, "children": others})
    return parse_rule({"version": VERSION, "op": Op.ALL.value, "children": children})


def _condition(side: Side) -> dict[str, Any]:
    if isinstance(side, ResultSet):
        return {"criterion": "selections.in_set", "params": {"result_set": side.pk}}
    return {"criterion": "selections.in", "params": {"selection": side.pk}}


def _members(side: Side, *, now: dt.datetime) -> QuerySet[Any, Any]:
    return compile_rule(part_rule([side], [True]), now=now).order_by().values("id")


def _inside(mask: int, sides: int) -> tuple[bool, ...]:
    return tuple(bool(mask & (1 << place)) for place in range(sides))


# --- one rule at two moments ---

TURNS = ("came", "left", "stayed")


@dataclass(frozen=True)
class Turnover:
    """How many came, left and stayed between two moments."""

    came: int
    left: int
    stayed: int

    @property
    def before(self) -> int:
        """How many were in at first."""
        return self.left + self.stayed

    @property
    def after(self) -> int:
        """How many were in at last."""
        return self.came + self.stayed


def turnover(
    rule: Group,
    *,
    first: dt.datetime,
    last: dt.datetime,
    present: dt.datetime,
    assume_present: bool,
    seconds: float = 30,
) -> Turnover:
    """Return how a rule's members changed between two moments, in one statement. Raises Refused as ``past.as_of``, and
    when the first moment is not the earlier one.
    """
    before, after = _both(rule, first=first, last=last, present=present, assume_present=assume_present)
    statement = (
        "SELECT count(*) FILTER (WHERE b.id IS NULL) AS came, count(*) FILTER (WHERE a.id IS NULL) AS left,"  # noqa: S608
        " count(*) FILTER (WHERE a.id = b.id) AS stayed"
        f" FROM ({as_subquery(before.values('id'))}) AS b FULL JOIN ({as_subquery(after.values('id'))}) AS a USING (id)"
    )
    with time_limit(seconds, rule=rule, now=last):
        [found] = rows(statement, {})
    return Turnover(found["came"], found["left"], found["stayed"])


def turned(
    rule: Group, turn: str, *, first: dt.datetime, last: dt.datetime, present: dt.datetime, assume_present: bool
) -> QuerySet[Customer]:
    """Return who came, left or stayed between two moments. Raises as ``turnover``."""
    before, after = _both(rule, first=first, last=last, present=present, assume_present=assume_present)
    if turn == "left":
        return before.exclude(pk__in=after.values("pk"))
    inside = before.values("pk")
    return after.filter(pk__in=inside) if turn == "stayed" else after.exclude(pk__in=inside)


def _both(
    rule: Group, *, first: dt.datetime, last: dt.datetime, present: dt.datetime, assume_present: bool
) -> tuple[QuerySet[Customer], QuerySet[Customer]]:
    if first >= last:
        raise Refused("order", _("The first day must come before the last."), field="since")
    before = as_of(rule, now=first, present=present, assume_present=assume_present)
    after = as_of(rule, now=last, present=present, assume_present=assume_present)
    return before.order_by(), after.order_by()
