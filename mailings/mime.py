"""Mail as bytes. What is the same for everybody is encoded once; per message only the values are.

Bodies are quoted-printable. Each piece is encoded by itself and ends in a soft line break, so pieces can be joined
without looking at them again: the decoded whole is the sum of the decoded pieces, and no line is longer than 76
characters. Pure.
"""

from __future__ import annotations

import binascii
import re
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr

SOFT = b"=\r\n"
_LINE_END = re.compile(rb"\r?\n")
_PLAIN = re.compile(r"[!-<>-~]{1,72}", re.ASCII)  # one word that quoted-printable leaves alone
_LINE_ENDS = re.compile(r"\r\n?")
BOUNDARY = (
    "=_wise"  # cannot stand in a quoted-printable body: an equals sign there is followed by two digits or a line end
)


def encode(text: str) -> bytes:
    """Return a piece of a body in quoted-printable, ending in a soft line break unless it is empty."""
    if _PLAIN.fullmatch(text):
        return text.encode() + SOFT
    if not text:
        return b""
    lines = _LINE_ENDS.sub("\n", text).encode()
    return _LINE_END.sub(b"\r\n", binascii.b2a_qp(lines, istext=True)) + SOFT


def one_line(text: str) -> str:
    """Return text that can stand in a header: control characters and line ends become spaces."""
    if text.isprintable():
        return " ".join(text.split())
    return " ".join("".join(" " if ord(sign) < 32 or ord(sign) == 127 else sign for sign in text).split())


def header(name: str, text: str) -> bytes:
    """Return one header line (folded when long) of free text, encoded by RFC 2047 where it is not ASCII."""
    words = one_line(text)
    value = (
        words
        if words.isascii() and len(words) < 70 and "=?" not in words  # which a reader's program would decode
        else Header(words, "utf-8", maxlinelen=75, header_name=name).encode(linesep="\r\n")
    )
    return f"{name}: {value}\r\n".encode()


def mailbox(name: str, address: str) -> str:
    """Return ``Name <address>``, encoded where needed; the address must be checked already."""
    words = one_line(name)
    if words.isascii() and "=?" not in words:
        return formataddr((words, one_line(address)))
    encoded = Header(words, "utf-8", maxlinelen=75, header_name="From").encode(linesep="\r\n")
    return f"{encoded} <{one_line(address)}>"


def date(instant: datetime) -> bytes:
    """Return the Date header."""
    return f"Date: {format_datetime(instant)}\r\n".encode()


def part(content_type: str) -> bytes:
    """Return the head of one part of a multipart body, up to and including the empty line."""
    return (
        f"\r\n--{BOUNDARY}\r\nContent-Type: {content_type}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode()


MULTIPART = f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{BOUNDARY}"\r\n\r\n'.encode()
END = f"\r\n--{BOUNDARY}--\r\n".encode()
