"""Take back what a run wrote, row by row, as far as nothing later builds on it.

New rows carry the id of the run; what it changed stands in ``ImportChange`` as it was. A row that is not as the run
left it, or that others refer to, is kept and counted with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import ForeignKey, Model

from common.registry import Registry
from common.sql import execute, rows

Undone = tuple[int, int, dict[str, int]]
CHANGED, USED, SAID = "changed", "used", "said"  # why a row is kept: changed since, referred to, or a refusal


@dataclass(frozen=True)
class Derived:
    """Rows about a customer that the product makes by itself: they do not hold back a customer who goes, they go too.

    ``code`` is the table; ``where`` narrows them, over the alias ``row``.
    """

    code: str
    where: str = "true"
    column: str = "customer_id"


#: Filled by apps in ``deliveries.py``.
derived_rows: Registry[Derived] = Registry("derived rows")
derived_rows.register(Derived("customers_facttotal"))


def references_to(model: type[Model], *, but: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return (table, column) of each foreign key to this model, those of the tables ``but`` left out."""
    found = {
        (other._meta.db_table, str(field.column))
        for other in apps.get_models(include_auto_created=True)
        for field in other._meta.local_fields
        if isinstance(field, ForeignKey) and field.related_model is model and other._meta.managed
    }
    return sorted((table, column) for table, column in found if table not in but)


def is_used(model: type[Model], alias: str, *, but: Collection[str] = ()) -> str:
    """Return the SQL condition that some row refers to the row ``alias`` of this model."""
    tests = [
        f"EXISTS (SELECT FROM {table} AS row WHERE row.{column} = {alias}.id)"
        for table, column in references_to(model, but=but)
    ]
    return f"({' OR '.join(tests) or 'false'})"


def changed_later(table: str, alias: str) -> str:
    """Return the SQL condition that a later run, which stands, changed the row ``alias`` of ``table``."""
    return f"""EXISTS (
        SELECT FROM customers_importchange AS later JOIN customers_importrun AS run ON run.id = later.run_id
        WHERE later.run_id > %(run)s AND run.state <> 'undone' AND later."table" = '{table}'
            AND later.row_id = {alias}.id
    )"""


def remove_new(table: str, values: Mapping[str, Any], *, used: str = "false") -> tuple[int, int]:
    """Remove the rows of ``table`` with the run's id that nothing changed since; return how many went and stayed."""
    gone = execute(
        f"DELETE FROM {table} AS there WHERE run_id = %(run)s AND NOT ({used}) AND NOT {changed_later(table, 'there')}",  # noqa: S608
        values,
    )
    return gone, rows(f"SELECT count(*) AS kept FROM {table} WHERE run_id = %(run)s", values)[0]["kept"]  # noqa: S608


def remove_added(table: str, values: Mapping[str, Any], *, used: str = "false") -> tuple[int, int]:
    """Remove the rows of a table without run ids of which the run's changes say that they were not there before."""
    gone = execute(
        f"""
        DELETE FROM {table} AS there USING customers_importchange AS change
        WHERE change.run_id = %(run)s AND change."table" = '{table}' AND change.row_id = there.id
            AND change.before = '{{}}' AND change.after = to_jsonb(there) - 'name_key' AND NOT ({used})
        """,  # noqa: S608
        values,
    )
    kept = rows(
        f"""
        SELECT count(*) AS kept FROM {table} AS there JOIN customers_importchange AS change
            ON change.run_id = %(run)s AND change."table" = '{table}' AND change.row_id = there.id
        WHERE change.before = '{{}}'
        """,  # noqa: S608
        values,
    )
    return gone, kept[0]["kept"]


def restore_changed(
    table: str, columns: Mapping[str, str], values: Mapping[str, Any], *, where: str = "true"
) -> tuple[int, int]:
    """Put these columns back in the rows that are as the run left them; return how many were, and were not.

    ``columns``: column -> SQL for what it becomes, over the row ``was``; ``where`` narrows the rows ``there``.
    """
    sets = ", ".join(f"{column} = {value}" for column, value in columns.items())
    both = f"""
        {table} AS there JOIN customers_importchange AS change ON change.run_id = %(run)s
            AND change."table" = '{table}' AND change.row_id = there.id
            AND change.before <> '{{}}' AND change.after <> '{{}}'
    """
    total = rows(f"SELECT count(*) AS total FROM {both}", values)[0]["total"]  # noqa: S608
    restored = execute(
        f"""
        UPDATE {table} AS into_row SET {sets}
        FROM {both} CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, change.before) AS was
        WHERE into_row.id = there.id AND change.after = to_jsonb(there) - 'name_key' AND ({where})
        """,  # noqa: S608
        values,
    )
    return restored, total - restored


def put_back(table: str, values: Mapping[str, Any], *, where: str = "true") -> int:
    """Insert again, with their ids, the rows that the run removed; return how many."""
    return execute(
        f"""
        INSERT INTO {table} SELECT was.* FROM customers_importchange AS change
        CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, change.before) AS was
        WHERE change.run_id = %(run)s AND change."table" = '{table}' AND change.after = '{{}}' AND ({where})
        ON CONFLICT DO NOTHING
        """,  # noqa: S608
        values,
    )


def kept_rows(**reasons: int) -> dict[str, int]:
    """Return reason -> how many rows, without the reasons that have none."""
    return {reason: count for reason, count in reasons.items() if count}
