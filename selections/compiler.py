"""From a rule to one queryset, so to one statement; evaluated at the instant ``now``.

Nothing here runs the query. A criterion that needs a definition (another selection) reads that one row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import reduce
from operator import add, and_, or_

from django.db.models import BooleanField, Case, IntegerField, Q, QuerySet, Value, When
from django.db.models.lookups import Exact
from django.utils.translation import gettext as _

from common.criteria import criteria
from common.errors import Refused
from customers.models import Customer
from selections.models import Selection
from selections.picks import picked
from selections.rules import Condition, Group, Node, Op, Path, RuleRefused, parse_rule, pointer_of

MAX_SELECTIONS_DEEP = 5  # selections that refer to selections
MAX_CRITERIA = 500  # in one statement: each selection inside a rule may bring a hundred, and those again


@dataclass
class _Statement:
    """One statement in the making: the selections we are inside of, and how many criteria it has so far."""

    inside: tuple[int, ...] = ()
    criteria: int = 0


_making: ContextVar[_Statement | None] = ContextVar("statement in the making", default=None)


@dataclass(frozen=True)
class Part:
    """The condition of one node; of a group with picks also what it was before those."""

    q: Q
    before_picks: Q


def compile_rule(rule: Group | dict[str, object], *, now: dt.datetime) -> QuerySet[Customer]:
    """Return the customers for whom the rule holds at ``now``, each once, without order; nobody who is restricted."""
    return Customer.objects.usable().filter(to_q(parse_rule(rule), now=now)).order_by()


def members(selection: Selection, *, now: dt.datetime) -> QuerySet[Customer]:
    """Return the customers in a saved selection at ``now``; raises Refused when it refers to itself."""
    with entering(selection):
        return compile_rule(selection.rule, now=now)


def to_q(node: Node, *, now: dt.datetime, path: Path = ()) -> Q:
    """Return the condition of a node over customers, never an empty one; raises RuleRefused with the faulty node.

    Criteria bring sub-queries, never joins to many, so a customer is found once and NOT is a true complement.
    """
    return parts_of(node, now=now, path=path)[path].q


def parts_of(node: Node, *, now: dt.datetime, path: Path = ()) -> dict[Path, Part]:
    """Return the conditions of a node and of all below it, to stand in one statement. Raises as ``to_q``."""
    parts: dict[Path, Part] = {}
    with statement():
        _add_parts(parts, node, now=now, path=path)
    return parts


def _add_parts(parts: dict[Path, Part], node: Node, *, now: dt.datetime, path: Path) -> Q:
    """Add a node and all below it; return its condition."""
    if isinstance(node, Condition):
        before = after = _condition(node, now=now, path=path)
    else:
        children = [_add_parts(parts, child, now=now, path=(*path, n)) for n, child in enumerate(node.children)]
        before = combined(node.op, children)
        with refusing(path, "picks"):
            after = picked(before, node.picks, now=now)
    parts[path] = Part(after, before)
    return after


def combined(op: Op, parts: Sequence[Q]) -> Q:
    """Return the condition of a group without its picks; of nothing it is what logic says."""
    if not parts:
        return _constant(not op.is_of_some)
    if op == Op.ALL:
        return reduce(and_, parts)
    if op == Op.ONE and len(parts) > 1:
        return Q(Exact(reduce(add, map(_counted, parts)), Value(1)))
    return ~reduce(or_, parts) if op == Op.NONE else reduce(or_, parts)


def _counted(part: Q) -> Case:
    """Return a condition as a number: 1 where it holds, 0 where it does not or is not known."""
    return Case(When(part, then=1), default=0, output_field=IntegerField())


def _condition(node: Condition, *, now: dt.datetime, path: Path) -> Q:
    count_criterion(path)
    with refusing(path, "params"):
        # A criterion that asks nothing holds for everybody; an empty Q would vanish, and its opposite with it.
        return criteria[node.criterion].to_q(node.params, now=now) or _constant(True)


@contextmanager
def refusing(path: Path, part: str) -> Iterator[None]:
    """Say of what is refused in which node it stands; inside another selection that is the node that refers to it."""
    where = f"{pointer_of(path)}/{part}"
    try:
        yield
    except OverflowError:
        problem = _("This goes further back or ahead than the calendar does.")
        raise RuleRefused("out_of_range", problem, where) from None
    except Refused as refusal:
        problem = refusal.problem if isinstance(refusal, RuleRefused) else str(refusal)
        raise RuleRefused(refusal.code, problem, where) from refusal


def _constant(value: bool) -> Q:
    return Q(Value(value, output_field=BooleanField()))


@contextmanager
def statement() -> Iterator[_Statement]:
    """Go on with the statement in the making, or begin one."""
    if (begun := _making.get()) is not None:
        yield begun
        return
    token = _making.set(fresh := _Statement())
    try:
        yield fresh
    finally:
        _making.reset(token)


def count_criterion(path: Path) -> None:
    """Refuse a rule that with all selections inside it becomes too much for one statement."""
    making = _making.get()
    if making is None:
        return
    making.criteria += 1
    if making.criteria > MAX_CRITERIA:
        problem = _("With all selections inside it, this comes to more than %d criteria.") % MAX_CRITERIA
        raise RuleRefused("too_many", problem, pointer_of(path))


@contextmanager
def entering(selection: Selection) -> Iterator[None]:
    """Remember which selections we are inside of, so that one which refers to itself is refused and not a crash."""
    with statement() as making:
        before = making.inside
        if selection.pk in before:
            raise Refused("cycle", _("Selection “%s” refers to itself.") % selection.name)
        if len(before) >= MAX_SELECTIONS_DEEP:
            raise Refused("too_deep", _("Selections refer to each other at most %d deep.") % MAX_SELECTIONS_DEEP)
        making.inside = (*before, selection.pk)
        try:
            yield
        finally:
            making.inside = before
