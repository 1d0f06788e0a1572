"""Customers as a CSV file: streamed, for a spreadsheet that reads Dutch, and harmless to open in one."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from common.spreadsheets import harmless
from customers.models import Customer
from customers.names import is_phone

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

_ROWS_AT_ONCE = 2000


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


def csv_lines(members: QuerySet[Customer], codes: Sequence[str]) -> Iterator[str]:
    """Yield the file line by line, in bounded memory; a byte order mark first, so that Excel reads UTF-8.

    Values are made harmless (``cell``).
    """
    columns = [column for column in COLUMNS if column.code in codes]
    writer = csv.writer(_Echo(), delimiter=";", lineterminator="\r\n")
    kinds = {str(kind.value): str(kind.label) for kind in Customer.Kind}
    yield "\ufeff" + str(writer.writerow([str(column.label) for column in columns]))
    rows = members.with_contact_values() if {"email", "phone"} & set(codes) else members  # type: ignore[attr-defined]
    values = rows.order_by("number").values_list(*(column.path for column in columns))
    kind_at = next((place for place, column in enumerate(columns) if column.code == "kind"), None)
    for row in values.iterator(chunk_size=_ROWS_AT_ONCE):
        told = [kinds.get(value, value) if place == kind_at else value for place, value in enumerate(row)]
        yield str(writer.writerow([cell(value) for value in told]))


def cell(value: object) -> str:
    """Return a value as a cell that no spreadsheet computes. A telephone number begins with a plus and is no formula:
    whoever rings it, or another system, must be able to read it.
    """
    return str(value) if is_phone(str(value)) else harmless(value)
