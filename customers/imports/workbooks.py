"""Excel workbooks (.xlsx): the first sheet as rows of text, as a CSV of it would have them.

A workbook is read as a whole, so what it may unpack to is bounded: larger ones come as CSV, which is read in pieces.
"""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineWorkbook

from common.errors import Refused

WORKBOOK = "xlsx"
MOST_UNPACKED = 48 * 1024 * 1024  # bytes of XML; some 60,000 customers


def is_workbook(file: BinaryIO, head: bytes) -> bool:
    """Say whether this is an .xlsx; raises Refused for one that is too large to be read."""
    if not head.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(file) as packed:
            sizes = {info.filename: info.file_size for info in packed.infolist()}
    except (zipfile.BadZipFile, OSError):
        return False
    if "xl/workbook.xml" not in sizes:
        return False
    if sum(sizes.values()) > MOST_UNPACKED:
        message = _("This workbook is too large for Excel's format. Save it as “CSV UTF-8” and choose that file.")
        raise Refused("too_large", message, field="file")
    return True


def workbook_rows(file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Yield (row number, cells as text) of the first sheet; raises Refused when it cannot be read."""
    file.seek(0)
    try:
        workbook = CalamineWorkbook.from_filelike(file)
        sheet = workbook.get_sheet_by_index(0)
        # Rows and columns before the first that has something count, as Excel shows them.
        for number, row in enumerate(sheet.iter_rows(), start=1):
            yield number, [_text(cell) for cell in row]
    except (CalamineError, IndexError) as error:
        message = _("This Excel file is damaged or protected. Open it, save it anew as .xlsx or CSV, and choose that.")
        raise Refused("not_text", message, field="file") from error


def _text(cell: object) -> str:
    """Return a cell as the file formats write it: dates as 2024-05-31, whole numbers without a point."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == dt.time() else f"{cell:%Y-%m-%d %H:%M:%S}"
    return str(cell).strip()
