"""Regular deliveries: made and changed by staff, looked for in their folder by the clock."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.time import local_date, start_of_day
from customers.actions.imports import shown_name, upload_import
from customers.imports import FORMATS
from customers.models import Feed, ImportRun

ENCODINGS = ("", "utf-8", "utf-8-sig", "utf-16", "cp1252")
# What a file is read by; when it changes, what was shown of a file that waits for a yes is no longer what it would do.
_READ_BY = ("mapping", "delimiter", "encoding", "matching")
QUIET = dt.timedelta(minutes=1)  # a file that nobody wrote to for so long is complete; one with a ".ready" is at once
PROCESSED, REFUSED = "processed", "refused"
ONCE_A_DAY = dt.timedelta(days=1)


@transaction.atomic
def save_feed(feed: Feed | None, *, now: dt.datetime, **fields: Any) -> Feed:
    """Make a delivery, or change these fields of one; raises Refused with the field that is wrong.

    A delivery without a complete mapping may be kept, but not be active: its files would all be refused.
    """
    feed = Feed.objects.select_for_update().get(pk=feed.pk) if feed else Feed(created_at=now)
    before = {name: getattr(feed, name) for name in (*_READ_BY, "delivers", "source_id")}
    for name, value in fields.items():
        setattr(feed, name, value)
    same = Feed.objects.filter(source_id=feed.source_id, name=feed.name).exclude(pk=feed.pk)
    if same.exists():
        raise Refused("name_taken", _("This source has a delivery of that name already."), field="name")
    if feed.delivers not in FORMATS:
        raise Refused("unknown_format", _("The format “%s” does not exist.") % feed.delivers, field="delivers")
    _check_reading(feed)
    _check_mapping(feed)
    _check_folder(feed)
    if feed.pk and (before["delivers"], before["source_id"]) != (feed.delivers, feed.source_id) and feed.runs.exists():
        message = _("Files came in by this delivery already. Make another one for other files.")
        raise Refused("has_runs", message, field="delivers")
    if feed.is_active and (missing := missing_columns(feed)):
        raise Refused("not_mapped", _("First say where these come from: %s.") % ", ".join(missing), field="is_active")
    feed.next_look_at = next_look(feed, now=now)
    feed.save()
    if any(before[name] != getattr(feed, name) for name in _READ_BY):
        _show_again(feed)
    return feed


def _show_again(feed: Feed) -> None:
    """Let files that wait for a yes, or have it and were not begun, be tried anew."""
    waiting = ImportRun.objects.filter(feed=feed, needs_approval=True)
    waiting.filter(state=ImportRun.State.WAITING).update(approved_by="")
    waiting.filter(state=ImportRun.State.PREVIEWED).update(state=ImportRun.State.WAITING, percent=0, preview={})


def missing_columns(feed: Feed) -> list[str]:
    """Return the columns that the format needs and the mapping lacks; without a mapping the names are the format's."""
    if not feed.mapping:
        return []
    return [
        column.name for column in FORMATS[feed.delivers].columns if column.required and column.name not in feed.mapping
    ]


def _check_mapping(feed: Feed) -> None:
    names = FORMATS[feed.delivers].names
    for name, cell in feed.mapping.items():
        if name not in names or not _is_cell(cell) or "\\u0000" in json.dumps(cell):
            message = _("“%s” is no column of this format, or is not told rightly.") % name
            raise Refused("bad_mapping", message, field="mapping")


def _is_cell(cell: Any) -> bool:
    """Say whether this names a column or a value, one of the two, and its words are words."""
    if not isinstance(cell, Mapping) or ("column" in cell) == ("constant" in cell):
        return False
    told, words = cell.get("column", cell.get("constant")), cell.get("values", {})
    is_told = isinstance(told, str) and bool(told.strip())
    are_words = isinstance(words, Mapping) and all(isinstance(ours, str) for ours in words.values())
    return is_told and are_words and cell.keys() <= {"column", "constant", "values"}


def _check_reading(feed: Feed) -> None:
    if feed.delimiter and (feed.delimiter.isalnum() or feed.delimiter in '"\r\n\0 '):
        raise Refused("bad_delimiter", _("This cannot stand between cells."), field="delimiter")
    if feed.encoding not in ENCODINGS:
        message = _("Known are: %s. Leave it empty to have it found out.") % ", ".join(filter(None, ENCODINGS))
        raise Refused("bad_encoding", message, field="encoding")


def _check_folder(feed: Feed) -> None:
    if "/" in feed.pattern or "\\" in feed.pattern:
        raise Refused("bad_pattern", _("Write only the name of the files, such as leners_*.csv."), field="pattern")
    if feed.schedule:
        if not feed.folder:
            raise Refused("no_folder", _("Say in which folder the files appear."), field="folder")
        if feed.schedule == Feed.Schedule.DAILY and feed.at is None:
            raise Refused("no_time", _("Say at what time we look every day."), field="at")
    if feed.folder:
        folder_of(feed)


def folder_of(feed: Feed) -> Path:
    """Return the folder of a feed; raises Refused for one outside the folder of all imports."""
    root = Path(settings.IMPORT_FOLDER).resolve()
    folder = (root / feed.folder).resolve()
    if not feed.folder.strip() or folder == root or not folder.is_relative_to(root):
        raise Refused("bad_folder", _("Name a folder below %s, such as wise/leners.") % root, field="folder")
    return folder


def is_absent(feed: Feed) -> bool:
    """Say whether a feed has a folder that is not there (yet), so that no file can be found."""
    return bool(feed.folder) and not (Path(settings.IMPORT_FOLDER) / feed.folder).is_dir()


def next_look(feed: Feed, *, now: dt.datetime) -> dt.datetime | None:
    """Return when to look for files next: within the hour, or at the next time of the day; None for never."""
    if not (feed.schedule and feed.is_active):
        return None
    if feed.schedule == Feed.Schedule.HOURLY or feed.at is None:
        return now + dt.timedelta(hours=1) if feed.next_look_at else now
    for days in (0, 1):
        start = start_of_day(local_date(now) + dt.timedelta(days=days))
        at = dt.datetime.combine(local_date(now) + dt.timedelta(days=days), feed.at, tzinfo=start.tzinfo)
        if at > now:
            return at
    raise AssertionError("one of two days has this time before it")


def look_for_files(*, now: dt.datetime) -> int:
    """Put the files of all feeds whose time has come in line; return how many.

    A file is taken when it is complete, and moved away when it is in line: broken off in between, it is taken twice,
    which changes nothing.
    """
    taken = 0
    while feed := _claim(now):
        for file in complete_files(feed, now=now):
            taken += take_file(feed, file, now=now) is not None
    return taken


@transaction.atomic
def _claim(now: dt.datetime) -> Feed | None:
    """Return a feed whose time has come, and set its next; two clocks never get the same one."""
    due = Feed.objects.filter(is_active=True, next_look_at__lte=now).exclude(schedule="").order_by("next_look_at")
    feed = due.select_for_update(skip_locked=True, of=("self",)).select_related("source").first()
    if feed is None:
        return None
    feed.next_look_at = next_look(feed, now=now)
    if _incomplete(feed, now):
        feed.next_look_at = now + QUIET
    Feed.objects.filter(pk=feed.pk).update(next_look_at=feed.next_look_at)
    return feed


def _incomplete(feed: Feed, now: dt.datetime) -> bool:
    return any(not _is_complete(file, now) for file in _candidates(feed))


def _candidates(feed: Feed) -> Iterator[Path]:
    try:
        folder = folder_of(feed)
    except Refused:
        return
    if not folder.is_dir():
        return
    for file in sorted(folder.iterdir()):
        # A link could lead anywhere.
        is_ours = fnmatch(file.name.lower(), (feed.pattern or "*").lower()) and not file.name.startswith(".")
        if is_ours and not file.is_symlink() and file.is_file() and file.suffix != ".ready":
            yield file


def _is_complete(file: Path, now: dt.datetime) -> bool:
    if file.with_name(f"{file.name}.ready").exists():
        return True
    return dt.datetime.fromtimestamp(file.stat().st_mtime, tz=dt.UTC) <= now - QUIET


def complete_files(feed: Feed, *, now: dt.datetime) -> list[Path]:
    """Return the files of a feed that nobody writes to any more, by name."""
    return [file for file in _candidates(feed) if _is_complete(file, now)]


class _StillWritten(Exception):  # noqa: N818 - no error: the file is left for the next look
    """Somebody wrote to the file while it was taken."""


def take_file(feed: Feed, file: Path, *, now: dt.datetime) -> ImportRun | None:
    """Put a file in line and move it to ``processed``; one that is not of the format to ``refused``, with a run that
    says why. Return None for one that somebody else took or still writes to, and for one that we may not touch.
    """
    try:
        for folder in (PROCESSED, REFUSED):
            (file.parent / folder).mkdir(exist_ok=True)
        try:
            run, to = _put_in_line(feed, file, now), PROCESSED
        except Refused as refused:
            run, to = _refuse(feed, file, str(refused), now), REFUSED
        _move(file, to, run)
    except (FileNotFoundError, _StillWritten):
        return None
    except OSError:
        # Without the means to move it away it would come in again at every look.
        reason = _("We may not read this file, or not move it out of its folder. Give us the rights, or remove it.")
        if not feed.runs.filter(file_name=_name(file), refusal=reason, created_at__gt=now - ONCE_A_DAY).exists():
            _refuse(feed, file, reason, now)
        return None
    return run


def _put_in_line(feed: Feed, file: Path, now: dt.datetime) -> ImportRun:
    """Keep a copy; raises _StillWritten, having kept nothing, when the file grew meanwhile."""
    before = file.stat()
    with transaction.atomic(), file.open("rb") as content:
        run = upload_import(
            format=feed.delivers, source_code=feed.source.code, file=content, file_name=file.name, by=None, now=now,
            feed=feed, needs_approval=feed.needs_approval,
        )  # fmt: skip
        after = file.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            run.file.delete(save=False)
            raise _StillWritten
    return run


def _refuse(feed: Feed, file: Path, reason: str, now: dt.datetime) -> ImportRun:
    return ImportRun.objects.create(
        format=feed.delivers, feed=feed, source=feed.source, file_name=_name(file), created_at=now, finished_at=now,
        state=ImportRun.State.REFUSED, refusal=reason, percent=100,
    )  # fmt: skip


def _name(file: Path) -> str:
    return shown_name(file.name)


def _move(file: Path, to: str, run: ImportRun) -> None:
    """Move the file away; raises OSError, having taken the run back, when it cannot go: it would come in again."""
    try:
        file.replace(file.parent / to / f"{run.pk}-{file.name}")
    except FileNotFoundError:
        raise
    except OSError:
        _take_back(run)
        raise
    file.with_name(f"{file.name}.ready").unlink(missing_ok=True)


def _take_back(run: ImportRun) -> None:
    """Let go of a run and its copy of the file, unless a worker has begun with it."""
    unbegun = (ImportRun.State.WAITING, ImportRun.State.REFUSED)
    untouched = ImportRun.objects.filter(pk=run.pk, attempts=0, state__in=unbegun)
    if untouched.delete()[0] and run.file:
        run.file.delete(save=False)
