"""The folder in which other systems drop their files: what waits there, and what lies there since it was taken in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings

from customers.actions.feeds import PROCESSED, REFUSED

_RUN = re.compile(r"(\d+)-")


def _files() -> Iterator[Path]:
    """Yield all files below the folder; what a link leads to is not in it."""
    root = Path(settings.IMPORT_FOLDER)
    if root.is_dir():
        yield from (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())


def _is_done(path: Path) -> bool:
    return path.parent.name in (PROCESSED, REFUSED)


def waiting() -> Iterator[str]:
    """Yield each file that was not taken in yet, as folder/name; marks (.ready) and hidden files hold nobody."""
    root = Path(settings.IMPORT_FOLDER)
    for path in _files():
        if not _is_done(path) and path.suffix != ".ready" and not path.name.startswith("."):
            yield str(path.relative_to(root))


def done() -> Iterator[tuple[Path, int]]:
    """Yield each file that was taken in or refused, and the id of its import; 0 when its name tells none."""
    for path in _files():
        if _is_done(path):
            found = _RUN.match(path.name)
            yield path, int(found[1]) if found else 0


def remove_done(which: Callable[[int], bool] = lambda _run: True) -> int:
    """Remove the files that were taken in or refused, of the imports (ids) that ``which`` says; return how many."""
    count = 0
    for path, run in list(done()):
        if which(run):
            path.unlink(missing_ok=True)
            count += 1
    return count
