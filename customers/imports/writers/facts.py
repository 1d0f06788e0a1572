"""Facts: known by source, id and customer; never changed once they are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from common.sql import execute, rows
from customers.imports.undoing import Undone, kept_rows, remove_added
from customers.imports.writers.merging import cells_of_row, good_rows, keep_samples
from customers.recording import insert_facts, recount_totals

BATCH = 500_000  # rows of one statement: what the database must remember of it for its foreign keys is bounded
_WORLD = "lower(regexp_replace(r.wereld, '[^[:alnum:]]+', '-', 'g'))"
_WHEN = """coalesce(
    customers_read_moment(r.tijdstip), customers_read_date(r.tijdstip)::timestamp AT TIME ZONE 'Europe/Amsterdam'
)"""
_COLUMNS = {
    "sector": ("sector", "lower(r.sector)"),
    "wereld": ("world", "world.code"),
    "genre": ("genre", "lower(r.genre)"),
    "aantal": ("quantity", "CASE WHEN r.aantal = '' THEN 1 ELSE customers_read_whole(r.aantal) END"),
    "bedrag": ("amount_cents", "CASE WHEN r.bedrag = '' THEN 0 ELSE customers_read_cents(r.bedrag) END"),
    "duur": ("duration_seconds", "CASE WHEN r.duur = '' THEN 0 ELSE customers_read_whole(r.duur) END"),
}


def write_facts(present: frozenset[str], values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Add the facts that are not known yet and their totals; return (new, 0, known)."""
    _name_worlds(values)
    cells = {
        "customer_id": "known.customer_id",
        "kind": "kind.code",
        "occurred_at": _WHEN,
        "branch_id": "branch.id",
        **{column: text for name, (column, text) in _COLUMNS.items() if name in present},
        "source_id": "%(source)s",
        "external_id": "r.id",
        "run_id": "%(run)s",
    }
    select = f"""
        SELECT {", ".join(f"{text} AS {column}" for column, text in cells.items())}
        FROM import_row AS r
        JOIN import_known AS known ON known.number = r.klantnummer
        JOIN (SELECT * FROM jsonb_each_text(%(kinds)s::jsonb)) AS kind (word, code) ON kind.word = lower(r.soort)
        LEFT JOIN customers_branch AS branch ON branch.code = r.vestiging
        LEFT JOIN import_world AS world ON world.word = r.wereld
        WHERE r.row_number BETWEEN %(first)s AND %(last)s
            AND NOT EXISTS (SELECT FROM import_taken AS taken WHERE taken.row_number = r.row_number)
    """  # noqa: S608 - columns are ours
    # Each statement checks its own foreign keys, instead of all of them at the very end.
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    told = rows("SELECT count(*) AS good, min(row_number) AS first, max(row_number) AS last FROM import_row")[0]
    if told["good"] > BATCH:
        execute("CREATE INDEX ON import_row USING brin (row_number)")
    all_new = not rows("SELECT EXISTS (SELECT FROM import_twice) AS found")[0]["found"]
    new = 0
    for first in range(told["first"] or 0, (told["last"] or -1) + 1, BATCH):
        given = {**values, "first": first, "last": first + BATCH - 1}
        new += _insert(select, given, list(cells), all_new=all_new)
    keep_samples(
        "new",
        f"""
        SELECT r.row_number, r.klantnummer AS title, '{{}}'::jsonb AS before, {cells_of_row(sorted(present))} AS after
        FROM import_row AS r JOIN import_known AS known ON known.number = r.klantnummer
        JOIN customers_fact AS added ON added.source_id = %(source)s AND added.external_id = r.id
            AND added.customer_id = known.customer_id AND added.run_id = %(run)s
        """,  # noqa: S608
        values,
    )
    execute("DROP TABLE import_world, import_taken, import_twice")
    return new, 0, told["good"] - new


def _insert(select: str, values: Mapping[str, Any], columns: list[str], *, all_new: bool) -> int:
    """Insert a batch; when somebody else brought one of these facts meanwhile, once more with an eye on that."""
    if all_new:
        try:
            with transaction.atomic():
                return insert_facts(select, values, columns=columns, all_new=True)
        except IntegrityError:
            pass
    return insert_facts(select, values, columns=columns)


def refuse_facts(present: frozenset[str], values: Mapping[str, Any]) -> None:
    """Refuse rows whose id is known of another customer, or was given to another by an earlier row of the file.

    What a merge left behind with somebody's earlier number is not another customer's. ``import_taken`` keeps which rows
    are known already.
    """
    execute(
        f"""
        CREATE TEMPORARY TABLE import_taken ON COMMIT DROP AS
        SELECT r.row_number, taken.customer_id <> known.customer_id AND holder.merged_into_id IS NULL AS by_other
        FROM ({good_rows()}) AS r JOIN import_known AS known ON known.number = r.klantnummer
        JOIN customers_fact AS taken ON taken.source_id = %(source)s AND taken.external_id = r.id
        JOIN customers_customer AS holder ON holder.id = taken.customer_id
        """,  # noqa: S608
        values,
    )
    execute("ANALYZE import_taken")
    execute(
        """
        INSERT INTO import_problem (row_number, column_name, value, code)
        SELECT row_number, 'id', left(r.id, 200), 'other_customer'
        FROM import_taken AS taken JOIN import_row AS r USING (row_number) WHERE by_other
        """
    )
    execute(
        """
        CREATE TEMPORARY TABLE import_twice ON COMMIT DROP AS
        SELECT id, min(klantnummer) <> max(klantnummer) AS by_other FROM import_row GROUP BY id HAVING count(*) > 1
        """
    )
    # Nearly always there are none.
    if rows("SELECT EXISTS (SELECT FROM import_twice WHERE by_other) AS found")[0]["found"]:
        execute(_REFUSE_SHARED)


_REFUSE_SHARED = f"""
    WITH good AS (SELECT * FROM ({good_rows()}) AS r WHERE id IN (SELECT id FROM import_twice)),
    shared AS (SELECT id, min(row_number) AS first FROM good GROUP BY id HAVING min(klantnummer) <> max(klantnummer))
    INSERT INTO import_problem (row_number, column_name, value, code)
    SELECT good.row_number, 'id', left(good.id, 200), 'other_customer'
    FROM shared JOIN good USING (id) JOIN import_row AS told ON told.row_number = shared.first
    WHERE good.klantnummer <> told.klantnummer
"""  # noqa: S608 - our own words


def _name_worlds(values: Mapping[str, Any]) -> None:
    """Make ``import_world``: the worlds of the file and their codes. Those that the list lacks are added to it, so that
    they can be chosen; staff may rename them.
    """
    execute(
        f"""
        CREATE TEMPORARY TABLE import_world ON COMMIT DROP AS
        SELECT r.wereld AS word, {_WORLD} AS code FROM (SELECT DISTINCT wereld FROM import_row) AS r
        """  # noqa: S608
    )
    execute(
        """
        WITH added AS (
            INSERT INTO customers_world (code, name)
            SELECT DISTINCT ON (code) code, upper(left(word, 1)) || replace(substr(word, 2), '-', ' ')
            FROM import_world WHERE btrim(code, '-') <> '' ORDER BY code
            ON CONFLICT (code) DO NOTHING RETURNING *
        )
        INSERT INTO customers_importchange (run_id, "table", row_id, before, after)
        SELECT %(run)s, 'customers_world', id, '{}', to_jsonb(added) FROM added
        """,
        values,
    )


def undo_facts(values: Mapping[str, Any]) -> Undone:
    """Remove the facts of a run and count the totals of their customers anew."""
    execute("CREATE TEMPORARY TABLE undone_fact (customer_id bigint) ON COMMIT DROP")
    removed = execute(
        """
        WITH gone AS (DELETE FROM customers_fact WHERE run_id = %(run)s RETURNING customer_id)
        INSERT INTO undone_fact SELECT customer_id FROM gone
        """,
        values,
    )
    recount_totals("SELECT customer_id FROM undone_fact")
    execute("DROP TABLE undone_fact")
    used = "EXISTS (SELECT FROM customers_fact AS fact WHERE fact.world = there.code)"
    _removed, kept = remove_added("customers_world", values, used=used)
    return removed, 0, kept_rows(used=kept)
