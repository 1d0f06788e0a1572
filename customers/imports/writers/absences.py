"""Whom a source no longer names: noted at each delivery that holds everybody it knows, and lifted when he is back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute, rows
from customers.imports.writers.merging import remark

LEAST = 0.5  # a file with fewer of those who were known than this share was broken off, and says nothing of the others

_NAMED = """
    EXISTS (SELECT FROM import_known AS known WHERE known.number = record.key AND known.is_listed)
"""
_SHARE = """
    SELECT count(*) AS known, count(named.number) AS named
    FROM customers_sourcerecord AS record
    LEFT JOIN import_known AS named ON named.number = record.key AND named.is_listed
    WHERE record.source_id = %(source)s AND record.run_id IS DISTINCT FROM %(run)s
"""
_BACK = f"""
    DELETE FROM customers_absence AS absence USING customers_sourcerecord AS record
    WHERE record.id = absence.record_id AND record.source_id = %(source)s AND {_NAMED}
"""  # noqa: S608 - statements of our own
_GONE = f"""
    INSERT INTO customers_absence (record_id, since, run_id)
    SELECT record.id, %(now)s, %(run)s FROM customers_sourcerecord AS record
    WHERE record.source_id = %(source)s AND NOT {_NAMED}
    ON CONFLICT (record_id) DO NOTHING
"""  # noqa: S608


def note_absences(values: Mapping[str, Any]) -> None:
    """Note which records of the source this delivery of everybody does not name, and who is back. Call it when the
    customers are written; a file with less than half of who was known before changes nothing, however many others it
    brings. Rows that were refused count as named.
    """
    [share] = rows(_SHARE, values)
    if share["named"] < share["known"] * LEAST:
        return
    execute(_BACK, values)
    execute(_GONE, values)
    remark("absent", "SELECT count(*) FROM customers_absence WHERE run_id = %(run)s", values)


def undo_absences(values: Mapping[str, Any]) -> None:
    """Take back what a run noted; the next delivery of everybody notes it anew. Of records that went, nothing stays."""
    execute(
        """
        DELETE FROM customers_absence AS absence WHERE run_id = %(run)s
            OR NOT EXISTS (SELECT FROM customers_sourcerecord AS record WHERE record.id = absence.record_id)
        """,
        values,
    )
