"""The table of possible duplicates."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from customers.models import MatchPair
from workbench.columns import BadgeColumn, MomentColumn, NumberColumn
from workbench.comparison import in_words

STATE_TONES = {"open": "warning", "merged": "success", "different": "neutral"}


class PairTable(tables.Table):
    first = tables.Column(
        verbose_name=_("Customer"), linkify=("workbench:duplicate_detail", {"pk": tables.A("pk")}), orderable=False
    )
    second = tables.Column(verbose_name=_("May be the same as"), orderable=False)
    score = NumberColumn(verbose_name=_("Likelihood (0 to 100)"))
    reasons = tables.Column(verbose_name=_("Why"), orderable=False)
    state = BadgeColumn(verbose_name=_("State"), tones=STATE_TONES, accessor="state")
    found_at = MomentColumn(verbose_name=_("Found"))

    class Meta:
        model = MatchPair
        fields = ("first", "second", "score", "reasons", "state", "found_at")
        order_by = ("-score", "found_at")

    def render_first(self, record: MatchPair) -> str:
        return f"{record.first} ({record.first.number})"

    def render_second(self, record: MatchPair) -> str:
        return f"{record.second} ({record.second.number})"

    def render_reasons(self, value: list[list[object]]) -> str:
        return "; ".join(str(reason["text"]) for reason in in_words(value))
