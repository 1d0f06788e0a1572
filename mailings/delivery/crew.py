"""Many connections in one thread: whoever is ready is served. Opening one may wait, so that happens in a thread of its
own.
"""

from __future__ import annotations

import contextlib
import logging
import queue as queues
import selectors
import smtplib
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mailings.delivery.envelope import IN_DOUBT, Envelope, unaddressable
from mailings.delivery.routes import Route
from mailings.delivery.smtp import NEVER, Line, not_opened
from mailings.queue import Outcome

if TYPE_CHECKING:  # loaded by who uses one: few do
    from mailings.delivery.providers import Provider

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.004  # how long outcomes may wait for others, so that a commit serves several
GOODBYE_SECONDS = 0.5
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
Opened = tuple["Lane", Envelope, smtplib.SMTP | Exception | Outcome]


class Lane:
    """The connections over one route. ``size`` is how many there may be, ``busy`` how many have a message."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.size = route.size
        self.busy = 0
        self.credit = 0.0  # how much of its share it still has to get
        self.free: list[Line] = []
        self.providers: deque[Provider] = deque()  # that are free, when mail goes over the web


class Crew:
    """Connections over one route or several that take messages and give outcomes, no more; each has one message at a
    time.

    A connection that cannot be opened costs its lane a place, so a server that takes fewer than we have is served by
    as many as it takes; ``size`` is how many are left in all.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self.lanes = [Lane(route) for route in routes]
        self._lines: dict[Line, Lane] = {}
        self._done: deque[Outcome] = deque()
        self._opened: queues.SimpleQueue[Opened] = queues.SimpleQueue()
        self._selector = selectors.DefaultSelector()
        self._bell, self._ear = socket.socketpair()
        self._ear.setblocking(False)
        self._selector.register(self._ear, READ, None)

    @property
    def size(self) -> int:
        """Return how many connections there may be."""
        return sum(lane.size for lane in self.lanes)

    @property
    def busy(self) -> int:
        """Return how many messages are under way."""
        return sum(lane.busy for lane in self.lanes)

    def busy_by_relay(self) -> Counter[int | None]:
        """Return how many messages are under way over each relay."""
        return Counter({lane.route.relay_id: lane.busy for lane in self.lanes})

    def choose(self, count: int) -> list[Lane]:
        """Return a lane with room for each of so many messages; fewer when there is no more room.

        Beside one of weight 3 a lane of weight 1 has a third of its connections at work. So a relay that hangs keeps
        those, and the others go on.
        """
        most = max((lane.route.weight for lane in self.lanes if lane.size), default=1)
        room = {
            lane: max(1, lane.size * lane.route.weight // most) - lane.busy for lane in self.lanes if lane.size
        }  # fmt: skip
        chosen: list[Lane] = []
        while len(chosen) < count and (able := [lane for lane, left in room.items() if left > 0]):
            for lane in able:
                lane.credit += lane.route.weight
            lane = max(able, key=lambda one: one.credit)
            lane.credit -= sum(one.route.weight for one in able)
            room[lane] -= 1
            chosen.append(lane)
        return chosen

    def give(self, envelope: Envelope, lane: Lane) -> None:
        """Start with a message over a lane that has room."""
        lane.busy += 1
        if wrong := unaddressable(envelope):
            self._finish(lane, wrong)
            return
        self._start(lane, envelope)

    def _start(self, lane: Lane, envelope: Envelope) -> None:
        if lane.route.provider:
            threading.Thread(target=self._ask, args=(lane, envelope), daemon=True).start()
            return
        while lane.free:
            line = lane.free.pop()
            if line.is_open:
                self._begin(line, lane, envelope)
                return
        threading.Thread(target=self._open, args=(lane, envelope), daemon=True).start()

    def _finish(self, lane: Lane, outcome: Outcome) -> None:
        lane.busy -= 1
        if outcome.pause and any(other.size for other in self.lanes if other is not lane):
            # One relay that will not have us is no reason to stop while another does.
            lane.size, outcome = 0, replace(outcome, pause=False)
        self._done.append(outcome)

    def collect(self, *, wanted: int, timeout: float) -> list[Outcome]:
        """Return the outcomes there are: wait for the first, and a moment for ``wanted``; empty when none is in
        time.
        """
        until = time.monotonic() + timeout
        self._serve(0)
        while len(self._done) < wanted and (left := until - time.monotonic()) > 0:
            was_empty = not self._done
            self._serve(left)
            if was_empty and self._done:
                until = min(until, time.monotonic() + PATIENCE_SECONDS)
        found = list(self._done)
        self._done.clear()
        return found

    def attend(self) -> None:
        """Do what can be done at once, for who has other work between two messages."""
        self._serve(0)

    def dismiss(self) -> None:
        """Say goodbye on every line that is free, and hang up on all."""
        self.send_home()
        for line in list(self._lines):
            self._drop(line)
        self._selector.close()
        self._bell.close()
        self._ear.close()

    def send_home(self) -> None:
        """Say goodbye on every line that is free."""
        free = [line for lane in self.lanes for line in lane.free if line.is_open]
        for line in free:
            with contextlib.suppress(OSError):
                line.sock.send(b"QUIT\r\n")
        until = time.monotonic() + GOODBYE_SECONDS
        for line in free:  # a server that is hung up on before it has answered logs that as a fault
            with contextlib.suppress(OSError):
                line.sock.settimeout(max(0.01, until - time.monotonic()))
                line.sock.recv(1000)
            self._drop(line)
        for lane in self.lanes:
            lane.free.clear()
            while lane.providers:
                lane.providers.pop().close()

    # --- at work ----------------------------------------------------------------------------------------------------

    def _ask(self, lane: Lane, envelope: Envelope) -> None:
        """Send a message over the web, in a thread of its own, and ring."""
        try:
            from mailings.delivery.providers import Provider

            try:
                provider = lane.providers.pop()
            except IndexError:
                provider = Provider(lane.route.provider)
            outcome = provider.send(envelope)
            lane.providers.append(provider)
        except Exception as error:  # a bug must not leave its message without an outcome
            log.exception("message %s went wrong on its way to a provider", envelope.message_id)
            outcome = Outcome(envelope.message_id, IN_DOUBT, type(error).__name__)
        self._opened.put((lane, envelope, outcome))
        with contextlib.suppress(OSError):  # the crew may be gone
            self._bell.send(b".")

    def _open(self, lane: Lane, envelope: Envelope) -> None:
        """Open a connection for a message, in a thread of its own, and ring."""
        try:
            opened: smtplib.SMTP | Exception = lane.route.open()
        except (smtplib.SMTPException, OSError) as error:
            opened = error
        except Exception as error:  # a bug must not leave its message without an outcome
            log.exception("opening a connection went wrong")
            opened = error
        self._opened.put((lane, envelope, opened))
        with contextlib.suppress(OSError):  # the crew may be gone
            self._bell.send(b".")

    def _serve(self, seconds: float) -> None:
        """Wait that long at most for something to happen, and do what follows from it."""
        now = time.monotonic()
        soonest = min((line.deadline for line in self._lines), default=NEVER)
        for key, _events in self._selector.select(max(0.0, min(seconds, soonest - now))):
            if key.data is None:
                self._take_opened()
            else:
                self._proceed(key.data)
        if soonest <= now:
            for line in [line for line in self._lines if line.deadline <= now]:
                self._after(line, line.give_up())

    def _take_opened(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._ear.recv(1000)
        with contextlib.suppress(queues.Empty):
            while True:
                lane, envelope, opened = self._opened.get_nowait()
                if isinstance(opened, Outcome):
                    lane.size -= opened.is_unreachable and lane.size > 0
                    self._finish(lane, opened)
                    continue
                if isinstance(opened, Exception):
                    lane.size = max(0, lane.size - 1)
                    missed = not_opened(envelope.message_id, opened)
                    self._finish(lane, missed)
                    continue
                line = Line(opened)
                self._lines[line] = lane
                self._selector.register(line.sock, READ, line)
                self._begin(line, lane, envelope)

    def _begin(self, line: Line, lane: Lane, envelope: Envelope) -> None:
        try:
            outcome = line.begin(envelope)
        except Exception as error:
            log.exception("message %s went wrong at its start", envelope.message_id)
            outcome = self._stumbled(line, envelope, error)
        if not self._goes_again(line, lane, envelope):
            self._after(line, outcome)

    def _proceed(self, line: Line) -> None:
        envelope, lane = line.envelope, self._lines.get(line)
        if lane is None:  # dropped by an earlier event of the same moment
            return
        try:
            outcome = line.proceed()
        except Exception as error:
            log.exception("message %s went wrong", envelope.message_id if envelope else None)
            outcome = self._stumbled(line, envelope, error)
        if envelope is None or not self._goes_again(line, lane, envelope):
            self._after(line, outcome)

    def _stumbled(self, line: Line, envelope: Envelope | None, error: Exception) -> Outcome | None:
        """A bug must not leave its message without an outcome."""
        line.close()
        return Outcome(envelope.message_id, IN_DOUBT, type(error).__name__) if envelope else None

    def _goes_again(self, line: Line, lane: Lane, envelope: Envelope) -> bool:
        """The server had closed a connection that was idle; nothing of this message was said yet."""
        if not line.is_stale:
            return False
        self._drop(line)
        self._start(lane, envelope)
        return True

    def _after(self, line: Line, outcome: Outcome | None) -> None:
        """See what a line needs next."""
        lane = self._lines[line]
        if outcome:
            self._finish(lane, outcome)
        if not line.is_open:
            self._drop(line)
            return
        if outcome:
            lane.free.append(line)
        wanted = READ | WRITE if line.is_writing else READ
        if self._selector.get_key(line.sock).events != wanted:
            self._selector.modify(line.sock, wanted, line)

    def _drop(self, line: Line) -> None:
        """Hang up and forget a line."""
        line.close()
        if self._lines.pop(line, None):
            self._selector.unregister(line.sock)
