"""Write a set of wanted rows over a table: insert what is new, update what differs, leave the rest alone.

The wanted rows stand in a temporary table that has the key, ``existing`` (id of the row that is there, or
NULL) and all columns to write. What an update changes is kept as it was (``ImportChange``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from common.sql import execute

SAMPLES = 50  # of what is new, and of what changes, shown before an import is approved


def good_rows() -> str:
    """Return the rows without a problem, to stand in ``FROM ({…}) AS r``, for who looks for more problems.

    Writers find only good rows in ``import_row``.
    """
    return (
        "SELECT r.* FROM import_row AS r"
        " WHERE NOT EXISTS (SELECT FROM import_problem AS p WHERE p.row_number = r.row_number)"
    )


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


def update_changed(table: str, wanted: str, columns: Sequence[str], values: Mapping[str, Any]) -> int:
    """Update the rows of which a column differs, keeping them as they were; return how many."""
    mine = ", ".join(f"there.{column}" for column in columns)
    theirs = ", ".join(f"wanted.{column}" for column in columns)
    sets = ", ".join(f"{column} = wanted.{column}" for column in columns)
    return execute(
        f"""
        WITH changed AS (
            UPDATE {table} AS there SET {sets} FROM {wanted} AS wanted, {table} AS was
            WHERE there.id = wanted.existing AND was.id = there.id AND ({mine}) IS DISTINCT FROM ({theirs})
            RETURNING there.id, to_jsonb(was) AS before, to_jsonb(there) AS after
        )
        INSERT INTO customers_importchange (run_id, "table", row_id, before, after)
        SELECT %(run)s, '{table}', id, before, after FROM changed
        """,  # noqa: S608
        values,
    )


def keep_samples(what: str, select_sql: str, values: Mapping[str, Any]) -> None:
    """Keep the first rows of what an import would do, when it is tried: ``what`` is "new" or "changed".

    ``select_sql`` yields row_number, title, before and after (jsonb: name -> text).
    """
    if values["is_trial"]:
        execute(
            f"""
            INSERT INTO import_sample (what, row_number, title, before, after)
            SELECT '{what}', row_number, title, before, after FROM ({select_sql}) AS sample
            ORDER BY row_number LIMIT {SAMPLES}
            """,  # noqa: S608
            values,
        )


def remark(code: str, count_sql: str, values: Mapping[str, Any]) -> None:
    """Have the report say something of good rows: ``code`` of ``remedies.REMARKS``; ``count_sql`` yields how many."""
    execute(f"INSERT INTO import_remark SELECT '{code}', count FROM ({count_sql}) AS told (count)", values)  # noqa: S608


def cells_of_row(columns: Iterable[str]) -> str:
    """Return SQL for what stands in these columns of row ``r``, as jsonb without what is empty."""
    cells = ", ".join(f"'{name}', nullif(r.{name}, '')" for name in columns)
    return f"jsonb_strip_nulls(jsonb_build_object({cells}))"
