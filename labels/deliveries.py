"""Labels that come from a source, such as Mosaic with its year: per customer, or per address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from common.sql import execute, rows
from customers.imports.formats import FORMATS, Column, Format
from customers.imports.formats.base import CUSTOMER, POSTAL_CODE, Check, choice
from customers.imports.remedies import REMARKS
from customers.imports.writers.merging import cells_of_row, keep_samples, remark
from labels.imported import CODE, LABEL_COLUMNS, TABLE, WANTED, add_labels, give_wanted, refuse_others, undo_labels
from labels.imported_homes import refuse_home_labels, write_home_labels
from labels.profiling import refused_sql

REMARKS["unprofiled"] = _(
    "of customers who said no to being profiled or whose data are restricted: not taken in, and counted as unchanged"
)

COLUMNS = ("klantnummer", "label", "naam", "groep", "versie", "meer")
SEVERAL = "lower(r.meer) = 'ja'"


def refuse_labels(present: frozenset[str], values: Mapping[str, Any]) -> None:
    """Refuse rows of another version than the first of their group, and second labels within a group of single ones."""
    refuse_others(values, "r.klantnummer", "one_label", may_have_many=SEVERAL)


def write_labels(present: frozenset[str], values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Give the labels of the file; return (new, ended, known). Not to who said no to being profiled."""
    add_labels(values, may_have_many=SEVERAL)
    refused = refused_sql(now=values["now"])
    known = "FROM import_row AS r JOIN import_known AS known ON known.number = r.klantnummer"
    execute(
        f"""
        CREATE TEMPORARY TABLE import_wanted ON COMMIT DROP AS
        SELECT known.customer_id, {WANTED} {known} JOIN labels_label AS label ON label.code = {CODE}
        WHERE known.customer_id NOT IN ({refused})
        """,
        values,
    )
    remark("unprofiled", f"SELECT count(*) {known} WHERE known.customer_id IN ({refused})", values)
    execute("ANALYZE import_wanted")
    good = rows("SELECT count(*) AS good FROM import_row")[0]["good"]
    new, ended = give_wanted(values)
    keep_samples(
        "new",
        f"""
        SELECT r.row_number, r.klantnummer AS title, '{{}}'::jsonb AS before, {cells_of_row(COLUMNS)} AS after
        FROM import_row AS r JOIN import_wanted AS w USING (row_number)
        JOIN {TABLE} AS given ON given.label_id = w.label_id AND given.customer_id = w.customer_id
            AND given.until IS NULL AND given.given_by = %(actor)s
        """,  # noqa: S608
        values,
    )
    execute("DROP TABLE import_wanted")
    return new, ended, good - new


LABELS = FORMATS.register(
    Format(
        code="labels",
        name=_("Labels (Mosaic, segments, …)"),
        columns=[
            CUSTOMER,
            *LABEL_COLUMNS,
            Column(
                "meer",
                _("“ja” when somebody may have several labels of this group, such as profiles of interest."),
                "",
                checks=[choice("meer", ["ja", "nee"])],
            ),
        ],
        notes=[_("Labels that end stay visible in the history of the customer.")],
        persons=("klantnummer",),
        prepare=refuse_labels,
        write=write_labels,
        undo=undo_labels,
    )
)
HOME_LABELS = FORMATS.register(
    Format(
        code="home_labels",
        name=_("Labels per address or postal code (Mosaic, …)"),
        columns=[
            Column(
                POSTAL_CODE.name,
                _("Dutch postal code; without a house number the row is about everybody there."),
                POSTAL_CODE.example,
                required=True,
                filled=True,
                checks=POSTAL_CODE.checks,
            ),
            Column(
                "huisnummer",
                _("House number; empty for the whole postal code."),
                "12",
                longest=20,
                checks=[
                    Check("house_number", "r.huisnummer <> '' AND r.huisnummer !~ '^[0-9]{1,9}'"),
                    Check("empty", "r.huisnummer = '' AND r.toevoeging <> ''"),
                ],
            ),
            Column(
                "toevoeging",
                _("Addition; empty for everybody at that number of whom no row is more exact."),
                "a",
                longest=20,
            ),
            *LABEL_COLUMNS,
        ],
        notes=[
            _("The most exact row counts: address with addition, then house number, then postal code."),
            _("Addresses where nobody of us lives change nothing. Who said no to personal tips gets none of these."),
            _("Labels that end stay visible in the history of the customer."),
        ],
        prepare=refuse_home_labels,
        write=write_home_labels,
        undo=undo_labels,
    )
)
