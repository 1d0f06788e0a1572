"""Everything we hold of somebody, read from every table of ``common.personal`` in bounded memory (AVG 15, 20)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import Field, ForeignKey, JSONField, Model
from django.utils.translation import gettext as _

from common.personal import PersonalTable, personal_tables
from common.sql import rows
from common.traces import Persons
from customers.models import Customer
from customers.privacy.erasing import rows_of

CHUNK = 500
#: Columns that tell who did something. Names of staff are theirs and stay out (AVG 15(4)).
ACTORS = frozenset({
    "actor", "asked_by", "author", "changed_by", "entered_by", "given_by", "merged_by", "released_by", "taken_by",
    "undone_by",
})  # fmt: skip
_THE_SYSTEM = {"system", "merge", "matching", "retention", "erase_again"}

Row = dict[str, Any]


def shown_tables() -> list[PersonalTable]:
    """Return the tables that a copy shows, in the order of the floors."""
    return [table for table in personal_tables if table.shown]


def count_of(table: PersonalTable, persons: Persons) -> int:
    """Return how many rows of a table are theirs."""
    statement = f"SELECT count(*) AS n FROM {table.table} WHERE {rows_of(table)}"  # noqa: S608 - columns are ours
    return int(rows(statement, _values(persons))[0]["n"])


def read(table: PersonalTable, persons: Persons, *, most: int | None = None) -> Iterator[Row]:
    """Yield their rows, column -> value, latest first; what a column refers to is given by its name.

    A hundred thousand rows come in pieces of CHUNK through a cursor in the database; inside a transaction.
    """
    columns = ", ".join(table.shown)
    limit = f"LIMIT {most:d}" if most else ""
    statement = f"""
        SELECT {columns} FROM {table.table} WHERE {rows_of(table)}
        ORDER BY {table.latest if table.latest != "id" else table.key} DESC {limit}
    """  # noqa: S608
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, _values(persons))
        while found := cursor.fetchmany(CHUNK):
            yield from _named(table, [dict(zip(table.shown, row, strict=True)) for row in found])


def write_json(persons: Persons, *, now: dt.datetime) -> Iterator[str]:
    """Yield the copy as JSON text, piece by piece: tables with their columns in words, and rows."""
    head = {"made_at": now, "numbers": list(persons.numbers), "format": "wise-marketing/copy/1"}
    yield _json(head)[:-1] + ', "tables": ['
    for number, table in enumerate(shown_tables()):
        about = {
            "table": table.code,
            "name": str(table.name),
            "about": str(table.about),
            "columns": {column.removesuffix("_id"): str(name) for column, name in table.shown.items()},
        }
        yield (", " if number else "") + "\n" + _json(about)[:-1] + ', "rows": ['
        for place, row in enumerate(read(table, persons)):
            yield ("," if place else "") + "\n " + _json({name.removesuffix("_id"): row[name] for name in row})
        yield "]}"
    yield "\n]}\n"


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _values(persons: Persons) -> dict[str, Any]:
    return {"ids": list(persons.ids), "emails": [*persons.addresses, *persons.phones]}


def who(actor: str) -> str:
    """Return who did something, in words for the customer and without a name."""
    if actor in ("", "customer"):
        return _("you yourself") if actor else ""
    if actor == "guardian":
        return _("a parent or guardian")
    if actor in _THE_SYSTEM or actor.startswith("trigger"):
        return _("the system by itself")
    return _("a file that came in") if actor.startswith("import ") else _("our staff, or a system of ours")


@cache
def fields_of(table: str) -> dict[str, Field[Any, Any]]:
    """Return column -> field of the model behind a table."""
    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    return {str(field.column): field for field in model._meta.concrete_fields}


def _named(table: PersonalTable, found: Sequence[Row]) -> list[Row]:
    """Put names where ids are, one query per column that refers to something, and read JSON."""
    fields = fields_of(table.table)
    if table.say:
        table.say(found)
    for column in table.shown:
        field = fields[column]
        if column in ACTORS:
            for row in found:
                row[column] = who(row[column])
        if isinstance(field, JSONField):
            for row in found:
                row[column] = _own(json.loads(row[column]) if isinstance(row[column], str) else row[column])
        elif isinstance(field, ForeignKey):
            names = _names(field.related_model, {row[column] for row in found} - {None})
            for row in found:
                row[column] = names.get(row[column], "")
    return list(found)


def _own(value: Any) -> Any:
    """Leave the numbers of parents out of what changed: they are of somebody else."""
    if isinstance(value, dict) and isinstance(value.get("guardian"), list):
        return value | {"guardian": ["…" if number else "" for number in value["guardian"]]}
    return value


def _names(model: Any, ids: set[int]) -> dict[int, str]:
    """Return id -> how a thing is called; of other customers no more than their first name (AVG 15(4))."""
    things: dict[int, Model] = model._base_manager.in_bulk(ids)
    if model is Customer:
        return {pk: getattr(thing, "first_name", "") or "…" for pk, thing in things.items()}
    return {pk: str(thing) for pk, thing in things.items()}
