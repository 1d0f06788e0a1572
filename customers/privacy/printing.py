"""A copy of everything we hold of somebody, on paper: readable, with what each part is for, as PDF/UA."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.db.models import DateField
from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from weasyprint import HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse

from common.money import format_cents
from common.personal import PersonalTable
from common.sql import rows
from common.traces import Persons
from customers.facts import fact_kinds
from customers.models import Channel, PurposeChannel, World
from customers.privacy.copies import Row, count_of, fields_of, read, shown_tables
from customers.records import FIELDS

#: So many rows of a table are printed; the file for computers has them all.
MOST_ROWS = 150
MOST_COLUMNS = 8  # a table of more does not fit the width of a page
# Columns above us that hold our codes without saying so.
_CHOICES: dict[str, dict[Any, Any]] = {
    "channel": dict(Channel.choices),
    "basis": dict(PurposeChannel.Basis.choices),
}
NOT_PRINTED = {"external_id"}  # a number of another system; it is in the file for computers


class FontFetcher(URLFetcher):  # type: ignore[misc]
    """Fetch our own fonts (``font:latin``), and nothing from anywhere else."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols=("font",))

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        """Return the bytes of a font; raises ValueError for any other address."""
        name = url.partition(":")[2]
        if name not in {"latin", "latin-ext"}:
            raise ValueError("a copy fetches nothing from elsewhere")
        path = finders.find(f"vendor/inter/inter-{name}-wght-normal.woff2")
        return URLFetcherResponse(url, Path(str(path)).read_bytes(), {"Content-Type": "font/woff2"})


def print_copy(persons: Persons, *, context: Mapping[str, Any], language: str, now: dt.datetime) -> bytes:
    """Return the PDF of everything; ``context`` is what ``customers.privacy.register`` says to customers.

    Long tables are cut off after MOST_ROWS, facts are counted per kind and year before.
    """
    with override(language):
        known = {
            "parts": [part for table in shown_tables() if (part := _part(table, persons))],
            "counts": fact_counts(persons),
            "numbers": persons.numbers,
            "made_at": timezone.localtime(now),
            "language": language,
            "most": MOST_ROWS,
            **context,
        }
        html = render_to_string("privacy/copy.html", known)
    return bytes(HTML(string=html, url_fetcher=FontFetcher()).write_pdf(pdf_variant="pdf/ua-1"))


def fact_counts(persons: Persons) -> list[dict[str, Any]]:
    """Return ``kind`` (in words), ``year`` and ``count`` of what they did, the latest year first."""
    found = rows(
        """
        SELECT kind, extract(year FROM occurred_at AT TIME ZONE 'Europe/Amsterdam')::int AS year, count(*) AS count
        FROM customers_fact WHERE customer_id = ANY(%(ids)s) GROUP BY 1, 2 ORDER BY 2 DESC, 1
        """,
        {"ids": list(persons.ids)},
    )
    return [row | {"kind": _kind(row["kind"])} for row in found]


def _part(table: PersonalTable, persons: Persons) -> dict[str, Any] | None:
    """Return one table for print, or None when nothing of them is in it."""
    count = count_of(table, persons)
    if not count:
        return None
    words = [list(_words(table, row)) for row in read(table, persons, most=MOST_ROWS)]
    used = [
        place
        for place, column in enumerate(table.shown)
        if column not in NOT_PRINTED and any(row[place] for row in words)
    ]
    names = list(table.shown.values())
    return {
        "name": table.name,
        "about": table.about,
        "columns": [names[place] for place in used],
        "rows": [[(names[place], row[place]) for place in used] for row in words],
        "is_wide": len(used) > MOST_COLUMNS or table.table == "customers_sourcerecord",
        "is_facts": table.code == "customers_fact",
        "left_out": max(0, count - MOST_ROWS),
        "count": count,
    }


def _words(table: PersonalTable, row: Row) -> Iterator[str]:
    fields = fields_of(table.table)
    worlds = _worlds() if "world" in table.shown else {}
    for column, value in row.items():
        choices = dict(fields[column].flatchoices or ()) or _CHOICES.get(column, {})
        if column == "kind" and table.table.startswith("customers_fact"):
            yield _kind(value)
        elif column == "world":
            yield str(worlds.get(value, value))
        elif column.endswith("_cents"):
            yield format_cents(value) if value else ""
        elif column == "duration_seconds":
            yield _("%d seconds") % value if value else ""
        elif column == "values":
            yield _said(value)
        elif choices and value in choices:
            yield str(choices[value])
        else:
            yield _word(value)


def _word(value: Any) -> str:
    """Return a value as people read it."""
    if value is None or value == "" or value == {} or value == []:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dt.datetime):
        return formats.date_format(timezone.localtime(value), "j F Y H:i")
    if isinstance(value, dt.date):
        return formats.date_format(value, "j F Y")
    if isinstance(value, Mapping):
        return "; ".join(f"{_name(key)}: {_word(inner)}" for key, inner in value.items() if _word(inner))
    if isinstance(value, list):
        return " → ".join(_word(inner) or _("nothing") for inner in value)
    return str(value)


def _said(values: Mapping[str, str]) -> str:
    """Return what a source says, in words; it is kept as text in normal form."""
    own = fields_of("customers_customer")
    parts = []
    for code, value in values.items():
        field = own.get(FIELDS[code].column) if code in FIELDS else None
        word = str(dict(field.flatchoices or ()).get(value, value)) if field else value
        if isinstance(field, DateField) and value:
            word = _word(dt.date.fromisoformat(value))
        if word:
            parts.append(f"{_name(code)}: {word}")
    return "; ".join(parts)


def _name(key: str) -> str:
    return str(FIELDS[key].name) if key in FIELDS else key.replace("_", " ")


def _kind(code: str) -> str:
    kind = fact_kinds.get(code)
    return str(kind.name) if kind else code


def _worlds() -> dict[str, str]:
    return dict(World.objects.values_list("code", "name"))
