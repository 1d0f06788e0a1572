"""The rig: servers of its own behind lines that can be cut, a mail server that breaks, workers that can be killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.faults.checker import Verdict, judge
from tests.faults.proxy import Proxy
from tests.faults.servers import NAME, Servers, servers
from tests.faults.sink import Sink
from tests.faults.stage import Stage, stage
from tests.killable import Killable, killable

CONNECTIONS = 4
#: How many workers die in the long run; what takes minutes is left out without it.
KILLS = int(os.environ.get("KILLS") or 0)
READY = "import mailings.tasks, mailings.worker, tests.faults.population"

#: A worker as Celery would have it: what fails is tried at the next ring, with a new connection.
WORKER = f"""
import logging, os, sys, time
os.environ["PGAPPNAME"] = {{name!r}}
{{changes}}
from django.db import connections
from mailings.tasks import recover_stale
from mailings.worker import send_ready
logging.disable(logging.CRITICAL)
while True:
    try:
        recover_stale()
        send_ready(seconds=15, connections={CONNECTIONS}, chunk=50)
    except Exception as error:
        print(f"{{name}}: {{{{error!r}}}}", file=sys.stderr)
    connections.close_all()
    time.sleep(0.05)
"""
WRONG_CLOCK = """
import datetime, time_machine
now = datetime.datetime.now(datetime.UTC)
time_machine.travel(now + datetime.timedelta(hours={hours}), tick=True).start()
"""
_names = count(1)


def wait_until(is_true: Callable[[], bool], *, seconds: float = 60, what: str = "") -> None:
    """Wait for something that must come; how long that takes on a busy machine does not matter."""
    until = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < until, f"waited in vain {what}"
        time.sleep(0.005)


@dataclass
class Worker:
    """A process that may be killed and begin again; ``name`` is how the database knows its present life.

    ``changes``: code that breaks the product in it; ``skew``: by how many hours its clock is wrong.
    """

    mother: Killable
    changes: str = ""
    skew: int = 0
    name: str = ""

    def begin(self) -> None:
        self.name = f"worker {next(_names)}"
        changes = self.changes + (WRONG_CLOCK.format(hours=self.skew) if self.skew else "")
        self.mother.start(WORKER.format(name=self.name, changes=changes))

    def kill(self) -> None:
        assert self.mother.kill() == -signal.SIGKILL, f"{self.name} ended by itself"

    def halt(self) -> None:
        os.kill(self.mother.pid, signal.SIGSTOP)

    def wake(self) -> None:
        os.kill(self.mother.pid, signal.SIGCONT)

    @property
    def is_at_work(self) -> bool:
        return bool(self.mother.pid)


@dataclass
class Rig:
    """Everything of one session. ``deaths``: workers that were killed, or slept past their lease."""

    servers: Servers
    stage: Stage
    sink: Sink
    to_database: Proxy
    to_mail: Proxy
    to_broker: Proxy
    environment: Mapping[str, str]
    workers: list[Worker] = field(default_factory=list)
    clerk: Killable | None = None  # does what people and the scheduler do
    deaths: int = 0

    # --- the product ------------------------------------------------------------------------------------------------

    def do(self, code: str) -> None:
        """Let the product do something in a process of its own."""
        assert self.clerk
        self.clerk.start(f"from tests.faults.population import *\n{code}")
        assert self.clerk.finish() == 0, code

    def start_mailings(self, *keys: str, readers: int, is_held: bool = False) -> dict[str, dict[int, str]]:
        """Start mailings to so many new people each, and return by key the address of each message by its id.

        ``is_held``: nothing leaves before ``release``.
        """
        self.do(f"for key in {keys}: populate(key, {readers}); mail(key{', is_held=True' if is_held else ''})")
        self.servers.ask("ANALYZE")
        found = self.servers.ask(
            "SELECT message.id, message.address, mailing.name FROM mailings_message AS message"
            " JOIN mailings_mailing AS mailing ON mailing.id = message.mailing_id WHERE mailing.name = ANY(%s)",
            list(keys),
        )
        assert len(found) == readers * len(keys)
        return {key: {row["id"]: row["address"] for row in found if row["name"] == key} for key in keys}

    def release(self, messages: Mapping[int, str]) -> None:
        """Let the messages of one mailing leave now, and nothing else."""
        self.servers.ask(
            "UPDATE mailings_mailing AS mailing SET state = CASE WHEN id IN (SELECT mailing_id FROM mailings_message"
            " WHERE id = ANY(%s)) THEN 'sending' ELSE 'paused' END WHERE state IN ('sending', 'paused')",
            list(messages),
        )
        now = "UPDATE mailings_message SET next_attempt_at = clock_timestamp() WHERE id = ANY(%s)"
        self.servers.ask(now, list(messages))

    # --- time -------------------------------------------------------------------------------------------------------

    def expire(self, worker: str) -> None:
        """Let the leases of a worker's life run out, as a minute of waiting would."""
        self.servers.ask(
            "UPDATE mailings_message SET lease_until = clock_timestamp() - interval '1 second' WHERE id IN ("
            " SELECT id FROM mailings_message WHERE lease_until IS NOT NULL AND claim IN"
            " (SELECT claim FROM rig.history WHERE worker = %s AND becomes = 'claimed') FOR UPDATE SKIP LOCKED)",
            worker,
        )

    def hasten(self) -> None:
        """Let what was deferred be due now."""
        self.servers.ask(
            "UPDATE mailings_message SET next_attempt_at = clock_timestamp() WHERE id IN (SELECT id FROM"
            " mailings_message WHERE state = 'deferred' AND next_attempt_at > clock_timestamp()"
            " FOR UPDATE SKIP LOCKED)"
        )

    def mourn(self, worker: Worker) -> None:
        """See that a worker that was killed is gone from the database too, and let its leases run out."""
        self.deaths += 1
        gone = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s"
        wait_until(lambda: not self.servers.ask(gone, worker.name), what="for the database to notice")
        self.expire(worker.name)

    # --- the outcome ------------------------------------------------------------------------------------------------

    def open_messages(self, messages: Mapping[int, str]) -> int:
        found = self.servers.ask(
            "SELECT count(*) AS n FROM mailings_message WHERE id = ANY(%s)"
            " AND state IN ('queued', 'claimed', 'sending', 'deferred')",
            list(messages),
        )
        return int(found[0]["n"])

    def begin(self) -> None:
        """Let every worker be at work."""
        for worker in self.workers:
            if not worker.is_at_work:
                worker.begin()

    def finish(self, messages: Mapping[int, str], *, seconds: float = 90) -> None:
        """Let the workers go on, undisturbed, until nothing is open."""
        self.begin()
        until = time.monotonic() + seconds
        while self.open_messages(messages):
            assert time.monotonic() < until, f"{self.open_messages(messages)} messages are still open"
            self.hasten()
            time.sleep(0.05)

    def rest(self) -> None:
        """Stop all workers; nothing of theirs is under way any more."""
        for worker in self.workers:
            if worker.is_at_work:
                worker.kill()
                self.expire(worker.name)

    def judge(self, messages: Mapping[int, str], **known: Any) -> Verdict:
        said_no = {row["message_id"]: row["known_at"] for row in self.servers.ask("SELECT * FROM rig.said_no")}
        said_no = {number: at for number, at in said_no.items() if number in messages}
        return judge(self.servers.ask, self.sink.ledger, messages=messages, said_no=said_no, **known)


@contextmanager
def rig(folder: Path, source: Mapping[str, str], *, workers: int = 2, with_broker: bool = False) -> Iterator[Rig]:
    """Set everything up. ``source``: libpq's environment of a database with the product's tables, to be copied."""
    with ExitStack() as stack:
        playing = stack.enter_context(stage())
        to_database, to_mail, to_broker = Proxy(Path()), Proxy(0), Proxy(Path())
        sink = Sink(folder / "ledger")
        for server in (sink, to_database, to_mail, to_broker):
            playing.play(server.start())
        to_mail.target = sink.port
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "wise_marketing.settings",
            "WISE_EMBEDDED": "1",
            "DATABASE_URL": f"postgresql://wise@127.0.0.1:{to_database.port}/{NAME}?sslmode=disable",
            "EMAIL_URL": f"smtp://127.0.0.1:{to_mail.port}",
        }
        if with_broker:
            environment["REDIS_URL"] = f"redis://127.0.0.1:{to_broker.port}/0"
        mothers = [stack.enter_context(killable(environment, READY)) for _ in range(workers + 1)]
        own = stack.enter_context(servers(with_broker=with_broker))
        to_database.target, to_broker.target = own.socket, own.place.valkey_socket
        own.copy_database(dict(source))
        own.ask("CREATE TABLE rig.said_no (message_id bigint, known_at timestamptz)")
        made = Rig(own, playing, sink, to_database, to_mail, to_broker, environment)
        made.clerk, made.workers = mothers[0], [Worker(mother) for mother in mothers[1:]]
        made.do("settle()")
        yield made
