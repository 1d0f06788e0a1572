"""Sending, from queued rows to recorded answers, against the same bytes without any of it; the gate; clicks.

In turns, to one sink: (a) two workers of ours; (b) two bare loops of smtplib over connections that stay open, with
the same finished bytes; (c) django-post-office with the same content, fewer mails; (d) Postfix's smtp-source with as
many sessions in all. PostgreSQL writes through (``make bench`` starts it with fsync for this one). Our own side of
vs_post_office carries the gate too, since the other's queueing is in its time as well.

Ratios of speed (vs_…): higher is better. ``gate_vs_sql`` is of time, over six times ``n`` candidates: lower is better.
"""

from __future__ import annotations

import os
import pickle
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks._mailings.processes import cpu_seconds, parent_of, race
from benchmarks._mailings.sinks import find_program, running_sink

ROUNDS = 3
WORKERS = 2
SESSIONS = 16  # of smtp-source
CANDIDATES_EACH = 6  # for each mail: 300,000 with the usual 50,000
SAMPLES = 500  # distinct finished mails that the bare loop sends
FEW = 2000  # mails of post_office, clicks
Figures = dict[str, Any]


def run(n: int = 5000) -> Figures:
    """Return mails per second, ratios, and the memory of a worker."""
    from benchmarks._mailings.filling import fill, make_content

    _say(f"fsync {_fsync()}; smtp-sink: {find_program('smtp-sink') or 'our own'}")
    fill(n * CANDIDATES_EACH)
    content = make_content()
    gate = measure_gate(content)
    with running_sink() as (port, sink), tempfile.TemporaryDirectory() as folder:
        course = Course(n, content, port, sink, Path(folder) / "mails")
        for number in range(ROUNDS):
            course.turn(number)
        figures = course.figures()
        figures |= {"gate_vs_sql": gate, "clicks_per_s": measure_clicks(course.mailings[-1], min(n, FEW))}
    order = ("n", "mails_per_s", "vs_smtp_source", "vs_bare_loop", "vs_post_office", "gate_vs_sql", "clicks_per_s",
             "peak_mb")  # fmt: skip
    return {key: round(figures[key], 3) if isinstance(figures[key], float) else figures[key] for key in order}


class Course:
    """The turns of sending: what each took."""

    def __init__(self, n: int, content: Any, port: int, sink: int, mails: Path) -> None:
        self.n, self.content, self.port, self.sink, self.mails = n, content, port, sink, mails
        self.speed: defaultdict[str, list[float]] = defaultdict(list)
        self.mailings: list[Any] = []
        self.peaks: list[float] = []
        self.environment = {"EMAIL_URL": f"smtp://127.0.0.1:{port}"}

    def turn(self, number: int) -> None:
        """Send n mails of ours, as many bare, and fewer by post_office, one after the other."""
        self.ours(number)
        self.bare()
        self.source()
        self.post_office()
        _say(" ".join(f"{name} {found[-1]:,.0f}/s" for name, found in self.speed.items()))

    def ours(self, number: int) -> None:
        """(a), with the processor time of each stage and of database and sink."""
        from benchmarks._mailings.filling import begin
        from common.sql import execute
        from common.time import clock

        started = perf_counter()
        mailing = begin(self.content, f"turn {number}", until=self.n, now=clock())
        gated = perf_counter() - started
        self.mailings.append(mailing)
        total = mailing.messages.count()
        execute("VACUUM ANALYZE mailings_message")
        execute("CHECKPOINT")
        if not self.mails.exists():
            self.mails.write_bytes(pickle.dumps(finished(mailing, min(total, SAMPLES))))
        server = _postmaster()
        before = cpu_seconds(server) if server else 0.0, cpu_seconds(self.sink)
        seconds, told = race("engine", [], count=WORKERS, environment=self.environment)
        counts = [one["counts"].get("sent", 0) for one in told]
        assert sum(counts) == total, (counts, total)
        after = cpu_seconds(server) if server else 0.0, cpu_seconds(self.sink)
        self.peaks += [one["peak_mb"] for one in told]
        self.speed["ours"].append(total / seconds)
        self.speed["ours with gate"].append(total / (seconds + gated))
        stages: defaultdict[str, float] = defaultdict(float)
        for one in told:
            for stage, cpu in one["cpu"].items():
                stages[stage] += cpu
        stages["rest"] = 2 * stages["all"] - sum(stages.values())
        stages |= {"PostgreSQL": after[0] - before[0], "sink": after[1] - before[1]}
        _say("µs of processor per mail: " + ", ".join(
            f"{stage} {cpu / total * 1e6:.0f}" for stage, cpu in stages.items()))  # fmt: skip
        walls = " ".join(f"{stage} {wall:.2f}" for stage, wall in told[0]["wall"].items())
        _say(f"of {told[0]['seconds']:.2f} s of the first worker: {walls}; the gate took {gated:.2f} s")

    def bare(self) -> None:
        """(b)."""
        each = self.n // WORKERS
        arguments = [str(self.mails), str(each), str(self.port)]
        seconds, _told = race("bare", arguments, count=WORKERS, environment={})
        self.speed["bare loop"].append(each * WORKERS / seconds)

    def source(self) -> None:
        """(d), where it is installed."""
        program = find_program("smtp-source")
        if program is None:
            return
        _sender, _recipient, content = pickle.loads(self.mails.read_bytes())[0]  # noqa: S301 - our own
        body = self.mails.with_suffix(".eml")
        body.write_bytes(content.replace(b"\r\n", b"\n"))
        command = [program, "-d", "-s", str(SESSIONS), "-m", str(self.n), "-f", "a@waterland.example",
                   "-t", "b@example.nl", "-F", str(body), f"127.0.0.1:{self.port}"]  # fmt: skip
        started = perf_counter()
        subprocess.run(command, check=True)
        self.speed["smtp-source"].append(self.n / (perf_counter() - started))

    def post_office(self) -> None:
        """(c)."""
        few = min(self.n * 39 // 40, FEW)
        environment = {**self.environment, "DJANGO_SETTINGS_MODULE": "benchmarks._mailings.post_office_settings"}
        seconds, told = race("post_office", [str(self.mailings[0].pk), str(few)], count=1, environment=environment)
        self.speed["post_office"].append(few / seconds)
        self.speed["post_office, sending only"].append(few / (seconds - told[0]["queued"]))

    def figures(self) -> Figures:
        """Return the medians of speeds and of ratios within a turn."""
        return {
            "n": self.n,
            "mails_per_s": statistics.median(self.speed["ours"]),
            "vs_smtp_source": self.ratio("ours", "smtp-source"),
            "vs_bare_loop": self.ratio("ours", "bare loop"),
            "vs_post_office": self.ratio("ours with gate", "post_office"),
            "peak_mb": max(self.peaks),
        }

    def ratio(self, one: str, other: str) -> float | None:
        """Return the median of the ratios of two speeds in the same turn."""
        if other not in self.speed:
            return None
        return statistics.median(a / b for a, b in zip(self.speed[one], self.speed[other], strict=True))


def finished(mailing: Any, count: int) -> list[tuple[str, str, bytes]]:
    """Return sender, recipient and bytes of the first messages of a mailing, as the workers would send them."""
    from uuid import uuid4

    from mailings.worker import _Chunk

    pairs = list(mailing.messages.order_by("id").values_list("id", "customer_id")[:count])
    chunk = _Chunk(mailing, uuid4(), pairs)
    envelopes = [chunk.envelope(recipient) for recipient in chunk.recipients]
    size = statistics.mean(len(envelope.content) for envelope in envelopes) / 1000
    page = sum(len(piece) for _audience, pieces in mailing.compiled["html"] for piece in pieces) / 1000
    fields = sum(
        not isinstance(piece, str) and not str(piece[0]).startswith("link:")
        for part in ("html", "text") for _audience, pieces in mailing.compiled[part] for piece in pieces
    )  # fmt: skip
    _say(
        f"a mail has {size:.1f} KB ({page:.1f} of HTML for all), {len(mailing.compiled['links'])} links, {fields} slots"
    )
    return [(envelope.sender, envelope.recipient, envelope.content) for envelope in envelopes]


def measure_gate(content: Any) -> float:
    """Return the time of gate and queue over that by hand, for all customers, the median of alternated turns."""
    from benchmarks._mailings.filling import begin, marketing
    from benchmarks._mailings.gating import decided, forget, gate_by_hand
    from common.time import clock

    ratios = []
    for number in range(ROUNDS):
        started = perf_counter()
        begin(content, "gate", now=clock())
        ours = perf_counter() - started
        told = decided("gate")
        forget("gate")
        theirs = gate_by_hand(content, purpose_id=marketing().pk, key="by hand", now=clock())
        assert decided("by hand") == told, "both decide the same"
        forget("by hand")
        ratios.append(ours / theirs)
        _say(f"gate {number}: {ours:.2f} s, by hand {theirs:.2f} s")
    return statistics.median(ratios)


def measure_clicks(mailing: Any, count: int) -> float:
    """Return hits per second; those of the last fifth of a second are written down after they were answered."""
    from benchmarks._mailings.clicks import clicks_per_s
    from mailings.links import click_url
    from mailings.models import Hit

    ids = list(mailing.messages.order_by("id").values_list("id", flat=True)[:count])
    before = Hit.objects.count()
    per_second = clicks_per_s([click_url(one, number % 8, mailing_id=mailing.pk) for number, one in enumerate(ids)])
    assert Hit.objects.count() - before == len(ids), "clicks were lost"  # the web process has stopped in good order
    return per_second


def _fsync() -> str:
    from common.sql import rows

    return str(rows("SHOW fsync")[0]["fsync"])


def _postmaster() -> int:
    """Return the process id of the database server, 0 when it runs elsewhere."""
    from common.sql import rows

    return parent_of(int(rows("SELECT pg_backend_pid() AS pid")[0]["pid"]))


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


os.environ.setdefault("PYTHONUNBUFFERED", "1")
