"""Whom an incremental run is about: for whom something changed, or came into or left a window, since the run before.

What changed is told by the rows themselves: PostgreSQL keeps with each which transaction wrote it (``xmin``), and a run
keeps which transactions it may not have seen all of. So nothing is written for it when facts come in. A corrected fact
rewrites the totals of its customer (``customers.recording``); rows that are gone leave a ``ChangeMark``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from common.sql import execute, rows
from common.time import local_date
from customers.consents import PROFILING
from customers.models import World
from labels.computing import FEW, IN_SCOPE, Computing, look_at
from labels.models import RefreshRun

FULL_EVERY = 7  # days
MOST = 0.25  # of the customers: above this, everybody is quicker
_FAR = 2**30  # transactions: ids come round at four times this many

Why = RefreshRun.WhyFull

_SEEN = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xid,
       (SELECT system_identifier::text FROM pg_control_system()) AS cluster
"""

# Tables with a row that is written when something changes for a customer.
_ROWS = (
    "SELECT unnest(ARRAY[id, merged_into_id]) FROM customers_customer WHERE {recent}",
    "SELECT unnest(ARRAY[kept_id, absorbed_id]) FROM customers_merge WHERE {recent}",
    "SELECT customer_id FROM customers_facttotal WHERE {recent}",
    "SELECT customer_id FROM customers_factremainder WHERE {recent}",
    "SELECT customer_id FROM customers_subscription WHERE {recent}",
    # What was said of profiling; a word may have been said with a date ahead.
    """
    SELECT customer_id FROM customers_consent
     WHERE purpose_id IN (SELECT id FROM customers_purpose WHERE code = %(profiling)s)
       AND ({recent} OR event_at >= %(was_now)s AND event_at <= %(now)s)
    """,
    "SELECT customer_id FROM label_mark WHERE customer_id IS NOT NULL",
)
_RECENT = "age(xmin) <= %(distance)s"
_PASSED = """
SELECT customer_id FROM customers_fact WHERE kind = ANY(%(kinds)s) AND occurred_at >= %(was)s AND occurred_at <= %(to)s
"""
_SCOPE = """
INSERT INTO label_scope SELECT DISTINCT customer_id, true FROM label_changed WHERE customer_id IS NOT NULL
"""
_MATES = f"""
INSERT INTO label_scope SELECT id, false FROM customers_customer WHERE household_id = ANY (ARRAY(
    SELECT household_id FROM customers_customer WHERE id {IN_SCOPE}
    UNION SELECT household_id FROM label_mark
)) ON CONFLICT DO NOTHING
"""  # noqa: S608 - our own words


@dataclass(frozen=True)
class Seen:
    """What the next run must know of this one: the oldest transaction that it may not have seen, in which database
    cluster, and by which definitions it computed.
    """

    xid: int
    cluster: str
    fingerprint: str


def look(work: Computing) -> Seen:
    """Return what a run sees; before it reads anything else."""
    told = rows(_SEEN)[0]
    return Seen(told["xid"], told["cluster"], _fingerprint(work))


def why_full(seen: Seen, previous: RefreshRun | None, *, now: dt.datetime) -> str:
    """Return why a run must look at everybody; nothing when it may look at changes alone."""
    if previous is None or previous.seen_xid is None:
        return Why.FIRST
    if previous.cluster != seen.cluster or not 0 <= seen.xid - previous.seen_xid < _FAR:
        return Why.MOVED
    if previous.fingerprint != seen.fingerprint:
        return Why.DEFINITIONS
    last = RefreshRun.objects.filter(is_stale=False, is_full=True).order_by("-started_at").first()
    if last is None or local_date(now) - local_date(last.started_at) >= dt.timedelta(days=FULL_EVERY):
        return Why.WEEKLY
    return ""


def take_marks() -> None:
    """Move the marks of changes that are there to ``label_mark``; later ones are for the next run."""
    execute("DROP TABLE IF EXISTS pg_temp.label_mark, pg_temp.label_changed, pg_temp.label_scope")
    execute("CREATE TEMPORARY TABLE label_mark (customer_id bigint, household_id bigint) ON COMMIT DROP")
    execute(
        """
        WITH gone AS (DELETE FROM labels_changemark RETURNING customer_id, household_id)
        INSERT INTO label_mark SELECT DISTINCT customer_id, household_id FROM gone
        """
    )


def find_changed(work: Computing, previous: RefreshRun) -> int:
    """Fill ``label_scope`` with whom the run is about, those who live with them marked apart; return how many.

    ``take_marks`` goes before.
    """
    values = {
        "now": work.now,
        "was_now": previous.started_at,
        "profiling": PROFILING,
        "distance": rows("SELECT age(%(xid)s::text::xid8::xid) AS n", {"xid": previous.seen_xid})[0]["n"],
    }
    look_at(few=True)
    execute("CREATE TEMPORARY TABLE label_changed (customer_id bigint) ON COMMIT DROP")
    execute("CREATE TEMPORARY TABLE label_scope (customer_id bigint PRIMARY KEY, is_own bool) ON COMMIT DROP")
    for select in _ROWS:
        _add(select.format(recent=_RECENT), values)
    for (was, to), kinds in _passed(work, previous.started_at).items():
        _add(_PASSED, {"kinds": sorted(kinds), "was": was, "to": to})
    for select, params in _over_the_edge(work, previous.started_at):
        _add(select, params)
    count = execute(_SCOPE)
    if count > FEW:
        execute("ANALYZE label_scope")
    count += execute(_MATES)
    if count > FEW:
        execute("ANALYZE label_scope")
    return count


def is_too_many(count: int) -> bool:
    """Whether looking at everybody is quicker than at so many."""
    told = "SELECT EXISTS (SELECT FROM customers_customer OFFSET %(least)s) AS is_quicker"
    return count > FEW and not rows(told, {"least": int(count / MOST)})[0]["is_quicker"]


def has_news(work: Computing) -> bool:
    """Whether facts of who changed ask for a label that is not there yet, such as that of a new genre; those of who may
    not be profiled do not.
    """
    asked = [family.has_news.format(facts="label_fact") for family in work.families if family.has_news]
    return any(rows(sql, {}) for sql in asked)


def _add(select: str, values: dict[str, Any]) -> None:
    execute(f"INSERT INTO label_changed {select}", values)


def _over_the_edge(work: Computing, before: dt.datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield who passed an edge of a family, as SQL with its params: edges that several families have once, those that
    lie where they lay at the run before not at all.
    """
    asked = set()
    for family in work.families:
        limits = work.limits[family.code]
        params = {f"was_{name}": value for name, value in family.params(before, limits).items()}
        params |= family.params(work.now, limits)
        for edge in family.edges:
            select = edge.sql.format(v=work.stored_values(family))
            used = {name: value for name, value in params.items() if f"%({name})s" in select}
            question = (select, repr(sorted(used.items())))
            moves = [name.removeprefix("was_") for name in used if name.startswith("was_")]
            if question not in asked and any(params[f"was_{name}"] != params[name] for name in moves):
                asked.add(question)
                yield select, used


def _passed(work: Computing, before: dt.datetime) -> dict[tuple[dt.datetime, dt.datetime], set[str]]:
    """Return stretches of time that some window let go or took in since, and the kinds of facts it looks at."""
    slices: dict[tuple[dt.datetime, dt.datetime], set[str]] = defaultdict(set)
    was, now = work.measures.edges(before), work.measures.edges(work.now)
    for (kind, name), moment in now.items():
        slices[was[kind, name], moment].add(kind)
    for family in work.families:
        limits = work.limits[family.code]
        old, new = family.params(before, limits), family.params(work.now, limits)
        for name, kinds in family.fact_edges.items():
            slices[old[name], new[name]].update(kinds())
    return {(was, to): kinds for (was, to), kinds in slices.items() if was < to and kinds}


def _fingerprint(work: Computing) -> str:
    """Return a digest of everything by which labels and values are computed, customers and facts apart."""
    ground = """
        SELECT purpose.id, ground.basis FROM customers_purpose AS purpose
        LEFT JOIN customers_grounds(%(now)s) AS ground ON ground.purpose_id = purpose.id AND ground.channel = 'email'
        WHERE purpose.code = %(code)s
    """
    told = {
        "families": [
            [
                family.code, family.sql, dict(work.limits[family.code]), sorted(family.all_groups),
                [[spec.code, str(spec.name), str(spec.description), spec.colour, spec.rank] for spec in family.labels],
                [sorted(kinds()) for kinds in family.fact_edges.values()],
            ]
            for family in work.families
        ],
        "measures": [repr(measure) for measure in work.measures],
        "values": [[definition.code, definition.terms] for definition in work.definitions],
        "worlds": list(World.objects.order_by("code").values_list("code", "name")),
        "profiling": rows(ground, {"now": work.now, "code": PROFILING}),
    }  # fmt: skip
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()
