"""Facts: what customers did, one row each."""

from __future__ import annotations

from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from customers.facts import fact_kinds
from customers.imports.formats.base import (
    BRANCH,
    CUSTOMER,
    FORMATS,
    Check,
    Column,
    Format,
    unreadable,
)
from customers.imports.writers.facts import refuse_facts, undo_facts, write_facts
from customers.models import ImportRun


def importable_kinds() -> dict[str, str]:
    """Return the word in a file -> the code, of the kinds of facts that may come from one."""
    kinds = [kind for kind in fact_kinds if kind.importable]
    return {kind.code: kind.code for kind in kinds} | {kind.dutch: kind.code for kind in kinds if kind.dutch}


def _kind_words() -> str:
    return ", ".join(kind.dutch or kind.code for kind in fact_kinds if kind.importable)


_lazy_kind_words = lazy(_kind_words, str)

FACTS = Format(
    code=ImportRun.Format.FACTS,
    name=ImportRun.Format.FACTS.label,
    columns=[
        Column("id", _("Number of the row in its own system; never the same for two."), "U900000001",
               required=True, filled=True, longest=80),
        CUSTOMER,
        Column(
            "soort", _lazy_kind_words(), "uitlening",
            required=True, filled=True,
            checks=[Check("kind", "r.soort <> '' AND (%(kinds)s::jsonb) ->> lower(r.soort) IS NULL")],
        ),
        Column(
            "tijdstip", _("When it happened; a date alone will do."), "2026-05-31 14:30", required=True, filled=True,
            checks=[
                Check("moment", "r.tijdstip <> '' AND happened.at IS NULL"),
                Check("future", "happened.at > %(now)s"),
                Check("past", "happened.at < '1990-01-01'"),
            ],
        ),
        BRANCH,
        Column("sector", _("Part of the organisation, such as library or theatre."), "bibliotheek", longest=24),
        Column("wereld", _("World; a new one is added to the list."), "reizen", longest=40),
        Column("genre", _("Genre; never a title."), "reisgidsen", longest=40),
        Column("aantal", _("How many; 1 when empty."), "2", checks=[unreadable("aantal", "whole")]),
        Column(
            "bedrag", _("Amount in euros, for sales and payments."), "",
            checks=[unreadable("bedrag", "cents", "amount")],
        ),
        Column(
            "bestelling", _("Number of the order of which this is a line, so that lines count as one order."), "",
            longest=40,
        ),
        Column(
            "duur", _("Duration in seconds, for web visits."), "",
            checks=[unreadable("duur", "whole"), Check("whole", "customers_read_whole(r.duur) < 0")],
        ),
    ],
    joins="""
        CROSS JOIN LATERAL (
            SELECT coalesce(
                customers_read_moment(r.tijdstip),
                customers_read_date(r.tijdstip)::timestamp AT TIME ZONE 'Europe/Amsterdam'
            ) AS at OFFSET 0
        ) AS happened
    """,
    persons=("klantnummer",),
    prepare=refuse_facts,
    write=write_facts,
    undo=undo_facts,
)  # fmt: skip
FORMATS.register(FACTS)
