"""Why a customer is in or out: each part of a rule with its verdict and what it saw, at any moment.

All verdicts come from one statement over that customer, made of the same conditions as the selection itself, so what
is explained is what was decided.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import BooleanField, Case, Q, When

from common.criteria import criteria
from customers.models import Customer
from selections.compiler import combined, to_q
from selections.explain import clause
from selections.rules import Condition, Group, Node, Path, walk


@dataclass(frozen=True)
class Verdict:
    """What holds for one part of a rule. ``seen`` is what a criterion saw, in words; ``gap`` says why a past answer
    is a guess; ``holds_before_picks`` tells who was not drawn from who did not qualify.
    """

    path: Path
    node: Node
    holds: bool
    clause: str
    seen: str = ""
    gap: str = ""
    holds_before_picks: bool = True
    children: tuple[Verdict, ...] = ()


def why(rule: Group, customer: Customer, *, now: dt.datetime, present: dt.datetime) -> Verdict:
    """Return the verdict on a customer at ``now``, which is not after ``present``; restricted ones are never in.

    The verdict of the root is whether the customer is in, but for restriction, which is not the rule's.
    """
    answers = _answers(rule, customer, now=now)
    return _verdict(rule, (), customer, answers, now=now, present=present)


def _answers(rule: Group, customer: Customer, *, now: dt.datetime) -> dict[tuple[Path, bool], bool]:
    """Return what holds, by path; under ``(path, True)`` what held of a group before its picks."""
    asked: dict[tuple[Path, bool], Q] = {}
    for path, node in walk(rule):
        asked[path, False] = to_q(node, now=now, path=path)
        if isinstance(node, Group) and node.picks:
            parts = [to_q(child, now=now, path=(*path, n)) for n, child in enumerate(node.children)]
            asked[path, True] = combined(node.op, parts)
    columns = {
        f"c{n}": Case(When(q, then=True), default=False, output_field=BooleanField())
        for n, q in enumerate(asked.values())
    }
    row = Customer.everyone.filter(pk=customer.pk).annotate(**columns).values(*columns).get()
    return {key: row[f"c{n}"] for n, key in enumerate(asked)}


def _verdict(
    node: Node,
    path: Path,
    customer: Customer,
    answers: dict[tuple[Path, bool], bool],
    *,
    now: dt.datetime,
    present: dt.datetime,
) -> Verdict:
    holds = answers[path, False]
    if isinstance(node, Condition):
        criterion = criteria[node.criterion]
        gap = criterion.gap(node.params, now=now, present=present) if now < present else ""
        seen = criterion.seen(node.params, customer, now=now)
        return Verdict(path, node, holds, criterion.sentence(node.params), seen, gap)
    children = tuple(
        _verdict(child, (*path, index), customer, answers, now=now, present=present)
        for index, child in enumerate(node.children)
    )
    before = answers.get((path, True), holds)
    return Verdict(path, node, holds, clause(node), holds_before_picks=before, children=children)
