"""The table of actions."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from campaigns.models import Action
from workbench.columns import MomentColumn, NumberColumn


class ActionTable(tables.Table):
    name = tables.Column(linkify=("workbench:action_detail", {"pk": tables.A("pk")}))
    channels = tables.Column(accessor="get_channels_display", order_by="channels", verbose_name=_("Channels"))
    mailing_count = NumberColumn(verbose_name=_("Mailings"))
    message_count = NumberColumn(verbose_name=_("Messages"))
    last_mailing_at = MomentColumn(verbose_name=_("Last used"))

    class Meta:
        model = Action
        fields = ("name", "purpose", "channels", "mailing_count", "message_count", "last_mailing_at")
