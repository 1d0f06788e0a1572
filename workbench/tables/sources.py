"""The tables of sources and of their deliveries."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from customers.models import Feed, Source
from workbench.columns import MomentColumn, NumberColumn
from workbench.tables.imports import format_name


class SourceTable(tables.Table):
    name = tables.Column(verbose_name=_("Name"), linkify=("workbench:source_detail", {"pk": tables.A("pk")}))
    kind = tables.Column(verbose_name=_("Who speaks here?"), orderable=False)
    rank = NumberColumn(verbose_name=_("Rank"))
    number_prefix = tables.Column(verbose_name=_("Prefix"), default="–", orderable=False)
    feed_count = NumberColumn(verbose_name=_("Deliveries"), orderable=False)

    class Meta:
        model = Source
        fields = ("name", "kind", "rank", "number_prefix", "feed_count")
        order_by = ("rank", "name")


class FeedTable(tables.Table):
    name = tables.Column(verbose_name=_("Delivery"), linkify=("workbench:feed_detail", {"pk": tables.A("pk")}))
    delivers = tables.Column(verbose_name=_("Format"))
    is_active = tables.Column(verbose_name=_("State"))
    schedule = tables.Column(verbose_name=_("When"), orderable=False, empty_values=())
    next_look_at = MomentColumn(verbose_name=_("Looks next at"))

    class Meta:
        model = Feed
        fields = ("name", "delivers", "is_active", "schedule", "next_look_at")
        order_by = ("name",)

    def render_delivers(self, value: str) -> str:
        return format_name(value).partition(" (")[0]

    def render_is_active(self, value: bool) -> str:
        return str(_("Active") if value else _("Off"))

    def render_schedule(self, record: Feed) -> str:
        return record.get_schedule_display()
