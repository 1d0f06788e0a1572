"""The table of saved blocks."""

from __future__ import annotations

import django_tables2 as tables
from django.core.exceptions import ObjectDoesNotExist
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.blocks import blocks
from mailings.models import SavedBlock
from workbench.columns import MomentColumn


def summary_of(saved: SavedBlock) -> str:
    """Return one line about what a saved block holds."""
    block = blocks.get(saved.type)
    try:
        return block.summary(saved.data) if block else saved.type
    except ObjectDoesNotExist:
        return gettext("What this block shows does not exist any more.")


class SavedTable(tables.Table):
    name = tables.Column(linkify=("workbench:saved_detail", {"pk": tables.A("pk")}))
    type = tables.Column(verbose_name=_("Kind of block"))
    summary = tables.Column(verbose_name=_("Content"), empty_values=(), orderable=False)
    created_by = tables.Column(verbose_name=_("Saved by"))
    created_at = MomentColumn(verbose_name=_("Saved at"))

    class Meta:
        model = SavedBlock
        fields = ("name", "type", "summary", "created_by", "created_at")

    def render_type(self, value: str) -> str:
        block = blocks.get(value)
        return str(block.label if block else value)

    def render_summary(self, record: SavedBlock) -> str:
        return summary_of(record)

    def render_created_by(self, value: object) -> str:
        return str(value.get_full_name() or value)  # type: ignore[attr-defined]
