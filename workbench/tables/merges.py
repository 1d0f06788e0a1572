"""The table of merges."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from customers.actions.matching import BY_ITSELF
from customers.models import Merge
from workbench.columns import MomentColumn, NumberColumn


class MergeTable(tables.Table):
    kept = tables.Column(
        verbose_name=_("Stays"), linkify=("workbench:merge_detail", {"pk": tables.A("pk")}), orderable=False
    )
    absorbed = tables.Column(verbose_name=_("Taken up in it"), orderable=False)
    merged_at = MomentColumn(verbose_name=_("When"))
    merged_by = tables.Column(verbose_name=_("By whom"))
    score = NumberColumn(verbose_name=_("Likelihood (0 to 100)"))
    undone_at = MomentColumn(verbose_name=_("Undone"))
    undo = tables.TemplateColumn(
        template_name="workbench/_merges_undo.html", verbose_name=_("Undo"), orderable=False, empty_values=()
    )

    class Meta:
        model = Merge
        fields = ("kept", "absorbed", "merged_at", "merged_by", "score", "undone_at", "undo")
        order_by = "-merged_at"

    def render_kept(self, record: Merge) -> str:
        return f"{record.kept} ({record.kept.number})"

    def render_absorbed(self, record: Merge) -> str:
        return f"{record.absorbed} ({record.absorbed.number})"

    def render_merged_by(self, value: str) -> str:
        return str(_("By itself: certain")) if value == BY_ITSELF else value
