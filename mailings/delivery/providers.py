"""The other way out: a mail provider that is asked over the web, as django-anymail knows how to ask each.

At most once as over SMTP, and with the same outcomes: whoever was never reached may be asked again; a provider that
was asked and did not answer leaves a doubt. It writes the mail anew out of its parts and signs it itself.
"""

from __future__ import annotations

import logging
import traceback
from email import message_from_bytes
from email.policy import SMTP
from typing import Any

import requests
import urllib3.exceptions
from anymail.exceptions import (
    AnymailAPIError,
    AnymailError,
    AnymailInvalidAddress,
    AnymailSerializationError,
)
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives
from django.utils.module_loading import import_string

from mailings.bounces.providers import METADATA
from mailings.delivery.envelope import DEFERRED, FAILED, IN_DOUBT, SENT, Envelope
from mailings.queue import Outcome

log = logging.getLogger(__name__)

#: Written by the provider itself.
_ITS_OWN = {"from", "to", "subject", "date", "mime-version", "content-type", "content-transfer-encoding",
            "dkim-signature"}  # fmt: skip
#: It heard us and did nothing: too fast, or away.
_LATER = {408, 425, 429, 503}
#: It will not have this message; whatever else it says no to is about us: a key, a domain, the bill.
_THIS_MESSAGE = {400, 413, 422}
_BEFORE_IT_HEARD = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NameResolutionError,
)


class Provider:
    """One line to a provider, kept open between messages; belongs to one thread at a time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._backend: Any = None

    def open(self) -> None:
        """Get ready to send. Raises ImproperlyConfigured for a setting that is missing; asks nobody anything."""
        if self._backend is None:
            make = import_string(f"anymail.backends.{self.name}.EmailBackend")
            self._backend = make(ignore_unsupported_features=True, ignore_recipient_status=True)
            self._backend.open()

    def send(self, envelope: Envelope) -> Outcome:
        """Send one message and say what became of it; never raises."""
        try:
            self.open()
            mail = as_parts(envelope)
        except (ImproperlyConfigured, ImportError) as error:
            return _not_set_up(envelope.message_id, error)
        except Exception as error:  # a mail that cannot be read back: nobody was asked anything yet
            log.exception("message %s cannot be taken apart for %s", envelope.message_id, self.name)
            return Outcome(envelope.message_id, FAILED, type(error).__name__, reached=False)
        try:
            self._backend.send_messages([mail])
        except AnymailAPIError as error:
            return _missed(envelope.message_id, error)
        except ImproperlyConfigured as error:
            return _not_set_up(envelope.message_id, error)
        except (AnymailInvalidAddress, AnymailSerializationError) as error:
            return Outcome(envelope.message_id, FAILED, _line(error), reached=False)
        except (AnymailError, ValueError, TypeError) as error:  # a setting may be wrong, which nobody should fail for
            return Outcome(envelope.message_id, DEFERRED, _line(error))
        except Exception as error:  # nothing says whether the provider heard of it
            log.exception("message %s went wrong at %s", envelope.message_id, self.name)
            return Outcome(envelope.message_id, IN_DOUBT, type(error).__name__)
        return _answered(envelope.message_id, getattr(mail, "anymail_status", None))

    def close(self) -> None:
        """Hang up."""
        if self._backend is not None:
            self._backend.close()
            self._backend = None


def as_parts(envelope: Envelope) -> EmailMultiAlternatives:
    """Return a finished message as Django knows it, with our number along, which comes back in reports."""
    mail = message_from_bytes(envelope.content, policy=SMTP)
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    parts = EmailMultiAlternatives(
        subject=str(mail["Subject"]),
        body=plain.get_content() if plain else "",
        from_email=str(mail["From"]),
        to=[envelope.recipient],
        headers={name: str(value) for name, value in mail.items() if name.lower() not in _ITS_OWN},
    )
    if html:
        parts.attach_alternative(html.get_content(), "text/html")
    extra: Any = parts
    extra.metadata = {METADATA: str(envelope.message_id)}
    extra.track_clicks = extra.track_opens = False  # we count ourselves, and follow nobody who did not allow it
    return parts


def _not_set_up(message_id: int, error: Exception) -> Outcome:
    """Nobody was asked: the mailing waits until whoever runs the system has mended the settings."""
    return Outcome(message_id, DEFERRED, _line(error), reached=False, pause=True, is_unreachable=True)


def _answered(message_id: int, status: Any) -> Outcome:
    """Read what the provider says of the one recipient."""
    found = next(iter(status.recipients.values()), None) if status else None
    said, reference = (found.status, found.message_id or "") if found else ("unknown", "")
    words = f"{said} {reference}".strip()
    if said in ("sent", "queued"):
        return Outcome(message_id, SENT, words)
    if said in ("invalid", "rejected", "failed"):
        return Outcome(message_id, FAILED, words, suppress=said == "invalid")
    return Outcome(message_id, IN_DOUBT, words)


def _missed(message_id: int, error: AnymailAPIError) -> Outcome:
    """Say what it means that the provider said no, or nothing."""
    code, words = error.status_code, _line(error)
    if code is None:
        if _was_heard(error):
            return Outcome(message_id, IN_DOUBT, words)
        return Outcome(message_id, DEFERRED, words, reached=False, is_unreachable=True)
    if code in _LATER:
        return Outcome(message_id, DEFERRED, words)
    if code in _THIS_MESSAGE:
        return Outcome(message_id, FAILED, words)
    if 400 <= code < 500:
        return Outcome(message_id, DEFERRED, words, reached=False, pause=True)
    return Outcome(message_id, IN_DOUBT, words)  # it may have failed after taking the message


def _was_heard(error: AnymailAPIError) -> bool:
    """Say whether the provider may have got the message: only when no connection came about it surely has not."""
    cause = error.__cause__
    if not isinstance(cause, requests.RequestException):
        return True
    if isinstance(cause, requests.exceptions.SSLError):
        return not _was_in_handshake(cause)
    if isinstance(cause, requests.ConnectTimeout | requests.exceptions.ProxyError):
        return False
    if isinstance(cause, ValueError):  # no address that can be called
        return False
    reason = getattr(cause.args[0], "reason", None) if cause.args else None
    return not isinstance(reason, _BEFORE_IT_HEARD)


def _was_in_handshake(error: BaseException | None) -> bool:
    """Say whether TLS failed before there was a connection. It may break while the answer is read, too: then the
    provider has the message.
    """
    seen: set[int] = set()
    while error and id(error) not in seen:
        if any(frame.f_code.co_name == "do_handshake" for frame, _line in traceback.walk_tb(error.__traceback__)):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def _line(error: Exception) -> str:
    """Return what was said as one line, without the address of the provider's interface, which may hold a key."""
    code = getattr(error, "status_code", None)
    response = getattr(error, "response", None)
    if code is not None and response is not None:
        return f"{code} {' '.join(str(response.text).split())}"[:300]
    cause = error.__cause__ or error
    said = type(cause).__name__ if isinstance(cause, requests.RequestException) else str(cause)
    return " ".join(said.split())[:300] or type(error).__name__
