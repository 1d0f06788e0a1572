"""The tables of mailings, their messages and decisions, and of blocked addresses."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from mailings.models import Decision, Mailing, Message, Suppression
from mailings.models.querysets import WAITING, MailingQuerySet
from mailings.wording import words_of
from workbench.columns import BadgeColumn, MomentColumn, NumberColumn

MAILING_TONES = {
    "awaits": "warning",
    "sending": "info",
    "paused": "warning",
    "finished": "success",
    "cancelled": "neutral",
}
MESSAGE_TONES = {
    "queued": "info",
    "claimed": "info",
    "sending": "info",
    "sent": "success",
    "deferred": "warning",
    "failed": "danger",
    "in_doubt": "warning",
    "withdrawn": "neutral",
}
CUSTOMER = ("workbench:customer_detail", {"pk": tables.A("customer_id")})

BREAKABLE = {"td": {"class": "text-break"}}


class MailingTable(tables.Table):
    name = tables.Column(linkify=("workbench:mailing_detail", {"pk": tables.A("pk")}))
    purpose = tables.Column()
    created_at = MomentColumn(verbose_name=_("Started"))
    state = BadgeColumn(tones=MAILING_TONES)
    message_count = NumberColumn(verbose_name=_("Messages"))
    sent_count = NumberColumn(verbose_name=_("Sent"))
    waiting_count = NumberColumn(verbose_name=_("Waiting"))
    failed_count = NumberColumn(verbose_name=_("Failed"))
    doubt_count = NumberColumn(verbose_name=_("In doubt"))

    class Meta:
        model = Mailing
        fields = (
            "name",
            "purpose",
            "created_at",
            "state",
            "message_count",
            "sent_count",
            "waiting_count",
            "failed_count",
            "doubt_count",
        )

    def order_message_count(self, queryset: MailingQuerySet, is_descending: bool) -> tuple[MailingQuerySet, bool]:
        return queryset.by_count(is_descending=is_descending), True

    def order_sent_count(self, queryset: MailingQuerySet, is_descending: bool) -> tuple[MailingQuerySet, bool]:
        return queryset.by_count("sent", is_descending=is_descending), True

    def order_waiting_count(self, queryset: MailingQuerySet, is_descending: bool) -> tuple[MailingQuerySet, bool]:
        return queryset.by_count(*WAITING, is_descending=is_descending), True

    def order_failed_count(self, queryset: MailingQuerySet, is_descending: bool) -> tuple[MailingQuerySet, bool]:
        return queryset.by_count("failed", is_descending=is_descending), True

    def order_doubt_count(self, queryset: MailingQuerySet, is_descending: bool) -> tuple[MailingQuerySet, bool]:
        return queryset.by_count("in_doubt", is_descending=is_descending), True


class MessageTable(tables.Table):
    relay = tables.Column(default="–")
    customer = tables.Column(verbose_name=_("Customer"), linkify=CUSTOMER, order_by="customer__last_name")
    channel = tables.Column(accessor="get_channel_display", order_by="channel", verbose_name=_("Channel"))
    address = tables.Column(default="–")
    state = BadgeColumn(tones=MESSAGE_TONES)
    state_at = MomentColumn(verbose_name=_("Since"))
    attempts = NumberColumn()
    reply = tables.TemplateColumn(
        template_name="workbench/_mailings_reply.html",
        verbose_name=_("Answer"),
        orderable=False,
        attrs=BREAKABLE,
    )

    class Meta:
        model = Message
        fields = ("customer", "channel", "address", "state", "state_at", "attempts", "relay", "reply")


class DecisionTable(tables.Table):
    customer = tables.Column(verbose_name=_("Customer"), linkify=CUSTOMER, order_by="customer__last_name")
    number = tables.Column(accessor="customer__number", verbose_name=_("Number"))
    outcome = BadgeColumn(tones={"accepted": "success", "waits": "info"})
    until = MomentColumn(verbose_name=_("Waits until"))
    channel = tables.Column(default="–")
    basis = tables.Column(default="–")
    rule = tables.Column(verbose_name=_("Explanation"), orderable=False, empty_values=())

    class Meta:
        model = Decision
        fields = ("customer", "number", "outcome", "until", "channel", "basis", "rule")

    def render_rule(self, record: Decision) -> str:
        return words_of(record, purpose=record.mailing.purpose.name)

    def render_channel(self, value: str) -> str:
        return str(dict(Message.Channel.choices).get(value, value))

    def render_basis(self, value: str) -> str:
        return str(BASES.get(value, value))


BASES = {
    "consent": _("Permission"),
    "customer_relation": _("Customer relation"),
    "service": _("Service"),
    "legitimate_interest": _("Legitimate interest (post)"),
}


class SuppressionTable(tables.Table):
    address = tables.Column()
    reason = BadgeColumn(tones={"bounce": "warning", "complaint": "danger"})
    detail = tables.Column(default="–")
    since = MomentColumn()
    release = tables.TemplateColumn(
        template_name="workbench/_suppressions_release.html", verbose_name=_("Release"), orderable=False
    )

    class Meta:
        model = Suppression
        fields = ("address", "reason", "detail", "since", "release")


class DoubtTable(tables.Table):
    customer = tables.Column(verbose_name=_("Customer"), linkify=CUSTOMER, order_by="customer__last_name")
    mailing = tables.Column(linkify=("workbench:mailing_detail", {"pk": tables.A("mailing_id")}))
    address = tables.Column(default="–")
    state_at = MomentColumn(verbose_name=_("Since"))
    relay = tables.Column(default="–")
    reply = tables.Column(verbose_name=_("What we know"), default="–", orderable=False, attrs=BREAKABLE)
    settle = tables.TemplateColumn(
        template_name="workbench/_doubts_settle.html", verbose_name=_("What happened?"), orderable=False
    )

    class Meta:
        model = Message
        fields = ("customer", "mailing", "address", "state_at", "relay", "reply", "settle")
