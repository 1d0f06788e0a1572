"""The tables of publications and of their runs."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from mailings.models import Publication, PublicationRun
from workbench.columns import BadgeColumn, MomentColumn, NumberColumn

WEBHOOK_TONES = {"": "neutral", "waiting": "info", "delivered": "success", "failed": "danger"}


class PublicationTable(tables.Table):
    name = tables.Column(linkify=("workbench:publication_detail", {"pk": tables.A("pk")}))
    purpose = tables.Column()
    channel = tables.Column()
    next_at = MomentColumn(verbose_name=_("Next"))
    is_active = tables.BooleanColumn(verbose_name=_("Active"))

    class Meta:
        model = Publication
        fields = ("name", "purpose", "channel", "next_at", "is_active")


class RunTable(tables.Table):
    day = tables.DateColumn(format="j F Y", verbose_name=_("Day"))
    people_count = NumberColumn(verbose_name=_("People"))
    webhook = BadgeColumn(tones=WEBHOOK_TONES, verbose_name=_("Webhook"))
    webhook_reply = tables.Column(verbose_name=_("Answer"))
    error = tables.Column(verbose_name=_("What went wrong"))
    file_name = tables.TemplateColumn(
        template_name="workbench/_publications_file.html", verbose_name=_("File"), orderable=False
    )

    class Meta:
        model = PublicationRun
        fields = ("day", "people_count", "webhook", "webhook_reply", "error", "file_name")
        empty_text = _("There is no list yet.")
