"""The tables of MijnMenu with rows about a person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from common.personal import PersonalTable, personal_tables

TABLES = (
    PersonalTable(
        "mijnmenu_addresschange",
        _("Changes of your e-mail address"),
        emails=("address", "old_address"),
        latest="asked_at",
        shown={
            "address": _("e-mail address"),
            "old_address": _("former e-mail address"),
            "asked_at": _("asked at"),
            "confirmed_at": _("confirmed at"),
        },
    ),
    PersonalTable(
        "mijnmenu_linkrequest",
        _("Requests for a link"),
        column="address",
        holds="address",
        merge="stay",
        shown={"address": _("e-mail address"), "asked_at": _("asked at")},
    ),
)

for table in TABLES:
    personal_tables.register(table)
