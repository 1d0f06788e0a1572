"""What every mail that leaves has to be, by the standards and by what large receivers ask. Reads bytes, and shares
nothing with what wrote them.

RFC 5321 (lines, dots), 5322 (headers), 2045-2047 and 2231 (MIME), 6152 (8 bits), 2369, 2919 and 8058 (lists), 3834
(automatic mail).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

ONCE = ("From", "To", "Date", "Subject", "Message-ID", "MIME-Version", "Content-Type")
#: Anything else did not come from us: a header that was smuggled in.
KNOWN = {
    *(name.lower() for name in ONCE), "content-transfer-encoding", "reply-to", "sender", "list-id", "list-unsubscribe",
    "list-unsubscribe-post", "precedence", "auto-submitted", "feedback-id", "dkim-signature",
}  # fmt: skip
SIGNED = {"from", "to", "date", "subject", "message-id", "list-unsubscribe", "list-unsubscribe-post"}
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)|\x00")
_WORD = re.compile(r"=\?[^?\s]+\?[bqBQ]\?[^?\s]*\?=")
_IDENTITY = re.compile(r"<[^<>@\s]+@[a-z0-9.-]+>")
_LEFT_OVER = re.compile(r"\{\{|\{%|%\}|\}\}|%\(\w+\)s")


def faults_of(content: bytes, *, sender: str, recipients: Sequence[str], options: Sequence[str] = ()) -> list[str]:
    """Return what is wrong with a mail as it came in over SMTP (dots unstuffed); empty when it is in order."""
    mail: EmailMessage = message_from_bytes(content, policy=policy.default)
    checks = (
        _bytes(content, options), _headers(content, mail), _addresses(mail, sender, recipients), _list(mail, content),
        _parts(mail),
    )  # fmt: skip
    return [fault for check in checks for fault in check]


def _bytes(content: bytes, options: Sequence[str]) -> Iterator[str]:
    if _BARE.search(content):
        yield "a line end that is not CRLF, or a NUL"
    if max(map(len, content.split(b"\r\n"))) > 998:
        yield "a line of more than 998 characters"
    if not content.isascii() and "BODY=8BITMIME" not in options:
        yield "8 bits without having asked for them"


def _headers(content: bytes, mail: EmailMessage) -> Iterator[str]:
    raw = content.partition(b"\r\n\r\n")[0].decode("latin-1")
    counts = Counter(name.lower() for name in mail)
    for name in ONCE:
        if counts[name.lower()] != 1:
            yield f"{counts[name.lower()]} headers {name}"
    several = {name.lower() for name in ONCE} | {"dkim-signature"}  # one of each key
    twice = {name for name, number in counts.items() if number > 1} - several
    yield from (f"two headers {name}" for name in twice)
    yield from (f"a header {name}, which is not ours" for name in counts if name not in KNOWN)
    if not raw.isascii():
        yield "a header that is not ASCII"
    yield from (f"an encoded word of {len(word)} characters" for word in _WORD.findall(raw) if len(word) > 75)
    yield from (f"a header line of {len(line)} characters" for line in raw.split("\r\n") if len(line) > 320)
    if not _IDENTITY.fullmatch(str(mail["Message-ID"] or "").strip()):
        yield f"no Message-ID: {mail['Message-ID']}"
    if parsedate_to_datetime(str(mail["Date"])).tzinfo is None:
        yield "a Date without its zone"
    if not str(mail["Subject"] or "").strip() or _LEFT_OVER.search(str(mail["Subject"])):
        yield f"a subject that is empty or unfinished: {mail['Subject']}"


def _addresses(mail: EmailMessage, sender: str, recipients: Sequence[str]) -> Iterator[str]:
    authors, readers = mail["From"].addresses, mail["To"].addresses
    if len(authors) != 1:
        yield f"{len(authors)} authors"
    if [one.addr_spec for one in readers] != list(recipients):
        yield f"To says {mail['To']} and it went to {recipients}"
    if authors and _organisation(authors[0].domain) != _organisation(sender.rpartition("@")[2]):
        yield f"From {authors[0].addr_spec} is not aligned with the return path {sender}"


def _organisation(domain: str) -> str:
    return ".".join(domain.lower().split(".")[-2:])


def _list(mail: EmailMessage, content: bytes) -> Iterator[str]:
    """Bulk mail can be left with one click; what a program sends by itself says so."""
    is_bulk = mail["Precedence"] == "bulk"
    if is_bulk == bool(mail["Auto-Submitted"]):
        yield "neither bulk nor automatic, or both"
    if is_bulk != bool(mail["List-Unsubscribe"]) or is_bulk != bool(mail["List-Unsubscribe-Post"]):
        yield "bulk without a way out, or a way out of what is none"
    if is_bulk:
        if mail["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click":
            yield f"List-Unsubscribe-Post: {mail['List-Unsubscribe-Post']}"
        targets = re.findall(r"<([^<>\s]+)>", mail["List-Unsubscribe"])
        if not targets or urlsplit(targets[0]).scheme not in ("http", "https"):
            yield f"List-Unsubscribe: {mail['List-Unsubscribe']}"
        if not re.search(r"<[a-z0-9_.-]+>$", str(mail["List-Id"] or "").strip()):
            yield f"List-Id: {mail['List-Id']}"
    for signature in mail.get_all("DKIM-Signature", []):
        tags = dict(tag.strip().partition("=")[::2] for tag in str(signature).split(";"))
        covered = {name.strip().lower() for name in tags.get("h", "").split(":")}
        if missing := {name for name in SIGNED if mail[name]} - covered:
            yield f"a signature that does not cover {sorted(missing)}"


def _parts(mail: EmailMessage) -> Iterator[str]:
    kinds = [part.get_content_type() for part in mail.walk()]
    if kinds not in (["multipart/alternative", "text/plain", "text/html"], ["text/plain"]):
        yield f"parts {kinds}"
    if mail["Precedence"] == "bulk" and len(kinds) == 1:
        yield "no HTML"
    for part in mail.walk():
        yield from (f"{part.get_content_type()}: {defect!r}" for defect in part.defects)
        if part.is_multipart():
            continue
        if str(part.get_content_charset()) not in ("utf-8", "us-ascii"):
            yield f"{part.get_content_type()} in {part.get_content_charset()}"
        text = part.get_content()
        if not text.strip() or "\ufffd" in text or _LEFT_OVER.search(text):
            yield f"{part.get_content_type()} that is empty, broken or unfinished"
        if part.get_content_type() == "text/html" and not re.search(r"<html[^>]* lang=\"[a-z]{2}", text):
            yield "HTML that does not say its language"
