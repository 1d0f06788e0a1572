"""The refused rows of a run as a file, for who looks after the source."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from common.spreadsheets import harmless
from customers.imports.remedies import remedy_of
from customers.models import ImportRun


def refused_name(run: ImportRun) -> str:
    """Return what the file is called."""
    return f"import-{run.pk}-{_('refused')}.csv"


def refused_lines(run: ImportRun) -> Iterator[str]:
    """Yield the lines of the file: row, column, value and what to do, in the language of who asks."""
    yield "\ufeff" + _line([_("Row"), _("Column"), _("Value"), _("What is wrong, and what to do")])
    for error in run.errors.iterator():
        yield _line([error.row_number, error.column, error.value, remedy_of(error.code) or error.remedy])


def _line(cells: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerow([harmless(cell) for cell in cells])
    return text.getvalue()
