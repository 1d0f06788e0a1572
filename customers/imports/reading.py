"""From a file of unknown make to rows that can be trusted to be rows, in bounded memory.

What a spreadsheet or a library system exports may be UTF-8 (with or without mark), UTF-16 or Windows-1252,
separated by any sign, with any line ending, and damaged in places; or an Excel workbook (``workbooks``). A file that is
neither, or not of this format, is refused as a whole with ``Refused``; a damaged row is refused alone, as long as there
are not too many of them.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from django.utils.translation import gettext as _

from common.errors import Refused
from customers.imports.deliveries import PLAIN, Delivery
from customers.imports.formats import FORMATS, Format
from customers.imports.workbooks import WORKBOOK, is_workbook, workbook_rows

DELIMITERS = (";", ",", "\t", "|")
BLOCK = 65_536  # characters read at once
LONGEST_LINE = 100_000  # characters; a row of any format is shorter by far
MOST_DAMAGED = 10_000  # rows; beyond it is not the rows that are wrong, but the file
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
    """How to read one file. ``positions`` maps a column of the format to its place in a row.

    ``constants`` are columns that the file lacks and that have one value; ``words`` translates cells: column ->
    word of the file in lower case -> word of the format.
    """

    encoding: str
    delimiter: str
    width: int
    positions: dict[str, int]
    header_row: int
    constants: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def columns(self) -> frozenset[str]:
        """The columns of the format that the rows have something to say about."""
        return frozenset(self.positions) | frozenset(self.constants)


@dataclass(frozen=True)
class Glimpse:
    """The head of a file of unknown format: its header as it stands there, and the first rows."""

    encoding: str
    delimiter: str
    header: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Problem:
    """A row that is no row: its number in a spreadsheet, what stands there, and a code of ``remedies``."""

    row_number: int
    value: str
    code: str


Row = tuple[int, list[str]]


def examine(file: BinaryIO, format: Format, delivery: Delivery = PLAIN) -> Dialect:  # noqa: A002 - the domain's word
    """Find out how to read the file; raises Refused, saying what is accepted, when it is not of this format."""
    encoding = _encoding(file, delivery.encoding)
    number, delimiter, header = _header(file, encoding, delivery, {delivery.header_of(name) for name in format.names})
    if delivery.is_mapped:
        _check_mapped(header, delivery)
    else:
        _check_header(header, format)
    positions = {
        name: header.index(delivery.header_of(name)) for name in format.names if delivery.header_of(name) in header
    }
    return Dialect(encoding, delimiter, len(header), positions, number, delivery.constants, delivery.words)


def glimpse(file: BinaryIO, *, delimiter: str = "", encoding: str = "", count: int = 5) -> Glimpse:
    """Return the head of a file whose columns nobody has named yet; raises Refused for what is no table of text."""
    encoding = _encoding(file, encoding)
    number, delimiter, header = _header(file, encoding, Delivery(delimiter=delimiter), set(), fold=False)
    dialect = Dialect(encoding, delimiter, len(header), {str(place): place for place in range(len(header))}, number)
    rows: list[list[str]] = []
    for _number, cells in read_rows(file, dialect, list[Problem]().append):
        rows.append(cells)
        if len(rows) == count:
            break
    return Glimpse(encoding, delimiter, header, rows)


def _header(
    file: BinaryIO, encoding: str, delivery: Delivery, names: Collection[str], *, fold: bool = True
) -> tuple[int, str, list[str]]:
    """Return the number of the header's row, the delimiter, and the cells, in lower case with ``fold``."""
    if encoding == WORKBOOK:
        number, cells = next(((n, row) for n, row in workbook_rows(file) if any(row)), (0, []))
        if not number:
            raise _empty()
        return number, "", _folded(cells, fold=fold)
    with _text(file, encoding) as lines:
        number, first = _header_line(lines)
        following = [line for line in (lines.readline(LONGEST_LINE) for _ in range(20)) if line.strip()]
    if not first:
        raise _empty()

    def fit(delimiter: str) -> tuple[int, int, int]:
        cells = _header_cells(first, delimiter, fold=fold)
        alike = sum(len(_header_cells(line, delimiter, fold=False)) == len(cells) for line in following)
        return sum(cell in names for cell in cells), alike if len(cells) > 1 else 0, len(cells)

    others = sorted({sign for sign in first if not sign.isalnum() and sign not in "\"' _-.\r\n()/"} - {*DELIMITERS})
    delimiter = delivery.delimiter or max((*DELIMITERS, *others), key=fit)
    return number, delimiter, _header_cells(first, delimiter, fold=fold)


def _empty() -> Refused:
    return Refused("empty_file", _("The file is empty. Choose a file with a header and rows."), field="file")


def read_rows(file: BinaryIO, dialect: Dialect, problems: Callable[[Problem], None]) -> Iterator[Row]:
    """Yield (row number, cells in the order of ``dialect.positions``); hand damaged rows to ``problems``.

    Rows without any text are passed over; they do count in the numbers, as a spreadsheet shows them. Raises Refused
    when MOST_DAMAGED rows are damaged: reading on would cost time and tell nothing new.
    """
    for piece in read_pieces(file, dialect, problems, in_blocks=False):
        if isinstance(piece, tuple):
            yield piece


def read_pieces(
    file: BinaryIO, dialect: Dialect, problems: Callable[[Problem], None], *, in_blocks: bool = True
) -> Iterator[Row | str]:
    """Yield what ``read_rows`` does, and many rows at once where nothing needs a closer look: as lines of text with the
    row's number before them, with tabs between all cells of the file.
    """
    places = list(dialect.positions.values())
    if dialect.encoding == WORKBOOK:
        for number, cells in workbook_rows(file):
            if number > dialect.header_row and any(cells):
                yield number, [cells[place] if place < len(cells) else "" for place in places]
        return
    damaged = 0
    with _text(file, dialect.encoding) as lines:
        for piece in _Records(_Source(lines), dialect).pieces(in_blocks=in_blocks):
            if isinstance(piece, str):
                yield piece
                continue
            number, cells, problem = piece
            if problem:
                damaged += 1
                if damaged > MOST_DAMAGED:
                    raise _too_damaged(number)
                problems(problem)
            elif any(cells):
                yield number, [cells[place] for place in places]


def _plain_lines(block: str, dialect: Dialect, number: int) -> str:
    """Return the lines of a block with their numbers and tabs between the cells, or nothing when any of them asks for a
    closer look: quotes, signs that are no text, spaces around a cell, another number of cells, an empty row.
    """
    sign, between = dialect.delimiter, dialect.width - 1
    flat = block.replace("\n", "")
    if sign == "\t":
        flat = flat.replace("\t", "")
    if not flat.isprintable() or any(mark in flat for mark in ('"', "\\", "\ufffd")):
        return ""
    if any(space in block for space in (f" {sign}", f"{sign} ", "\n ", " \n")) or block[0] == " " or block[-1] == " ":
        return ""
    lines = block.split("\n")
    if any(line.count(sign) != between or line[0] == sign for line in lines):
        return ""
    numbered = "\n".join([f"{place}{sign}{line}" for place, line in enumerate(lines, number + 1)])
    return (numbered if sign == "\t" else numbered.replace(sign, "\t")) + "\n"


def _too_damaged(number: int) -> Refused:
    message = _(
        "More than %(count)s of the first %(rows)s rows are damaged. Look for a quotation mark that does not close, or "
        "for another separator than in the header, and export the file again. Nothing has been taken in."
    )
    return Refused("damaged", message % {"count": MOST_DAMAGED, "rows": number}, field="file")


class _Source:
    """The text of a file in pieces: a block of whole lines where that will do, line by line where it will not."""

    def __init__(self, lines: io.TextIOWrapper) -> None:
        self._lines = lines
        self._text, self._place = "", 0

    def block(self) -> str:
        """Return some whole lines at once, without the last line break; empty text at the end and for a long line."""
        self._text, self._place = self._text[self._place :] + self._lines.read(BLOCK), 0
        end = self._text.rfind("\n")
        if end < 0:
            return ""
        self._place = end + 1
        return self._text[:end]

    def give_back(self, block: str) -> None:
        """Take a block back that must be read line by line."""
        self._text, self._place = block + "\n" + self._text[self._place :], 0

    def readline(self) -> tuple[str, bool] | None:
        """Return the next line and whether it was cut off for its length; None at the end."""
        end = self._text.find("\n", self._place)
        while end < 0 and len(self._text) - self._place < LONGEST_LINE:
            more = self._lines.read(BLOCK)
            if not more:
                break
            self._text, self._place = self._text[self._place :] + more, 0
            end = self._text.find("\n")
        end = len(self._text) if end < 0 else end + 1
        line = self._text[self._place : end]
        self._place = end
        if len(line) <= LONGEST_LINE:
            return (line, False) if line else None
        if not line.endswith("\n"):
            self._skip()
        return line[:LONGEST_LINE], True

    def _skip(self) -> None:
        while more := self._lines.read(BLOCK):
            end = more.find("\n")
            if end >= 0:
                self._text, self._place = more, end + 1
                return


class _Records:
    """Lines put together to rows, with a problem where that fails; in blocks where nothing can be wrong."""

    def __init__(self, source: _Source, dialect: Dialect) -> None:
        self._source = source
        self._dialect = dialect
        self._delimiter = dialect.delimiter
        self._width = dialect.width
        self._waiting: deque[tuple[str, bool]] = deque()  # lines looked at in search of a closing quote
        self._number = 0

    def pieces(self, *, in_blocks: bool) -> Iterator[tuple[int, list[str], Problem | None] | str]:
        """Yield (row number, cells, problem) of the rows behind the header, or a block of plain lines."""
        one_by_one = 0  # characters that were looked at as a block, and must be read line by line
        while True:
            if in_blocks and one_by_one <= 0 and not self._waiting and self._number >= self._dialect.header_row:
                plain, one_by_one = self._block()
                if plain:
                    yield plain
                    continue
            line = self._next()
            if line is None:
                return
            self._number += 1
            one_by_one -= len(line[0])
            if self._number > self._dialect.header_row:
                cells, code = ([], "long") if line[1] else self._cells(line[0])
                yield self._number, cells, Problem(self._number, line[0][:200].strip(), code) if code else None

    def _block(self) -> tuple[str, int]:
        """Return plain lines, or else how many characters to read line by line before the next try."""
        block = self._source.block()
        if plain := block and _plain_lines(block, self._dialect, self._number):
            self._number += block.count("\n") + 1
            return plain, 0
        if block:
            self._source.give_back(block)
        return "", len(block) or LONGEST_LINE

    def _next(self) -> tuple[str, bool] | None:
        return self._waiting.popleft() if self._waiting else self._source.readline()

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
        while is_open and len(looked_at) < LONGEST_RECORD and len(text) < LONGEST_LINE and (following := self._next()):
            looked_at.append(following)
            text += following[0]
            if '"' in following[0]:
                cells, is_open = _parse(text, self._delimiter)
        # A cell with both a line break and a separator is two rows between two lost quotes, not one.
        is_row = len(cells) == self._width and not any("\n" in cell and self._delimiter in cell for cell in cells)
        if is_row:
            return text, cells
        self._waiting.extendleft(reversed(looked_at))
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


def _encoding(file: BinaryIO, told: str = "") -> str:
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


def _header_line(lines: io.TextIOWrapper) -> tuple[int, str]:
    """Return the number and text of the first line that says something; Excel's "sep=;" does not."""
    number = 0
    while line := lines.readline(LONGEST_LINE):
        number += 1
        if line.strip() and not re.fullmatch(r"sep=.\s*", line):
            return number, line
    return number, ""


def _header_cells(line: str, delimiter: str, *, fold: bool) -> list[str]:
    return _folded(_parse(line, delimiter)[0] or line.rstrip("\r\n").split(delimiter), fold=fold)


def _folded(cells: list[str], *, fold: bool) -> list[str]:
    cells = [cell.strip().lower() if fold else cell.strip() for cell in cells]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _fits(header: list[str], format: Format) -> bool:  # noqa: A002
    needed = {column.name for column in format.columns if column.required}
    return needed <= set(header) <= set(format.names)


def _check_mapped(header: list[str], delivery: Delivery) -> None:
    """Refuse a file that lacks a column of the delivery, or has it twice."""
    missing = [delivery.shown[name] for name, column in delivery.columns.items() if column not in header]
    twice = [delivery.shown[name] for name, column in delivery.columns.items() if header.count(column) > 1]
    parts = []
    if missing:
        parts.append(_("These columns are missing: %s.") % ", ".join(missing))
    if twice:
        parts.append(_("These columns stand there twice: %s.") % ", ".join(twice))
    if parts:
        parts.append(_("Export the file as before, or change the columns of the delivery."))
        raise Refused("wrong_header", " ".join(parts), field="file")


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
    if others := [str(other.name) for other in FORMATS if other is not format and _fits(header, other)]:
        parts.append(_("This looks like a file of: %s.") % ", ".join(others))
    parts.append(_("Accepted are, separated by semicolons, commas or tabs: %s.") % ", ".join(format.names))
    raise Refused("wrong_header", " ".join(parts), field="file")
