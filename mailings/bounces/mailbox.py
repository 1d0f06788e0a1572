"""Fetch reports out of a mailbox (BOUNCE_MAILBOX): IMAP or POP3, with or without TLS.

What was read is kept in the database first and removed from the mailbox after that; reading it twice does no harm.
What is no report stays in an IMAP mailbox, marked as read, for a person to look at.
"""

from __future__ import annotations

import contextlib
import imaplib
import logging
import poplib
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from typing import cast
from urllib.parse import unquote, urlsplit

from mailings.bounces.bounding import READ_BYTES

BATCH = 2000  # mails over one connection: more follow over the next
CHUNK = 50  # mails at a time
PATIENCE_SECONDS = 30
MOST_BYTES = 4 * 1024 * 1024
BEGINNING = 2000  # lines
log = logging.getLogger(__name__)
poplib._MAXLINE = 1 << 20  # type: ignore[attr-defined] # its 2048 lets one long line stop everything behind it

Taken = Callable[[Sequence[bool]], None]  # called when mails were kept: of each, whether it leaves the mailbox
_UID = re.compile(rb"\bUID (\d+)")


class NoMailbox(Exception):  # noqa: N818
    """The mailbox cannot be reached or does not let us in; says why without the password."""


def fetch(url: str) -> Iterator[tuple[list[bytes], Taken]]:
    """Yield waiting mails (of each its first 256 KB), some at a time, with what to call when they were kept; raises
    NoMailbox.

    ``url``: imaps://user:password@host/folder, imap://, pop3s:// or pop3://; a user name's @ is written %40.
    """
    parts = urlsplit(url)
    read = _fetch_imap if parts.scheme.startswith("imap") else _fetch_pop
    try:
        yield from read(url)
    except (OSError, imaplib.IMAP4.error, poplib.error_proto) as error:
        raise NoMailbox(f"{parts.hostname}: {error}") from error


def _fetch_imap(url: str) -> Iterator[tuple[list[bytes], Taken]]:
    parts = urlsplit(url)
    where = (parts.hostname or "", parts.port or (993 if parts.scheme == "imaps" else 143))
    box: imaplib.IMAP4
    if parts.scheme == "imaps":
        box = imaplib.IMAP4_SSL(*where, ssl_context=ssl.create_default_context(), timeout=PATIENCE_SECONDS)
    else:
        box = imaplib.IMAP4(*where, timeout=PATIENCE_SECONDS)
    with box:
        box.login(unquote(parts.username or ""), unquote(parts.password or ""))
        state, _answer = box.select(_quoted(unquote(parts.path.lstrip("/")) or "INBOX"))
        if state != "OK":
            raise imaplib.IMAP4.error("the folder cannot be opened")
        _state, found = box.uid("SEARCH", "UNSEEN", "UNDELETED")
        waiting = [uid.decode() for uid in (found[0] or b"").split()[:BATCH]]
        for start in range(0, len(waiting), CHUNK):
            mails = _bodies(box, waiting[start : start + CHUNK])
            yield list(mails.values()), _imap_taken(box, list(mails))
        box.expunge()


def _bodies(box: imaplib.IMAP4, uids: Sequence[str]) -> dict[str, bytes]:
    """Return uid -> mail. A server may name the uid before the mail, or after it."""
    _state, answer = box.uid("FETCH", ",".join(uids), f"(UID BODY.PEEK[]<0.{READ_BYTES}>)")
    found: dict[str, bytes] = {}
    for place, part in enumerate(answer):
        if isinstance(part, tuple):
            after = answer[place + 1] if place + 1 < len(answer) else b""
            if uid := _UID.search(part[0]) or (_UID.search(after) if isinstance(after, bytes) else None):
                found[uid[1].decode()] = part[1]
    return {uid: raw for uid, raw in found.items() if raw and uid in uids}


def _imap_taken(box: imaplib.IMAP4, uids: Sequence[str]) -> Taken:
    def taken(removed: Sequence[bool]) -> None:
        for flag, is_removed in ((r"(\Deleted)", True), (r"(\Seen)", False)):
            if those := [uid for uid, remove in zip(uids, removed, strict=True) if remove == is_removed]:
                box.uid("STORE", ",".join(those), "+FLAGS.SILENT", flag)

    return taken


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _fetch_pop(url: str) -> Iterator[tuple[list[bytes], Taken]]:
    parts = urlsplit(url)
    host, is_safe = parts.hostname or "", parts.scheme == "pop3s"
    box: poplib.POP3
    if is_safe:
        context = ssl.create_default_context()
        box = poplib.POP3_SSL(host, parts.port or 995, timeout=PATIENCE_SECONDS, context=context)
    else:
        box = poplib.POP3(host, parts.port or 110, timeout=PATIENCE_SECONDS)
    try:
        box.user(unquote(parts.username or ""))
        box.pass_(unquote(parts.password or ""))
        count = box.stat()[0]
        for start in range(1, min(count, BATCH) + 1, CHUNK):
            numbers = range(start, min(count, BATCH, start + CHUNK - 1) + 1)
            yield [_pop_body(box, number)[:READ_BYTES] for number in numbers], _pop_taken(box, numbers)
        box.quit()  # only now they are removed
    finally:
        with contextlib.suppress(OSError):
            box.close()


def _pop_body(box: poplib.POP3, number: int) -> bytes:
    """Return a mail; of one that is larger than any report only its beginning, and nothing where that cannot be had."""
    told = cast("bytes", box.list(number))  # one line when it is asked of one mail
    if int(told.split()[-1]) <= MOST_BYTES:
        return b"\r\n".join(box.retr(number)[1])
    try:
        return b"\r\n".join(box.top(number, BEGINNING)[1])
    except poplib.error_proto as error:
        if isinstance(error.args[0], bytes):  # the server knows no TOP; that must not stop what lies behind it
            log.warning("a mail in the mailbox for reports is too large to be fetched")
            return b""
        raise


def _pop_taken(box: poplib.POP3, numbers: Sequence[int]) -> Taken:
    def taken(removed: Sequence[bool]) -> None:  # POP3 knows no "read", so what stays would come again for ever
        for number in numbers:
            box.dele(number)

    return taken
