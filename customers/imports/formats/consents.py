"""Consents: what people said, over which channel, and when."""

from __future__ import annotations

from django.utils.functional import lazystr
from django.utils.translation import gettext_lazy as _

from customers.consents.rules import AGE_OF_CONSENT
from customers.imports.formats.base import (
    CUSTOMER,
    FORMATS,
    Check,
    Column,
    Format,
    choice,
    unreadable,
)
from customers.imports.words import CHANNELS, PURPOSES, STATES
from customers.imports.writers.consents import refuse_consents, undo_consents, write_consents
from customers.models import ImportRun

# Who was 16 when it was said; of whom we know no birth date, a parent may answer.
IS_GROWN = f"""EXISTS (
    SELECT FROM customers_customer AS child WHERE child.id = known.customer_id
        AND child.birth_date + interval '{AGE_OF_CONSENT} years'
            <= customers_read_moment(r.tijdstip) AT TIME ZONE 'Europe/Amsterdam'
)"""

CONSENTS = Format(
    code=ImportRun.Format.CONSENTS,
    name=ImportRun.Format.CONSENTS.label,
    columns=[
        CUSTOMER,
        Column("doel", lazystr(", ".join(PURPOSES)), "marketing", required=True, filled=True),
        Column(
            "kanaal", lazystr("email, post, telefoon, sms"), "email", required=True, filled=True,
            checks=[choice("kanaal", list(CHANNELS))],
        ),
        Column(
            "status", lazystr(", ".join(STATES)), "ja", required=True, filled=True,
            checks=[choice("status", list(STATES))],
        ),
        Column(
            "tijdstip", _("When it was said, with the time; the latest counts."), "2024-05-31 14:30",
            required=True, filled=True,
            checks=[
                unreadable("tijdstip", "moment"),
                Check("future", "customers_read_moment(r.tijdstip) > %(now)s"),
                Check("past", "customers_read_moment(r.tijdstip) < '1990-01-01'"),
            ],
        ),
        Column("bron", _("Where it was said: form, counter, website, …"), "inschrijfformulier", longest=100),
        Column("tekstversie", _("Version of the text that was agreed to."), "2024-3", longest=40),
        Column(
            "ouder_klantnummer", _("Number of the parent or guardian who answered for a child under 16."), "",
            longest=40,
            checks=[
                Check("itself", "parent.customer_id = known.customer_id"),
                Check("parent", "r.ouder_klantnummer <> '' AND parent.customer_id IS NULL"),
                Check(
                    "not_guardian",
                    "parent.customer_id <> known.customer_id AND NOT EXISTS (SELECT FROM customers_guardianship AS tie"
                    " WHERE tie.child_id = known.customer_id AND tie.guardian_id = parent.customer_id)",
                ),
                Check("grown", f"parent.customer_id IS NOT NULL AND {IS_GROWN}"),
            ],
            joins="LEFT JOIN import_known AS parent ON parent.number = r.ouder_klantnummer",
        ),
    ],
    joins="""
        LEFT JOIN customers_purpose AS purpose ON purpose.code = coalesce(
            (%(purposes)s::jsonb) ->> lower(r.doel), lower(r.doel)
        )
    """,
    checks=[Check("purpose", "r.doel <> '' AND purpose.id IS NULL", "doel")],
    notes=[
        _("A later no is never undone by an older yes: the moment counts, not the order of importing."),
        _("A file never undoes a no that somebody said elsewhere, such as in MijnMenu: those rows are refused."),
        _("Under 16 a yes counts only with the number of the parent who gave it."),
    ],
    persons=("klantnummer", "ouder_klantnummer"),
    prepare=refuse_consents,
    write=write_consents,
    undo=undo_consents,
)  # fmt: skip
FORMATS.register(CONSENTS)
