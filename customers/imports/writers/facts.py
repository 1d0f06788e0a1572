"""Facts: known by source, id and customer. What a source says otherwise of a fact later is a correction, kept as it was
so that it can be taken back; late ones count from the moment at which they happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from common.sql import execute, rows
from customers.imports.progress import reached
from customers.imports.undoing import Undone, changed_later, kept_rows, remove_added, restore_changed
from customers.imports.writers.branches import changed_rows
from customers.imports.writers.merging import cells_of_row, good_rows, keep_samples, remark, update_changed
from customers.recording import add_totals, gathered_facts, insert_facts, recount_totals

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
    "bestelling": ("order_number", "nullif(r.bestelling, '')"),
    "duur": ("duration_seconds", "CASE WHEN r.duur = '' THEN 0 ELSE customers_read_whole(r.duur) END"),
}
TABLE = "customers_fact"
GATHERED_IN = "import_gathered"
_KINDS = "JOIN (SELECT * FROM jsonb_each_text(%(kinds)s::jsonb)) AS kind (word, code) ON kind.word = lower(r.soort)"
# A date alone says nothing against the time that is known.
_WHEN_NOW = f"""CASE WHEN customers_read_date(r.tijdstip) = (taken.occurred_at AT TIME ZONE 'Europe/Amsterdam')::date
    THEN taken.occurred_at ELSE {_WHEN} END"""
_IS_TOO_OLD = """EXISTS (
    SELECT FROM customers_kindsetting AS setting WHERE setting.code = kind.code AND setting.kept_from > {at}
)"""


def _said(present: frozenset[str]) -> dict[str, str]:
    """Return column -> what row ``r`` says now of the fact ``taken``, for the columns that the file has."""
    branch = {"branch_id": "branch.id"} if "vestiging" in present else {}
    told = {column: text for name, (column, text) in _COLUMNS.items() if name in present}
    return {"kind": "kind.code", "occurred_at": _WHEN_NOW, **branch, **told} | (
        {"world": _WORLD} if "wereld" in present else {}
    )


def write_facts(present: frozenset[str], values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Add the facts that are not known yet and their totals, and correct those of which the file says something else;
    return (new, corrected, known).
    """
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
        {_KINDS}
        LEFT JOIN customers_branch AS branch ON branch.code = r.vestiging
        LEFT JOIN import_world AS world ON world.word = r.wereld
        WHERE r.row_number BETWEEN %(first)s AND %(last)s
            AND NOT EXISTS (
                SELECT FROM import_taken AS taken
                WHERE taken.row_number = r.row_number AND taken.row_number BETWEEN %(first)s AND %(last)s
            )
    """  # noqa: S608 - columns are ours
    # Each statement checks its own foreign keys, instead of all of them at the very end.
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    told = rows("SELECT count(*) AS good, min(row_number) AS first, max(row_number) AS last FROM import_row")[0]
    if told["good"] > BATCH:
        execute("CREATE INDEX ON import_row USING brin (row_number)")
        execute("CREATE INDEX ON import_taken (row_number)")
    all_new = not rows("SELECT EXISTS (SELECT FROM import_twice) AS found")[0]["found"]
    gathered_facts(GATHERED_IN)
    new = 0
    for first in range(told["first"] or 0, (told["last"] or -1) + 1, BATCH):
        given = {**values, "first": first, "last": first + BATCH - 1}
        new += _insert(select, given, list(cells), all_new=all_new)
        reached(0.9 * (given["last"] - told["first"]) / (told["last"] - told["first"] + BATCH))
    add_totals(GATHERED_IN)
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
    changed = _correct(present, values)
    if rows("SELECT EXISTS (SELECT FROM customers_kindsetting WHERE kept_from IS NOT NULL) AS found")[0]["found"]:
        remark(
            "too_old",
            f"SELECT count(*) FROM import_row AS r {_KINDS} WHERE {_IS_TOO_OLD.format(at=_WHEN)}",  # noqa: S608
            values,
        )
    execute("DROP TABLE import_world, import_taken, import_twice")
    return new, changed, told["good"] - new - changed


def _correct(present: frozenset[str], values: Mapping[str, Any]) -> int:
    """Write what the file says otherwise of known facts, and count the totals of their customers anew; return how
    many facts.

    After the insert, which has taken the lock that retention looks at.
    """
    said = _said(present)
    wanted = execute(
        f"""
        CREATE TEMPORARY TABLE import_wanted ON COMMIT DROP AS
        SELECT r.row_number, r.klantnummer AS number, taken.id AS existing,
            {", ".join(f"{text} AS {column}" for column, text in said.items())}
        FROM import_taken AS known JOIN import_row AS r USING (row_number)
        JOIN customers_fact AS taken ON taken.id = known.fact_id
        {_KINDS}
        LEFT JOIN customers_branch AS branch ON branch.code = r.vestiging
        WHERE known.differs AND NOT {_IS_TOO_OLD.format(at=_WHEN)}
        """,  # noqa: S608
        values,
    )
    changed = update_changed(TABLE, "import_wanted", list(said), values) if wanted else 0
    if changed:
        recount_totals("SELECT customer_id FROM customers_fact WHERE id IN (SELECT existing FROM import_wanted)")
        keep_samples("changed", changed_rows(TABLE, list(said), "number"), values)
    execute("DROP TABLE import_wanted")
    return changed


def _insert(select: str, values: Mapping[str, Any], columns: list[str], *, all_new: bool) -> int:
    """Insert a batch; when somebody else brought one of these facts meanwhile, once more with an eye on that."""
    if all_new:
        try:
            with transaction.atomic():
                return insert_facts(select, values, columns=columns, all_new=True, gather_in=GATHERED_IN)
        except IntegrityError:
            pass
    return insert_facts(select, values, columns=columns, gather_in=GATHERED_IN)


def refuse_facts(present: frozenset[str], values: Mapping[str, Any]) -> None:
    """Refuse rows whose id is known of another customer, or was given to another by an earlier row of the file, or
    stands in it twice with different words.

    What a merge left behind with somebody's earlier number is not another customer's. ``import_taken`` keeps which rows
    are known already, as which fact, and whether they say something else.
    """
    said = _said(present)
    execute(
        f"""
        CREATE TEMPORARY TABLE import_taken ON COMMIT DROP AS
        SELECT r.row_number, taken.id AS fact_id,
            taken.customer_id <> known.customer_id AND holder.merged_into_id IS NULL AS by_other,
            taken.customer_id = known.customer_id AND ({", ".join(f"taken.{column}" for column in said)})
                IS DISTINCT FROM ({", ".join(said.values())}) AS differs
        FROM ({good_rows()}) AS r JOIN import_known AS known ON known.number = r.klantnummer
        JOIN customers_fact AS taken ON taken.source_id = %(source)s AND taken.external_id = r.id
        JOIN customers_customer AS holder ON holder.id = taken.customer_id
        {_KINDS}
        LEFT JOIN customers_branch AS branch ON branch.code = r.vestiging
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
    if rows("SELECT EXISTS (SELECT FROM import_twice) AS found")[0]["found"]:
        execute(_REFUSE_SHARED)
        execute(_REFUSE_REPEATED)


_REFUSE_SHARED = f"""
    WITH good AS (SELECT * FROM ({good_rows()}) AS r WHERE id IN (SELECT id FROM import_twice)),
    shared AS (SELECT id, min(row_number) AS first FROM good GROUP BY id HAVING min(klantnummer) <> max(klantnummer))
    INSERT INTO import_problem (row_number, column_name, value, code)
    SELECT good.row_number, 'id', left(good.id, 200), 'other_customer'
    FROM shared JOIN good USING (id) JOIN import_row AS told ON told.row_number = shared.first
    WHERE good.klantnummer <> told.klantnummer
"""  # noqa: S608 - our own words


# Row for row the same is an export that overlaps itself; otherwise nobody can tell which of the two is right.
_REFUSE_REPEATED = f"""
    WITH good AS (SELECT * FROM ({good_rows()}) AS r WHERE id IN (SELECT id FROM import_twice)),
    firsts AS (SELECT id, min(row_number) AS first FROM good GROUP BY id HAVING count(*) > 1)
    INSERT INTO import_problem (row_number, column_name, value, code)
    SELECT good.row_number, 'id', left(good.id, 200), 'duplicate'
    FROM firsts JOIN good USING (id) JOIN import_row AS told ON told.row_number = firsts.first
    WHERE to_jsonb(good) - 'row_number' <> to_jsonb(told) - 'row_number'
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
    """Remove the facts of a run, give back what it corrected, and count the totals of their customers anew."""
    execute(
        """
        CREATE TEMPORARY TABLE undone_fact ON COMMIT DROP AS
        SELECT customer_id FROM customers_importchange AS change JOIN customers_fact AS fact ON fact.id = change.row_id
        WHERE change.run_id = %(run)s AND change."table" = 'customers_fact'
        """,
        values,
    )
    columns = {column: f"was.{column}" for column, _text in _COLUMNS.values()} | {
        "kind": "was.kind",
        "occurred_at": "was.occurred_at",
        "branch_id": "(SELECT id FROM customers_branch AS branch WHERE branch.id = was.branch_id)",
    }
    restored, changed = restore_changed(TABLE, columns, values)
    reached(0.2)
    removed = execute(
        f"""
        WITH gone AS (
            DELETE FROM customers_fact AS there WHERE run_id = %(run)s AND NOT {changed_later(TABLE, "there")}
            RETURNING customer_id
        )
        INSERT INTO undone_fact SELECT customer_id FROM gone
        """,  # noqa: S608
        values,
    )
    changed += rows("SELECT count(*) AS kept FROM customers_fact WHERE run_id = %(run)s", values)[0]["kept"]
    reached(0.6)
    recount_totals("SELECT customer_id FROM undone_fact")
    reached(0.9)
    execute("DROP TABLE undone_fact")
    used = "EXISTS (SELECT FROM customers_fact AS fact WHERE fact.world = there.code)"
    _removed, kept = remove_added("customers_world", values, used=used)
    return removed, restored, kept_rows(changed=changed, used=kept)
