"""Branches: the locations of the organisation."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from customers.imports.formats.base import CITY, CODE, EMAIL, FORMATS, POSTAL_CODE, STREET, Column, Format
from customers.imports.writers.branches import undo_branches, write_branches
from customers.models import ImportRun

BRANCHES = Format(
    code=ImportRun.Format.BRANCHES,
    name=ImportRun.Format.BRANCHES.label,
    columns=[
        Column("code", _("Short code of the branch."), "VBD", required=True, filled=True, longest=40, checks=[CODE]),
        Column("naam", _("Name of the branch."), "Voorbeelddorp", required=True, filled=True, longest=100),
        STREET,
        Column("huisnummer", _("House number."), "40", longest=20),
        POSTAL_CODE,
        CITY,
        Column("telefoon", _("Phone number, as customers see it."), "0299-550100", longest=20),
        Column("email", _("Address from which mails are sent."), "pur@example.nl", checks=EMAIL.checks),
    ],
    unique="code",
    write=write_branches,
    undo=undo_branches,
)
FORMATS.register(BRANCHES)
