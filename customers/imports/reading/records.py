"""Lines of text put together to rows, in bounded memory: in blocks where nothing can be wrong, else one by one."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from customers.imports.reading.encoding import LONGEST_LINE

BLOCK = 65_536  # characters read at once
LONGEST_RECORD = 50  # lines that one row may have when a cell holds line breaks


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

    @cached_property
    def in_order(self) -> list[str]:
        """The columns of the format that the file has, in the order in which it has them."""
        return sorted(self.positions, key=self.positions.__getitem__)

    @cached_property
    def is_straight(self) -> bool:
        """Whether all cells of the file are wanted, as they stand there."""
        return not self.words and len(self.positions) == self.width


@dataclass(frozen=True)
class Problem:
    """A row that is no row: its number in a spreadsheet, what stands there, and a code of ``remedies``."""

    row_number: int
    value: str
    code: str


def _plain_lines(block: str, dialect: Dialect, number: int) -> str:
    """Return the lines of a block with their numbers and tabs between the cells of ``dialect.in_order``, or nothing
    when any of them asks for a closer look: a quote that is not around a cell of one line, signs that are no text,
    spaces around a cell, another number of cells, an empty row.
    """
    sign, between = dialect.delimiter, dialect.width - 1
    flat = block.replace("\n", "")
    if sign == "\t":
        flat = flat.replace("\t", "")
    if not flat.isprintable() or "\\" in flat or "\ufffd" in flat:
        return ""
    if '"' in flat:
        return _lines_of(_quoted_rows(block, dialect), dialect, number)
    if any(space in block for space in (f" {sign}", f"{sign} ", "\n ", " \n")) or block[0] == " " or block[-1] == " ":
        return ""
    lines = block.split("\n")
    if any(not line or line.count(sign) != between or line[0] == sign for line in lines):
        return ""
    if not dialect.is_straight:
        return _lines_of([line.split(sign) for line in lines], dialect, number)
    numbered = "\n".join([f"{place}{sign}{line}" for place, line in enumerate(lines, number + 1)])
    return (numbered if sign == "\t" else numbered.replace(sign, "\t")) + "\n"


def _quoted_rows(block: str, dialect: Dialect) -> list[list[str]]:
    """Return the cells of lines of which each is a whole row by itself; nothing when one is not.

    As many rows as lines means that no quote was open at the end of any line; so each means what it means alone.
    """
    lines = block.split("\n")
    try:
        found = list(csv.reader(lines, delimiter=dialect.delimiter, strict=True))
    except csv.Error:
        return []
    is_whole = len(found) == len(lines) and all(len(row) == dialect.width and any(row) for row in found)
    return found if is_whole else []


def _lines_of(rows: list[list[str]], dialect: Dialect, number: int) -> str:
    """Return rows as numbered lines of the columns that are wanted; nothing when a cell holds more than plain text."""
    text = "\t".join(map("\t".join, rows))
    is_plain = text.count("\t") == len(rows) * dialect.width - 1
    if not rows or not is_plain or " \t" in text or "\t " in text or text[0] == " " or text[-1] == " ":
        return ""
    if not dialect.is_straight:
        places = [dialect.positions[name] for name in dialect.in_order]
        words = [(place, dialect.words[name]) for place, name in enumerate(dialect.in_order) if name in dialect.words]
        rows = [[row[place] for place in places] for row in rows]
        for place, known in words:
            for row in rows:
                row[place] = known.get(row[place].lower(), row[place])
    return "".join([f"{place}\t{line}\n" for place, line in enumerate(map("\t".join, rows), number + 1)])


class Source:
    """The text of a file in pieces: a block of whole lines where that will do, line by line where it will not."""

    def __init__(self, lines: io.TextIOWrapper) -> None:
        self._lines = lines
        self._text, self._place = "", 0

    def block(self) -> str:
        """Return some whole lines at once, without the last line break; empty text at the end and for a long line."""
        self._text, self._place = self._text[self._place :] + self._lines.read(BLOCK), 0
        end = self._text.rfind("\n")
        if end <= 0:  # no whole line, or only an empty one: it counts as a row, so it stays
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


class Records:
    """Lines put together to rows, with a problem where that fails; in blocks where nothing can be wrong."""

    def __init__(self, source: Source, dialect: Dialect) -> None:
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
        cells, is_open = parse(line, self._delimiter)
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
                cells, is_open = parse(text, self._delimiter)
        # A cell with both a line break and a separator is two rows between two lost quotes, not one.
        is_row = len(cells) == self._width and not any("\n" in cell and self._delimiter in cell for cell in cells)
        if is_row:
            return text, cells
        self._waiting.extendleft(reversed(looked_at))
        return line, []

    def _trimmed(self, cells: list[str], line: str) -> tuple[list[str], str]:
        if code := unreadable(line):
            return [], code
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


def unreadable(text: str) -> str:
    """Return what is wrong with the signs of a row, as a code of ``remedies``; empty text when nothing is."""
    if "\0" in text:
        return "nul"
    return "encoding" if not text.isascii() and _UNREADABLE.search(text) else ""


def parse(text: str, delimiter: str) -> tuple[list[str], bool]:
    """Return the cells of one record by the rules of RFC 4180, none when it breaks them; and whether a quote
    is open.
    """
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), []), False
    except csv.Error as error:
        return [], str(error) == "unexpected end of data"
