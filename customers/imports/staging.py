"""Rows into temporary tables by COPY, in chunks, so that a file of any length takes the same memory.

``import_row`` has a column of text per column of the format and the number of the row; ``import_problem`` what is
wrong; ``import_remark`` what the report says besides; ``import_sample`` what a trial would do. They belong to this
connection and vanish with it: whoever is killed here leaves nothing.
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
from customers.imports.reading import Dialect, Problem, Row, read_pieces

CHUNK = 20_000
TABLES = ", ".join(f"pg_temp.import_{name}" for name in ("row", "problem", "sample", "remark", "known"))
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
# Signs that nobody sees and that change how a name reads: controls, and what turns the direction of writing. They say
# nothing, so they are taken out of cells; line breaks and tabs stay.
_INVISIBLE = re.compile(
    "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


@contextmanager
def staging_tables(format: Format, dialect: Dialect) -> Iterator[None]:  # noqa: A002
    """Make the tables for a file of this format and drop them afterwards. A value that all rows share is a default."""
    with connection.cursor() as cursor:
        defaults = {name: cursor.mogrify("%s", [value]).decode() for name, value in dialect.constants.items()}
        columns = ", ".join(f"{name} text NOT NULL DEFAULT {defaults.get(name, chr(39) * 2)}" for name in format.names)
        cursor.execute(f"DROP TABLE IF EXISTS {TABLES}")
        cursor.execute(f"CREATE TEMPORARY TABLE import_row (row_number int, {columns})")
        cursor.execute(
            "CREATE TEMPORARY TABLE import_problem (row_number int, column_name text, value text, code text)"
        )
        cursor.execute(
            "CREATE TEMPORARY TABLE import_sample (what text, row_number int, title text, before jsonb, after jsonb)"
        )
        cursor.execute("CREATE TEMPORARY TABLE import_remark (code text, count bigint)")
    try:
        yield
    finally:
        if not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE IF EXISTS {TABLES}")


def stage(file: BinaryIO, dialect: Dialect, progress: Callable[[int], None]) -> int:
    """Copy all rows and damaged rows into the tables; return how many there were. ``progress`` hears the
    bytes read.
    """
    problems: list[Problem] = []
    total, told, chunk = 0, 0, list[Row]()
    columns = list(dialect.positions)
    words = [(place, dialect.words[name]) for place, name in enumerate(columns) if name in dialect.words]
    # Lines of a block go to the database as they are, so what they are translated to must not mean anything there.
    in_blocks = all(map(_is_plain, (ours for known in dialect.words.values() for ours in known.values())))
    for piece in read_pieces(file, dialect, problems.append, in_blocks=in_blocks):
        if isinstance(piece, str):
            _copy(dialect.in_order, piece)
            total += piece.count("\n")
        else:
            for place, known in words:
                piece[1][place] = known.get(piece[1][place].lower(), piece[1][place])
            chunk.append(piece)
        if len(chunk) + len(problems) >= CHUNK:
            total += _write(columns, chunk, problems)
            chunk = []
        if total >= told + CHUNK:
            told = total
            progress(file.tell())
    total += _write(columns, chunk, problems)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE import_row")
    return total


def _is_plain(text: str) -> bool:
    return text.isprintable() and "\\" not in text


def _write(columns: list[str], rows: list[Row], problems: list[Problem]) -> int:
    total = len(rows) + len(problems)
    lines = "".join(map(_copy_line, rows))
    # One look at all of them; they are rare.
    if _INVISIBLE.search(lines):
        lines = _INVISIBLE.sub("", lines)
    _copy(columns, lines)
    copy_rows(
        "import_problem",
        ["row_number", "column_name", "value", "code"],
        [(problem.row_number, "", _storable(problem.value), problem.code) for problem in problems],
    )
    problems.clear()
    return total


def _copy(columns: list[str], lines: str) -> None:
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY import_row ({', '.join(['row_number', *columns])}) FROM STDIN", io.StringIO(lines))


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
