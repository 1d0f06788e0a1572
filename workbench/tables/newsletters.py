"""The tables of newsletters and their editions."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from newsletter.models import Edition, Newsletter
from workbench.columns import BadgeColumn, MomentColumn, NumberColumn

EDITION_TONES = {"draft": "neutral", "planned": "info", "sent": "success"}


class NewsletterTable(tables.Table):
    name = tables.Column(linkify=("workbench:newsletter_detail", {"pk": tables.A("pk")}))
    edition_count = NumberColumn(verbose_name=_("Editions"))
    last_sent_at = MomentColumn(verbose_name=_("Last sent"))
    is_active = tables.BooleanColumn(verbose_name=_("Appears"), yesno=f"{_('yes')},{_('no')}")

    class Meta:
        model = Newsletter
        fields = ("name", "edition_count", "last_sent_at", "is_active")


class EditionTable(tables.Table):
    subject = tables.Column(linkify=("workbench:edition_detail", {"pk": tables.A("pk")}))
    state = BadgeColumn(tones=EDITION_TONES)
    send_at = MomentColumn(verbose_name=_("When"))
    item_count = NumberColumn(verbose_name=_("Text items"))
    message_count = NumberColumn(verbose_name=_("Messages"))
    sent_count = NumberColumn(verbose_name=_("Sent"))

    class Meta:
        model = Edition
        fields = ("subject", "state", "send_at", "item_count", "message_count", "sent_count")
