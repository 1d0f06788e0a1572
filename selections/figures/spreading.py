"""Who the members are: a few of them, how they are spread, and who of them may be reached."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Mod
from django.utils.translation import gettext as _

from common.sql import as_subquery, rows
from common.time import local_date, years_before
from customers.consents import verdicts_sql
from customers.models import Branch, Channel, Customer, Purpose
from selections.compiler import compile_rule
from selections.figures.limits import PAGE_SECONDS, time_limit
from selections.rules import Group

CHANNELS = (Channel.EMAIL, Channel.POST, Channel.PHONE)
#: The first age of each band; libraries and theatres both plan by these.
BANDS = (0, 4, 8, 12, 18, 25, 35, 50, 65, 75)
Counts = list[tuple[str, int]]


@dataclass(frozen=True)
class Breakdown:
    """How members are spread: (name, count) pairs, largest first; a missing branch has an empty name."""

    branches: Counts
    kinds: Counts


@dataclass(frozen=True)
class Spread(Breakdown):
    """The same by age too (youngest first, unknown last) and by world; who is at home in no world has an empty name."""

    ages: Counts
    worlds: Counts


def sample(
    rule: Group, *, now: dt.datetime, among: Q | None = None, size: int = 10, seconds: float = PAGE_SECONDS
) -> list[Customer]:
    """Return a few members from all over the file; the same ones each time. Raises Refused as ``measure``."""
    found = compile_rule(rule, now=now).filter(among or Q())
    scattered = found.select_related("branch").order_by(Mod(F("id") * 7919, 10007), "id")
    with time_limit(seconds, rule=rule, now=now):
        return list(scattered[:size])


def breakdown(rule: Group, *, now: dt.datetime, seconds: float = PAGE_SECONDS) -> Breakdown:
    """Return how members are spread over branches and kinds. Raises Refused as ``measure``."""
    inner = as_subquery(compile_rule(rule, now=now).values("branch_id", "kind"))
    with time_limit(seconds, rule=rule, now=now):
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


# The members are worked out once, whatever they are split by.
_SPREAD = """
WITH members AS MATERIALIZED ({members}),
worlds AS MATERIALIZED ({worlds})
SELECT grouping(branch_id, kind, born, world) AS split, branch_id, kind, born, world, count(*) AS n
  FROM (SELECT m.branch_id, m.kind, worlds.world,
               CASE WHEN m.birth_date IS NULL THEN -1 ELSE width_bucket(m.birth_date, %(born)s::date[]) END AS born
          FROM members m LEFT JOIN worlds ON worlds.customer_id = m.id) AS told
 GROUP BY GROUPING SETS ((branch_id), (kind), (born), (world)) ORDER BY n DESC
"""


def spread(
    rule: Group,
    *,
    now: dt.datetime,
    among: Q | None = None,
    worlds: QuerySet[Any, Any] | None = None,
    seconds: float = PAGE_SECONDS,
) -> Spread:
    """Return how members are spread, in one statement. Raises Refused as ``measure``.

    ``worlds`` yields ``customer_id`` and ``world`` (a name), at most one row per customer: where they are at home.
    """
    found = compile_rule(rule, now=now).filter(among or Q()).values("id", "branch_id", "kind", "birth_date")
    homes = as_subquery(worlds) if worlds is not None else "SELECT NULL::bigint AS customer_id, NULL::text AS world"
    # Ascending days on which the bands begin: who was born on or after a day is younger than its age.
    days = [years_before(local_date(now), age) + dt.timedelta(days=1) for age in reversed(BANDS[1:])]
    statement = _SPREAD.format(members=as_subquery(found), worlds=homes)
    with time_limit(seconds, rule=rule, now=now):
        counts = rows(statement, {"born": days})
    by: defaultdict[int, list[tuple[object, int]]] = defaultdict(list)
    column = {0b0111: "branch_id", 0b1011: "kind", 0b1101: "born", 0b1110: "world"}
    for row in counts:
        by[row["split"]].append((row[column[row["split"]]], row["n"]))
    names: dict[object, str] = dict(Branch.objects.values_list("pk", "name"))
    return Spread(
        branches=_named(by[0b0111], lambda pk: names.get(pk, "")),
        kinds=_named(by[0b1011], lambda kind: str(Customer.Kind(str(kind)).label)),
        ages=_named(sorted(by[0b1101], key=lambda pair: -int(str(pair[0]))), lambda place: _band(int(str(place)))),
        worlds=_named(by[0b1110], lambda world: str(world or "")),
    )


def _named(counts: list[tuple[object, int]], name: Callable[[object], str]) -> Counts:
    return [(name(value), count) for value, count in counts]


def _band(place: int) -> str:
    """Return the ages of a place in the days: "12–17", "75 and older"; empty for who has no birth date."""
    if place < 0:
        return ""
    first = len(BANDS) - 1 - place
    if first == len(BANDS) - 1:
        return _("%d and older") % BANDS[first]
    return f"{BANDS[first]}–{BANDS[first + 1] - 1}"


def reachability(
    rule: Group, *, purpose: Purpose, now: dt.datetime, among: Q | None = None, seconds: float = PAGE_SECONDS
) -> list[tuple[Channel, int, int]]:
    """Return per channel how many members have an address for it, and how many of those permit the purpose.
    Raises Refused as ``measure``.

    An indication for the marketeer; who gets a message is decided by the gate, then and there.
    """
    ids = as_subquery(compile_rule(rule, now=now).filter(among or Q()).values("id"))
    asked = [_reached(channel, purpose, now) for channel in CHANNELS]
    statement = f"WITH members AS MATERIALIZED ({ids}) {' UNION ALL '.join(asked)}"
    with time_limit(seconds, rule=rule, now=now):
        counts = {row["channel"]: row for row in rows(statement, {})}
    return [(channel, counts[channel.value]["known"], counts[channel.value]["allowed"]) for channel in CHANNELS]


def _reached(channel: Channel, purpose: Purpose, now: dt.datetime) -> str:
    """Return the count of one channel over ``members``."""
    reachable = {
        Channel.EMAIL: Customer.objects.with_email,
        Channel.POST: Customer.objects.with_address,
        Channel.PHONE: Customer.objects.with_phone,
    }[channel]()
    having = as_subquery(reachable.order_by().values("id"))
    candidates = f"SELECT reachable.id FROM ({having}) AS reachable JOIN members USING (id)"  # noqa: S608 - bound
    verdicts = verdicts_sql(candidates, purpose=purpose, channel=channel, as_of=now)
    return (
        f"SELECT '{channel.value}' AS channel, count(*) AS known,"  # noqa: S608 - a channel of ours
        f" count(*) FILTER (WHERE verdict = 'allowed') AS allowed FROM ({verdicts}) AS verdicts"
    )
