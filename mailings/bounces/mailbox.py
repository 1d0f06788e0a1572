"""Fetch reports out of a mailbox (BOUNCE_MAILBOX): IMAP or POP3, with or without TLS.

What was read is kept in the database first and removed from the mailbox after that; reading it twice does no harm.
What is no report stays in an IMAP mailbox, marked as read, for a person to look at.
"""

from __future__ import annotations

import contextlib
import imaplib
import logging
import poplib
import ssl
from collections.abc import Callable, Iterator
from typing import cast
from urllib.parse import unquote, urlsplit

from mailings.bounces.bounding import READ_BYTES

BATCH = 500  # mails in one run: more follow with the next
PATIENCE_SECONDS = 30
MOST_BYTES = 4 * 1024 * 1024
BEGINNING = 2000  # lines
log = logging.getLogger(__name__)
poplib._MAXLINE = 1 << 20  # type: ignore[attr-defined] # its 2048 lets one long line stop everything behind it

Taken = Callable[[bool], None]  # called when a mail was kept; True takes it out of the mailbox


class NoMailbox(Exception):  # noqa: N818
    """The mailbox cannot be reached or does not let us in; says why without the password."""


def fetch(url: str) -> Iterator[tuple[bytes, Taken]]:
    """Yield each waiting mail (its first 256 KB) with what to call when it was kept. Raises NoMailbox.

    ``url``: imaps://user:password@host/folder, imap://, pop3s:// or pop3://; a user name's @ is written %40.
    """
    parts = urlsplit(url)
    read = _fetch_imap if parts.scheme.startswith("imap") else _fetch_pop
    try:
        yield from read(url)
    except (OSError, imaplib.IMAP4.error, poplib.error_proto) as error:
        raise NoMailbox(f"{parts.hostname}: {error}") from error


def _fetch_imap(url: str) -> Iterator[tuple[bytes, Taken]]:
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
        for uid in (found[0] or b"").split()[:BATCH]:
            if raw := _body(box, uid.decode()):
                yield raw, _imap_taken(box, uid.decode())
        box.expunge()


def _body(box: imaplib.IMAP4, uid: str) -> bytes:
    _state, answer = box.uid("FETCH", uid, f"(BODY.PEEK[]<0.{READ_BYTES}>)")
    return next((part[1] for part in answer if isinstance(part, tuple)), b"")


def _imap_taken(box: imaplib.IMAP4, uid: str) -> Taken:
    def taken(remove: bool) -> None:
        box.uid("STORE", uid, "+FLAGS", r"(\Deleted)" if remove else r"(\Seen)")

    return taken


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _fetch_pop(url: str) -> Iterator[tuple[bytes, Taken]]:
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
        for number in range(1, min(count, BATCH) + 1):
            yield _pop_body(box, number), _pop_taken(box, number)
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


def _pop_taken(box: poplib.POP3, number: int) -> Taken:
    def taken(remove: bool) -> None:  # POP3 knows no "read", so what stays would come again for ever
        box.dele(number)

    return taken
