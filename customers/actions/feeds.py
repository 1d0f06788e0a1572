"""Regular deliveries: made and changed by staff, looked for in their folder by the clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.time import local_date, start_of_day
from customers.actions.imports import upload_import
from customers.imports import FORMATS
from customers.models import Feed, ImportRun

QUIET = dt.timedelta(minutes=1)  # a file that nobody wrote to for so long is complete; one with a ".ready" is at once
PROCESSED, REFUSED = "processed", "refused"


@transaction.atomic
def save_feed(feed: Feed | None, *, now: dt.datetime, **fields: Any) -> Feed:
    """Make a delivery, or change these fields of one; raises Refused with the field that is wrong.

    A delivery without a complete mapping may be kept, but not be active: its files would all be refused.
    """
    feed = Feed.objects.select_for_update().get(pk=feed.pk) if feed else Feed(created_at=now)
    for name, value in fields.items():
        setattr(feed, name, value)
    same = Feed.objects.filter(source_id=feed.source_id, name=feed.name).exclude(pk=feed.pk)
    if same.exists():
        raise Refused("name_taken", _("This source has a delivery of that name already."), field="name")
    if feed.delivers not in FORMATS:
        raise Refused("unknown_format", _("The format “%s” does not exist.") % feed.delivers, field="delivers")
    _check_mapping(feed)
    _check_folder(feed)
    if feed.is_active and (missing := missing_columns(feed)):
        raise Refused("not_mapped", _("First say where these come from: %s.") % ", ".join(missing), field="is_active")
    feed.next_look_at = next_look(feed, now=now)
    feed.save()
    return feed


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
        is_cell = isinstance(cell, Mapping) and ("column" in cell) != ("constant" in cell)
        if name not in names or not is_cell or not isinstance(cell.get("values", {}), Mapping):
            message = _("“%s” is no column of this format, or is not told rightly.") % name
            raise Refused("bad_mapping", message, field="mapping")


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
            take_file(feed, file, now=now)
            taken += 1
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
        is_ours = fnmatch(file.name, feed.pattern or "*") and not file.name.startswith(".")
        if is_ours and not file.is_symlink() and file.is_file() and file.suffix != ".ready":
            yield file


def _is_complete(file: Path, now: dt.datetime) -> bool:
    if file.with_name(f"{file.name}.ready").exists():
        return True
    return dt.datetime.fromtimestamp(file.stat().st_mtime, tz=dt.UTC) <= now - QUIET


def complete_files(feed: Feed, *, now: dt.datetime) -> list[Path]:
    """Return the files of a feed that nobody writes to any more, by name."""
    return [file for file in _candidates(feed) if _is_complete(file, now)]


def take_file(feed: Feed, file: Path, *, now: dt.datetime) -> ImportRun:
    """Put a file in line and move it to ``processed``; one that is not of the format to ``refused``, with a run that
    says why.
    """
    try:
        with file.open("rb") as content:
            run = upload_import(
                format=feed.delivers, source_code=feed.source.code, file=content, file_name=file.name, by=None, now=now,
                feed=feed, needs_approval=feed.needs_approval,
            )  # fmt: skip
    except Refused as refused:
        run = ImportRun.objects.create(
            format=feed.delivers, feed=feed, source=feed.source, file_name=file.name[:255], created_at=now,
            finished_at=now, state=ImportRun.State.REFUSED, refusal=str(refused), percent=100,
        )  # fmt: skip
        _move(file, REFUSED, run)
        return run
    _move(file, PROCESSED, run)
    return run


def _move(file: Path, to: str, run: ImportRun) -> None:
    folder = file.parent / to
    folder.mkdir(exist_ok=True)
    file.replace(folder / f"{run.pk}-{file.name}")
    file.with_name(f"{file.name}.ready").unlink(missing_ok=True)
