"""Tables about text messages."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from mailings.models import TextReply
from workbench.columns import MomentColumn


class TextReplyTable(tables.Table):
    text = tables.Column(verbose_name=_("Answer"), orderable=False)
    customer = tables.Column(
        accessor="message__customer",
        linkify=("workbench:customer_detail", [tables.A("message__customer_id")]),
        verbose_name=_("Customer"),
        orderable=False,
    )
    mailing = tables.Column(
        accessor="message__mailing",
        linkify=("workbench:mailing_detail", [tables.A("message__mailing_id")]),
        verbose_name=_("Answer to"),
        orderable=False,
    )
    is_stop = tables.BooleanColumn(verbose_name=_("Wants no more"), yesno=(_("yes"), ""), orderable=False)
    received_at = MomentColumn(verbose_name=_("Received"))

    class Meta:
        model = TextReply
        fields = ("text", "customer", "mailing", "is_stop", "received_at")
        order_by = "-received_at"
