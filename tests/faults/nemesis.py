"""What goes wrong, one thing after another, in an order that a seed decides and that can be had again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.faults.rig import Rig, Worker


@dataclass
class Nemesis:
    """Does harm to a rig while ``messages`` are being sent. ``done`` tells what happened, in order; ``resumed`` after
    how many seconds the next mail was taken.
    """

    rig: Rig
    seed: int
    messages: dict[int, str]
    done: list[str] = field(default_factory=list)
    resumed: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self._asked: set[int] = set()

    def strike(self, what: str) -> None:
        """Let one thing go wrong, and wait until mail goes out again."""
        self.rig.begin()
        FAULTS[what](self)
        self.done.append(what)
        self.rig.begin()
        self.rig.hasten()
        before, since = self.rig.sink.accepted, time.monotonic()
        if self._await(lambda: self.rig.sink.accepted > before, seconds=60):
            self.resumed.append(time.monotonic() - since)

    # --- workers ----------------------------------------------------------------------------------------------------

    def kill_after_the_dot(self) -> None:
        """The server has taken mails and said nothing yet."""
        self._kill_when_held("dot")

    def kill_before_the_body(self) -> None:
        """Mails are marked, and nothing of them was sent."""
        self._kill_when_held("data")

    def kill_anywhere(self) -> None:
        enough = self.rig.sink.accepted + self.chance.randint(1, 12)
        self._await(lambda: self.rig.sink.accepted >= enough)
        time.sleep(self.chance.random() * 0.01)
        self._bury(self.chance.choice(self.rig.workers))

    def sleep_past_the_lease(self) -> None:
        """A worker stands still until the others have taken over, and then goes on as if nothing had happened."""
        sleeper = self.chance.choice(self.rig.workers)
        enough = self.rig.sink.accepted + 3
        self._await(lambda: self.rig.sink.accepted >= enough)
        sleeper.halt()
        self.rig.deaths += 1
        self.rig.expire(sleeper.name)
        enough = self.rig.sink.accepted + 8
        self._await(lambda: self.rig.sink.accepted >= enough, seconds=3)
        sleeper.wake()

    def set_a_clock_wrong(self) -> None:
        """A worker dies, and the one that takes its place is an hour early or late."""
        self.kill_anywhere()
        for worker in self.rig.workers:
            if not worker.is_at_work:
                worker.skew = self.chance.choice([-1, 1])

    def _kill_when_held(self, place: str) -> None:
        self.rig.sink.hold = place
        self._await(lambda: bool(self.rig.sink.held))
        time.sleep(self.chance.random() * 0.02)
        self._bury(self.chance.choice(self.rig.workers))

    def _bury(self, worker: Worker) -> None:
        worker.kill()
        self.rig.sink.hold = ""
        self.rig.mourn(worker)

    # --- servers and lines ------------------------------------------------------------------------------------------

    def stop_the_database(self) -> None:
        self.rig.servers.stop_database()
        time.sleep(self.chance.random() * 0.2)
        self.rig.servers.start_database()

    def cut_the_database(self) -> None:
        self.rig.stage.call(self.rig.to_database.cut)

    def lose_answers_of_the_database(self) -> None:
        """What was being committed is committed; whoever asked for it hears nothing, and asks again."""
        line = self.rig.to_database
        line.loses_answers = True
        time.sleep(0.05 + self.chance.random() * 0.1)
        line.loses_answers = False
        self.rig.stage.call(line.cut)

    def cut_the_mail_server(self) -> None:
        """Every connection breaks, and no dot is on its way: nobody need be in doubt."""
        sink = self.rig.sink
        sink.hold = "data"
        self._await(lambda: bool(sink.held))
        self.rig.stage.play(self._cut_before_data())
        sink.hold = ""

    async def _cut_before_data(self) -> None:
        quiet = 0
        while quiet < 20:  # so long that the last answers have got through
            quiet = 0 if self.rig.sink.in_body else quiet + 1
            await asyncio.sleep(0.002)
        self.rig.to_mail.cut()

    def close_the_mail_server(self) -> None:
        self.rig.to_mail.is_shut = True
        self.cut_the_mail_server()
        time.sleep(0.2)
        self.rig.to_mail.is_shut = False

    # --- people -----------------------------------------------------------------------------------------------------

    def say_no(self) -> None:
        """Three readers say no, each in his own way, while their mail may be on its way."""
        waiting = self.rig.servers.ask(
            "SELECT id FROM mailings_message WHERE id = ANY(%s) AND state IN ('queued', 'claimed') ORDER BY id",
            [one for one in self.messages if one not in self._asked],
        )
        chosen = self.chance.sample([row["id"] for row in waiting], min(3, len(waiting)))
        self._asked |= set(chosen)
        self.rig.do(f"say_no({chosen})")

    # ----------------------------------------------------------------------------------------------------------------

    def _await(self, is_true: Callable[[], bool], seconds: float = 20) -> bool:
        """Wait for work to be done; return whether it was. None may be left, which is no fault."""
        until, look = time.monotonic() + seconds, 0.0
        while not is_true():
            now = time.monotonic()
            if now > until or (now > look and not self.rig.open_messages(self.messages)):
                return False
            look = now + 0.2 if now > look else look
            time.sleep(0.003)
        return True


FAULTS: Mapping[str, Callable[[Nemesis], None]] = {
    "kill after the dot": Nemesis.kill_after_the_dot,
    "kill before the body": Nemesis.kill_before_the_body,
    "kill anywhere": Nemesis.kill_anywhere,
    "sleep past the lease": Nemesis.sleep_past_the_lease,
    "set a clock wrong": Nemesis.set_a_clock_wrong,
    "stop the database": Nemesis.stop_the_database,
    "cut the database": Nemesis.cut_the_database,
    "lose answers of the database": Nemesis.lose_answers_of_the_database,
    "cut the mail server": Nemesis.cut_the_mail_server,
    "close the mail server": Nemesis.close_the_mail_server,
    "say no": Nemesis.say_no,
}
DEADLY = tuple(name for name in FAULTS if name.startswith(("kill", "sleep", "set a clock")))
