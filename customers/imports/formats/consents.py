"""Consents: what people said, over which channel, and when."""

from __future__ import annotations

from django.utils.functional import lazystr
from django.utils.translation import gettext_lazy as _

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
from customers.imports.writers.consents import undo_consents, write_consents
from customers.models import ImportRun

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
    ],
    joins="""
        LEFT JOIN customers_purpose AS purpose ON purpose.code = coalesce(
            (%(purposes)s::jsonb) ->> lower(r.doel), lower(r.doel)
        )
    """,
    checks=[Check("purpose", "r.doel <> '' AND purpose.id IS NULL", "doel")],
    notes=[_("A later no is never undone by an older yes: the moment counts, not the order of importing.")],
    persons=("klantnummer",),
    write=write_consents,
    undo=undo_consents,
)  # fmt: skip
FORMATS.register(CONSENTS)
