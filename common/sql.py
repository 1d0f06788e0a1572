"""Set-based SQL in one place: run statements, put a queryset inside one, copy rows in bulk."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet


def execute(statement: str, params: Mapping[str, Any] | Sequence[Any] | None = None) -> int:
    """Run one statement with bound parameters and return the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return int(cursor.rowcount)


def rows(statement: str, params: Mapping[str, Any] | Sequence[Any] | None = None) -> list[dict[str, Any]]:
    """Run one query and return its rows as dicts, column name -> value."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


_prepared = threading.local()


def rows_prepared(statement: str, params: Sequence[Any], *, types: Sequence[str]) -> list[dict[str, Any]]:
    """Run a statement that is planned once per connection and then only executed: for what is asked so often that
    planning would take most of the time. Its parameters are $1, $2, … of these types; a percent sign is just that.
    """
    name = "p" + hashlib.md5(f"{types}{statement}".encode(), usedforsecurity=False).hexdigest()
    connection.ensure_connection()
    if getattr(_prepared, "connection", None) is not connection.connection:
        _prepared.connection, _prepared.names = connection.connection, set()
    if name not in _prepared.names:
        execute(f"PREPARE {name} ({', '.join(types)}) AS {statement}")
        _prepared.names.add(name)
    places = ", ".join(["%s"] * len(params))
    # A plan for any values at all; with the first few, PostgreSQL would make one for each.
    return rows(f"SET LOCAL plan_cache_mode = force_generic_plan; EXECUTE {name} ({places})", params)


def as_subquery(queryset: QuerySet[Any, Any]) -> str:
    """Return the queryset as SQL text with its parameters safely bound, to stand in ``FROM ({…}) AS x``.

    Percent signs are doubled, so the text may be put into a statement that is executed with parameters. A
    queryset that can have no rows (``.none()``, ``__in=[]``) gives a query without rows.
    """
    compiler = queryset.query.get_compiler(connection=connection, elide_empty=False)
    sql, params = compiler.as_sql()
    with connection.cursor() as cursor:
        text: bytes | str = cursor.mogrify(sql, params)
    return (text.decode() if isinstance(text, bytes) else text).replace("%", "%%")


def copy_rows(table: str, columns: Sequence[str], values: Iterable[Sequence[Any]], *, chunk: int = 5000) -> int:
    """COPY rows into ``table`` in bounded memory and return how many; None becomes NULL.

    ``table`` and ``columns`` come from code, never from input.
    """
    total = 0
    buffer, waiting = io.StringIO(), 0
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with connection.cursor() as cursor:
        for row in values:
            buffer.write("\t".join(map(_copy_text, row)) + "\n")
            waiting += 1
            if waiting == chunk:
                total += _flush(cursor, statement, buffer, waiting)
                buffer, waiting = io.StringIO(), 0
        total += _flush(cursor, statement, buffer, waiting)
    return total


def _flush(cursor: Any, statement: str, buffer: io.StringIO, waiting: int) -> int:
    if waiting:
        buffer.seek(0)
        cursor.copy_expert(statement, buffer)
    return waiting


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _copy_text(value: Any) -> str:
    if value is None:
        return "\\N"
    if value is True or value is False:
        return "t" if value else "f"
    return str(value).translate(_ESCAPES)
