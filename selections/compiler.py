"""From a rule to one queryset, so to one statement; evaluated at the instant ``now``.

Nothing here runs the query. A criterion that needs a definition (another selection) reads that one row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import reduce
from operator import and_, or_

from django.db.models import BooleanField, Q, QuerySet, Value
from django.utils.translation import gettext as _

from common.criteria import criteria
from common.errors import Refused
from customers.models import Customer
from selections.models import Selection
from selections.picks import picked
from selections.rules import Condition, Group, Node, Op, Path, RuleRefused, parse_rule, pointer_of

MAX_SELECTIONS_DEEP = 5  # selections that refer to selections

_inside: ContextVar[tuple[int, ...]] = ContextVar("selections being compiled", default=())


def compile_rule(rule: Group | dict[str, object], *, now: dt.datetime) -> QuerySet[Customer]:
    """Return the customers for whom the rule holds at ``now``, each once, without order; nobody who is restricted."""
    return Customer.objects.usable().filter(to_q(parse_rule(rule), now=now)).order_by()


def members(selection: Selection, *, now: dt.datetime) -> QuerySet[Customer]:
    """Return the customers in a saved selection at ``now``; raises Refused when it refers to itself."""
    with _entering(selection):
        return compile_rule(selection.rule, now=now)


def to_q(node: Node, *, now: dt.datetime, path: Path = ()) -> Q:
    """Return the condition of a node over customers.

    Criteria bring sub-queries, never joins to many, so a customer is found once and NOT is a true complement.
    """
    if isinstance(node, Condition):
        return _condition(node, now=now, path=path)
    parts = [to_q(child, now=now, path=(*path, index)) for index, child in enumerate(node.children)]
    return picked(combined(node.op, parts), node.picks, now=now)


def combined(op: Op, parts: Sequence[Q]) -> Q:
    """Return the condition of a group without its picks; of nothing it is what logic says."""
    if not parts:
        return _constant(op != Op.ANY)
    if op == Op.ALL:
        return reduce(and_, parts)
    return ~reduce(or_, parts) if op == Op.NONE else reduce(or_, parts)


def _condition(node: Condition, *, now: dt.datetime, path: Path) -> Q:
    try:
        return criteria[node.criterion].to_q(node.params, now=now)
    except OverflowError:
        problem = _("This goes further back or ahead than the calendar does.")
        raise RuleRefused("out_of_range", problem, f"{pointer_of(path)}/params") from None


def _constant(value: bool) -> Q:
    return Q(Value(value, output_field=BooleanField()))


@contextmanager
def _entering(selection: Selection) -> Iterator[None]:
    """Remember which selections we are inside of, so that one which refers to itself is refused and not a
    crash.
    """
    inside = _inside.get()
    if selection.pk in inside:
        raise Refused("cycle", _("Selection “%s” refers to itself.") % selection.name)
    if len(inside) >= MAX_SELECTIONS_DEEP:
        raise Refused("too_deep", _("Selections refer to each other at most %d deep.") % MAX_SELECTIONS_DEEP)
    token = _inside.set((*inside, selection.pk))
    try:
        yield
    finally:
        _inside.reset(token)
