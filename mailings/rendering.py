"""From pieces to one person's message: a join of what is ready and his own values. Runs no query, reads no clock.

``fill`` serves previews and letters, ``PreparedMail`` the sending of many: its literals are encoded once, its
values per message.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from mailings import mime
from mailings.compiling import Compiled, Piece, Segment
from mailings.content import belongs, parts_of
from mailings.dkim import signed
from mailings.fields import merge_fields
from mailings.links import click_writer, message_mark, open_url, own_open_url, preferences_url, unsubscribe_url
from mailings.models import SendingSettings

Finish = Callable[[str], bytes]
FEEDBACK_SENDER = "wisemarketing"  # 5 to 15 letters, always the same
MOST_PLANS = 64  # of 25 KB each


class Recipient(NamedTuple):
    """Who gets a message: ``values`` holds his merge fields and the slots of blocks by name."""

    message_id: int
    customer_id: int
    link_version: int
    address: str
    audiences: Collection[str]
    branch_id: int | None
    values: Mapping[str, str]
    is_followed: bool = False  # allowed us to see that he opens our mails
    arm_id: int | None = None  # the version he gets in a test


@dataclass(frozen=True)
class Sender:
    """From whom a mail comes."""

    name: str
    address: str


def in_style_of(compiled: Compiled, branch_id: int | None) -> Compiled:
    """Return the pieces as readers of a branch get them: in its own style where it has one."""
    own = compiled.get("styles", {}).get(str(branch_id))  # what started before there were styles has none
    return {**compiled, **own} if own else compiled


def sender_of(compiled: Compiled, identity: SendingSettings) -> Sender:
    """Return from whom these pieces come: the style's own sender, else the organisation's."""
    own = compiled.get("sender", {})
    name = own.get("name") or identity.sender_name or identity.organisation
    return Sender(name, own.get("address") or identity.sender_email)


def value_of(values: Mapping[str, str], name: str, fallback: str | None) -> str:
    """Return what stands in a slot: the value, else the text's fallback, else the field's own."""
    if value := values.get(name):
        return value
    if fallback is not None:
        return fallback
    field = merge_fields.get(name)
    return field.otherwise if field else ""


def fill(pieces: Sequence[Piece], values: Mapping[str, str], *, as_html: bool) -> str:
    """Join pieces with values; in HTML values are escaped, except of slots whose name ends in ``!``."""
    done = []
    for piece in pieces:
        if isinstance(piece, str):
            done.append(piece)
        else:
            name = str(piece[0])
            value = value_of(values, name, piece[1])
            done.append(html.escape(value) if as_html and not name.endswith("!") else value)
    return "".join(done)


def visible(segments: Sequence[Segment], audiences: Collection[str]) -> list[Sequence[Piece]]:
    """Return the pieces of the segments for these audiences."""
    return [pieces for audience, pieces in segments if belongs(audience, audiences)]


def fill_all(
    segments: Sequence[Segment], values: Mapping[str, str], audiences: Collection[str], *, as_html: bool
) -> str:
    """Join the visible segments with values."""
    return "".join(fill(pieces, values, as_html=as_html) for pieces in visible(segments, audiences))


class PreparedMail:
    """A mailing with everything encoded that is the same for all; ``render`` gives one message as bytes."""

    def __init__(
        self,
        compiled: Compiled,
        *,
        mailing_id: int,
        identity: SendingSettings,
        list_name: str,
        list_code: str,
        is_service: bool,
    ) -> None:
        self.mailing_id = mailing_id
        self.identity = identity
        self.is_service = is_service
        self.subject: list[Piece] = compiled["subject"]
        self.pixel_url = open_url(mailing_id)
        constant = {"privacy_url": identity.privacy_url}
        self.body: list[tuple[str, list[Any]]] = [
            ("", [mime.part("text/plain")]),
            *((audience, _encoded(pieces, constant, as_html=False)) for audience, pieces in compiled["text"]),
            ("", [mime.part("text/html")]),
            *((audience, _encoded(pieces, constant, as_html=True)) for audience, pieces in compiled["html"]),
            ("", [mime.END]),
        ]
        self.known = frozenset(part for audience, _pieces in self.body for part in parts_of(audience))
        self.plans: dict[frozenset[str], _Plan] = {}
        self.click_url = click_writer(mailing_id)
        self.host = identity.sender_email.rpartition("@")[2] or "localhost"
        self.common = self._common_headers(list_name, list_code)

    def _common_headers(self, list_name: str, list_code: str) -> bytes:
        kind = "service" if self.is_service else "bulk"
        lines = [
            _list_id(list_name, list_code, self.host),
            # by which large providers report complaints: mailing, purpose, kind, and who it is that sends
            f"Feedback-ID: {self.mailing_id}:{list_code}:{kind}:{FEEDBACK_SENDER}\r\n".encode(),
        ]
        if self.identity.reply_to:
            lines.append(f"Reply-To: {mime.one_line(self.identity.reply_to)}\r\n".encode())
        lines.append(b"Auto-Submitted: auto-generated\r\n" if self.is_service else b"Precedence: bulk\r\n")
        return b"".join(lines)

    def render(self, recipient: Recipient, *, sender: Sender, now: datetime) -> bytes:
        """Return the whole message: signatures, headers, plain text, HTML; lines end in CRLF and are not dot-stuffed
        yet.
        """
        unsubscribe = unsubscribe_url(recipient.message_id)
        values = {
            **recipient.values,
            "unsubscribe_url": unsubscribe,
            "preferences_url": preferences_url(recipient.customer_id, recipient.link_version),
            "pixel_url": own_open_url(recipient.message_id) if recipient.is_followed else self.pixel_url,
        }
        content = b"".join([
            _from(sender),
            f"To: {recipient.address}\r\n".encode(),
            _subject(fill(self.subject, values, as_html=False)),
            _date(now.replace(microsecond=0)),
            f"Message-ID: {message_id_header(self.mailing_id, recipient.message_id, self.host)}\r\n".encode(),
            self._unsubscribe_headers(unsubscribe),
            self.common,
            mime.MULTIPART,
            *self._body(values, recipient),
        ])  # fmt: skip
        return signed(content, author=sender.address, now=now)

    def _unsubscribe_headers(self, address: str) -> bytes:
        if self.is_service:  # nothing to unsubscribe from; the page for the rest is linked in the mail itself
            return b""
        mailto = self.identity.unsubscribe_email
        by_mail = f",\r\n <mailto:{mime.one_line(mailto)}?subject=unsubscribe>" if mailto else ""
        return (
            f"List-Unsubscribe: <{address}>{by_mail}\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n".encode()
        )

    def _body(self, values: Mapping[str, str], recipient: Recipient) -> list[bytes]:
        plan = self._plan(recipient.audiences)
        done, links = plan.parts.copy(), dict[int, bytes]()
        for place, position in plan.links:
            link = links.get(position)
            if link is None:
                link = links[position] = mime.encode(self.click_url(recipient.message_id, position))
            done[place] = link
        for place, name, otherwise, escape in plan.slots:
            value = values.get(name)
            done[place] = _value(value, escape) if value else otherwise
        return done

    def _plan(self, audiences: Collection[str]) -> _Plan:
        """Return what readers of these audiences see; made once for each combination, of which there are few."""
        key = self.known & frozenset(audiences)
        plan = self.plans.get(key)
        if plan is None:
            if len(self.plans) >= MOST_PLANS:
                self.plans.clear()
            plan = self.plans[key] = _plan_of(self.body, key)
        return plan


@dataclass(frozen=True)
class _Plan:
    """A body with places to fill in: ``links`` are (place, position), ``slots`` (place, name, otherwise, escape)."""

    parts: list[bytes]
    links: list[tuple[int, int]]
    slots: list[tuple[int, str, bytes, bool]]


def _plan_of(body: Sequence[tuple[str, list[Any]]], audiences: Collection[str]) -> _Plan:
    plan = _Plan([], [], [])
    is_literal = False
    for piece in (one for audience, pieces in body if belongs(audience, audiences) for one in pieces):
        if isinstance(piece, bytes) and is_literal:
            plan.parts[-1] += piece
            continue
        is_literal = isinstance(piece, bytes)
        place = len(plan.parts)
        plan.parts.append(piece if isinstance(piece, bytes) else b"")
        if isinstance(piece, int):
            plan.links.append((place, piece))
        elif not is_literal:
            name, fallback, escape = piece
            plan.slots.append((place, name, _value(value_of({}, name, fallback), escape), escape))
    return plan


@lru_cache(maxsize=8192)
def _value(value: str, escape: bool) -> bytes:
    """Return a value as it stands in a body; places, branches and many names come back again and again."""
    return mime.encode(html.escape(value) if escape else value)


@lru_cache(maxsize=256)
def _from(sender: Sender) -> bytes:
    return f"From: {mime.mailbox(sender.name, sender.address)}\r\n".encode()


@lru_cache(maxsize=4096)
def _subject(text: str) -> bytes:
    return mime.header("Subject", text)


@lru_cache(maxsize=4)
def _date(second: datetime) -> bytes:
    return mime.date(second)


def message_id_header(mailing_id: int, message_id: int, host: str) -> str:
    """Return the Message-ID: the same however often the message is tried, so a repeat could be recognised; signed, so
    that a report about it shows that whoever wrote it has seen the mail.
    """
    return f"<mailing.{mailing_id}.{message_id}.{message_mark(message_id)}@{host}>"


def _list_id(name: str, code: str, host: str) -> bytes:
    head = mime.header("List-Id", name).removesuffix(b"\r\n")
    return head + f"\r\n <{code}.{host}>\r\n".encode()


def _encoded(pieces: Sequence[Piece], constant: Mapping[str, str], *, as_html: bool) -> list[Any]:
    """Return literals as bytes, links as their position, other slots as (name, fallback, whether to escape)."""
    done: list[Any] = []
    for piece in pieces:
        if isinstance(piece, str):
            done.append(mime.encode(piece))
            continue
        name = str(piece[0])
        if name.startswith("link:"):
            done.append(int(name.removeprefix("link:")))
        elif name in constant:
            done.append(mime.encode(html.escape(constant[name]) if as_html else constant[name]))
        else:
            done.append((name, piece[1], as_html and not name.endswith("!")))
    return done
