"""Why a customer is in or out: each part of a rule with its verdict and what it saw, at any moment.

All verdicts come from one statement over that customer, made of the same conditions as the selection itself, so what
is explained is what was decided.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from django.db.models import Exists, Q
from django.utils.translation import gettext as _

from common.criteria import criteria
from customers.criteria.moments import known_at
from customers.models import Customer
from selections.compiler import parts_of
from selections.explain import clause
from selections.figures.limits import PAGE_SECONDS, time_limit
from selections.past import gap_of_picks
from selections.rules import Condition, Group, Node, Path


@dataclass(frozen=True)
class Verdict:
    """What holds for one part of a rule. ``seen`` is what a criterion saw, in words; ``gap`` says why a past answer
    is a guess; ``holds_before_picks`` tells who was not drawn from who did not qualify. ``barred``, of the root, says
    why somebody is in no selection at all, whatever the rule; empty when nothing bars him.
    """

    path: Path
    node: Node
    holds: bool
    clause: str
    seen: str = ""
    gap: str = ""
    holds_before_picks: bool = True
    children: tuple[Verdict, ...] = ()
    barred: str = ""


def why(
    rule: Group, customer: Customer, *, now: dt.datetime, present: dt.datetime, seconds: float = PAGE_SECONDS
) -> Verdict:
    """Return the verdict on a customer at ``now``, which is not after ``present``. The root holds when he is in.

    Raises Refused ``too_heavy``: what thins a group out looks at everybody, also for one verdict.
    """
    answers = _answers(rule, customer, now=now, seconds=seconds)
    verdict = _verdict(rule, (), customer, answers, now=now, present=present)
    barred = _barred(customer, is_known=now >= present or answers[_KNOWN, False])
    return replace(verdict, holds=verdict.holds and not barred, barred=barred)


_KNOWN: Path = (-1,)  # no node stands there


def _answers(rule: Group, customer: Customer, *, now: dt.datetime, seconds: float) -> dict[tuple[Path, bool], bool]:
    """Return what holds, by path; under ``(path, True)`` what held of a group before its picks."""
    asked: dict[tuple[Path, bool], Q] = {(_KNOWN, False): known_at(now)}
    for path, part in parts_of(rule, now=now).items():
        asked[path, False] = part.q
        if part.before_picks is not part.q:
            asked[path, True] = part.before_picks
    # Each asked of this customer alone: the planner then looks at his facts and not at everybody's.
    himself = Customer.everyone.filter(pk=customer.pk).order_by()
    columns = {f"c{n}": Exists(himself.filter(q)) for n, q in enumerate(asked.values())}
    with time_limit(seconds, rule=rule, now=now):
        row = himself.annotate(**columns).values(*columns).get()
    return {key: row[f"c{n}"] for n, key in enumerate(asked)}


def _barred(customer: Customer, *, is_known: bool) -> str:
    """Return why somebody is in no selection, whatever its rule."""
    if customer.merged_into_id is not None:
        return _("This is an earlier record of somebody else; look at the customer it became part of.")
    if customer.restricted_at is not None:
        return _("The use of this customer’s data is restricted, so no selection takes them in.")
    return "" if is_known else _("This customer was not known to us yet on that day.")


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
    gap = gap_of_picks(node) if before and now < present else ""  # who did not qualify took no part in it
    return Verdict(path, node, holds, clause(node), gap=gap, holds_before_picks=before, children=children)
