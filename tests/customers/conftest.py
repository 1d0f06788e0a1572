"""What tests about imports share: a file that comes in, is worked off, and can be looked at."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from customers.actions import run_import, upload_import
from customers.models import ImportRun
from tests.factories import NOW

Import = Callable[..., ImportRun]


@pytest.fixture(autouse=True)
def _own_media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def take_in(db: None) -> Import:
    """Take lines in as a file of a format; the first line is the header."""

    def take_in(kind: str, *lines: str, source: str = "library", now: Any = NOW) -> ImportRun:
        file = io.BytesIO("\n".join([*lines, ""]).encode())
        run = upload_import(format=kind, source_code=source, file=file, file_name=f"{kind}.csv", by=None, now=now)
        return run_import(run, now=now)

    return take_in


def counts(run: ImportRun) -> tuple[int, int, int, int]:
    """Return new, changed, unchanged, refused."""
    return run.new_count, run.changed_count, run.same_count, run.refused_count


def errors(run: ImportRun) -> list[tuple[int, str, str, str]]:
    """Return row number, column, value and code of each refused row."""
    return list(run.errors.values_list("row_number", "column", "value", "code"))
