"""Figures of a rule: how many in all and per part, a few people out of them, and how they are spread.

Every figure is one statement, bounded in time: a rule that is too heavy for a page says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import OperationalError, connection, transaction
from django.db.models import BooleanField, Case, F, QuerySet, When
from django.db.models.functions import Mod
from django.utils.translation import gettext as _
from psycopg2.errors import QueryCanceled

from common.errors import Refused
from common.sql import as_subquery, rows
from customers.consents import verdicts_sql
from customers.models import Branch, Channel, Customer, Purpose
from selections.compiler import compile_rule, to_q
from selections.rules import Condition, Group, Node, Op, Path, walk

PAGE_SECONDS = 5.0  # what a page may wait for a figure


@dataclass(frozen=True)
class Tally:
    """Of one part of a rule: how many it means by itself, and its group up to and including it."""

    alone: int
    up_to_here: int


@dataclass(frozen=True)
class Measure:
    """How many customers there are, how many the rule means, and a tally per part (all but the root)."""

    everybody: int
    total: int
    nodes: dict[Path, Tally] = field(default_factory=dict)


@dataclass(frozen=True)
class Breakdown:
    """How members are spread: (name, count) pairs, largest first; a missing branch has an empty name."""

    branches: list[tuple[str, int]]
    kinds: list[tuple[str, int]]


@contextmanager
def time_limit(seconds: float = PAGE_SECONDS) -> Iterator[None]:
    """Give up on a statement after so many seconds; raises Refused ``too_heavy``."""
    try:
        with transaction.atomic():
            [before] = rows("SELECT current_setting('statement_timeout') AS timeout")
            _set_timeout(f"{int(seconds * 1000)}ms")
            yield
            _set_timeout(before["timeout"])
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        message = _("This takes longer than %d seconds. Make it narrower, or save it and count it at night.")
        raise Refused("too_heavy", message % seconds) from error


def measure(rule: Group, *, now: dt.datetime, seconds: float = PAGE_SECONDS) -> Measure:
    """Count the whole and every part in one pass over the customers; raises Refused when it takes too long."""
    asked = {path: node for path, node in walk(rule) if isinstance(node, Condition) or node.picks}
    names = {path: f"c{number}" for number, path in enumerate(asked)}
    answers = {
        names[path]: Case(When(to_q(node, now=now, path=path), then=True), default=False, output_field=BooleanField())
        for path, node in asked.items()
    }
    # OFFSET 0 keeps the planner from working out an answer again for every count it is used in.
    inner = as_subquery(Customer.objects.usable().order_by().annotate(**answers).values("id", *answers)) + " OFFSET 0"
    counts = {"everybody": "true", "total": _formula(rule, (), names), **_part_formulas(rule, names)}
    columns = ", ".join(f'count(*) FILTER (WHERE {formula}) AS "{name}"' for name, formula in counts.items())
    with time_limit(seconds):
        [found] = rows(f"SELECT {columns} FROM ({inner}) AS answers", {})  # noqa: S608 - made of c0, c1, AND, OR
    parts = [path for path, _node in walk(rule) if path]
    tallies = {path: Tally(found[f"a{n}"], found[f"u{n}"]) for n, path in enumerate(parts)}
    return Measure(everybody=found["everybody"], total=found["total"], nodes=tallies)


def sample(rule: Group, *, now: dt.datetime, size: int = 10, seconds: float = PAGE_SECONDS) -> list[Customer]:
    """Return a few members from all over the file; the same ones each time. Raises Refused as ``measure``."""
    scattered = compile_rule(rule, now=now).select_related("branch").order_by(Mod(F("id") * 7919, 10007), "id")
    with time_limit(seconds):
        return list(scattered[:size])


def breakdown(members: QuerySet[Customer], *, seconds: float = PAGE_SECONDS) -> Breakdown:
    """Return how members are spread over branches and kinds. Raises Refused as ``measure``."""
    inner = as_subquery(members.order_by().values("branch_id", "kind"))
    with time_limit(seconds):
        counts = rows(
            f"SELECT branch_id, kind, count(*) AS n FROM ({inner}) AS m"  # noqa: S608 - bound by as_subquery
            " GROUP BY GROUPING SETS ((branch_id), (kind)) ORDER BY n DESC",
            {},
        )
    names = dict(Branch.objects.values_list("pk", "name"))
    return Breakdown(
        branches=[(names.get(row["branch_id"], ""), row["n"]) for row in counts if row["kind"] is None],
        kinds=[(str(Customer.Kind(row["kind"]).label), row["n"]) for row in counts if row["kind"] is not None],
    )


def reachability(
    members: QuerySet[Customer], *, purpose: Purpose, now: dt.datetime, seconds: float = PAGE_SECONDS
) -> list[tuple[Channel, int, int]]:
    """Return per channel how many members have an address for it, and how many of those permit the purpose.

    An indication for the marketeer; who gets a message is decided by the gate, then and there.
    """
    found = []
    for channel in (Channel.EMAIL, Channel.POST, Channel.PHONE):
        having = as_subquery(_with_address(members, channel).order_by().values("id"))
        verdicts = verdicts_sql(having, purpose=purpose, channel=channel, as_of=now)
        statement = (
            "SELECT count(*) AS known, count(*) FILTER (WHERE verdict = 'allowed') AS allowed"  # noqa: S608
            f" FROM ({verdicts}) AS verdicts"
        )
        with time_limit(seconds):
            [counts] = rows(statement, {})
        found.append((channel, counts["known"], counts["allowed"]))
    return found


def _with_address(members: QuerySet[Customer], channel: Channel) -> QuerySet[Customer]:
    reachable = {
        Channel.EMAIL: Customer.objects.with_email,
        Channel.POST: Customer.objects.with_address,
        Channel.PHONE: Customer.objects.with_phone,
    }[channel]()
    return members.filter(pk__in=reachable.values("pk"))


def _part_formulas(rule: Group, names: dict[Path, str]) -> dict[str, str]:
    """Return a formula per part alone (a0, a1, …) and per group up to that part (u0, u1, …)."""
    nodes = dict(walk(rule))
    formulas = {}
    for number, path in enumerate(path for path in nodes if path):
        group = nodes[path[:-1]]
        if not isinstance(group, Group):
            continue
        formulas[f"a{number}"] = _formula(nodes[path], path, names)
        so_far = Group(op=group.op, children=group.children[: path[-1] + 1])
        formulas[f"u{number}"] = _formula(so_far, path[:-1], names)
    return formulas


def _formula(node: Node, path: Path, names: dict[Path, str]) -> str:
    """Return a node as SQL over the answers: "(c0 AND NOT (c1 OR c2))"; a group with picks has an answer of its own."""
    if isinstance(node, Condition) or node.picks:
        return names[path]
    parts = [_formula(child, (*path, index), names) for index, child in enumerate(node.children)]
    if not parts:
        return "false" if node.op == Op.ANY else "true"
    joined = (" AND " if node.op == Op.ALL else " OR ").join(parts)
    return f"NOT ({joined})" if node.op == Op.NONE else f"({joined})"


def _set_timeout(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [value])
