"""What a source says of a batch of people, as a file: the same checks, the same report, undone the same way."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence

from django.contrib.auth.models import User

from customers.actions.imports import import_lock, run_import, upload_import
from customers.imports.words import CUSTOMER_KINDS, GENDERS
from customers.imports.writers.customers import SAID
from customers.models import ImportRun, Source

MOST_ROWS = 1_000
_COLUMNS = {field: column for column, (field, _text) in SAID.items()}
_WORDS = {
    "kind": {code: word for word, code in CUSTOMER_KINDS.items()},
    "gender": {code: word for word, code in GENDERS.items()},
}


def write_records(
    told_by: Source, records: Sequence[Mapping[str, str]], *, by: User | None, now: dt.datetime
) -> ImportRun:
    """Write a batch of at most MOST_ROWS records: field -> text, with ``key`` for the number at the source.

    Return the run: done, or waiting when a file is being taken in. All records have the same fields, ``last_name``
    among them; fields that they do not have are left as they are.
    """
    fields = [field for field in _COLUMNS if field in records[0]]
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["klantnummer", *(_COLUMNS[field] for field in fields)])
    for record in records:
        cells = [_WORDS.get(field, {}).get(record.get(field, ""), record.get(field, "")) for field in fields]
        writer.writerow([record["key"], *cells])
    run = upload_import(
        format=ImportRun.Format.CUSTOMERS,
        source_code=told_by.code,
        file=io.BytesIO(file.getvalue().encode()),
        file_name="api.csv",
        by=by,
        now=now,
    )
    with import_lock(wait=False) as is_ours:
        return run_import(run, now=now) if is_ours else run
