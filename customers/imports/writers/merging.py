"""Write a set of wanted rows over a table: insert what is new, update what differs, leave the rest alone.

The wanted rows stand in a temporary table that has the key, ``existing`` (id of the row that is there, or
NULL) and all columns to write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from common.sql import execute

GOOD = "import_row AS r WHERE NOT EXISTS (SELECT FROM import_problem AS p WHERE p.row_number = r.row_number)"


def good_rows() -> str:
    """Return the rows without a problem, to stand in ``FROM ({…}) AS r``."""
    return f"SELECT r.* FROM {GOOD}"  # noqa: S608


def keep_or(present: Iterable[str], columns: Mapping[str, tuple[str, str, str]], *, old: str = "old") -> dict[str, str]:
    """Return column -> expression. ``columns``: name in the file -> (column, expression, value when nothing
    is known).

    A column that the file lacks keeps what row ``old`` has.
    """
    has = set(present)
    return {
        column: expression if name in has else f"coalesce({old}.{column}, {otherwise})"
        for name, (column, expression, otherwise) in columns.items()
    }


def insert_new(table: str, wanted: str, columns: Mapping[str, str], values: Mapping[str, Any]) -> int:
    """Insert the wanted rows that exist nowhere; ``columns``: column -> expression over ``wanted``. Return
    how many.
    """
    return execute(
        f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608
        f"SELECT {', '.join(columns.values())} FROM {wanted} AS wanted WHERE wanted.existing IS NULL",
        values,
    )


def update_changed(
    table: str, wanted: str, columns: Sequence[str], values: Mapping[str, Any], *, also: str = ""
) -> int:
    """Update the rows of which a column differs; ``also`` is set with it ("updated_at = …"). Return how many."""
    mine = ", ".join(f"there.{column}" for column in columns)
    theirs = ", ".join(f"wanted.{column}" for column in columns)
    sets = ", ".join(f"{column} = wanted.{column}" for column in columns) + (f", {also}" if also else "")
    return execute(
        f"UPDATE {table} AS there SET {sets} FROM {wanted} AS wanted "  # noqa: S608
        f"WHERE there.id = wanted.existing AND ({mine}) IS DISTINCT FROM ({theirs})",
        values,
    )
