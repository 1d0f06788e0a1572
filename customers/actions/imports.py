"""Take a file in: keep it, and work it off once, whoever asks and however often it is broken off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import BinaryIO, cast
from uuid import uuid4

from django.contrib.auth.models import User
from django.core.files import File
from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.actions.sources import source
from customers.imports import FORMATS, apply_run, examine
from customers.models import ImportRun

ATTEMPTS = 3
# One import at a time: customers come before their loans, and two files never wait for each other's rows.
_LOCK = 7_301_001


@contextmanager
def import_lock(*, wait: bool) -> Iterator[bool]:
    """Hold the lock of imports for as long as this connection lives and the block lasts; yield whether we
    have it.
    """
    with connection.cursor() as cursor:
        function = "pg_advisory_lock" if wait else "pg_try_advisory_lock"
        cursor.execute(f"SELECT {function}(%s)", [_LOCK])
        has_lock = wait or bool(cursor.fetchone()[0])
    try:
        yield has_lock
    finally:
        if has_lock and connection.connection and not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def hold_off_imports() -> bool:
    """Keep imports out until the present transaction ends; False when one is under way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


@transaction.atomic
def upload_import(
    *,
    format: str,  # noqa: A002 - the word of the domain
    source_code: str,
    file: File[bytes] | BinaryIO,
    file_name: str,
    by: User | None,
    now: dt.datetime,
) -> ImportRun:
    """Keep the file under a name of our own and put it in line; raises Refused when it is not of this format
    at all.
    """
    if format not in FORMATS:
        raise Refused("unknown_format", _("The format “%s” does not exist.") % format, field="format")
    told_by = source(source_code)
    content = file if isinstance(file, File) else File(file)
    examine(_raw(content), FORMATS[format])
    content.seek(0)
    run = ImportRun(
        format=format,
        source=told_by,
        file_name=PurePath(file_name.replace("\\", "/")).name[:255] or "?",
        started_by_id=by.pk if by else None,
        created_at=now,
    )
    run.file.save(f"{uuid4().hex}.csv", content, save=False)
    run.save()
    return run


def next_import() -> ImportRun | None:
    """Return the oldest run that is not done yet and that nobody else is claiming, or None."""
    unfinished = ImportRun.objects.filter(state__in=[ImportRun.State.WAITING, ImportRun.State.RUNNING])
    with transaction.atomic():
        return unfinished.select_for_update(skip_locked=True).order_by("pk").first()


def _raw(file: File[bytes]) -> BinaryIO:
    """Return the file below Django's wrappers: text is read from a real one only."""
    raw = file.file
    return cast(BinaryIO, raw.file if isinstance(raw, File) else raw)


def run_import(run: ImportRun, *, now: dt.datetime) -> ImportRun:
    """Work a run off and return it; done or refused already means nothing happens.

    A file that cannot be taken in makes the run refused, with the reason. An error of ours does too, so that
    it is not tried for ever, and is raised for the log.
    """
    with import_lock(wait=True):
        run = ImportRun.objects.select_related("source").get(pk=run.pk)
        if run.state in (ImportRun.State.DONE, ImportRun.State.REFUSED):
            return run
        if run.attempts >= ATTEMPTS:
            return _refuse(run, _("Taking this file in was broken off three times. Nothing has been written."), now)
        run.attempts += 1
        run.state, run.percent = ImportRun.State.RUNNING, 0
        run.save(update_fields=["attempts", "state", "percent"])
        try:
            apply_run(run, now=now)
        except Refused as refused:
            return _refuse(run, str(refused), now)
        except FileNotFoundError:
            return _refuse(run, _("The file is gone. Upload it again."), now)
        except OperationalError:
            raise  # the database went away: the run stays in line
        except Exception:
            _refuse(run, _("An error of ours stopped this import. Nothing has been written; we have noted it."), now)
            raise
    return run


def _refuse(run: ImportRun, reason: str, now: dt.datetime) -> ImportRun:
    run.state, run.refusal, run.finished_at, run.percent = ImportRun.State.REFUSED, reason, now, 100
    run.save(update_fields=["state", "refusal", "finished_at", "percent"])
    return run
