"""Customers as a CSV file or a workbook: streamed, for a spreadsheet that reads Dutch, and harmless to open in one."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from common.errors import Refused
from common.spreadsheets import harmless
from common.time import clock, local_date
from common.values import Value
from common.workbooks import MOST_ROWS, workbook_chunks
from customers.models import Customer
from customers.names import is_phone
from labels.models import Assignment, Label
from selections.comparing import Side

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"  # its media type
_ROWS_AT_ONCE = 2000
_BYTES_PER_CELL = 80  # of a workbook, about, before it is compressed


@dataclass(frozen=True)
class Column:
    """A column of an export: ``path`` is the field it shows."""

    code: str
    label: _StrPromise
    path: str
    is_usual: bool = True


COLUMNS = (
    Column("number", _("Customer number"), "number"),
    Column("kind", _("Kind of customer"), "kind"),
    Column("initials", _("Initials"), "initials"),
    Column("first_name", _("First name"), "first_name"),
    Column("name_prefix", _("Name prefix"), "name_prefix"),
    Column("last_name", _("Last name"), "last_name"),
    Column("email", _("E-mail"), "email"),
    Column("phone", _("Phone"), "phone", is_usual=False),
    Column("street", _("Street"), "street"),
    Column("house_number", _("House number"), "house_number"),
    Column("house_number_addition", _("Addition"), "house_number_addition"),
    Column("postal_code", _("Postal code"), "postal_code"),
    Column("city", _("Place"), "city"),
    Column("branch", _("Branch"), "branch__name"),
    Column("birth_date", _("Birth date"), "birth_date", is_usual=False),
    Column("registered_on", _("Registered on"), "registered_on", is_usual=False),
)


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


MOST_EXTRA = 25  # labels and values in one file; each is a look-up per customer


@dataclass(frozen=True)
class Extra:
    """What a file tells besides the columns: whether they have these labels, and these values of ``common.values``."""

    labels: Sequence[Label] = ()
    values: Sequence[Value] = ()
    now: dt.datetime | None = None

    @property
    def codes(self) -> list[str]:
        """How the log names them."""
        return [f"label:{label.code}" for label in self.labels] + [f"value:{value.code}" for value in self.values]


NOTHING_MORE = Extra()


def file_name(thing: Side, *, now: dt.datetime, suffix: str, what: str = "") -> str:
    """Return a name for a file of the customers of a selection or a result set."""
    name = slugify(thing.name)[:60] or "selectie"
    return "-".join(filter(None, [name, what, f"{local_date(now):%Y%m%d}"])) + f".{suffix}"


def csv_lines(members: QuerySet[Customer], codes: Sequence[str], extra: Extra = NOTHING_MORE) -> Iterator[str]:
    """Yield the file line by line, in bounded memory; a byte order mark first, so that Excel reads UTF-8.

    Values are made harmless (``cell``).
    """
    writer = csv.writer(_Echo(), delimiter=";", lineterminator="\r\n")
    for number, row in enumerate(table_rows(members, codes, extra)):
        line = str(writer.writerow(row if number == 0 else [_text(value) for value in row]))
        yield f"\ufeff{line}" if number == 0 else line


def table_rows(
    members: QuerySet[Customer], codes: Sequence[str], extra: Extra = NOTHING_MORE
) -> Iterator[Sequence[object]]:
    """Yield the head and then a row per customer, by number, read some thousands at a time."""
    columns = [column for column in COLUMNS if column.code in codes]
    kinds = {str(kind.value): str(kind.label) for kind in Customer.Kind}
    heads = [str(column.label) for column in columns]
    yield heads + [str(label) for label in extra.labels] + [str(value.label) for value in extra.values]
    rows = members.with_contact_values() if {"email", "phone"} & set(codes) else members  # type: ignore[attr-defined]
    asked = _annotations(extra)
    paths = [column.path for column in columns]
    values = rows.annotate(**asked).order_by("number").values_list(*paths, *asked)
    kind_at = next((place for place, column in enumerate(columns) if column.code == "kind"), None)
    yes, first_value = _("yes"), len(columns) + len(extra.labels)
    for row in values.iterator(chunk_size=_ROWS_AT_ONCE):
        told: list[object] = [kinds.get(value, value) if place == kind_at else value for place, value in enumerate(row)]
        told[len(columns) : first_value] = [yes if has else "" for has in row[len(columns) : first_value]]
        told[first_value:] = [_number(*pair) for pair in zip(extra.values, row[first_value:], strict=True)]
        yield told


def _annotations(extra: Extra) -> dict[str, Any]:
    """Return an expression per label and per value, under names of our own."""
    held = Assignment.objects.open().filter(customer=OuterRef("pk"))
    asked: dict[str, Any] = {
        f"label_{place}": Exists(held.filter(label=label)) for place, label in enumerate(extra.labels)
    }
    for place, value in enumerate(extra.values):
        asked[f"value_{place}"] = value.expression(now=extra.now or clock())
    return asked


def _number(value: Value, found: Any) -> object:
    """Return a value as a number to compute with: money in euros; nothing when it is unknown."""
    if found is None:
        return ""
    return Decimal(int(found)) / 100 if value.unit == "cents" else found


def _text(value: object) -> str:
    """Return a cell of a CSV file as the Dutch write it: a decimal comma; harmless otherwise."""
    if isinstance(value, float | Decimal):
        return f"{value:f}".replace(".", ",") if isinstance(value, Decimal) else f"{value:g}".replace(".", ",")
    return cell(value)


def workbook(
    members: QuerySet[Customer], codes: Sequence[str], extra: Extra, *, sheet: str, count: int
) -> Iterator[bytes]:
    """Yield the same as an Excel workbook, piece by piece; ``count`` is how many there are. Raises Refused on more than
    fit in a sheet.
    """
    if count >= MOST_ROWS:
        raise Refused("too_many", _("A workbook holds a million rows. Choose CSV for more."))
    rows = (
        [cell(value) if isinstance(value, str) else value for value in row] for row in table_rows(members, codes, extra)
    )
    is_huge = count * (len(codes) + len(extra.codes)) * _BYTES_PER_CELL > 1 << 31
    return workbook_chunks(rows, sheet=sheet, is_huge=is_huge)


def cell(value: object) -> str:
    """Return a value as a cell that no spreadsheet computes. A telephone number begins with a plus and is no formula:
    whoever rings it, or another system, must be able to read it.
    """
    return str(value) if is_phone(str(value)) else harmless(value)
