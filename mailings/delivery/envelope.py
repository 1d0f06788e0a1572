"""One message ready to go, and what answers of a mail server mean for it. Pure."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext

from customers.names import is_email
from mailings.models import Message
from mailings.queue import Outcome

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


def unaddressable(envelope: Envelope) -> Outcome | None:
    """Return the failure of a message that no server should see: what would be its recipient, or its sender, is no
    address that every server takes (RFC 6531 is for those that say so).
    """
    if is_email(envelope.recipient) and envelope.sender.isascii():
        return None
    return Outcome(envelope.message_id, FAILED, gettext("This is not an e-mail address."), reached=False)


def is_permanent(code: int) -> bool:
    """Say whether a code means that trying again is of no use."""
    return 500 <= code < 600


def is_unknown(code: int, text: bytes, *, at_recipient: bool = True) -> bool:
    """Say whether the answer means that the address does not exist, and not that this message or we are unwelcome."""
    if not is_permanent(code):
        return False
    words = text.split(None, 1)
    enhanced = words[0] if words and words[0].startswith(b"5.") else b""
    if enhanced:
        return enhanced.startswith(b"5.1.") or enhanced == b"5.2.1"
    return at_recipient and code in (550, 551, 553)


def in_words(code: int, text: bytes) -> str:
    """Return code and text as one line."""
    return f"{code} {' '.join(text.decode('utf-8', 'replace').split())}".strip()


def refused(message_id: int, code: int, text: bytes, *, pause: bool = False, suppress: bool = False) -> Outcome:
    """Return the outcome of a message that the server said no to; ``pause``: it is us that it will not have."""
    state = FAILED if is_permanent(code) and not pause else DEFERRED
    return Outcome(message_id, state, in_words(code, text), reached=not pause, pause=pause, suppress=suppress)


def not_let_in(message_id: int, code: int, text: bytes | str) -> Outcome:
    """Nobody was let in: for good (a wrong password) pauses the mailing, else it is tried again soon."""
    words = in_words(code, text if isinstance(text, bytes) else text.encode())
    return Outcome(message_id, DEFERRED, words, reached=False, pause=is_permanent(code), is_unreachable=True)
