"""Bytes of unknown make as text: UTF-8 with or without mark, UTF-16, Windows-1252, or an Excel workbook."""

from __future__ import annotations

import io
from typing import BinaryIO

from django.utils.translation import gettext as _

from common.errors import Refused
from customers.imports.workbooks import WORKBOOK, is_workbook

LONGEST_LINE = 100_000  # characters; a row of any format is shorter by far
SAMPLE = 65_536

_MAGIC = {
    b"PK\x03\x04": "excel",
    b"\xd0\xcf\x11\xe0": "excel",
    b"%PDF": "other",
    b"\x1f\x8b": "other",
    b"\x89PNG": "other",
    b"\xff\xd8\xff": "other",
}


class text_of:  # noqa: N801 - reads as a word: "with text_of(file, encoding) as lines"
    """The file as text from its start, without taking it away from its owner."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        file.seek(0)
        errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
        self._wrapper = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline=None)

    def __enter__(self) -> io.TextIOWrapper:
        return self._wrapper

    def __exit__(self, *exc: object) -> None:
        self._wrapper.detach()


def encoding_of(file: BinaryIO, told: str = "") -> str:
    """Return utf-8-sig, utf-16, utf-16-le, utf-16-be, cp1252 or WORKBOOK; raises Refused for what is neither.

    What somebody told about the file is believed, unless it is no text at all.
    """
    file.seek(0)
    head = file.read(SAMPLE)
    if is_workbook(file, head):
        return WORKBOOK
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            raise _no_text(kind)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) // 5 and even <= len(head) // 50:
        return "utf-16-le"
    if even > len(head) // 5 and odd <= len(head) // 50:
        return "utf-16-be"
    if len(head.translate(None, _CONTROL)) < len(head) * 0.95 and head:
        raise _no_text("other")
    if told and not told.startswith("utf-16"):
        return "utf-8-sig" if told.startswith("utf-8") else "cp1252"
    return "utf-8-sig" if _is_mostly_utf8(file) else "cp1252"


_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\x0c\x1a"))


def _is_mostly_utf8(file: BinaryIO) -> bool:
    """Say whether lines with other signs than ASCII are UTF-8 more often than not: one bad row must not
    decide.
    """
    file.seek(0)
    good = bad = 0
    while line := file.readline(LONGEST_LINE):
        if line.isascii():
            continue
        try:
            line.decode()
            good += 1
        except UnicodeDecodeError:
            bad += 1
    return good >= bad


def _no_text(kind: str) -> Refused:
    if kind == "excel":
        message = _("This is an old or protected Excel file. Save it in Excel as .xlsx or as “CSV UTF-8”.")
    else:
        message = _(
            "This is not a text file. Choose a CSV file (text with semicolons, commas or tabs) or Excel (.xlsx)."
        )
    return Refused("not_text", message, field="file")
