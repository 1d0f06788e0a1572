"""(a) One worker of ours, with a watch at each stage: what the task of Celery does, without its ring."""

from __future__ import annotations

import functools
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

SECONDS = 3600

_cpu: defaultdict[str, float] = defaultdict(float)
_wall: defaultdict[str, float] = defaultdict(float)
_inside: list[list[float]] = []  # of each stage that is under way: what stages within it took, by clock and processor


def watched(stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """Add what a stage takes, without what other stages took within it."""

    @functools.wraps(work)
    def timed(*args: Any, **kwargs: Any) -> Any:
        wall, cpu = time.perf_counter(), time.thread_time()
        inside = [0.0, 0.0]
        _inside.append(inside)
        try:
            return work(*args, **kwargs)
        finally:
            _inside.pop()
            wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
            _wall[stage] += wall - inside[0]
            _cpu[stage] += cpu - inside[1]
            if _inside:
                _inside[-1][0] += wall
                _inside[-1][1] += cpu

    return timed


def warm_up() -> None:
    """Write one message without sending it: a worker that runs has its imports and addresses behind it."""
    from uuid import uuid4

    from mailings import worker
    from mailings.models import Mailing

    mailing = Mailing.objects.latest("id")
    chunk = worker._Chunk(mailing, uuid4(), list(mailing.messages.values_list("id", "customer_id")[:1]))
    for recipient in chunk.recipients:
        chunk.envelope(recipient)


def main() -> None:
    """Send whatever is ready; tell seconds, processor seconds by stage and memory."""
    import django

    django.setup()
    from benchmarks._mailings.processes import wait_for_the_word
    from benchmarks.customers import peak_mb
    from mailings import queue, worker
    from mailings.delivery import Crew

    for stage, owner, name in (
        ("claim", queue, "claim"),
        ("load", worker, "load_recipients"),
        ("write", worker, "_compose"),
        ("record and mark", queue, "record_and_mark"),
        ("SMTP", Crew, "_serve"),
        ("SMTP", Crew, "give"),
    ):
        setattr(owner, name, watched(stage, getattr(owner, name)))
    warm_up()
    _cpu.clear()
    _wall.clear()
    wait_for_the_word()
    started, cpu = time.perf_counter(), time.process_time()
    summary = worker.send_ready(seconds=SECONDS)
    _cpu["all"] = time.process_time() - cpu
    seconds = time.perf_counter() - started
    told = {"seconds": seconds, "counts": summary.counts, "cpu": _cpu, "wall": _wall, "peak_mb": peak_mb()}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
