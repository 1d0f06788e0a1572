"""The label run: all of it, and after one in a hundred customers changed, against a pass over the facts."""

from __future__ import annotations

import datetime as dt
import statistics
from typing import Any

from benchmarks._selections.filling import NOW
from common.sql import execute, rows

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)

_NEW_LOANS = """
INSERT INTO customers_fact (customer_id, kind, occurred_at, branch_id, sector, world, genre, quantity, amount_cents,
    duration_seconds, source_id, external_id)
SELECT id, 'loan', %(at)s, branch_id, 'bibliotheek', 'reizen', 'g1', 1, 0, 0, source_id, %(mark)s || id
FROM customers_customer WHERE id %% 100 = %(which)s AND merged_into_id IS NULL
"""
_NEW_TOTALS = """
INSERT INTO customers_facttotal AS total (customer_id, kind, first_at, last_at, count, quantity, amount_cents)
SELECT customer_id, kind, occurred_at, occurred_at, 1, quantity, amount_cents FROM customers_fact
WHERE external_id LIKE %(mark)s || '%%' AND occurred_at = %(at)s
ON CONFLICT (customer_id, kind) DO UPDATE SET last_at = excluded.last_at, count = total.count + 1,
    quantity = total.quantity + excluded.quantity
"""


def measure_labels() -> dict[str, Any]:
    """Return the ratios: the full nightly run to scans; a run after one in a hundred borrowed, to a full one at the
    same moment; and the same the next night, when windows have moved on for everybody.

    A scan is the least that reading all facts can cost: two columns added up, by as many processes as PostgreSQL likes
    (``fact_scan_alone_s``: by one). ``label_full_vs_scan`` allows one to each family that reads facts, ``…_each`` one
    to each family. ``fact_group_s`` is what the plainest question about everybody costs: how many facts each has.
    """
    from benchmarks.selections import clocked
    from labels.refresh import refresh_system_labels
    from labels.system import families

    def refresh(moment: dt.datetime, name: str, *, full: bool) -> Any:
        return clocked(lambda: refresh_system_labels(now=moment, due_key=name, full=full))

    first, _run = refresh(NOW, "first", full=True)
    execute("VACUUM ANALYZE")
    full, _run = refresh(NOW + DAY, "full", full=True)
    scan, alone, group = pass_over_facts()
    borrow(3, NOW + DAY + HOUR, "a")
    changed, run = refresh(NOW + DAY + 2 * HOUR, "changed", full=False)
    assert not run.is_full, run.why_full
    again, last = refresh(NOW + DAY + 3 * HOUR, "again", full=True)
    assert not last.given_count + last.taken_count, last.parts  # who changed alone gave the same as everybody
    borrow(13, NOW + DAY + 4 * HOUR, "b")
    night, nightly = refresh(NOW + 2 * DAY, "night", full=False)
    return {
        "label_first_s": round(first, 2),
        "label_full_s": round(full, 2),
        "fact_scan_s": round(scan, 3),
        "fact_scan_alone_s": round(alone, 3),
        "fact_group_s": round(group, 3),
        "families": len(families),
        "families_on_facts": families_on_facts(),
        "label_slowest_parts": slowest_parts(),
        "label_full_vs_scan": round(full / (scan * families_on_facts()), 3),
        "label_full_vs_scan_each": round(full / (scan * len(families)), 3),
        "label_incremental_s": round(changed, 2),
        "label_incremental_vs_full": round(changed / statistics.median([full, again]), 3),
        "affected": run.affected_count,
        "label_next_night_vs_full": round(night / statistics.median([full, again]), 3),
        "affected_next_night": nightly.affected_count if not nightly.is_full else nightly.why_full,
    }


def pass_over_facts() -> tuple[float, float, float]:
    """Return the seconds of a sequential pass over the facts: as PostgreSQL likes it, by one process, and by one that
    counts how many each customer has.
    """
    from benchmarks.selections import clocked

    def timed(statement: str, processes: int | None) -> float:
        if processes is not None:
            execute(f"SET max_parallel_workers_per_gather = {processes}")
        took = statistics.median(clocked(lambda: rows(statement))[0] for _time in range(3))
        execute("RESET max_parallel_workers_per_gather")
        return took

    sums = "SELECT count(*), sum(quantity) FROM customers_fact"
    each = "SELECT count(*) FROM (SELECT customer_id, count(*) FROM customers_fact GROUP BY customer_id) AS each"
    return timed(sums, None), timed(sums, 0), timed(each, 0)


def slowest_parts() -> str:
    """Return what took longest of the full run: "measures 3.1 s, worlds 2.0 s, …"."""
    from labels.models import RefreshRun

    parts = sorted(RefreshRun.objects.get(due_key="full").parts, key=lambda part: -part["seconds"])
    return ", ".join(f"{part['code']} {part['seconds']} s" for part in parts[:4])


def borrow(which: int, moment: dt.datetime, mark: str) -> None:
    """Let one in a hundred borrow something."""
    values = {"which": which, "at": moment, "mark": mark}
    execute(_NEW_LOANS, values)
    execute(_NEW_TOTALS, values)


def families_on_facts() -> int:
    """Return how many families of labels want to know something of facts."""
    from labels.system import families

    return sum(bool(family.measures(family.limits())) or "{facts}" in family.sql for family in families)
