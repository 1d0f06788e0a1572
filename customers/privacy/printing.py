"""A copy of everything we hold of somebody, on paper: readable, with what each part is for, as PDF/UA."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import DateField
from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, override

from common.money import format_cents
from common.paper import fetch_font, print_html
from common.personal import PersonalTable
from common.sql import rows
from common.templatetags.ui import phone
from common.traces import Persons
from customers.facts import fact_kinds
from customers.models import Branch, Channel, PurposeChannel, World
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
# What stands in evidence and in histories, which are not fields.
_NAMES = {
    "asked_at": gettext_lazy("asked at"),
    "asked_from": gettext_lazy("asked from network"),
    "confirmed_at": gettext_lazy("confirmed at"),
    "confirmed_from": gettext_lazy("confirmed from network"),
    "guardian": gettext_lazy("parent or guardian"),
    "mailed_at": gettext_lazy("mail sent at"),
    "mailing": gettext_lazy("number of the mailing"),
    "message": gettext_lazy("number of the message"),
    "method": gettext_lazy("how"),
    "note": gettext_lazy("note"),
    "number": gettext_lazy("customer number"),
    "page": gettext_lazy("page"),
    "reason": gettext_lazy("reason"),
    "restricted": gettext_lazy("data restricted"),
    "said_through": gettext_lazy("said through"),
}
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(\+\d{2}:\d{2}|Z)")
NOT_PRINTED = {"external_id", "order_number"}  # a number of another system; it is in the file for computers


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
    return print_html(html, fetch=fetch_font)


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
    rows_in_words = [dict(_words(table, row)) for row in read(table, persons, most=MOST_ROWS)]
    names: dict[str, Any] = {column: name for column, name in table.shown.items() if column not in NOT_PRINTED}
    if table.code == "customers_fact":
        rows_in_words, names = [_fact(row) for row in rows_in_words], _fact_names(table)
    used = [column for column in names if any(row[column] for row in rows_in_words)]
    return {
        "name": table.name,
        "about": table.about,
        "columns": [names[column] for column in used],
        "rows": [[(names[column], row[column]) for column in used] for row in rows_in_words],
        "is_wide": len(used) > MOST_COLUMNS or table.table in ("customers_sourcerecord", "customers_customer"),
        "is_facts": table.code == "customers_fact",
        "left_out": max(0, count - MOST_ROWS),
        "count": count,
    }


def _fact_names(table: PersonalTable) -> dict[str, Any]:
    """Return the columns in which a fact is printed: what belongs together stands together, so that it fits a line."""
    shown = table.shown
    return {
        **{column: shown[column] for column in ("kind", "occurred_at", "branch_id")},
        "what": _("about what"),
        "much": _("how much"),
        "source_id": shown["source_id"],
    }


def _fact(row: dict[str, str]) -> dict[str, str]:
    much = [row["quantity"] if row["quantity"] != "1" else "", row["amount_cents"], row["duration_seconds"]]
    return row | {
        "what": " · ".join(filter(None, (row["world"], row["genre"], row["sector"]))),
        "much": " · ".join(filter(None, much)),
    }


def _words(table: PersonalTable, row: Row) -> Iterator[tuple[str, str]]:
    """Yield (column, its value as people read it)."""
    fields = fields_of(table.table)
    worlds = _worlds() if "world" in table.shown else {}
    for column, value in row.items():
        choices = dict(fields[column].flatchoices or ()) or _CHOICES.get(column, {})
        choices = {**choices, **table.words.get(column, {})}
        if column == "kind" and table.table.startswith("customers_fact"):
            yield column, _kind(value)
        elif column == "world":
            yield column, str(worlds.get(value, value))
        elif column.endswith("_cents"):
            yield column, format_cents(value) if value else ""
        elif column == "duration_seconds":
            yield column, ngettext("%d second", "%d seconds", value) % value if value else ""
        elif column == "values":
            yield column, _said(value)
        elif choices and value in choices:
            yield column, str(choices[value])
        else:
            yield column, phone(_word(value))


def _word(value: Any) -> str:
    """Return a value as people read it."""
    if value is None or value == "" or value == {} or value == []:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        value = dt.datetime.fromisoformat(value)
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
    parts, branches = [], dict(Branch.objects.values_list("code", "name"))
    for code, value in values.items():
        field = own.get(FIELDS[code].column) if code in FIELDS else None
        word = str(dict(field.flatchoices or ()).get(value, value)) if field else value
        if isinstance(field, DateField) and value:
            word = _word(dt.date.fromisoformat(value))
        if code == "branch":
            word = branches.get(value, value)
        if word:
            parts.append(f"{_name(code)}: {phone(word)}")
    return "; ".join(parts)


def _name(key: str) -> str:
    return str(FIELDS[key].name if key in FIELDS else _NAMES.get(key, key.replace("_", " ")))


def _kind(code: str) -> str:
    kind = fact_kinds.get(code)
    return str(kind.name) if kind else code


def _worlds() -> dict[str, str]:
    return dict(World.objects.values_list("code", "name"))
