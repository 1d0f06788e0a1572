"""The tables of vouchers and of their codes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import clock, local_date
from vouchers.models import Definition, Voucher
from workbench.columns import BadgeColumn, CentsColumn, MomentColumn, NumberColumn

STATE_TONES = {"active": "success", "paused": "warning", "draft": "info"}


class DefinitionTable(tables.Table):
    name = tables.Column(linkify=("workbench:voucher_detail", {"pk": tables.A("pk")}))
    benefit_words = tables.Column(verbose_name=gettext_lazy("Benefit"), orderable=False)
    state = BadgeColumn(tones=STATE_TONES)
    issued_count = NumberColumn(verbose_name=gettext_lazy("Issued"))
    redeemed_count = NumberColumn(verbose_name=gettext_lazy("Redeemed"))
    discount_total = CentsColumn(verbose_name=gettext_lazy("Discount"))

    class Meta:
        model = Definition
        fields = ("name", "benefit_words", "state", "issued_count", "redeemed_count", "discount_total")


class CodeTable(tables.Table):
    code = tables.Column(
        linkify=("workbench:voucher_code", {"pk": tables.A("pk")}), accessor="grouped_code", order_by="code"
    )
    customer = tables.Column(accessor="customer__full_name", orderable=False, default="–")
    issued_at = MomentColumn()
    valid_until = MomentColumn(default="–")
    state = tables.Column()

    class Meta:
        model = Voucher
        fields = ("code", "customer", "issued_at", "valid_until", "state")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = local_date(clock())

    def render_state(self, record: Voucher) -> SafeString:
        words, tone = state_of(record, self.today)
        return format_html('<span class="tag tag-{}">{}</span>', tone, words)


def state_of(voucher: Voucher, today: dt.date) -> tuple[str, str]:
    """The state of a code in words, expiry included, and its tone."""
    if voucher.is_expired(today):
        return _("Expired"), "warning"
    tones = {Voucher.State.REDEEMED: "success", Voucher.State.BLOCKED: "danger"}
    return str(voucher.get_state_display()), tones.get(Voucher.State(voucher.state), "neutral")
