"""What a publication tells of a person, and the statements that write its list. No rule stands here: the gate's do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from common.sql import rows

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class Column:
    """A column of the list; ``sql`` gives its text for ``customer``, ``email`` and ``branch``."""

    code: str
    label: _StrPromise
    sql: str
    is_usual: bool = False


COLUMNS = {
    column.code: column
    for column in (
        Column("number", _("Customer number"), "customer.number", is_usual=True),
        Column("email", _("E-mail"), "email.value", is_usual=True),
        Column("phone", _("Telephone"), "phone.value"),
        Column("initials", _("Initials"), "customer.initials"),
        Column("first_name", _("First name"), "customer.first_name", is_usual=True),
        Column("name_prefix", _("Name prefix"), "customer.name_prefix", is_usual=True),
        Column("last_name", _("Last name"), "customer.last_name", is_usual=True),
        Column("street", _("Street"), "customer.street"),
        Column("house_number", _("House number"), "customer.house_number"),
        Column("house_number_addition", _("Addition"), "customer.house_number_addition"),
        Column("postal_code", _("Postal code"), "customer.postal_code"),
        Column("city", _("Place"), "customer.city"),
        Column("branch", _("Branch"), "branch.code", is_usual=True),
        Column("kind", _("Kind of customer"), "customer.kind"),
    )
}
_FROM = """
    FROM mailings_publishedperson AS person
    JOIN customers_customer AS customer ON customer.id = person.customer_id
    LEFT JOIN customers_branch AS branch ON branch.id = customer.branch_id
    LEFT JOIN customers_contactpoint AS email
        ON email.customer_id = customer.id AND email.channel = 'email' AND email.is_primary
    LEFT JOIN customers_contactpoint AS phone
        ON phone.customer_id = customer.id AND phone.channel = 'phone' AND phone.is_primary
"""


def _cells(codes: Sequence[str], *, is_file: bool) -> str:
    """Return the select list. In a file, what a spreadsheet would take for a formula gets an apostrophe before it; a
    telephone number is none.
    """
    cells = []
    for code in codes:
        value = f"coalesce({COLUMNS[code].sql}, '')"
        if is_file:
            is_formula = f"{value} ~ E'^[=+@\\t\\r-]' AND {value} !~ '^[+][0-9]+$'"
            value = f"CASE WHEN {is_formula} THEN '''' || {value} ELSE {value} END"
        cells.append(f'{value} AS "{code}"')
    return ", ".join(cells)


def file_sql(publication_id: int, codes: Sequence[str]) -> str:
    """Return the COPY that streams the whole list, by customer number."""
    listed = f"SELECT {_cells(codes, is_file=True)} {_FROM} WHERE person.publication_id = {publication_id:d}"
    return f"COPY ({listed} ORDER BY customer.number) TO STDOUT (FORMAT csv, HEADER, DELIMITER ';')"


def people(
    publication_id: int, codes: Sequence[str], *, allowed_sql: str, after: int, limit: int
) -> tuple[list[dict[str, Any]], int | None]:
    """Return a page of the list after a customer id, and the id to go on after (None: that was the last).

    ``allowed_sql`` takes ids in ``({ids})`` and yields who is allowed at this moment: who said no since is left out.
    """
    page = rows(
        "SELECT customer_id FROM mailings_publishedperson WHERE publication_id = %s AND customer_id > %s"
        " ORDER BY customer_id LIMIT %s",
        [publication_id, after, limit],
    )
    ids = [row["customer_id"] for row in page]
    if not ids:
        return [], None
    found = rows(
        f"SELECT {_cells(codes, is_file=False)} {_FROM} WHERE person.publication_id = %(publication)s"
        f" AND person.customer_id = ANY(%(ids)s) AND person.customer_id IN ({allowed_sql}) ORDER BY person.customer_id",
        {"publication": publication_id, "ids": ids},
    )
    return found, ids[-1] if len(ids) == limit else None
