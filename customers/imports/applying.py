"""One run from its file to its counts: stage, then validate and write in a single transaction; or try that; or undo."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from common.sql import execute, rows
from common.time import local_date
from customers.imports import progress
from customers.imports.deliveries import delivery_of
from customers.imports.formats import FORMATS, Format, importable_kinds
from customers.imports.formats.base import Check
from customers.imports.reading import Dialect, examine
from customers.imports.remedies import REMEDIES
from customers.imports.staging import stage, staging_tables
from customers.imports.words import PURPOSES
from customers.imports.writers.absences import note_absences, undo_absences
from customers.matching.arriving import remember_arrivals
from customers.models import Feed, ImportChange, ImportError, ImportRun  # noqa: A004 - a row of an import
from customers.numbers import make_known
from customers.privacy import keys

KEPT_ERRORS = 10_000  # of one run; the rest is counted
READ_PERCENT = 40  # how far the bar is when all is read; what follows is one transaction
WORK_MEMORY = "96MB"

# After so many new rows the planner is told at once: until it hears of a first import, it takes the tables for empty
# and joins them row by row.
MANY_ROWS = 1_000
WRITTEN = (
    "customers_customer", "customers_contactpoint", "customers_sourcerecord", "customers_household",
    "customers_subscription", "customers_consent", "customers_fact", "customers_facttotal", "customers_importchange",
)  # fmt: skip

Values = Mapping[str, Any]


class _TakenBack(Exception):  # noqa: N818 - no error: the end of a trial
    """What a trial wrote is taken back."""


def apply_run(run: ImportRun, *, now: dt.datetime) -> None:
    """Take the file in and fill the run's counts; raises Refused when the file is not of the format.

    1. examine the file; 2. stage its rows; 3. in one transaction: find what is wrong, write what is good,
    keep what was refused. Killed anywhere, nothing has happened. A run that waits for approval does all of it too,
    takes it back, and keeps what it would have done.
    """
    format = FORMATS[run.format]  # noqa: A001
    if not run.file:
        raise FileNotFoundError(run.file_name)
    with run.file.open("rb") as file:
        raw = file.file
        dialect = examine(raw, format, delivery_of(run.feed))
        with staging_tables(format, dialect):
            size = max(run.file.size, 1)
            run.row_count = stage(raw, dialect, lambda done: _tell(run, done * READ_PERCENT // size))
            _tell(run, READ_PERCENT)
            is_trial = run.needs_approval and not run.approved_by
            values = values_of(run, now, is_trial=is_trial)
            with progress.following(run.pk, READ_PERCENT, 99):
                (_try if is_trial else _write)(run, format, dialect, values)


def _write(run: ImportRun, format: Format, dialect: Dialect, values: Values) -> None:  # noqa: A002
    with transaction.atomic():
        written = _take_in(format, dialect, values)
        run.new_count, run.changed_count, run.same_count = written
        run.refused_count, run.remarks = _refused_count(), _remarks()
        run.errors.all().delete()  # those of the trial
        ImportError.objects.bulk_create([ImportError(run=run, **error) for error in _errors(run)])
        run.state, run.percent, run.finished_at, run.preview = ImportRun.State.DONE, 100, values["now"], {}
        run.save()
    if run.new_count + run.changed_count >= MANY_ROWS:
        execute(f"ANALYZE {', '.join(WRITTEN)}")


def _try(run: ImportRun, format: Format, dialect: Dialect, values: Values) -> None:  # noqa: A002
    errors: list[dict[str, Any]] = []
    try:
        with transaction.atomic():
            run.new_count, run.changed_count, run.same_count = _take_in(format, dialect, values)
            run.refused_count, run.remarks, errors = _refused_count(), _remarks(), _errors(run)
            run.preview = {"new": _samples("new"), "changed": _samples("changed")}
            raise _TakenBack
    except _TakenBack:
        pass
    with transaction.atomic():
        run.errors.all().delete()
        ImportError.objects.bulk_create([ImportError(run=run, **error) for error in errors])
        run.state, run.percent, run.attempts = ImportRun.State.PREVIEWED, 100, 0
        run.save()


def _take_in(format: Format, dialect: Dialect, values: Values) -> tuple[int, int, int]:  # noqa: A002
    """Find what is wrong and write what is good; return how many rows were new, changed and unchanged."""
    execute(f"SET LOCAL work_mem = '{WORK_MEMORY}'")
    if format.persons:
        told = enumerate(name for name in format.persons if name in dialect.columns)
        make_known([(f"SELECT {name} FROM import_row", place == 0) for place, name in told], values)  # noqa: S608
        progress.reached(0.1)
    find_problems(format, dialect.columns, values)
    progress.reached(0.25)
    if format.prepare:
        format.prepare(dialect.columns, values)
    execute("DELETE FROM import_row WHERE row_number IN (SELECT row_number FROM import_problem)")
    progress.reached(0.35)
    with progress.span(0.35, 1):
        written = format.write(dialect.columns, values)
    remember_arrivals(format.code, values)
    if values["is_whole"]:
        note_absences(values)
    return written


def undo_run(run: ImportRun, *, undone_by: str, now: dt.datetime) -> None:
    """Take back what a run wrote, in one transaction, and fill its counts; what later rows build on stays.

    Killed anywhere, nothing has happened.
    """
    with progress.following(run.pk, 0, 99), transaction.atomic():
        execute(f"SET LOCAL work_mem = '{WORK_MEMORY}'")
        values = {**values_of(run, now, is_trial=False), "undone_by": undone_by}
        removed, restored, kept = FORMATS[run.format].undo(values)
        undo_absences(values)
        run.undo_counts = {"removed": removed, "restored": restored, "kept": sum(kept.values()), "why": kept}
        run.state, run.percent, run.undone_at = ImportRun.State.UNDONE, 100, now
        run.save(update_fields=["state", "percent", "undone_at", "undo_counts"])
        ImportChange.objects.filter(run=run).delete()


def values_of(run: ImportRun, now: dt.datetime, *, is_trial: bool) -> Values:
    """Return what the statements of a run may refer to by name."""
    matching = run.feed.matching if run.feed else Feed.Matching.KEY
    return {
        "run": run.pk,
        "source": run.source_id,
        "prefix": "" if matching == Feed.Matching.NUMBER else run.source.number_prefix,
        "matching": matching,
        "now": now,
        "today": local_date(now),
        "kinds": json.dumps(importable_kinds()),
        "purposes": json.dumps(PURPOSES),
        "actor": f"import {run.pk}",
        "is_trial": is_trial,
        "is_whole": run.format == ImportRun.Format.CUSTOMERS and run.feed is not None and run.feed.is_whole,
    }


def find_problems(format: Format, present: frozenset[str], values: Values) -> None:  # noqa: A002
    """Write a problem for each wrong cell in one pass, then for rows that repeat the number of an earlier
    good row.
    """
    checks = format.checks_of(present)
    execute(
        f"""
        INSERT INTO import_problem (row_number, column_name, value, code)
        SELECT r.row_number, found.column_name, left(found.value, 200), found.code
        FROM import_row AS r {format.joins_of(present)}
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


def _errors(run: ImportRun) -> list[dict[str, Any]]:
    """Return the first refused rows with their remedies, as fields of ImportError, without values that were erased."""
    remedies = {code: str(remedy) for code, remedy in REMEDIES.items()}
    found = rows(
        """
        SELECT row_number, column_name AS "column", left(value, 200) AS value, code
        FROM import_problem ORDER BY row_number, column_name LIMIT %(kept)s
        """,
        {"kept": KEPT_ERRORS},
    )
    gone = keys.erased_among({row["value"] for row in found}, prefix=run.source.number_prefix)
    return [
        {**row, "value": "" if row["value"] in gone else row["value"], "remedy": remedies.get(row["code"], "")}
        for row in found
    ]


def _refused_count() -> int:
    return int(rows("SELECT count(DISTINCT row_number) AS refused FROM import_problem")[0]["refused"])


def _remarks() -> dict[str, int]:
    found = rows("SELECT code, sum(count)::bigint AS count FROM import_remark WHERE count > 0 GROUP BY code")
    return {row["code"]: row["count"] for row in found}


def _samples(what: str) -> list[dict[str, Any]]:
    return [
        {
            "row": row["row_number"],
            "title": row["title"],
            "before": json.loads(row["before"]),
            "after": json.loads(row["after"]),
        }
        for row in rows("SELECT * FROM import_sample WHERE what = %(what)s ORDER BY row_number", {"what": what})
    ]


def _tell(run: ImportRun, percent: int) -> None:
    """Show how far we are, outside the transaction that writes; within a test's or a caller's it shows at its
    end.
    """
    if connection.in_atomic_block:
        return
    ImportRun.objects.filter(pk=run.pk).update(percent=percent)
