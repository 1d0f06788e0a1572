"""Bring all rows of one person to another and back, by statement, over every table in ``personal_tables``.

The temporary table ``merging`` (merge_id, kept_id, absorbed_id) says whose; nobody stands in it twice. What is moved is
kept in ``MergedRows``; what had to be written in rows that do not both fit one person, in ``Merge.before["settled"]``.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction

from common.personal import PersonalTable, personal_tables
from common.sql import execute
from customers.models import Merge
from customers.recording import recount_totals

PAIRS = """
    INSERT INTO merging (merge_id, kept_id, absorbed_id)
    SELECT id, kept_id, absorbed_id FROM customers_merge WHERE id = ANY (%s)
"""


def lay_down(merges: Iterable[int]) -> None:
    """Put these merges in ``merging``, which lasts as long as the transaction."""
    for name, columns in (
        ("merging", "merge_id bigint, kept_id bigint, absorbed_id bigint"),
        ("merge_settled", "code text, merge_id bigint, row_id bigint, stays bool, before jsonb, after jsonb"),
    ):
        execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DELETE ROWS")
        execute(f"TRUNCATE {name}")
    execute(PAIRS, [list(merges)])
    execute("ANALYZE merging")


def bring_together(*, now: dt.datetime) -> None:
    """Move the rows of all who are absorbed to who keeps them; a row that would be there twice stays behind."""
    for table in _moving():
        if table.settle:
            _settle(table, now)
    execute(_KEEP_SETTLED)
    _move()


def take_apart(merge: Merge) -> None:
    """Give back what ``bring_together`` moved, as far as it is still there, and write back what it had written."""
    execute("SELECT set_config('wise.merging', 'on', true)")
    for table in reversed(_moving()):
        execute(_MOVE_BACK.format(**_parts(table)), {"table": table.table, "column": table.column})
    execute("SELECT set_config('wise.merging', 'off', true)")
    for one in merge.before.get("settled", []):
        _write_back(one)
    merge.rows.all().delete()


@transaction.atomic
def gather_stragglers() -> int:
    """Move rows that reached somebody after the merge (an import that had looked up the number before it); return
    how many. They go back with the others when the merge is undone.
    """
    late = 0
    while moved := _gather_once():
        late += moved
    return late


def _gather_once() -> int:
    """Bring what came late one merge further: of a chain, the next time goes on from there."""
    standing = Merge.objects.filter(undone_at=None).values_list("pk", flat=True)
    lay_down(standing.iterator())
    execute(_SETTLED_BEFORE)
    moved = _move()
    if moved:
        recount_totals("SELECT kept_id FROM merging UNION ALL SELECT absorbed_id FROM merging")
    return moved


def _moving() -> list[PersonalTable]:
    return [table for table in personal_tables if table.merge == "move"]


def _move() -> int:
    """Move what can move; the ledger of consents lets its rows go only to who says that he is merging."""
    execute("SELECT set_config('wise.merging', 'on', true)")
    moved = sum(
        execute(_MOVE.format(**_parts(table)), {"code": table.code, "table": table.table, "column": table.column})
        for table in _moving()
    )
    execute("SELECT set_config('wise.merging', 'off', true)")
    return moved


def _settle(table: PersonalTable, now: dt.datetime) -> None:
    """Write what keeps both persons' rows from contradicting each other, and remember what stood there."""
    execute(
        f"""
        INSERT INTO merge_settled (code, merge_id, row_id, stays, before, after)
        SELECT %(code)s, settled.merge_id, settled.id, settled.stays,
            (SELECT jsonb_object_agg(key, to_jsonb(there) -> key) FROM unnest(%(columns)s) AS key
             WHERE settled.changes = '{{}}' OR settled.changes ? key),
            settled.changes
        FROM ({table.settle}) AS settled JOIN {table.table} AS there ON there.{table.key} = settled.id
        """,  # noqa: S608 - the registry is ours
        {"code": table.code, "now": now, "columns": list(table.settles)},
    )
    execute(
        f"""
        UPDATE {table.table} AS there SET {_filled(table)} FROM merge_settled AS settled
        WHERE settled.code = %(code)s AND settled.row_id = there.{table.key}
        """,  # noqa: S608
        {"code": table.code},
    )


def _filled(table: PersonalTable) -> str:
    return ", ".join(f"{column} = (jsonb_populate_record(there, settled.after)).{column}" for column in table.settles)


def _write_back(one: dict[str, Any]) -> None:
    """Write the old values in a row, unless something else was written in it since or the place is taken."""
    table = personal_tables[one["code"]]
    try:
        with transaction.atomic():
            execute(
                f"""
                UPDATE {table.table} AS there SET {_filled(table)}
                FROM (SELECT %(before)s::jsonb AS after) AS settled
                WHERE there.{table.key} = %(row)s AND to_jsonb(there) @> %(after)s::jsonb
                """,  # noqa: S608
                {"row": one["row_id"], "before": json.dumps(one["before"]), "after": json.dumps(one["after"])},
            )
    except IntegrityError:
        # The person has got the same anew meanwhile: what is newer stands.
        return


def _parts(table: PersonalTable) -> dict[str, str]:
    """Return what the statements are made of, for one table."""
    narrowed = f" AND ({table.where})" if table.where else ""
    taken = [
        f"""NOT EXISTS (SELECT FROM {table.table} AS own WHERE own.{table.column} = merging.{{there}}
            AND {" AND ".join(f"own.{column} = going.{column}" for column in key)}{narrowed})"""
        for key in table.unique
    ]
    free = " AND ".join(taken) or "true"
    if table.where and taken:
        free = f"(({free}) OR ({table.where}) IS NOT TRUE)"
    column, _, parent = table.follows.partition(" > ")
    follows = (
        f"""EXISTS (SELECT FROM {parent} AS parent
            WHERE parent.id = going.{column} AND parent.customer_id = merging.{{there}})"""
        if parent
        else "true"
    )
    return {
        "name": table.table,
        "column": table.column,
        "key": table.key,
        "free": free.format(there="kept_id"),
        "follows": follows.format(there="kept_id"),
        "free_back": free.format(there="absorbed_id"),
    }


_MOVE = """
    WITH moved AS (
        UPDATE {name} AS going SET {column} = merging.kept_id FROM merging
        WHERE going.{column} = merging.absorbed_id AND {free} AND {follows}
            AND NOT EXISTS (
                SELECT FROM merge_settled AS settled
                WHERE settled.code = %(code)s AND settled.row_id = going.{key} AND settled.stays
            )
        RETURNING merging.merge_id, going.{key} AS id
    ),
    kept AS (
        INSERT INTO customers_mergedrows AS known (merge_id, "table", "column", ids)
        SELECT merge_id, %(table)s, %(column)s, array_agg(id) FROM moved GROUP BY merge_id
        ON CONFLICT (merge_id, "table", "column") DO UPDATE SET ids = known.ids || excluded.ids
    )
    SELECT id FROM moved
"""
_MOVE_BACK = """
    UPDATE {name} AS going SET {column} = merging.absorbed_id
    FROM merging JOIN customers_mergedrows AS moved
        ON moved.merge_id = merging.merge_id AND moved."table" = %(table)s AND moved."column" = %(column)s
    WHERE going.{key} = ANY (moved.ids) AND going.{column} = merging.kept_id AND {free_back}
"""
_KEEP_SETTLED = """
    UPDATE customers_merge AS merge SET before = merge.before || jsonb_build_object('settled', settled.all)
    FROM (
        SELECT merge_id, jsonb_agg(jsonb_build_object(
            'code', code, 'row_id', row_id, 'stays', stays, 'before', before, 'after', after)) AS all
        FROM merge_settled GROUP BY merge_id
    ) AS settled
    WHERE merge.id = settled.merge_id
"""
_SETTLED_BEFORE = """
    INSERT INTO merge_settled (code, merge_id, row_id, stays)
    SELECT one ->> 'code', merging.merge_id, (one ->> 'row_id')::bigint, (one ->> 'stays')::bool
    FROM merging JOIN customers_merge AS merge ON merge.id = merging.merge_id
    CROSS JOIN LATERAL jsonb_array_elements(coalesce(merge.before -> 'settled', '[]')) AS one
"""
