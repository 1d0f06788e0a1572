"""How many a rule means, in all and per part, in one statement."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db.models import BooleanField, Case, Q, When

from common.sql import as_subquery, rows
from customers.models import Customer
from selections.compiler import parts_of
from selections.figures.limits import PAGE_SECONDS, time_limit
from selections.picks import picked
from selections.rules import Condition, Group, Node, Op, Path, walk

# Answers are looked up in sets of ids. A set that does not fit in memory would be worked out again for each customer;
# one of a million ids takes some 50 MB, and this is for all of them together.
MEMORY_MB = 512


@dataclass(frozen=True)
class Tally:
    """Of one part of a rule: how many it means by itself, and its group up to and including it.

    ``before`` is its group without this part and those after it: the difference is what the part does.
    """

    alone: int
    up_to_here: int
    before: int = 0

    @property
    def removed(self) -> int:
        """How many it takes away from what came before it; none in a group of which one part is enough."""
        return max(self.before - self.up_to_here, 0)

    @property
    def added(self) -> int:
        """How many come in addition to those before it."""
        return max(self.up_to_here - self.before, 0)


@dataclass(frozen=True)
class Measure:
    """How many customers there are, how many the rule means, and a tally per part (all but the root).

    ``picks`` tells of each group that is thinned out how many there were before, and after each pick.
    """

    everybody: int
    total: int
    nodes: dict[Path, Tally] = field(default_factory=dict)
    picks: dict[Path, tuple[int, ...]] = field(default_factory=dict)


def measure(rule: Group, *, now: dt.datetime, among: Q | None = None, seconds: float = PAGE_SECONDS) -> Measure:
    """Count the whole and every part in one pass over the customers, or those ``among`` whom it is asked; raises
    Refused when it takes too long.
    """
    names, answers = _answers(rule, now)
    cases = {name: Case(When(q, then=True), default=False, output_field=BooleanField()) for name, q in answers.items()}
    # OFFSET 0 keeps the planner from working out an answer again for every count it is used in.
    people = Customer.objects.usable().filter(among or Q()).order_by()
    inner = as_subquery(people.annotate(**cases).values("id", *cases)) + " OFFSET 0"
    counts = {"everybody": "true", "total": _formula(rule, (), names), **_part_formulas(rule, names)}
    columns = ", ".join(f'count(*) FILTER (WHERE {formula}) AS "{name}"' for name, formula in counts.items())
    with time_limit(seconds, rule=rule, now=now, memory_mb=MEMORY_MB // max(len(answers), 4)):
        [found] = rows(f"SELECT {columns} FROM ({inner}) AS answers", {})  # noqa: S608 - made of c0, c1, AND, OR, +
    return _read(rule, found)


def _answers(rule: Group, now: dt.datetime) -> tuple[dict[Path, str], dict[str, Q]]:
    """Return the column of each part that is asked by itself, and what each column asks: criteria, groups with picks,
    and those groups after each of their picks but the last.
    """
    parts = parts_of(rule, now=now)
    names: dict[Path, str] = {}
    answers: dict[str, Q] = {}
    for path, node in walk(rule):
        if not isinstance(node, Condition) and not node.picks:
            continue
        names[path] = name = f"c{len(names)}"
        answers[name] = parts[path].q
        if isinstance(node, Group):
            for done in range(1, len(node.picks)):
                answers[f"{name}p{done}"] = picked(parts[path].before_picks, node.picks[:done], now=now)
    return names, answers


def _part_formulas(rule: Group, names: dict[Path, str]) -> dict[str, str]:
    """Return per part a formula for itself (a0, a1, …), its group up to it (u0, …) and before it (b0, …), and per group
    with picks one for what there was before (p0x0) and after each of them.
    """
    formulas: dict[str, str] = {}
    for number, (path, node) in enumerate(walk(rule)):
        if path:
            formulas |= _part_formula(rule, path, number, names)
        if isinstance(node, Group) and node.picks:
            bare = Group(op=node.op, children=node.children)
            column = names[path]
            partly = [f"{column}p{done}" for done in range(1, len(node.picks))]
            for done, formula in enumerate([_formula(bare, path, names), *partly, column]):
                formulas[f"p{number}x{done}"] = formula
    return formulas


def _part_formula(rule: Group, path: Path, number: int, names: dict[Path, str]) -> dict[str, str]:
    group: Node = rule
    for index in path[:-1]:
        group = group.children[index]  # type: ignore[union-attr]
    assert isinstance(group, Group)  # noqa: S101 - only groups have parts
    upto, before = (Group(op=group.op, children=group.children[:end]) for end in (path[-1] + 1, path[-1]))
    return {
        f"a{number}": _formula(group.children[path[-1]], path, names),
        f"u{number}": _formula(upto, path[:-1], names),
        f"b{number}": _formula(before, path[:-1], names),
    }


def _formula(node: Node, path: Path, names: dict[Path, str]) -> str:
    """Return a node as SQL over the answers: "(c0 AND NOT (c1 OR c2))"; a group with picks has an answer of its own."""
    if isinstance(node, Condition) or node.picks:
        return names[path]
    parts = [_formula(child, (*path, index), names) for index, child in enumerate(node.children)]
    if not parts:
        return "false" if node.op.is_of_some else "true"
    if node.op == Op.ONE:
        return f"({' + '.join(f'({part})::int' for part in parts)} = 1)"
    joined = (" AND " if node.op == Op.ALL else " OR ").join(parts)
    return f"NOT ({joined})" if node.op == Op.NONE else f"({joined})"


def _read(rule: Group, found: dict[str, int]) -> Measure:
    nodes, picks = {}, {}
    for number, (path, node) in enumerate(walk(rule)):
        if path:
            nodes[path] = Tally(found[f"a{number}"], found[f"u{number}"], found[f"b{number}"])
        if isinstance(node, Group) and node.picks:
            picks[path] = tuple(found[f"p{number}x{done}"] for done in range(len(node.picks) + 1))
    return Measure(everybody=found["everybody"], total=found["total"], nodes=nodes, picks=picks)
