"""The tables of imports and of the rows they refused."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from customers.imports import FORMATS, remedy_of
from customers.models import ImportError, ImportRun  # noqa: A004
from workbench.columns import BadgeColumn, MomentColumn, NumberColumn

STATE_TONES = {
    "waiting": "neutral",
    "running": "info",
    "previewed": "warning",
    "done": "success",
    "refused": "danger",
    "cancelled": "neutral",
    "undoing": "info",
    "undone": "neutral",
}


def format_name(code: str) -> str:
    """Return what the format of a file is called; its code when nothing brings that format any more."""
    known = FORMATS.get(code)
    return str(known.name) if known else code


class ImportTable(tables.Table):
    file_name = tables.Column(verbose_name=_("File"), linkify=("workbench:import_detail", {"pk": tables.A("pk")}))
    format = tables.Column(verbose_name=_("Format"))
    source = tables.Column(verbose_name=_("Source"), order_by="source__name")
    state = BadgeColumn(verbose_name=_("State"), tones=STATE_TONES, accessor="state")
    row_count = NumberColumn(verbose_name=_("Rows"))
    new_count = NumberColumn(verbose_name=_("New"))
    changed_count = NumberColumn(verbose_name=_("Changed"))
    refused_count = NumberColumn(verbose_name=_("Refused"))
    created_at = MomentColumn(verbose_name=_("When"))

    class Meta:
        model = ImportRun
        fields = (
            "file_name", "format", "source", "state", "row_count", "new_count", "changed_count", "refused_count",
            "created_at",
        )  # fmt: skip
        order_by = "-created_at"

    def render_format(self, value: str) -> str:
        return format_name(value).partition(" (")[0]  # the examples behind it are for the form


class ErrorTable(tables.Table):
    row_number = NumberColumn(verbose_name=_("Row"))
    column = tables.Column(verbose_name=_("Column"), default="–")
    value = tables.Column(verbose_name=_("Value"), default="–", orderable=False)
    remedy = tables.Column(verbose_name=_("What is wrong, and what to do"), orderable=False)

    class Meta:
        model = ImportError
        fields = ("row_number", "column", "value", "remedy")
        order_by = ("row_number", "column")

    def render_remedy(self, value: str, record: ImportError) -> str:
        return remedy_of(record.code) or value
