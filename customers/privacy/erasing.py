"""Take persons out of every table, file and trace, by statement, for one or for a night's batch.

What a table says of itself (``common.personal``) decides: rows are deleted, or stay without the person. Foreign keys
with PROTECT bind Django's collector and not the database, whose own are checked at the end of the transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.core.files.storage import default_storage

from common.personal import PersonalTable, personal_tables
from common.sql import execute, rows
from common.traces import Persons, traces

# Erasing says so to the triggers that keep the ledger of consents and the books of vouchers as they are.
_BEGIN = "SELECT set_config('wise.erasing', 'on', true)"
_END = "SELECT set_config('wise.erasing', 'off', true)"


def rows_of(table: PersonalTable) -> str:
    """Return the condition for the rows of ``%(ids)s`` (customers) and ``%(emails)s`` (and numbers of telephones), to
    stand after WHERE.
    """
    if table.holds == "address":
        return f"lower({table.column}) = ANY(%(emails)s)"
    if table.holds == "parent":
        parent = personal_tables[table.of]
        return f"{table.column} IN (SELECT {parent.key} FROM {parent.table} WHERE {rows_of(parent)})"  # noqa: S608
    return f"{table.column} = ANY(%(ids)s)"


def erase(persons: Persons) -> dict[str, int]:
    """Erase them and return code of a table or trace -> rows, without those where nothing was; inside a transaction.

    Files go last, once the database has found no row that still refers to one that went.
    """
    values = {"ids": list(persons.ids), "emails": [*persons.addresses, *persons.phones]}
    counts: dict[str, int] = {}
    tables = sorted(personal_tables, key=lambda table: table.order)
    files = {name for trace in traces if trace.files for name in trace.files(persons)}
    execute(_BEGIN)
    execute("SET CONSTRAINTS ALL DEFERRED")
    for trace in traces:
        counts[trace.code] = trace.remove(persons)
    for table in tables:
        files.update(_files(table, values))
        _forget_changes(table, values)
    _forget_changes_of_gone_rows(persons)
    # What hangs on a row is found through it, so it goes before.
    for table in sorted(tables, key=lambda table: (-_depth(table), table.order)):
        counts[table.code] = counts.get(table.code, 0) + _erase_rows(table, values)
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute(_END)
    delete_files(files)
    return {code: count for code, count in counts.items() if count}


def delete_files(names: Iterable[str]) -> int:
    """Delete stored files; one that is gone already is no matter. Return how many were named."""
    given = [name for name in names if name]
    for name in given:
        default_storage.delete(name)
    return len(given)


def _depth(table: PersonalTable) -> int:
    return 0 if table.holds != "parent" else 1 + _depth(personal_tables[table.of])


def _files(table: PersonalTable, values: dict[str, Any]) -> Collection[str]:
    if not table.files:
        return []
    found = rows(f"SELECT {', '.join(table.files)} FROM {table.table} WHERE {rows_of(table)}", values)  # noqa: S608
    return {name for row in found for name in row.values() if name}


def _forget_changes(table: PersonalTable, values: dict[str, Any]) -> int:
    """Delete what imports noted of these rows, to be able to undo."""
    own = f"SELECT {table.key} FROM {table.table} WHERE {rows_of(table)}"  # noqa: S608
    return execute(
        f'DELETE FROM customers_importchange WHERE "table" = %(table)s AND row_id IN ({own})',  # noqa: S608
        values | {"table": table.table},
    )


def _forget_changes_of_gone_rows(persons: Persons) -> int:
    """Delete what imports noted of rows that are not there any more, such as an address that was replaced."""
    columns = sorted({table.column for table in personal_tables if table.holds == "customer"} - {"id"})
    tests = " OR ".join(f"said ->> '{column}' = ANY(%(ids)s)" for column in columns)
    return execute(
        f"""
        DELETE FROM customers_importchange AS change WHERE EXISTS (
            SELECT FROM (VALUES (change.before), (change.after)) AS row (said) WHERE {tests}
        )
        """,  # noqa: S608
        {"ids": [str(pk) for pk in persons.ids]},
    )


def _erase_rows(table: PersonalTable, values: dict[str, Any]) -> int:
    if table.eraser:
        return int(rows(f"SELECT {table.eraser}(%(ids)s) AS gone", values)[0]["gone"])
    if table.erase == "delete":
        return execute(f"DELETE FROM {table.table} WHERE {rows_of(table)}", values)  # noqa: S608
    changes = dict(table.scrub) | ({table.column: "NULL"} if table.holds == "customer" else {})
    written = ", ".join(f"{column} = {expression}" for column, expression in changes.items())
    return execute(f"UPDATE {table.table} SET {written} WHERE {rows_of(table)}", values)  # noqa: S608
