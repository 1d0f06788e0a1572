"""The table of what mail servers reported."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from common.templatetags.ui import breakable
from mailings.models import Bounce
from workbench.columns import BadgeColumn, MomentColumn

BOUNCE_TONES = {"hard": "danger", "complaint": "danger", "soft": "warning", "unknown": "warning", "delayed": "info"}


class BounceTable(tables.Table):
    address = tables.Column(
        linkify=("workbench:bounce_detail", {"pk": tables.A("pk")}), empty_values=(), verbose_name=_("Address")
    )
    kind = BadgeColumn(tones=BOUNCE_TONES, verbose_name=_("What was reported"))
    status = tables.Column(default="–", verbose_name=_("Code"))
    detail = tables.Column(default="–", verbose_name=_("In the words of the mail server"), orderable=False)
    mailing = tables.Column(
        accessor="message__mailing",
        linkify=("workbench:mailing_detail", {"pk": tables.A("message__mailing_id")}),
        default="–",
        verbose_name=_("Mailing"),
        orderable=False,
    )
    source = tables.Column(accessor="get_source_display", order_by="source", verbose_name=_("Came by"))
    received_at = MomentColumn(verbose_name=_("Received"))

    class Meta:
        model = Bounce
        fields = ("address", "kind", "status", "detail", "mailing", "source", "received_at")

    def render_address(self, value: str) -> SafeString | str:
        return breakable(value) if value else str(_("unknown"))
