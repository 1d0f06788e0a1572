"""One connection that waits for its answers: for a single message now, outside the queue."""

from __future__ import annotations

import contextlib
import select
import smtplib
import time
from dataclasses import replace

from mailings.delivery.envelope import Envelope, unaddressable
from mailings.delivery.routes import Route
from mailings.delivery.smtp import Line, LostError, not_opened
from mailings.queue import Outcome


class Connection:
    """A connection to the relay of EMAIL_URL that stays open between messages; belongs to one thread."""

    def __init__(self) -> None:
        self._line: Line | None = None

    @property
    def _smtp(self) -> smtplib.SMTP | None:
        return self._line.smtp if self._line else None

    def send(self, envelope: Envelope) -> Outcome:
        """Send one message and say what became of it; never raises for what a server or network can do."""
        if wrong := unaddressable(envelope):
            return wrong
        outcome, is_stale = self._try(envelope)
        if is_stale:  # the server had closed a connection that was idle; nothing of this message was said yet
            outcome, _is_stale = self._try(envelope)
        return outcome

    def _try(self, envelope: Envelope) -> tuple[Outcome, bool]:
        """Return what became of it, and whether it may be tried again at once."""
        if self._line is None:
            try:
                self._line = Line(Route(1).open())
            except (smtplib.SMTPException, OSError, LostError) as error:
                return not_opened(envelope.message_id, error), False
        line = self._line
        outcome = line.begin(envelope)
        while outcome is None:
            outcome = self._wait(line)
        if not line.is_open:
            self.close()
        return outcome, line.is_stale

    def _wait(self, line: Line) -> Outcome | None:
        patience = line.deadline - time.monotonic()
        if patience <= 0:
            return line.give_up()
        select.select([line.sock], [line.sock] if line.is_writing else [], [], patience)
        return line.proceed()

    def close(self) -> None:
        """Hang up without a word."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def quit(self) -> None:
        """Say goodbye, when there is somebody to say it to."""
        if self._line is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._line.sock.settimeout(1)
                self._line.smtp.quit()
        self.close()


def send_test(envelope: Envelope) -> Outcome:
    """Send one message outside the queue, to a colleague who asked for it, and say what became of it."""
    mine = Connection()
    try:
        return replace(mine.send(envelope), reached=True)
    finally:
        mine.quit()
