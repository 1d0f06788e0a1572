"""One run from its file to its counts: stage, then validate and write in a single transaction."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from common.sql import execute, rows
from common.time import local_date
from customers.imports.formats import FORMATS, PURPOSES, Check, Format, importable_kinds
from customers.imports.reading import examine
from customers.imports.remedies import REMEDIES
from customers.imports.staging import stage, staging_tables
from customers.imports.writers import WRITERS
from customers.models import ImportRun

KEPT_ERRORS = 10_000  # of one run; the rest is counted
READ_PERCENT = 60  # how far the bar is when all is read; what follows is one transaction, invisible until it is done

Values = Mapping[str, Any]


def apply_run(run: ImportRun, *, now: dt.datetime) -> None:
    """Take the file in and fill the run's counts; raises Refused when the file is not of the format.

    1. examine the file; 2. stage its rows; 3. in one transaction: find what is wrong, write what is good,
    keep what was refused. Killed anywhere, nothing has happened.
    """
    format = FORMATS[run.format]  # noqa: A001
    if not run.file:
        raise FileNotFoundError(run.file_name)
    with run.file.open("rb") as file, staging_tables(format):
        raw = file.file
        dialect = examine(raw, format)
        size = max(run.file.size, 1)
        row_count = stage(raw, dialect, lambda done: _tell(run, done * READ_PERCENT // size))
        _tell(run, READ_PERCENT)
        with transaction.atomic():
            execute("SET LOCAL work_mem = '96MB'")
            values = values_of(run, now)
            find_problems(format, values)
            written = WRITERS[run.format](frozenset(dialect.positions), values)
            refused = keep_errors(run)
            run.row_count, run.refused_count = row_count, refused
            run.new_count, run.changed_count, run.same_count = written
            run.state, run.percent, run.finished_at = ImportRun.State.DONE, 100, now
            run.save()


def values_of(run: ImportRun, now: dt.datetime) -> Values:
    """Return what the statements of a run may refer to by name."""
    return {
        "run": run.pk,
        "source": run.source_id,
        "now": now,
        "today": local_date(now),
        "kinds": json.dumps(importable_kinds()),
        "purposes": json.dumps(PURPOSES),
        "actor": f"import {run.pk}",
    }


def find_problems(format: Format, values: Values) -> None:  # noqa: A002
    """Write a problem for each wrong cell in one pass, then for rows that repeat the number of an earlier
    good row.
    """
    checks = format.all_checks
    execute(
        f"""
        INSERT INTO import_problem (row_number, column_name, value, code)
        SELECT r.row_number, found.column_name, left(found.value, 200), found.code
        FROM import_row AS r {format.joins}
        CROSS JOIN LATERAL (VALUES {", ".join(map(_told, checks))}) AS found (column_name, value, code, is_bad)
        WHERE ({" OR ".join(f"({check.bad})" for check in checks)}) AND found.is_bad
        """,  # noqa: S608 - conditions and names are ours
        values,
    )
    if format.unique:
        execute(_duplicates_sql(format.unique))
    execute("CREATE INDEX ON import_problem (row_number)")
    execute("ANALYZE import_problem")


def _told(check: Check) -> str:
    return f"('{check.column}', r.{check.column}, '{check.code}', ({check.bad}))"


def _duplicates_sql(column: str) -> str:
    return f"""
        WITH good AS (
            SELECT row_number, {column} AS number FROM import_row
            WHERE row_number NOT IN (SELECT row_number FROM import_problem)
        ),
        twice AS (SELECT number, min(row_number) AS first FROM good GROUP BY number HAVING count(*) > 1)
        INSERT INTO import_problem (row_number, column_name, value, code)
        SELECT row_number, '{column}', left(number, 200), 'duplicate'
        FROM good JOIN twice USING (number) WHERE row_number > first
    """  # noqa: S608


def keep_errors(run: ImportRun) -> int:
    """Keep the first refused rows with their remedies; return how many rows were refused in all."""
    values: dict[str, Any] = {"run": run.pk, "kept": KEPT_ERRORS}
    values["remedies"] = json.dumps({code: str(remedy) for code, remedy in REMEDIES.items()})
    execute(
        """
        INSERT INTO customers_importerror (run_id, row_number, "column", value, code, remedy)
        SELECT %(run)s, row_number, column_name, left(value, 200), code, (%(remedies)s::jsonb) ->> code
        FROM import_problem ORDER BY row_number, column_name LIMIT %(kept)s
        """,
        values,
    )
    return int(rows("SELECT count(DISTINCT row_number) AS refused FROM import_problem")[0]["refused"])


def _tell(run: ImportRun, percent: int) -> None:
    """Show how far we are, outside the transaction that writes; within a test's or a caller's it shows at its
    end.
    """
    if connection.in_atomic_block:
        return
    ImportRun.objects.filter(pk=run.pk).update(percent=percent)
