"""Take a file in: keep it, and work it off once, whoever asks and however often it is broken off; show first what it
would change; take it back.
"""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractContextManager
from pathlib import PurePath
from typing import BinaryIO, cast
from uuid import uuid4

from django.contrib.auth.models import User
from django.core.files import File
from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.locks import session_lock
from customers.actions.sources import source
from customers.imports import FORMATS, apply_run, examine, undo_run
from customers.imports.deliveries import delivery_of
from customers.models import Feed, ImportRun

ATTEMPTS = 3
State = ImportRun.State
UNDER_WAY = (State.WAITING, State.RUNNING, State.UNDOING)
# What a run changed is kept as it was for as long as its file; after that it cannot be undone.
UNDO_DAYS = 30
# One import at a time: customers come before their loans, and two files never wait for each other's rows.
_LOCK = 7_301_001


def import_lock(*, wait: bool) -> AbstractContextManager[bool]:
    """Hold the lock of imports for as long as this connection lives and the block lasts; yield whether we
    have it.
    """
    return session_lock(_LOCK, wait=wait)


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
    feed: Feed | None = None,
    needs_approval: bool = False,
) -> ImportRun:
    """Keep the file under a name of our own and put it in line; raises Refused when it is not of this format
    at all.

    With a ``feed`` its columns are as the feed says; format and source are the feed's. ``needs_approval`` shows first
    what it would change.
    """
    if format not in FORMATS:
        raise Refused("unknown_format", _("The format “%s” does not exist.") % format, field="format")
    told_by = feed.source if feed else source(source_code)
    content = file if isinstance(file, File) else File(file)
    examine(_raw(content), FORMATS[format], delivery_of(feed))
    content.seek(0)
    name = shown_name(PurePath(file_name.replace("\\", "/")).name)
    run = ImportRun(
        format=format,
        feed=feed,
        source=told_by,
        file_name=name,
        needs_approval=needs_approval,
        started_by_id=by.pk if by else None,
        created_at=now,
    )
    run.file.save(f"{uuid4().hex}{'.xlsx' if name.lower().endswith('.xlsx') else '.csv'}", content, save=False)
    run.save()
    return run


def shown_name(name: str) -> str:
    """Return the name of a file as it may be kept and shown: a disk knows names that are no text."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in name)[:255] or "?"


@transaction.atomic
def approve_import(run: ImportRun, *, by: User | None, now: dt.datetime) -> ImportRun:
    """Put a run that was shown in line to be written; raises Refused when it does not wait for that."""
    run = _locked(run)
    if run.state != State.PREVIEWED:
        raise Refused("not_waiting", _("This import does not wait for a yes any more."))
    run.approved_by, run.state, run.percent = _name(by) or "–", State.WAITING, 0
    run.save(update_fields=["approved_by", "state", "percent"])
    return run


@transaction.atomic
def cancel_import(run: ImportRun, *, by: User | None, now: dt.datetime) -> ImportRun:
    """Leave a run that was shown, or that nobody began yet, unwritten; raises Refused for another."""
    run = _locked(run)
    if run.state not in (State.PREVIEWED, State.WAITING) or (run.state == State.WAITING and run.attempts):
        raise Refused("not_waiting", _("This import does not wait for a yes any more."))
    run.state, run.percent, run.finished_at, run.preview = State.CANCELLED, 100, now, {}
    run.approved_by = _name(by)
    run.save(update_fields=["state", "percent", "finished_at", "preview", "approved_by"])
    return run


@transaction.atomic
def retry_import(run: ImportRun, *, by: User | None, now: dt.datetime) -> ImportRun:
    """Put a refused file in line again, as when it was brought; raises Refused when there is nothing to try."""
    run = _locked(run)
    if not can_retry(run):
        raise Refused("not_refused", _("Only a file that was refused and that we still have can be tried again."))
    run.state, run.refusal, run.percent, run.attempts, run.finished_at = State.WAITING, "", 0, 0, None
    run.approved_by = ""
    run.save(update_fields=["state", "refusal", "percent", "attempts", "finished_at", "approved_by"])
    return run


def can_retry(run: ImportRun) -> bool:
    """Say whether a refused file is still there to be tried again."""
    return run.state == State.REFUSED and bool(run.file)


@transaction.atomic
def undo_import(run: ImportRun, *, by: User | None, now: dt.datetime) -> ImportRun:
    """Put a run in line to be taken back; raises Refused for one that wrote nothing, or did so too long ago."""
    run = _locked(run)
    if run.state in (State.UNDOING, State.UNDONE):
        return run
    if run.state != State.DONE:
        raise Refused("not_done", _("Only an import that was taken in can be undone."))
    if not (run.new_count or run.changed_count):
        raise Refused("changed_nothing", _("This import changed nothing, so there is nothing to undo."))
    if not can_undo(run, now=now):
        raise Refused("too_late", _("An import can be undone for %s days. Correct the data instead.") % UNDO_DAYS)
    run.state, run.undone_by, run.percent, run.attempts = State.UNDOING, _name(by), 0, 0
    run.save(update_fields=["state", "undone_by", "percent", "attempts"])
    return run


def can_undo(run: ImportRun, *, now: dt.datetime) -> bool:
    """Say whether a run wrote something that can still be taken back."""
    if run.state != State.DONE or run.finished_at is None:
        return False
    return bool(run.new_count or run.changed_count) and run.finished_at > now - dt.timedelta(days=UNDO_DAYS)


def _locked(run: ImportRun) -> ImportRun:
    return ImportRun.objects.select_for_update().get(pk=run.pk)


def _name(by: User | None) -> str:
    return (by.get_full_name() or by.get_username()) if by else ""


def next_import() -> ImportRun | None:
    """Return the oldest run that is not done yet and that nobody else is claiming, or None."""
    unfinished = ImportRun.objects.filter(state__in=UNDER_WAY)
    with transaction.atomic():
        return unfinished.select_for_update(skip_locked=True).order_by("pk").first()


def _raw(file: File[bytes]) -> BinaryIO:
    """Return the file below Django's wrappers: text is read from a real one only."""
    raw = file.file
    return cast(BinaryIO, raw.file if isinstance(raw, File) else raw)


def run_import(run: ImportRun, *, now: dt.datetime) -> ImportRun:
    """Work a run off, or take it back, and return it; when it does not wait for that nothing happens.

    A file that cannot be taken in makes the run refused, with the reason. An error of ours does too, so that
    it is not tried for ever, and is raised for the log.
    """
    with import_lock(wait=True):
        run = ImportRun.objects.select_related("source", "feed__source").get(pk=run.pk)
        if run.state not in UNDER_WAY:
            return run
        if run.attempts >= ATTEMPTS:
            return _give_up(run, _("This was broken off three times. Nothing has been written."), now)
        run.attempts += 1
        run.state, run.percent = State.UNDOING if run.state == State.UNDOING else State.RUNNING, 0
        run.save(update_fields=["attempts", "state", "percent"])
        try:
            if run.state == State.UNDOING:
                undo_run(run, undone_by=run.undone_by, now=now)
            else:
                apply_run(run, now=now)
        except Refused as refused:
            return _give_up(run, str(refused), now)
        except FileNotFoundError:
            return _give_up(run, _("The file is gone. Upload it again."), now)
        except OperationalError:
            raise  # the database went away: the run stays in line
        except Exception:
            _give_up(run, _("An error of ours stopped this. Nothing has been written; we have noted it."), now)
            raise
    return run


def _give_up(run: ImportRun, reason: str, now: dt.datetime) -> ImportRun:
    """A file that cannot be taken in is refused; what cannot be taken back stays done, with the reason."""
    is_undo = run.state == State.UNDOING
    run.state, run.refusal, run.percent = State.DONE if is_undo else State.REFUSED, reason, 100
    run.finished_at = run.finished_at if is_undo else now
    run.save(update_fields=["state", "refusal", "finished_at", "percent"])
    return run
