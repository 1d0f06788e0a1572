"""From a file of unknown make to rows that can be trusted to be rows, in bounded memory.

What a spreadsheet or a library system exports may be UTF-8 (with or without mark), UTF-16 or Windows-1252,
separated by semicolons, commas or tabs, with any line ending, and damaged in places. A file that is no text,
or not of this format, is refused as a whole with ``Refused``; a damaged row is refused alone.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext as _

from common.errors import Refused
from customers.imports.formats import FORMATS, Format

DELIMITERS = (";", ",", "\t")
LONGEST_LINE = 100_000  # characters; a row of any format is shorter by far
LONGEST_RECORD = 50  # lines that one row may have when a cell holds line breaks
SAMPLE = 65_536

_MAGIC = {
    b"PK\x03\x04": "excel",
    b"\xd0\xcf\x11\xe0": "excel",
    b"%PDF": "other",
    b"\x1f\x8b": "other",
    b"\x89PNG": "other",
    b"\xff\xd8\xff": "other",
}


@dataclass(frozen=True)
class Dialect:
    """How to read one file. ``positions`` maps a column of the format to its place in a row."""

    encoding: str
    delimiter: str
    width: int
    positions: dict[str, int]
    header_row: int


@dataclass(frozen=True)
class Problem:
    """A row that is no row: its number in a spreadsheet, what stands there, and a code of ``remedies``."""

    row_number: int
    value: str
    code: str


Row = tuple[int, list[str]]


def examine(file: BinaryIO, format: Format) -> Dialect:  # noqa: A002 - the word of the domain
    """Find out how to read the file; raises Refused, saying what is accepted, when it is not of this format."""
    encoding = _encoding(file)
    with _text(file, encoding) as lines:
        number, first = _header_line(lines)
    if not first:
        raise Refused("empty_file", _("The file is empty. Choose a file with a header and rows."), field="file")
    delimiter, header = max(
        ((delimiter, _header_cells(first, delimiter)) for delimiter in DELIMITERS),
        key=lambda read: (sum(cell in format.names for cell in read[1]), len(read[1])),
    )
    _check_header(header, format)
    positions = {name: header.index(name) for name in format.names if name in header}
    return Dialect(encoding, delimiter, len(header), positions, number)


def read_rows(file: BinaryIO, dialect: Dialect, problems: Callable[[Problem], None]) -> Iterator[Row]:
    """Yield (row number, cells in the order of ``dialect.positions``); hand damaged rows to ``problems``.

    Rows without any text are passed over; they do count in the numbers, as a spreadsheet shows them.
    """
    places = list(dialect.positions.values())
    with _text(file, dialect.encoding) as lines:
        records = _Records(lines, dialect)
        for number, cells, code in records:
            if number <= dialect.header_row:
                continue
            if code:
                problems(Problem(number, records.shown[:200].strip(), code))
            elif any(cells):
                yield number, [cells[place] for place in places]


class _Records:
    """Iterate over (row number, cells, code): lines put together to rows, with a code where that fails."""

    def __init__(self, lines: io.TextIOWrapper, dialect: Dialect) -> None:
        self._lines = lines
        self._delimiter = dialect.delimiter
        self._width = dialect.width
        self._header_row = dialect.header_row
        self._waiting: list[tuple[str, bool]] = []  # lines looked at in search of a closing quote
        self.shown = ""

    def __iter__(self) -> Iterator[tuple[int, list[str], str]]:
        number = 0
        while line := self._next():
            number += 1
            text, is_too_long = line
            self.shown = text
            if number <= self._header_row:
                yield number, [], ""
            elif is_too_long:
                yield number, [], "long"
            else:
                yield number, *self._cells(text)

    def _next(self) -> tuple[str, bool] | None:
        """Return the next line and whether it was cut off for its length; None at the end."""
        if self._waiting:
            return self._waiting.pop(0)
        line = self._lines.readline(LONGEST_LINE)
        if not line:
            return None
        if len(line) < LONGEST_LINE or line.endswith("\n"):
            return line, False
        while (rest := self._lines.readline(LONGEST_LINE)) and not rest.endswith("\n"):
            pass
        return line, True

    def _cells(self, line: str) -> tuple[list[str], str]:
        if '"' not in line:
            return self._trimmed(line.split(self._delimiter), line)
        cells, is_open = _parse(line, self._delimiter)
        if is_open:
            line, cells = self._joined(line)
        return self._trimmed(cells, line) if cells else ([], "quote")

    def _joined(self, line: str) -> tuple[str, list[str]]:
        """Look for the line on which an open quote closes; the lines go back when that makes no row."""
        looked_at: list[tuple[str, bool]] = []
        text, cells, is_open = line, list[str](), True
        while is_open and len(looked_at) < LONGEST_RECORD and (following := self._next()):
            looked_at.append(following)
            text += following[0]
            if '"' in following[0]:
                cells, is_open = _parse(text, self._delimiter)
        # A cell with both a line break and a separator is two rows between two lost quotes, not one.
        is_row = len(cells) == self._width and not any("\n" in cell and self._delimiter in cell for cell in cells)
        if is_row:
            return text, cells
        self._waiting = looked_at + self._waiting
        return line, []

    def _trimmed(self, cells: list[str], line: str) -> tuple[list[str], str]:
        if "\0" in line:
            return [], "nul"
        if not line.isascii() and _UNREADABLE.search(line):
            return [], "encoding"
        cells = [cell.strip() for cell in cells]
        if len(cells) == self._width:
            return cells, ""
        if not any(cells):
            return [], ""
        # Spreadsheets put separators behind the last cell.
        if len(cells) > self._width and not any(cells[self._width :]):
            return cells[: self._width], ""
        return [], "cells"


# Bytes that the encoding does not know come through as these.
_UNREADABLE = re.compile("[\ud800-\udfff\ufffd]")


def _parse(text: str, delimiter: str) -> tuple[list[str], bool]:
    """Return the cells of one record by the rules of RFC 4180, none when it breaks them; and whether a quote
    is open.
    """
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), []), False
    except csv.Error as error:
        return [], str(error) == "unexpected end of data"


class _text:  # noqa: N801 - reads as a word: "with _text(file, encoding) as lines"
    """The file as text from its start, without taking it away from its owner."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        file.seek(0)
        errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
        self._wrapper = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline=None)

    def __enter__(self) -> io.TextIOWrapper:
        return self._wrapper

    def __exit__(self, *exc: object) -> None:
        self._wrapper.detach()


def _encoding(file: BinaryIO) -> str:
    """Return utf-8-sig, utf-16, utf-16-le, utf-16-be or cp1252; raises Refused for what is no text."""
    file.seek(0)
    head = file.read(SAMPLE)
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            raise _no_text(kind)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) // 5 and even < len(head) // 50:
        return "utf-16-le"
    if even > len(head) // 5 and odd < len(head) // 50:
        return "utf-16-be"
    if len(head.translate(None, _CONTROL)) < len(head) * 0.95 and head:
        raise _no_text("other")
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
        message = _("This is an Excel file. Save it in Excel as “CSV UTF-8” and choose that file.")
    else:
        message = _("This is not a text file. Choose a CSV file: text with semicolons, commas or tabs.")
    return Refused("not_text", message, field="file")


def _header_line(lines: io.TextIOWrapper) -> tuple[int, str]:
    """Return the number and text of the first line that says something; Excel's "sep=;" does not."""
    number = 0
    while line := lines.readline(LONGEST_LINE):
        number += 1
        if line.strip() and not re.fullmatch(r"sep=.\s*", line):
            return number, line
    return number, ""


def _header_cells(line: str, delimiter: str) -> list[str]:
    cells = _parse(line, delimiter)[0] or line.split(delimiter)
    cells = [cell.strip().lower() for cell in cells]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _fits(header: list[str], format: Format) -> bool:  # noqa: A002
    needed = {column.name for column in format.columns if column.required}
    return needed <= set(header) <= set(format.names)


def _check_header(header: list[str], format: Format) -> None:  # noqa: A002
    """Refuse a header that misses a column, has one we do not know, or has one twice; name them all."""
    missing = [column.name for column in format.columns if column.required and column.name not in header]
    unknown = [name or "?" for name in header if name not in format.names]
    twice = sorted({name for name in header if header.count(name) > 1})
    if not (missing or unknown or twice):
        return
    parts = []
    if len(unknown) == len(header):
        parts.append(_("The first row is not the header of this format."))
    else:
        if missing:
            parts.append(_("These columns are missing: %s.") % ", ".join(missing))
        if unknown:
            parts.append(_("These columns are not known: %s.") % ", ".join(name[:40] for name in unknown[:10]))
        if twice:
            parts.append(_("These columns stand there twice: %s.") % ", ".join(twice))
    if others := [str(other.name) for other in FORMATS.values() if other is not format and _fits(header, other)]:
        parts.append(_("This looks like a file of: %s.") % ", ".join(others))
    parts.append(_("Accepted are, separated by semicolons, commas or tabs: %s.") % ", ".join(format.names))
    raise Refused("wrong_header", " ".join(parts), field="file")
