"""Twenty selections as marketeers make them: each as the compiler makes it, against the best SQL by hand, in turns.

In one run, warm; counted, and written out member by member; at a quarter of ``n`` customers and at ``n``, with twenty
times as many facts, both sides with the memory in which the product counts. Then the label run: all of it, and after
one in a hundred customers changed.

Both sides must find the same people, or it ends. All figures are times or ratios of times, so lower is better:
``geomean`` and ``worst`` are of time of ours / time by hand (the median over turns), over counts and writes of all
twenty; ``growth`` is the geometric mean of time at n / time at a quarter of n (4 is in step with the data);
``label_full_vs_scan`` is the full nightly run against one sequential pass over the facts per family of labels that
reads them.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from benchmarks.customers import peak_mb

ROUNDS = 7
LEAST_SECONDS = 0.05  # a shorter statement is repeated until it took this long, or the clock would be measured


def run(n: int = 50_000) -> dict[str, Any]:
    """Return seconds and ratios; prints what each selection took."""
    from django.utils import translation

    from benchmarks._selections.filling import fill
    from selections.figures import MEMORY_MB

    quarter: list[Timed] = []
    with translation.override("nl"):
        for size in (n // 4, n):
            fill(size)
            _run(f"SET work_mem = '{MEMORY_MB}MB'")
            _say(f"\n{size} customers, {20 * size} facts")
            timed = [measure(number) for number in range(number_of_questions())]
            quarter, whole = (timed, quarter) if size == n // 4 else (quarter, timed)
    growth = [after.ours_count / before.ours_count for before, after in zip(quarter, whole, strict=True)]
    for number, (one, times) in enumerate(zip(whole, growth, strict=True), start=1):
        _say(f"{number:>2} {one.line()}  growth {times:5.2f}  {one.node:<24} {one.sentence}")
    ratios = [ratio for one in whole for ratio in (one.count_ratio, one.write_ratio)]
    return {
        "n": n,
        "geomean": round(statistics.geometric_mean(ratios), 3),
        "worst": round(max(ratios), 3),
        "slowest_count_s": round(max(one.ours_count for one in whole), 3),
        "compile_ms": round(1000 * statistics.median(one.compiled for one in whole), 1),
        "growth": round(statistics.geometric_mean(growth), 2),
        **in_another_process(),
    }


def in_another_process() -> dict[str, Any]:
    """Return the figures of the label run, and the most memory of a process that compiles and counts all selections and
    runs the labels, as a worker does; the one that measures has loaded all migrations too.
    """
    done = subprocess.run([sys.executable, "-m", "benchmarks.selections"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def be_the_other_process() -> None:
    """Do the work of a worker; tell what was measured as a line of JSON."""
    import django

    django.setup()
    from wise_marketing.celery import app

    app.loader.import_default_modules()  # the tasks of all apps, and what checks at the start bring along
    from benchmarks._selections.filling import NOW
    from benchmarks._selections.labelling import measure_labels
    from benchmarks._selections.questions import QUESTIONS
    from selections.compiler import compile_rule

    for question in QUESTIONS:
        compile_rule(question.rule, now=NOW).count()
    print(json.dumps(measure_labels() | {"peak_mb": round(peak_mb(), 1)}, default=str))


class Timed:
    """What one selection took: seconds, medians; by the compiler's SQL and by hand."""

    sentence: str
    node: str
    compiled: float
    ours_count: float
    hand_count: float
    count_ratio: float
    ours_write: float
    write_ratio: float
    people: int

    def line(self) -> str:
        return (
            f"{self.people:>7}  count {self.count_ratio:5.2f} = {self.ours_count * 1000:8.1f} / "
            f"{self.hand_count * 1000:8.1f} ms  write {self.write_ratio:5.2f} = {self.ours_write * 1000:8.1f} ms"
        )


def number_of_questions() -> int:
    from benchmarks._selections.questions import QUESTIONS

    return len(QUESTIONS)


def measure(number: int) -> Timed:
    """Compare one selection with its twin by hand."""
    from benchmarks._selections.filling import NOW
    from benchmarks._selections.questions import QUESTIONS
    from common.sql import as_subquery
    from selections.compiler import compile_rule
    from selections.explain import describe

    question, timed = QUESTIONS[number], Timed()
    timed.sentence = describe(question.rule)
    timed.compiled, ours = clocked(lambda: as_subquery(compile_rule(question.rule, now=NOW).values("id")))
    ours, hand = ours.replace("%%", "%"), question.by_hand
    timed.people = same_people(ours, hand, timed.sentence)
    timed.node = main_node(ours)
    timed.ours_count, timed.hand_count, timed.count_ratio = in_turns(_counting(ours), _counting(hand))
    timed.ours_write, _hand, timed.write_ratio = in_turns(_writing(ours), _writing(hand))
    _say(f"{number + 1:>2} {timed.line()}")
    return timed


def _counting(statement: str) -> Callable[[], object]:
    return lambda: _run(f"SELECT count(*) FROM ({statement}) AS found")


def _writing(statement: str) -> Callable[[], object]:
    def write() -> None:
        _run("TRUNCATE bench_members")
        _run(f"INSERT INTO bench_members {statement}")

    return write


def same_people(ours: str, hand: str, sentence: str) -> int:
    """Return how many both sides find; ends the run when they differ."""
    _run("CREATE TEMPORARY TABLE IF NOT EXISTS bench_members (id bigint)")
    differing = f"(({ours}) EXCEPT ALL ({hand})) UNION ALL (({hand}) EXCEPT ALL ({ours}))"
    [(wrong,)] = _run(f"SELECT count(*) FROM ({differing}) AS differing")
    if wrong:
        raise SystemExit(f"{wrong} people differ between ours and by hand: {sentence}\n{ours}\n\n{hand}")
    [(people,)] = _run(f"SELECT count(*) FROM ({ours}) AS found")
    return int(people)


def main_node(statement: str) -> str:
    """Return what the plan does most of all: its first step that is no bookkeeping."""
    [(plan,)] = _run(f"EXPLAIN (FORMAT JSON) SELECT count(*) FROM ({statement}) AS found")
    node = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    while node["Node Type"] in ("Aggregate", "Gather", "Gather Merge", "Subquery Scan", "Limit") and "Plans" in node:
        node = node["Plans"][0]
    kind = f"{node.get('Join Type', '')} " if "Join Type" in node and node["Join Type"] != "Inner" else ""
    return f"{kind}{node['Node Type']}"


def in_turns(ours: Callable[[], object], hand: Callable[[], object]) -> tuple[float, float, float]:
    """Return the median seconds of both, and the median of what each turn makes of the one by the other: within a turn
    the machine is in the same mood. A first time warms up; who goes first changes.
    """
    repeats = max(1, round(LEAST_SECONDS / max(clocked(ours)[0], clocked(hand)[0], 1e-6)))
    took: list[tuple[float, float]] = []
    for turn in range(ROUNDS):
        first, second = (ours, hand) if turn % 2 else (hand, ours)
        one, other = (clocked(lambda work=work: _again(work, repeats))[0] for work in (first, second))  # type: ignore[misc]
        took.append((one, other) if turn % 2 else (other, one))
    ours_s, hand_s = (statistics.median(one) / repeats for one in zip(*took, strict=True))
    return ours_s, hand_s, statistics.median(mine / theirs for mine, theirs in took)


def _again(work: Callable[[], object], times: int) -> None:
    for _time in range(times):
        work()


def clocked(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that something takes, and what it gives."""
    started = perf_counter()
    given = work()
    return perf_counter() - started, given


def _run(statement: str) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    be_the_other_process()
