"""Rows into temporary tables by COPY, in chunks, so that a file of any length takes the same memory.

``import_row`` has a column of text per column of the format and the number of the row; ``import_problem``
what is wrong. Both belong to this connection and vanish with it: whoever is killed here leaves nothing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from django.db import connection

from common.sql import copy_rows
from customers.imports.formats import Format
from customers.imports.reading import Dialect, Problem, Row, read_rows

CHUNK = 20_000
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@contextmanager
def staging_tables(format: Format) -> Iterator[None]:  # noqa: A002
    """Make the two tables for this format and drop them afterwards."""
    columns = ", ".join(f"{name} text NOT NULL DEFAULT ''" for name in format.names)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.import_row, pg_temp.import_problem")
        cursor.execute(f"CREATE TEMPORARY TABLE import_row (row_number int, {columns})")
        cursor.execute(
            "CREATE TEMPORARY TABLE import_problem (row_number int, column_name text, value text, code text)"
        )
    try:
        yield
    finally:
        if not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE IF EXISTS pg_temp.import_row, pg_temp.import_problem")


def stage(file: BinaryIO, dialect: Dialect, progress: Callable[[int], None]) -> int:
    """Copy all rows and damaged rows into the tables; return how many there were. ``progress`` hears the
    bytes read.
    """
    problems: list[Problem] = []
    total, chunk = 0, []
    columns = list(dialect.positions)
    for row in read_rows(file, dialect, problems.append):
        chunk.append(row)
        if len(chunk) + len(problems) >= CHUNK:
            total += _write(columns, chunk, problems)
            progress(file.tell())
            chunk = []
    total += _write(columns, chunk, problems)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE import_row")
    return total


def _write(columns: list[str], rows: list[Row], problems: list[Problem]) -> int:
    total = len(rows) + len(problems)
    text = io.StringIO("".join(map(_copy_line, rows)))
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY import_row (row_number, {', '.join(columns)}) FROM STDIN", text)
    copy_rows(
        "import_problem",
        ["row_number", "column_name", "value", "code"],
        [(problem.row_number, "", _storable(problem.value), problem.code) for problem in problems],
    )
    problems.clear()
    return total


def _copy_line(row: Row) -> str:
    number, cells = row
    line = "\t".join(cells)
    # One look at the whole line spares eleven translations in nearly every row.
    if "\\" in line or "\n" in line or line.count("\t") != len(cells) - 1 or "\r" in line:
        line = "\t".join(cell.translate(_ESCAPES) for cell in cells)
    return f"{number}\t{line}\n"


def _storable(text: str) -> str:
    """Return text that PostgreSQL takes: without NUL, and with a mark for signs that could not be read."""
    return re.sub("[\0\ud800-\udfff]", "\ufffd", text)
