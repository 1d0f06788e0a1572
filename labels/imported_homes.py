"""Labels per address, as Mosaic and the like are sold: a row is about everybody who lives there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from common.sql import execute, rows
from customers.imports.remedies import REMARKS, REMEDIES
from customers.imports.writers.merging import cells_of_row, keep_samples, remark
from labels.imported import CODE, TABLE, WANTED, add_labels, give_wanted, refuse_others
from labels.profiling import refused_sql

REMEDIES["one_home"] = _("Within a group an address has one label. Keep one of the rows of this address.")
REMEDIES["house_number"] = _("A house number begins with a digit. What follows belongs in the addition.")
REMARKS["unprofiled_home"] = _(
    "customers at these addresses said no to being profiled, or their data are restricted: they get none of the labels"
)

COLUMNS = ("postcode", "huisnummer", "toevoeging", "label", "naam", "groep", "versie")
# The place of row ``r``: an address as households have them ("1441AB|12|a"), or the postal code alone.
PLACE = """coalesce(
    customers_household_key(customers_read_postal_code(r.postcode), r.huisnummer, r.toevoeging),
    customers_read_postal_code(r.postcode)
)"""

# Where customers live, as exact as rows can be about it; ``{among}`` says of ``customer.id`` whom it is about.
PLACED = """
    WITH living AS (
        SELECT customer.id, customer.postal_code, customers_household_key(
            customer.postal_code, customer.house_number, customer.house_number_addition) AS home
        FROM customers_customer AS customer
        WHERE customer.merged_into_id IS NULL AND customer.postal_code <> '' AND customer.address_state = ''
            AND customer.id {among}
    ),
    placed AS (
        SELECT id, home AS place, 3 AS exactness FROM living WHERE home NOT LIKE '%%|'
        UNION ALL SELECT id, regexp_replace(home, '[^|]*$', ''), 2 FROM living WHERE home IS NOT NULL
        UNION ALL SELECT id, postal_code, 1 FROM living
    )
"""


def refuse_home_labels(present: frozenset[str], values: Mapping[str, Any]) -> None:
    """Refuse rows of another version than the first of their group, and second labels of an address within a group."""
    refuse_others(values, PLACE, "one_home")


def write_home_labels(present: frozenset[str], values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Give the labels of an address to who live there; return (given, ended, rows that gave nobody anything new).

    Not to who moved away or whose post came back, and not to who said no to being profiled.
    """
    add_labels(values)
    _want(values)
    good = rows("SELECT count(*) AS good FROM import_row")[0]["good"]
    new, ended = give_wanted(values)
    given = f"""
        FROM import_row AS r JOIN import_wanted AS w USING (row_number)
        JOIN {TABLE} AS given ON given.label_id = w.label_id AND given.customer_id = w.customer_id
            AND given.until IS NULL AND given.given_by = %(actor)s
    """
    keep_samples(
        "new",
        f"""
        SELECT r.row_number, r.postcode AS title, '{{}}'::jsonb AS before, {cells_of_row(COLUMNS)} AS after
        {given} GROUP BY r.row_number, r.postcode, {cells_of_row(COLUMNS)}
        """,
        values,
    )
    useful = rows(f"SELECT count(DISTINCT r.row_number) AS useful {given}", values)[0]["useful"]
    execute("DROP TABLE import_wanted")
    return new, ended, good - useful


def _want(values: Mapping[str, Any]) -> None:
    """Make ``import_wanted``: of each customer and group the label of the row that is most exact about the address."""
    execute(
        f"""
        CREATE TEMPORARY TABLE import_place ON COMMIT DROP AS
        SELECT {WANTED}, place.place,
            CASE WHEN place.place NOT LIKE '%%|%%' THEN 1 WHEN place.place LIKE '%%|' THEN 2 ELSE 3 END AS exactness
        FROM import_row AS r JOIN labels_label AS label ON label.code = {CODE}
        CROSS JOIN LATERAL (SELECT {PLACE} AS place) AS place
        """,  # noqa: S608
        values,
    )
    execute("ANALYZE import_place")
    refused = refused_sql(now=values["now"])
    execute(
        f"""
        CREATE TEMPORARY TABLE import_wanted ON COMMIT DROP AS
        {PLACED.format(among=f"NOT IN ({refused})")}
        SELECT DISTINCT ON (placed.id, coalesce(row.group_id, -row.label_id)) placed.id AS customer_id, row.row_number,
            row.label_id, row.group_id, row.version_code, row.told
        FROM placed JOIN import_place AS row USING (place, exactness)
        ORDER BY placed.id, coalesce(row.group_id, -row.label_id), row.exactness DESC, row.row_number
        """,  # noqa: S608
        values,
    )
    execute("ANALYZE import_wanted")
    among = PLACED.format(among=f"IN ({refused})")
    there = f"{among} SELECT count(DISTINCT id) FROM placed JOIN import_place USING (place, exactness)"  # noqa: S608
    remark("unprofiled_home", there, values)
    execute("DROP TABLE import_place")
