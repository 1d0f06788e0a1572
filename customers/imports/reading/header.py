"""The first row that says something: which sign separates its cells, and whether it is of the format asked for."""

from __future__ import annotations

import io
import re
from collections.abc import Collection
from typing import BinaryIO

from django.utils.translation import gettext as _

from common.errors import Refused
from customers.imports.deliveries import Delivery
from customers.imports.formats import FORMATS, Format
from customers.imports.reading.encoding import LONGEST_LINE, text_of
from customers.imports.reading.records import parse
from customers.imports.workbooks import WORKBOOK, workbook_rows

DELIMITERS = (";", ",", "\t", "|")


def header_of(
    file: BinaryIO, encoding: str, delivery: Delivery, names: Collection[str], *, fold: bool = True
) -> tuple[int, str, list[str]]:
    """Return the number of the header's row, the delimiter, and the cells, in lower case with ``fold``."""
    if encoding == WORKBOOK:
        number, cells = next(((n, row) for n, row in workbook_rows(file) if any(row)), (0, []))
        if not number:
            raise _empty()
        return number, "", _folded(cells, fold=fold)
    with text_of(file, encoding) as lines:
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


def _header_line(lines: io.TextIOWrapper) -> tuple[int, str]:
    """Return the number and text of the first line that says something; Excel's "sep=;" does not."""
    number = 0
    while line := lines.readline(LONGEST_LINE):
        number += 1
        if line.strip() and not re.fullmatch(r"sep=.\s*", line):
            return number, line
    return number, ""


def _header_cells(line: str, delimiter: str, *, fold: bool) -> list[str]:
    return _folded(parse(line, delimiter)[0] or line.rstrip("\r\n").split(delimiter), fold=fold)


def _folded(cells: list[str], *, fold: bool) -> list[str]:
    cells = [cell.strip().lower() if fold else cell.strip() for cell in cells]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _fits(header: list[str], format: Format) -> bool:  # noqa: A002
    needed = {column.name for column in format.columns if column.required}
    return needed <= set(header) <= set(format.names)


def check_mapped(header: list[str], delivery: Delivery) -> None:
    """Refuse a file that lacks a column of the delivery, or has it twice."""
    missing = [delivery.shown[name] for name, column in delivery.columns.items() if column not in header]
    twice = [delivery.shown[name] for name, column in delivery.columns.items() if header.count(column) > 1]
    parts = []
    if missing:
        parts.append(_("These columns are missing: %s.") % ", ".join(missing))
    if twice:
        parts.append(_("These columns stand there twice: %s.") % ", ".join(twice))
    if delivery.delimiter and len(header) == 1 and len(missing) > 1:
        parts.append(
            _("The delivery says that “%s” stands between the cells; in this file it does not.") % delivery.delimiter
        )
    if parts:
        parts.append(_("Export the file as before, or change the columns of the delivery."))
        raise Refused("wrong_header", " ".join(parts), field="file")


def check_header(header: list[str], format: Format) -> None:  # noqa: A002
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
