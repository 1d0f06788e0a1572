"""From a file of unknown make to rows that can be trusted to be rows, in bounded memory.

What a spreadsheet or a library system exports may be UTF-8 (with or without mark), UTF-16 or Windows-1252,
separated by any sign, with any line ending, and damaged in places; or an Excel workbook (``workbooks``). A file that is
neither, or not of this format, is refused as a whole with ``Refused``; a damaged row is refused alone, as long as there
are not too many of them.

encoding  bytes -> text
header    the first row: separator and columns
records   lines -> rows
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext as _

from common.errors import Refused
from customers.imports.deliveries import PLAIN, Delivery
from customers.imports.formats import Format
from customers.imports.reading.encoding import LONGEST_LINE, encoding_of, text_of
from customers.imports.reading.header import check_header, check_mapped, header_of
from customers.imports.reading.records import Dialect, Problem, Records, Source, unreadable
from customers.imports.workbooks import WORKBOOK, workbook_rows

__all__ = ["LONGEST_LINE", "Dialect", "Glimpse", "Problem", "Row", "examine", "glimpse", "read_pieces", "read_rows"]

MOST_DAMAGED = 10_000  # rows; beyond it is not the rows that are wrong, but the file


@dataclass(frozen=True)
class Glimpse:
    """The head of a file of unknown format: its header as it stands there, and the first rows."""

    encoding: str
    delimiter: str
    header: list[str]
    rows: list[list[str]]


Row = tuple[int, list[str]]


def examine(file: BinaryIO, format: Format, delivery: Delivery = PLAIN) -> Dialect:  # noqa: A002 - the domain's word
    """Find out how to read the file; raises Refused, saying what is accepted, when it is not of this format."""
    encoding = encoding_of(file, delivery.encoding)
    number, delimiter, header = header_of(file, encoding, delivery, {delivery.header_of(name) for name in format.names})
    if delivery.is_mapped:
        check_mapped(header, delivery)
    else:
        check_header(header, format)
    positions = {
        name: header.index(delivery.header_of(name)) for name in format.names if delivery.header_of(name) in header
    }
    return Dialect(encoding, delimiter, len(header), positions, number, delivery.constants, delivery.words)


def glimpse(file: BinaryIO, *, delimiter: str = "", encoding: str = "", count: int = 5) -> Glimpse:
    """Return the head of a file whose columns nobody has named yet; raises Refused for what is no table of text."""
    encoding = encoding_of(file, encoding)
    number, delimiter, header = header_of(file, encoding, Delivery(delimiter=delimiter), set(), fold=False)
    dialect = Dialect(encoding, delimiter, len(header), {str(place): place for place in range(len(header))}, number)
    rows: list[list[str]] = []
    for _number, cells in read_rows(file, dialect, list[Problem]().append):
        rows.append(cells)
        if len(rows) == count:
            break
    return Glimpse(encoding, delimiter, header, rows)


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
    row's number before them, with tabs between the cells of ``dialect.in_order``.
    """
    places = list(dialect.positions.values())
    if dialect.encoding == WORKBOOK:
        for number, cells in workbook_rows(file):
            if number > dialect.header_row and any(cells):
                row = [cells[place] if place < len(cells) else "" for place in places]
                text = " ".join(row)
                if code := unreadable(text):
                    problems(Problem(number, text[:200], code))
                else:
                    yield number, row
        return
    damaged = 0
    with text_of(file, dialect.encoding) as lines:
        for piece in Records(Source(lines), dialect).pieces(in_blocks=in_blocks):
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


def _too_damaged(number: int) -> Refused:
    message = _(
        "More than %(count)s of the first %(rows)s rows are damaged. Look for a quotation mark that does not close, or "
        "for another separator than in the header, and export the file again. Nothing has been taken in."
    )
    return Refused("damaged", message % {"count": MOST_DAMAGED, "rows": number}, field="file")
