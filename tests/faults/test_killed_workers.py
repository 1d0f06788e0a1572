"""A worker is killed in the middle of its work, again and again: nothing twice, nothing lost, few doubts, all of them
shown.
"""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from common.sql import rows
from mailings import queue
from mailings.models import Mailing, Message
from mailings.worker import send_ready
from tests.faults.scripted_smtp import Server, scripted_smtp
from tests.killable import Killable, killable

pytestmark = pytest.mark.django_db(transaction=True)

MAILS, KILLS, CONNECTIONS = 400, 5, 4
READY = "import mailings.worker"
WORKER = f"""
from mailings.worker import send_ready
send_ready(seconds=60, connections={CONNECTIONS}, chunk=50)
"""


@pytest.fixture
def now() -> Any:
    return timezone.now()


def wait_until(is_true: Callable[[], bool], *, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.005)


def expire_leases() -> None:
    """Let time pass; a worker that was stopped in the middle of a transaction still holds some rows."""
    with transaction.atomic():
        free = Message.objects.exclude(lease_until=None).select_for_update(skip_locked=True, of=("self",))
        ids = list(free.values_list("pk", flat=True))
        Message.objects.filter(pk__in=ids).update(lease_until=timezone.now() - dt.timedelta(seconds=1))


def test_killing_workers_repeats_nothing_and_loses_nothing(
    start: Callable[..., Mailing], readers: Any, process_environment: dict[str, str], tmp_path: Path, settings: Any
) -> None:
    readers(MAILS)
    mailing = start()
    with scripted_smtp(tmp_path / "ledger", seconds_per_mail=0.01) as server:
        environment = {**process_environment, "EMAIL_URL": f"smtp://127.0.0.1:{server.port}"}
        with killable(environment, READY) as worker:
            for _ in range(KILLS):
                kill_in_mid_batch(worker, server)
                expire_leases()
                queue.recover()
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        send_ready(seconds=60)
        accepted = Counter(line.split()[0] for line in server.accepted())
    by_state = Counter(Message.objects.filter(mailing=mailing).values_list("state", flat=True))
    sent = set(Message.objects.filter(state="sent").values_list("address", flat=True))
    doubtful = set(Message.objects.filter(state="in_doubt").values_list("address", flat=True))
    assert set(by_state) <= {"sent", "in_doubt"}
    assert by_state.total() == MAILS
    assert set(accepted.values()) == {1}, "somebody got it twice"
    assert sent <= set(accepted), "said to be sent, but was not"
    assert set(accepted) <= sent | doubtful, "was sent, but nobody knows"
    assert len(doubtful) <= KILLS * CONNECTIONS
    mailing.refresh_from_db()
    assert mailing.state == "finished"


def connections() -> int:
    """How many are connected to the database, whatever they do."""
    found = rows("SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND state IS NOT NULL")
    return int(found[0]["n"])


def kill_in_mid_batch(worker: Killable, server: Server) -> None:
    """Kill a worker while it sends; comes back once the database has noticed, and let go of what it held."""
    before, others = len(server.accepted()), connections()
    worker.start(WORKER)
    wait_until(lambda: len(server.accepted()) >= before + 15)
    assert worker.kill() == -signal.SIGKILL, "finished before it could be killed"
    wait_until(lambda: connections() <= others)


def test_a_worker_stopped_past_its_lease_sends_nothing_twice(
    start: Callable[..., Mailing], readers: Any, process_environment: dict[str, str], tmp_path: Path, settings: Any
) -> None:
    readers(120)
    start()
    with scripted_smtp(tmp_path / "ledger", seconds_per_mail=0.02) as server:
        environment = {**process_environment, "EMAIL_URL": f"smtp://127.0.0.1:{server.port}"}
        alone = [sys.executable, "-c", "import django; django.setup()" + WORKER]
        worker = subprocess.Popen(alone, env=environment, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: len(server.accepted()) >= 15)
            os.kill(worker.pid, signal.SIGSTOP)
            expire_leases()
            queue.recover()
            settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
            send_ready(seconds=60)
            os.kill(worker.pid, signal.SIGCONT)
            worker.wait(60)
        finally:
            worker.kill()
            worker.wait()
        accepted = Counter(line.split()[0] for line in server.accepted())
    assert set(accepted.values()) == {1}
    sent = set(Message.objects.filter(state="sent").values_list("address", flat=True))
    doubtful = set(Message.objects.filter(state="in_doubt").values_list("address", flat=True))
    assert len(sent | doubtful) == 120
    assert set(accepted) <= sent | doubtful
    assert len(doubtful) <= CONNECTIONS
