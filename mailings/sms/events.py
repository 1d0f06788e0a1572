"""What a provider of text messages tells us: that one arrived or did not, or what somebody wrote back.

Providers name things differently; ``Words`` says how one does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from customers.names import normalise_phone

#: The whole answer, in capitals, without signs around it.
STOP_WORDS = frozenset(
    {"STOP", "STOPALL", "STOP ALL", "STOP ALLES", "STOPPEN", "AFMELDEN", "UIT", "UNSUBSCRIBE", "END"}
)


@dataclass(frozen=True)
class TextReport:
    """What became of a message that left; ``reference`` is the provider's, ``message_id`` ours, one of them known.

    ``is_gone``: the number does not exist any more.
    """

    has_arrived: bool
    message_id: int | None = None
    reference: str = ""
    detail: str = ""
    is_gone: bool = False


@dataclass(frozen=True)
class Answer:
    """What somebody wrote back; ``key`` is the same each time it is told."""

    key: str
    number: str
    text: str

    @property
    def is_stop(self) -> bool:
        """Whether it asks for no more messages."""
        words = " ".join(re.sub(r"[^\w\s]", " ", self.text).upper().split())
        return words in STOP_WORDS


@dataclass(frozen=True)
class Words:
    """The names a provider uses: of its fields, and for what became of a message.

    The defaults fit providers that post ``reference``/``id``, ``status`` and, of answers, ``from``/``originator`` and
    ``text``/``body``. States that stand in none of the lists tell nothing final.
    """

    ours: tuple[str, ...] = ("reference", "client_reference")
    theirs: tuple[str, ...] = ("id", "message_id", "MessageSid", "sid")
    state: tuple[str, ...] = ("status", "MessageStatus", "state")
    detail: tuple[str, ...] = ("detail", "error", "ErrorCode", "statusReason", "reason")
    number: tuple[str, ...] = ("from", "From", "originator", "sender")
    text: tuple[str, ...] = ("text", "Body", "body", "message")
    arrived: tuple[str, ...] = ("delivered",)
    failed: tuple[str, ...] = ("undelivered", "failed", "delivery_failed", "rejected", "expired")
    gone: tuple[str, ...] = ("unknown subscriber", "30005", "30006", "invalid number")


def read_event(told: Mapping[str, Any], words: Words) -> TextReport | Answer | None:
    """Return what an event says, None when it says nothing that we do something with."""
    state, number, text = (_value(told, names) for names in (words.state, words.number, words.text))
    if state and state.lower() not in {"received", "incoming"}:
        return _report(told, state.lower(), words)
    if number and text:
        theirs = _value(told, words.theirs)
        key = sha256(f"{theirs}\n{number}\n{text}\n{_value(told, ('at', 'timestamp', 'createdDatetime'))}".encode())
        return Answer(key.hexdigest(), normalise_phone(number if number[:1] in "+0" else f"+{number}"), text[:500])
    return None


def _report(told: Mapping[str, Any], state: str, words: Words) -> TextReport | None:
    if state not in words.arrived and state not in words.failed:
        return None
    ours, detail = _value(told, words.ours), _value(told, words.detail)
    message_id = int(ours) if ours.isascii() and ours.isdecimal() and len(ours) < 19 else None
    theirs = _value(told, words.theirs)
    if message_id is None and not theirs:
        return None
    is_gone = state not in words.arrived and any(word in f"{state} {detail}".lower() for word in words.gone)
    return TextReport(state in words.arrived, message_id, theirs[:80], f"{state} {detail}".strip()[:200], is_gone)


def _value(told: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = told.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).replace("\x00", "").encode("utf-8", "ignore").decode().strip()
    return ""
