"""The table of selections."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from selections.models import Selection
from workbench.columns import MomentColumn, NumberColumn


class SelectionTable(tables.Table):
    name = tables.TemplateColumn(template_name="workbench/_selections_name.html", verbose_name=_("Name"))
    last_count = NumberColumn(verbose_name=_("Customers"), default="–")
    counted_at = MomentColumn(verbose_name=_("Last counted"), default=_("not yet"))
    folder = tables.Column(verbose_name=_("Folder"), default="–", order_by=("folder__name", "name"))
    owner = tables.Column(verbose_name=_("Owner"), default="–", order_by=("owner__first_name", "owner__username"))
    updated_at = MomentColumn(verbose_name=_("Changed"))

    class Meta:
        model = Selection
        fields = ("name", "last_count", "counted_at", "owner", "folder", "updated_at")
        order_by = "name"

    def render_owner(self, value: object) -> str:
        return value.get_full_name() or str(value)  # type: ignore[attr-defined]
