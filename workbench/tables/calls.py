"""Tables about calls."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from mailings.models import Call
from workbench.columns import BadgeColumn, MomentColumn

TONES = {
    "reached": "success",
    "not_reached": "neutral",
    "later": "info",
    "wants_none": "warning",
    "wrong_number": "danger",
}


class CallTable(tables.Table):
    customer = tables.Column(
        accessor="message__customer",
        linkify=("workbench:customer_detail", [tables.A("message__customer_id")]),
        verbose_name=_("Customer"),
        orderable=False,
    )
    outcome = BadgeColumn(tones=TONES, verbose_name=_("What came of it"))
    note = tables.Column(verbose_name=_("What was said"), orderable=False)
    called_by = tables.Column(verbose_name=_("By whom"))
    called_at = MomentColumn(verbose_name=_("Called"))

    class Meta:
        model = Call
        fields = ("customer", "outcome", "note", "called_by", "called_at")
        order_by = "-called_at"
