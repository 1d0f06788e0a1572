"""SMTP over one connection, without ever waiting: commands go out in one breath where the server offers PIPELINING,
answers are taken as they come.

smtplib opens the connection (greeting, TLS, password), since that happens once and may wait; from then on the socket
is read and written here. A message goes through the phases mail, rcpt, data (nothing was said of its content), body
(some of it is on its way, but not the final dot) and dot. Only in the last is a lost connection a doubt.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable

from django.conf import settings

from mailings.delivery.envelope import (
    DEFERRED,
    IN_DOUBT,
    SENT,
    Envelope,
    in_words,
    is_permanent,
    is_unknown,
    not_let_in,
    refused,
)
from mailings.queue import Outcome

DOT_SECONDS = 300  # giving up after the dot is what makes a doubt, so there is time for an answer
NEVER = float("inf")
LONGEST_LINE = 65_536
EXPECTED = {"rset": (250,), "mail": (250,), "rcpt": (250, 251), "data": (354,)}
_LINE = re.compile(rb"(\d{3})([ -]?)([^\r\n]*)\r?\n")
_DOT = re.compile(rb"\n\.")
BUSY = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError, InterruptedError)


class LostError(Exception):
    """The server hung up, or speaks something else."""


def not_opened(message_id: int, error: Exception) -> Outcome:
    """Say what it means for a message that no connection could be opened for it: no attempt, and soon again."""
    if isinstance(error, smtplib.SMTPResponseException):
        return not_let_in(message_id, error.smtp_code, error.smtp_error)
    is_ours = isinstance(error, smtplib.SMTPNotSupportedError)  # no TLS, no way to log in: nobody should wait for that
    words = str(error) or type(error).__name__
    return Outcome(message_id, DEFERRED, words, reached=False, pause=is_ours, is_unreachable=True)


class Line:
    """An open connection and the message that is on it, if any; all calls return at once."""

    def __init__(self, smtp: smtplib.SMTP) -> None:
        if smtp.sock is None:
            raise LostError("closed")
        self.smtp = smtp
        self.sock: socket.socket = smtp.sock
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.can_pipeline = bool(smtp.has_extn("pipelining"))
        self.envelope: Envelope | None = None
        self.phase = ""
        self.deadline = NEVER
        self.was_used = False  # by an earlier message
        self.is_open = True
        self._coming = b""  # part of an answer
        self._said: list[bytes] = []  # earlier lines of it
        self._going: memoryview = memoryview(b"")  # what the network has not taken yet
        self._steps: deque[tuple[str, bytes]] = deque()  # not said yet
        self._asked: deque[str] = deque()  # said, not answered yet
        self._refusal: Outcome | None = None
        self._must_reset = False

    # --- a message --------------------------------------------------------------------------------------------------

    def begin(self, envelope: Envelope) -> Outcome | None:
        """Start with a message on a free line; returns its outcome when the connection turns out to be lost."""
        self.envelope, self._refusal = envelope, None
        self.was_used = self.was_used or self.phase != ""
        self.phase = "mail"
        self._steps = deque(
            [
                ("mail", b"MAIL FROM:<%s>\r\n" % envelope.sender.encode("ascii")),
                ("rcpt", b"RCPT TO:<%s>\r\n" % envelope.recipient.encode("ascii")),
                ("data", b"DATA\r\n"),
            ]
        )
        if self._must_reset:
            self._steps.appendleft(("rset", b"RSET\r\n"))
            self._must_reset = False
        return self._guarded(self._say)

    def proceed(self) -> Outcome | None:
        """Read and write what can be; return the outcome of the message once there is one."""
        return self._guarded(self._go_on)

    def give_up(self, words: str = "timed out") -> Outcome | None:
        """Hang up because it took too long; return what that means for the message."""
        self.close()
        return self._lost(words)

    @property
    def is_stale(self) -> bool:
        """Whether an idle connection was found closed before a word about this message was heard: it may go again."""
        return self.was_used and not self.is_open and self.phase == "mail"

    @property
    def is_writing(self) -> bool:
        """Whether something waits until the network takes it."""
        return len(self._going) > 0

    def close(self) -> None:
        """Hang up without a word."""
        self.is_open = False
        self.smtp.close()

    # --- the protocol -----------------------------------------------------------------------------------------------

    def _guarded(self, work: Callable[[], Outcome | None]) -> Outcome | None:
        try:
            return work()
        except (OSError, LostError) as error:
            self.close()
            return self._lost(str(error) or type(error).__name__)

    def _lost(self, words: str) -> Outcome | None:
        """Say what a broken connection means for the message: nothing was sent, unless the dot was on its way."""
        if self.envelope is None:
            return None
        if self._refusal:
            return self._end(self._refusal)
        state = IN_DOUBT if self.phase == "dot" else DEFERRED
        return self._end(Outcome(self.envelope.message_id, state, words))

    def _end(self, outcome: Outcome) -> Outcome:
        self.envelope, self.deadline = None, NEVER
        self._asked.clear()
        self._steps.clear()
        return outcome

    def _say(self) -> None:
        """Say what comes next: one command, or all of them to a server that takes them in one go."""
        words: list[bytes] = []
        while self._steps and (self.can_pipeline or not words):
            step, line = self._steps.popleft()
            self._asked.append(step)
            words.append(line)
        self._write(b"".join(words))

    def _write(self, data: bytes) -> None:
        self.deadline = time.monotonic() + settings.EMAIL_TIMEOUT
        self._going = memoryview(data)
        self._flush()

    def _flush(self) -> None:
        """Hand to the network what it takes. Once that was the last of a body, the dot is on its way."""
        while self.is_writing:
            try:
                taken = self.sock.send(self._going)
            except BUSY:
                return
            self._going = self._going[taken:]
            self.deadline = time.monotonic() + settings.EMAIL_TIMEOUT
        if self.phase == "body":
            self.phase, self.deadline = "dot", time.monotonic() + DOT_SECONDS

    def _go_on(self) -> Outcome | None:
        came = self._read()
        if came is not None and (not came or self.envelope is None):
            raise LostError("Connection unexpectedly closed")
        self._coming += came or b""
        while self.envelope is not None and (match := _LINE.match(self._coming)):
            self._coming = self._coming[match.end() :]
            self._said.append(match[3])
            if match[2] != b"-":
                text = b"\n".join(self._said)
                self._said.clear()
                if outcome := self._answer(int(match[1]), text):
                    return outcome
        if len(self._coming) > LONGEST_LINE or b"\n" in self._coming:
            raise LostError("That is not SMTP")
        if self.is_writing:
            self._flush()
        return None

    def _read(self) -> bytes | None:
        """Return what came in, empty when the server hung up, None when nothing is there."""
        found = b""
        try:
            while part := self.sock.recv(65_536):
                found += part
                if not isinstance(self.sock, ssl.SSLSocket):  # what TLS has unpacked, no selector tells of
                    return found
        except BUSY:
            return found or None
        except OSError:
            if not found:  # else what was said counts; that the line is broken shows at the next step
                raise
        return found

    # --- answers ----------------------------------------------------------------------------------------------------

    def _answer(self, code: int, text: bytes) -> Outcome | None:
        """Take an answer to what was asked first; return the outcome of the message when it is the last word."""
        if self.phase == "dot":
            return self._end(self._after_dot(code, text))
        if not self._asked:  # a server that speaks in the middle of a body has stopped to listen
            raise LostError(in_words(code, text))
        step = self._asked.popleft()
        if code == 421:
            self.close()
            return self._end(self._refusal or self._refused(code, text))
        if step == "data" and code == 354:
            return self._send_body()
        if self._refusal is None and code not in EXPECTED[step]:
            self._refusal = self._no_to(step, code, text)
            self._steps.clear()
        if step == "mail" and self._refusal is None:
            self.phase = "rcpt"
        if step == "rcpt" and self._refusal is None:
            self.phase = "data"
        if self._asked:
            return None
        if self._refusal:
            self._must_reset = True
            return self._end(self._refusal)
        self._say()
        return None

    def _send_body(self) -> Outcome | None:
        """Send the content with the final dot; a server that wants one for a refused recipient is left alone."""
        assert self.envelope  # noqa: S101 - for the types
        if self._refusal:
            self.close()
            return self._end(self._refusal)
        self.phase = "body"
        content = self.envelope.content
        if _DOT.search(content):  # rare, and looking is quicker than replacing
            content = _DOT.sub(b"\n..", content)
        content = b"." + content if content.startswith(b".") else content
        self._write(content + (b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"))
        return None

    def _after_dot(self, code: int, text: bytes) -> Outcome:
        assert self.envelope  # noqa: S101 - for the types
        if code == 421:
            self.close()
        if code // 100 == 2:
            return Outcome(self.envelope.message_id, SENT, in_words(code, text))
        if code // 100 in (4, 5):
            return self._refused(code, text, suppress=is_unknown(code, text, at_recipient=False))
        return Outcome(self.envelope.message_id, IN_DOUBT, in_words(code, text))

    def _no_to(self, step: str, code: int, text: bytes) -> Outcome:
        """Say what a refusal of a command means; at RCPT for want of a password it is us who are refused."""
        if step == "rset":
            raise LostError(in_words(code, text))
        if step == "mail":
            return self._refused(code, text, pause=is_permanent(code))
        if step == "rcpt":
            is_ours = code in (530, 535)
            return self._refused(code, text, pause=is_ours, suppress=not is_ours and is_unknown(code, text))
        return self._refused(code, text)

    def _refused(self, code: int, text: bytes, *, pause: bool = False, suppress: bool = False) -> Outcome:
        assert self.envelope  # noqa: S101 - for the types
        return refused(self.envelope.message_id, code, text, pause=pause, suppress=suppress)
