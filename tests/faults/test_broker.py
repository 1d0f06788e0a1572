"""Real Celery workers and two schedulers, whose broker forgets everything, goes away and comes back, while workers are
killed, or asked to make room for a new version: mail goes on within a minute, nothing twice, nothing lost.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
import redis

from mailings.worker import CONNECTIONS
from tests.faults.rig import KILLS, Rig, rig, wait_until
from tests.faults.sink import Script

pytestmark = [
    pytest.mark.django_db,  # the database that is copied
    pytest.mark.skipif(not KILLS, reason="takes minutes: make test-faults"),
]

CELERY = [sys.executable, "-m", "celery", "--app", "wise_marketing"]
PROCESSES = 2  # of a worker, each with its connections
WORKER = [
    *CELERY,
    "worker",
    "--concurrency",
    str(PROCESSES),
    "--without-gossip",
    "--without-mingle",
    "--loglevel",
    "ERROR",
]
_names = count(1)


@contextmanager
def process(stand: Rig, command: list[str], name: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that the database knows by this name; one that still runs at the end is killed with its own."""
    environment = {**stand.environment, "PGAPPNAME": name}
    with (folder / "log").open("ab") as log, subprocess.Popen(
        command, env=environment, stdout=log, stderr=log, start_new_session=True
    ) as made:  # fmt: skip
        try:
            yield made
        finally:
            end(made)


def end(made: subprocess.Popen[bytes]) -> None:
    """Kill a process with its children, as when a machine goes down."""
    if made.poll() is None:
        children = Path(f"/proc/{made.pid}/task/{made.pid}/children").read_text().split()
        for pid in [made.pid, *map(int, children)]:  # a worker's processes each have a group of their own
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        made.wait()


def test_mail_goes_on_whatever_happens_to_the_broker(copied: dict[str, str], tmp_path: Path) -> None:
    with ExitStack() as stack:
        stand = stack.enter_context(rig(tmp_path, copied, workers=0, with_broker=True))
        for number in range(2):
            schedule = str(tmp_path / f"schedule-{number}")
            beat = [*CELERY, "beat", "--schedule", schedule, "--pidfile=", "--loglevel", "ERROR"]
            stack.enter_context(process(stand, beat, f"beat {number}", tmp_path))
        messages = stand.start_mailings("bel", readers=6000)["bel"]
        stand.sink.script, stand.sink.seconds = Script(seed=1, rate=0.02), 0.25
        lives = [hire(stack, stand, tmp_path)]
        slowest = 0.0
        for strike in (forget, restart, deploy, forget, kill, forget, deploy, restart):
            progress(stand, 40)
            strike(stack, stand, tmp_path, lives)
            begun = time.monotonic()
            progress(stand, 20)
            slowest = max(slowest, time.monotonic() - begun)
            stand.hasten()
        stand.sink.seconds = 0.0
        deadline = time.monotonic() + 240
        while stand.open_messages(messages):
            assert time.monotonic() < deadline
            stand.hasten()
            time.sleep(1)
        verdict = stand.judge(messages, doubts_allowed=stand.deaths * PROCESSES * CONNECTIONS)
        print(f"slowest resumption {slowest:.1f} s, {verdict}")
        assert verdict.faults == {}, verdict
        assert slowest < 60


def hire(stack: ExitStack, stand: Rig, folder: Path) -> tuple[str, subprocess.Popen[bytes]]:
    name = f"celery {next(_names)}"
    return name, stack.enter_context(process(stand, WORKER, name, folder))


def progress(stand: Rig, mails: int) -> None:
    enough = stand.sink.accepted + mails
    wait_until(lambda: stand.sink.accepted >= enough, seconds=300, what="for mail to go on")


def forget(stack: ExitStack, stand: Rig, folder: Path, lives: list[tuple[str, subprocess.Popen[bytes]]]) -> None:
    with redis.Redis(unix_socket_path=str(stand.servers.place.valkey_socket)) as broker:
        broker.flushall()


def restart(stack: ExitStack, stand: Rig, folder: Path, lives: list[tuple[str, subprocess.Popen[bytes]]]) -> None:
    stand.servers.stop_broker()
    time.sleep(1)
    stand.servers.start_broker()


def deploy(stack: ExitStack, stand: Rig, folder: Path, lives: list[tuple[str, subprocess.Popen[bytes]]]) -> None:
    """The new version begins, and then the old one is asked to stop: it ends its run and leaves nothing half done."""
    _name, old = lives.pop()
    lives.append(hire(stack, stand, folder))
    old.send_signal(signal.SIGTERM)
    old.wait(90)


def kill(stack: ExitStack, stand: Rig, folder: Path, lives: list[tuple[str, subprocess.Popen[bytes]]]) -> None:
    name, old = lives.pop()
    end(old)
    stand.deaths += 1
    gone = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s"
    wait_until(lambda: not stand.servers.ask(gone, name))
    stand.expire(name)
    lives.append(hire(stack, stand, folder))
