"""The table of result sets."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from selections.models import ResultSet
from workbench.columns import MomentColumn, NumberColumn


class ResultSetTable(tables.Table):
    name = tables.Column(linkify=("workbench:result_set_detail", {"pk": tables.A("pk")}), verbose_name=_("Name"))
    member_count = NumberColumn(verbose_name=_("Customers"))
    as_of = MomentColumn(verbose_name=_("As it was at"))
    selection = tables.Column(verbose_name=_("Selection"), default="–", order_by="selection__name")
    made_by = tables.Column(verbose_name=_("Kept by"), default="–", order_by=("made_by__first_name",))
    made_at = MomentColumn(verbose_name=_("Kept on"))

    class Meta:
        model = ResultSet
        fields = ("name", "member_count", "as_of", "selection", "made_by", "made_at")
        order_by = "-made_at"

    def render_made_by(self, value: object) -> str:
        return value.get_full_name() or str(value)  # type: ignore[attr-defined]
