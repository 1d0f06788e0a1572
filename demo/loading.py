"""Imports the demo library's files as a user does: hand in the file, let it be taken in, read what came of it."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from django.contrib.auth.models import User
from django.core.files import File

from common.time import clock
from customers.actions import run_import, upload_import
from customers.models import ImportRun

# file, format, source, what people call it
FILES = (
    ("vestigingen", ImportRun.Format.BRANCHES, "library", "branches"),
    ("klanten", ImportRun.Format.CUSTOMERS, "library", "customers"),
    ("abonnementen", ImportRun.Format.SUBSCRIPTIONS, "library", "subscriptions"),
    ("toestemmingen", ImportRun.Format.CONSENTS, "library", "consents"),
    ("uitleningen", ImportRun.Format.FACTS, "library", "loans"),
    ("reserveringen", ImportRun.Format.FACTS, "library", "reservations"),
    ("betalingen", ImportRun.Format.FACTS, "library", "payments"),
    ("kaartverkoop", ImportRun.Format.FACTS, "theatre", "ticket sales"),
    ("webbezoek", ImportRun.Format.FACTS, "website", "web visits"),
)


class ImportFailed(Exception):  # noqa: N818 -- reads as what happened
    """A file of the demo was not taken in whole; the message names the first row and why."""


def imports(files: dict[str, Path], *, by: User) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield what a file holds and what takes it in; taking in returns a summary. Raises ImportFailed."""
    for name, kind, source, title in FILES:
        yield title, partial(take_in, files[name], kind, source, by=by)


def take_in(path: Path, kind: str, source: str, *, by: User) -> str:
    """Import one file and return how many rows it brought. Raises ImportFailed."""
    with path.open("rb") as file:
        run = upload_import(
            format=kind, source_code=source, file=File(file, name=path.name), file_name=path.name, by=by, now=clock()
        )
    run_import(run, now=clock())
    run.refresh_from_db()
    if run.state != ImportRun.State.DONE or run.refused_count:
        first = run.errors.first()
        why = f"row {first.row_number}, {first.column} = {first.value!r}: {first.remedy}" if first else run.refusal
        raise ImportFailed(f"{path.name} was not taken in whole ({run.refused_count:,} rows refused): {why}")
    return f"{run.new_count:,} rows"
