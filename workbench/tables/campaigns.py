"""The tables of campaigns and of those who take part in one."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, Enrolment
from workbench.columns import BadgeColumn, MomentColumn, NumberColumn

CAMPAIGN_TONES = {"running": "success", "paused": "warning", "draft": "neutral", "finished": "info"}
READ_ALOUD = {"th": {"class": "read-aloud"}}  # the buttons below it say the same
ENROLMENT_TONES = {"active": "success", "completed": "info", "left": "neutral"}


class CampaignTable(tables.Table):
    name = tables.Column(linkify=("workbench:campaign_detail", {"pk": tables.A("pk")}))
    kind = tables.Column(accessor="get_kind_display", order_by="kind", verbose_name=_("Kind"))
    state = BadgeColumn(tones=CAMPAIGN_TONES)
    step_count = NumberColumn(verbose_name=_("Steps"))
    active_count = NumberColumn(verbose_name=_("Taking part"))
    completed_count = NumberColumn(verbose_name=_("Completed"))
    left_count = NumberColumn(verbose_name=_("Left"))

    class Meta:
        model = Campaign
        fields = ("name", "kind", "state", "step_count", "active_count", "completed_count", "left_count")


class ParticipantTable(tables.Table):
    customer = tables.Column(
        verbose_name=_("Customer"),
        linkify=("workbench:customer_detail", {"pk": tables.A("customer_id")}),
        order_by="customer__last_name",
    )
    state = BadgeColumn(tones=ENROLMENT_TONES)
    entered_on = MomentColumn()
    entered_by = tables.Column()
    taken_count = NumberColumn(verbose_name=_("Steps taken"))
    next_on = tables.TemplateColumn(template_name="workbench/_campaigns_next.html", verbose_name=_("What is next"))
    leave = tables.TemplateColumn(
        template_name="workbench/_campaigns_leave.html", verbose_name=_("Take out"), orderable=False, attrs=READ_ALOUD
    )

    class Meta:
        model = Enrolment
        fields = ("customer", "state", "entered_on", "entered_by", "taken_count", "next_on", "leave")
