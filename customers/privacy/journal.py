"""The journal of erasures: a file outside the database that tells who was erased and let in again, as keyed hashes.

A back-up that is restored brings back who was erased after it was made, and does not know of it. The journal does:
``manage.py erase_again`` reads it. It is only ever added to, a line of JSON per erasure or release.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import logging
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)

Digest = tuple[str, bytes]  # what it is, its hash
ERASED, RELEASED = "erased", "released"


@dataclass(frozen=True)
class Entry:
    """One line: ``did`` is "erased" or "released"; ``ground`` is one of Erasure.Ground, empty for a release."""

    did: str
    ground: str
    at: dt.datetime
    digests: tuple[Digest, ...]


class BadJournal(Exception):  # noqa: N818
    """A line is not one of ours."""


def write(did: str, digests: Collection[Digest], *, at: dt.datetime, ground: str = "") -> None:
    """Add a line once the transaction has succeeded.

    A journal that cannot be written is told in the log: it must not bring back who has just been erased.
    """
    said = {
        "at": at.isoformat(),
        "did": did,
        "ground": ground,
        "keys": sorted((what, one.hex()) for what, one in digests),
    }
    transaction.on_commit(lambda: _add(json.dumps(said)), robust=True)


def _add(line: str) -> None:
    path = Path(settings.ERASURE_JOURNAL)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(_start(file) + line.encode() + b"\n")
            os.fsync(descriptor)
    except OSError:
        log.exception("the journal of erasures %s cannot be written", path)


def _start(file: FileIO) -> bytes:
    """Return what a line begins with: on a new line, when the last one was broken off."""
    if not file.seek(0, os.SEEK_END):
        return b""
    file.seek(-1, os.SEEK_END)
    return b"" if file.read(1) == b"\n" else b"\n"


def read(path: Path) -> Iterator[Entry]:
    """Yield the lines, oldest first; the last one may be broken off. Raises BadJournal, OSError."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            try:
                yield _entry(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                if line.startswith('{"at"') and not line.rstrip().endswith("}"):
                    log.warning("line %s of the journal of erasures was broken off", number)
                    continue
                raise BadJournal(f"line {number} of {path} is not of a journal of erasures") from error


def _entry(said: dict[str, object]) -> Entry:
    digests = said["keys"]
    if said["did"] not in (ERASED, RELEASED) or not isinstance(digests, list):
        raise ValueError("not ours")
    return Entry(
        did=str(said["did"]),
        ground=str(said["ground"]),
        at=dt.datetime.fromisoformat(str(said["at"])),
        digests=tuple((str(what), bytes.fromhex(one)) for what, one in digests),
    )
