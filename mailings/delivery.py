"""The only place that talks to mail servers and web hooks. All the input and output, none of the decisions.

At most once: whoever calls has marked the message ``sending`` and committed that (``mailings.worker`` does), and gets
an outcome for it, never an exception. Whether a lost connection means "not sent" or "in doubt" depends on whether the
final dot was on its way; SMTP libraries raise the same error for both, so the phase is kept here.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hmac
import logging
import queue as queues
import select
import smtplib
import ssl
import threading
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: TID251 - this is the place
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext

from common.errors import DeliveryFailed
from customers.names import is_email
from mailings.models import Message
from mailings.queue import Outcome

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.004  # how long outcomes may wait for others, so that a commit serves several
CONNECT_SECONDS = 10
DOT_SECONDS = 300
SENT, DEFERRED, FAILED, IN_DOUBT = (
    Message.State.SENT.value,
    Message.State.DEFERRED.value,
    Message.State.FAILED.value,
    Message.State.IN_DOUBT.value,
)


class Envelope(NamedTuple):
    """One message ready to go: ``content`` has CRLF line ends and no dot-stuffing yet."""

    message_id: int
    sender: str
    recipient: str
    content: bytes


# --- one connection -------------------------------------------------------------------------------------------------


class Connection:
    """A connection to the relay of EMAIL_URL that stays open between messages; belongs to one thread."""

    def __init__(self) -> None:
        self._smtp: smtplib.SMTP | None = None

    def send(self, envelope: Envelope) -> Outcome:
        """Send one message and say what became of it; never raises for what a server or network can do."""
        if not is_email(envelope.recipient):
            return Outcome(envelope.message_id, FAILED, gettext("This is not an e-mail address."), reached=False)
        was_open = self._smtp is not None
        attempt = _Attempt(envelope)
        outcome = self._try(attempt)
        if was_open and attempt.phase == "mail" and attempt.is_lost:
            # The server had closed a connection that was idle; nothing of this message was said yet.
            outcome = self._try(_Attempt(envelope))
        return outcome

    def _try(self, attempt: _Attempt) -> Outcome:
        message_id = attempt.envelope.message_id
        try:
            if self._smtp is None:
                self._smtp = self._open()
            outcome = attempt.run(self._smtp)
        except smtplib.SMTPResponseException as error:
            self.close()
            is_open = attempt.phase == "open"
            outcome = _refused_connection(message_id, error) if is_open else attempt.lost(error)
        except smtplib.SMTPNotSupportedError as error:
            self.close()
            outcome = Outcome(message_id, DEFERRED, str(error), reached=False, pause=True, is_unreachable=True)
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            attempt.is_lost = True
            outcome = attempt.lost(error)
        if attempt.is_lost:
            self.close()
        return outcome

    def _open(self) -> smtplib.SMTP:
        where = (settings.EMAIL_HOST, settings.EMAIL_PORT, settings.SITE_HOST)
        smtp: smtplib.SMTP
        if settings.EMAIL_USE_SSL:
            smtp = smtplib.SMTP_SSL(*where, timeout=CONNECT_SECONDS, context=ssl.create_default_context())
        else:
            smtp = smtplib.SMTP(*where, timeout=CONNECT_SECONDS)
        try:
            smtp.ehlo_or_helo_if_needed()
            if settings.EMAIL_USE_TLS:
                smtp.starttls(context=ssl.create_default_context())  # smtplib's own would trust anybody
            if settings.EMAIL_HOST_USER:
                smtp.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
            smtp.ehlo_or_helo_if_needed()
        except BaseException:
            smtp.close()
            raise
        if smtp.sock:
            smtp.sock.settimeout(settings.EMAIL_TIMEOUT)
        return smtp

    def close(self) -> None:
        """Hang up without a word."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def quit(self) -> None:
        """Say goodbye, when there is somebody to say it to."""
        if self._smtp is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._smtp.quit()
        self.close()


@dataclass
class _Attempt:
    """One message over one open connection; ``phase`` is how far it got: open, mail, rcpt, data, body, dot."""

    envelope: Envelope
    phase: str = "open"
    is_lost: bool = False

    def run(self, smtp: smtplib.SMTP) -> Outcome:
        """Go through MAIL, RCPT and DATA; a refusal at any of them ends the message, not the connection."""
        self.phase = "mail"
        code, text = smtp.mail(self.envelope.sender)
        if code != 250:
            return self._refused(smtp, code, text, pause=_is_permanent(code))
        self.phase = "rcpt"
        code, text = smtp.rcpt(self.envelope.recipient)
        if code not in (250, 251):
            is_ours = code in (530, 535)
            return self._refused(smtp, code, text, pause=is_ours, suppress=not is_ours and _is_unknown(code, text))
        self.phase = "data"
        code, text = smtp.docmd("DATA")
        if code != 354:
            return self._refused(smtp, code, text)
        self.phase = "body"
        self._send_body(smtp)
        self.phase = "dot"
        code, text = self._send_dot(smtp)
        if code // 100 == 2:
            return Outcome(self.envelope.message_id, SENT, _words(code, text))
        return self._refused(smtp, code, text, suppress=_is_unknown(code, text, at_recipient=False), reset=False)

    def _send_body(self, smtp: smtplib.SMTP) -> None:
        """Send everything but the dot. A server that speaks before it has got the dot has hung up, or is about to."""
        stuffed = self.envelope.content.replace(b"\r\n.", b"\r\n..")
        smtp.send(
            (b"." if stuffed.startswith(b".") else b"") + stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n")
        )
        if smtp.sock and select.select([smtp.sock], [], [], 0)[0]:
            raise smtplib.SMTPServerDisconnected("Connection closed before the end of the message")

    def _send_dot(self, smtp: smtplib.SMTP) -> tuple[int, bytes]:
        """Send the dot and wait long for the answer: giving up here is what makes a doubt."""
        if smtp.sock:
            smtp.sock.settimeout(DOT_SECONDS)
        smtp.send(b".\r\n")
        answer = smtp.getreply()
        if smtp.sock:
            smtp.sock.settimeout(settings.EMAIL_TIMEOUT)
        return answer

    def _refused(
        self,
        smtp: smtplib.SMTP,
        code: int,
        text: bytes,
        *,
        pause: bool = False,
        suppress: bool = False,
        reset: bool = True,
    ) -> Outcome:
        if code in (421, -1):
            self.is_lost = True
        elif reset:
            try:
                smtp.rset()
            except (smtplib.SMTPException, OSError):
                self.is_lost = True  # the refusal stands, the connection does not
        state = FAILED if _is_permanent(code) and not pause else DEFERRED
        return Outcome(
            self.envelope.message_id, state, _words(code, text), reached=not pause, pause=pause, suppress=suppress
        )

    def lost(self, error: Exception) -> Outcome:
        """Say what a broken connection means for the message: nothing was sent, unless the dot was on its way."""
        words = str(error) or type(error).__name__
        message_id = self.envelope.message_id
        if self.phase == "dot":
            return Outcome(message_id, IN_DOUBT, words)
        is_unreachable = self.phase == "open"
        return Outcome(message_id, DEFERRED, words, reached=not is_unreachable, is_unreachable=is_unreachable)


def _refused_connection(message_id: int, error: smtplib.SMTPResponseException) -> Outcome:
    """Nobody was let in: for good (a wrong password) pauses the mailing, else it is tried again soon."""
    text = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
    words, is_permanent = _words(error.smtp_code, text), _is_permanent(error.smtp_code)
    return Outcome(message_id, DEFERRED, words, reached=False, pause=is_permanent, is_unreachable=True)


def _is_permanent(code: int) -> bool:
    return 500 <= code < 600


def _is_unknown(code: int, text: bytes, *, at_recipient: bool = True) -> bool:
    """Say whether the answer means that the address does not exist, and not that this message or we are unwelcome."""
    if not _is_permanent(code):
        return False
    words = text.split(None, 1)
    enhanced = words[0] if words and words[0].startswith(b"5.") else b""
    if enhanced:
        return enhanced.startswith(b"5.1.") or enhanced == b"5.2.1"
    return at_recipient and code in (550, 551, 553)


def _words(code: int, text: bytes) -> str:
    return f"{code} {' '.join(text.decode('utf-8', 'replace').split())}".strip()


# --- many connections -----------------------------------------------------------------------------------------------


class Crew:
    """Threads with a connection each: they take messages from ``orders`` and put outcomes in ``done``, no more.

    A thread that gets no connection leaves, so a server that takes fewer than we have is served by as many as it takes;
    ``size`` is how many are left.
    """

    def __init__(self, size: int) -> None:
        self.orders: queues.SimpleQueue[Envelope | None] = queues.SimpleQueue()
        self.done: queues.SimpleQueue[Outcome] = queues.SimpleQueue()
        self.size = size
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(size)]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        mine = Connection()
        while (envelope := self.orders.get()) is not None:
            try:
                outcome = mine.send(envelope)
            except Exception as error:  # a bug must not leave its message without an outcome
                log.exception("sending message %s went wrong", envelope.message_id)
                mine.close()
                outcome = Outcome(envelope.message_id, IN_DOUBT, f"{type(error).__name__}")
            if outcome.is_unreachable:
                with self._lock:
                    self.size -= 1
                self.done.put(outcome)
                return
            self.done.put(outcome)
        mine.quit()

    def collect(self, *, wanted: int, timeout: float) -> list[Outcome]:
        """Return the outcomes there are: wait for the first, and a moment for ``wanted``; empty when none is in
        time.
        """
        found: list[Outcome] = []
        until = time.monotonic() + timeout
        with contextlib.suppress(queues.Empty):
            while len(found) < wanted or not self.done.empty():
                found.append(self.done.get(timeout=max(0.0, until - time.monotonic())))
                until = min(until, time.monotonic() + PATIENCE_SECONDS) if len(found) == 1 else until
        return found

    def dismiss(self) -> None:
        """Let every thread finish what it has and hang up."""
        for _ in self._threads:
            self.orders.put(None)
        for thread in self._threads:
            thread.join()


# --- one message, now -----------------------------------------------------------------------------------------------


def send_test(envelope: Envelope) -> Outcome:
    """Send one message outside the queue, to a colleague who asked for it, and say what became of it."""
    mine = Connection()
    try:
        return replace(mine.send(envelope), reached=True)
    finally:
        mine.quit()


# --- web hooks ------------------------------------------------------------------------------------------------------


def sign_webhook(body: bytes, *, secret: str, webhook_id: str, at: int) -> str:
    """Return the signature of standardwebhooks.com, version 1; ``secret`` is base64 after "whsec_"."""
    key = b64decode(secret.removeprefix("whsec_"))
    return f"v1,{b64encode(hmac.digest(key, f'{webhook_id}.{at}.'.encode() + body, 'sha256')).decode()}"


def post_webhook(url: str, body: bytes, *, secret: str, webhook_id: str, now: dt.datetime) -> str:
    """POST a signed message (JSON) and return the answer's status line; a redirect is not followed.

    Raises DeliveryFailed: permanent for 4xx other than 408, 425 and 429, else it may be tried again.
    """
    parts, at = urlsplit(url), int(now.timestamp())
    make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "wise-marketing",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(at),
        "webhook-signature": sign_webhook(body, secret=secret, webhook_id=webhook_id, at=at),
    }
    line = make(parts.hostname or "", parts.port, timeout=CONNECT_SECONDS)
    try:
        line.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
        answer = line.getresponse()
        status = f"{answer.status} {answer.reason}"
    except (OSError, HTTPException) as error:
        raise DeliveryFailed(str(error) or type(error).__name__, permanent=False) from error
    finally:
        line.close()
    if answer.status // 100 != 2:
        raise DeliveryFailed(status, permanent=answer.status // 100 == 4 and answer.status not in (408, 425, 429))
    return status
