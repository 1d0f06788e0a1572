"""Customers: who they are, how they can be reached, and whose children they are."""

from __future__ import annotations

from django.utils.functional import lazystr
from django.utils.translation import gettext_lazy as _

from customers.imports.formats.base import (
    BRANCH,
    CITY,
    EMAIL,
    FORMATS,
    POSTAL_CODE,
    STREET,
    Check,
    Column,
    Format,
    choice,
    unreadable,
)
from customers.imports.words import CUSTOMER_KINDS, GENDERS
from customers.imports.writers.customers import refuse_customers, undo_customers, write_customers
from customers.models import ImportRun

CUSTOMERS = Format(
    code=ImportRun.Format.CUSTOMERS,
    name=ImportRun.Format.CUSTOMERS.label,
    columns=[
        Column(
            "klantnummer", _("Number of the customer; never the same for two."), "9000001",
            required=True, filled=True,
            # With us it stands behind the prefix of its source.
            checks=[Check("too_long", "length(%(prefix)s || r.klantnummer) > 40")],
        ),
        Column(
            "soort", lazystr(", ".join(CUSTOMER_KINDS)), "lid", required=True, filled=True,
            checks=[choice("soort", list(CUSTOMER_KINDS), "kind")],
        ),
        Column("pasnummer", _("Number on the library card, where that is another."), "29001000001", longest=40),
        Column("voorletters", _("Initials."), "A.", longest=20),
        Column("voornaam", _("First name."), "Anja", longest=80),
        Column("tussenvoegsel", _("Name prefix."), "de", longest=20),
        Column("achternaam", _("Last name."), "Wit", required=True, longest=100),
        Column(
            "geboortedatum", _("Birth date."), "1979-03-14",
            checks=[
                unreadable("geboortedatum", "date"),
                Check(
                    "birth_date",
                    "customers_read_date(r.geboortedatum) NOT BETWEEN '1900-01-01' AND %(today)s",
                ),
            ],
        ),
        Column("geslacht", lazystr("m, v, x"), "v", checks=[choice("geslacht", list(GENDERS))]),
        EMAIL,
        Column("telefoon", _("Phone number."), "0612340001", checks=[unreadable("telefoon", "phone")]),
        STREET,
        Column("huisnummer", _("House number."), "12", longest=10),
        Column("toevoeging", _("Addition to the house number."), "a", longest=20),
        POSTAL_CODE,
        CITY,
        BRANCH,
        Column(
            "inschrijfdatum", _("Date of registration."), "2024-02-01",
            checks=[
                unreadable("inschrijfdatum", "date"),
                Check("future", "customers_read_date(r.inschrijfdatum) > %(today)s"),
                Check("past", "customers_read_date(r.inschrijfdatum) < '1900-01-01'"),
            ],
        ),
        Column(
            "overleden", _("Date of death."), "",
            checks=[
                unreadable("overleden", "date"),
                Check("future", "customers_read_date(r.overleden) > %(today)s"),
                Check("past", "customers_read_date(r.overleden) < '1900-01-01'"),
            ],
        ),
        Column(
            "ouder_klantnummer", _("Number of the parent or guardian, who is known or stands in this file."), "",
            longest=40,
            checks=[
                Check("itself", "r.ouder_klantnummer <> '' AND r.ouder_klantnummer = r.klantnummer"),
                Check("parent", "r.ouder_klantnummer <> '' AND parent.customer_id IS NULL AND NOT parent.is_listed"),
            ],
            joins="LEFT JOIN import_known AS parent ON parent.number = r.ouder_klantnummer",
        ),
    ],
    checks=[
        Check(
            "name",
            "r.achternaam = '' AND (lower(r.soort) NOT IN ('nieuwsbrief', 'prospect') OR r.email = '')",
            "achternaam",
        ),
    ],
    unique="klantnummer",
    persons=("klantnummer", "ouder_klantnummer"),
    prepare=refuse_customers,
    write=write_customers,
    undo=undo_customers,
)  # fmt: skip
FORMATS.register(CUSTOMERS)
