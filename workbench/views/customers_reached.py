"""What one customer was sent, was not sent and why, and the vouchers that were given."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count
from django.utils.translation import gettext as _

from campaigns.models import Enrolment
from common.time import local_date
from mailings.models import Decision, EarlierDecision, Message
from vouchers.models import Voucher
from workbench.timeline import MESSAGE_TONES
from workbench.views.customers_base import CustomerPage

PAGE = 25
ENROLMENTS_SHOWN = 20


class CustomerMessages(CustomerPage):
    permission = "view_customers"
    template_name = "workbench/customers_messages.html"
    partial_name = "workbench/_customers_messages.html"
    part = "messages"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        decisions = Decision.objects.filter(customer=self.object).select_related("mailing__purpose")
        shown, outcomes = self.request.GET.get("show", ""), decisions.by_outcome()
        if shown == "sent":
            decisions = decisions.filter(outcome=Decision.Outcome.ACCEPTED)
        elif shown == "refused":
            decisions = decisions.exclude(outcome=Decision.Outcome.ACCEPTED)
        page = Paginator(decisions.order_by("-decided_at", "-pk"), PAGE).get_page(self.request.GET.get("page"))
        mailings = [decision.mailing_id for decision in page]
        sent = Message.objects.filter(customer=self.object, mailing__in=mailings).annotate(many=Count("clicks"))
        by_mailing = {message.mailing_id: message for message in sent}
        earlier: dict[int, list[EarlierDecision]] = {}
        for before in EarlierDecision.objects.filter(customer=self.object, mailing__in=mailings):
            earlier.setdefault(before.mailing_id, []).append(before)
        return super().get_context(
            page=page,
            rows=[
                self._row(decision, by_mailing.get(decision.mailing_id))
                | {"earlier": earlier.get(decision.mailing_id, [])}
                for decision in page
            ],
            choices=self._choices(shown, outcomes),
            enrolments=Enrolment.objects.of(self.object)[:ENROLMENTS_SHOWN],
            **extra,
        )

    def _choices(self, shown: str, outcomes: dict[str, int]) -> list[dict[str, Any]]:
        """Return the three lists to choose from, with how many are in each."""
        everything = sum(outcomes.values())
        sent = outcomes.get(Decision.Outcome.ACCEPTED, 0)
        return [
            {"label": label, "url": url, "active": code == shown, "count": count}
            for code, label, url, count in (
                ("", _("Everything"), "?", everything),
                ("sent", _("Sent"), "?show=sent", sent),
                ("refused", _("Not sent"), "?show=refused", everything - sent),
            )
        ]

    def _row(self, decision: Decision, message: Message | None) -> dict[str, Any]:
        waits = decision.outcome == Decision.Outcome.WAITS
        refused = decision.outcome != Decision.Outcome.ACCEPTED
        tone = "neutral" if refused or message is None else MESSAGE_TONES.get(message.state, "info")
        return {"decision": decision, "message": message, "refused": refused, "waits": waits, "tone": tone}


class CustomerVouchers(CustomerPage):
    permission = "view_customers"
    template_name = "workbench/customers_vouchers.html"
    part = "vouchers"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        vouchers = (
            Voucher.objects.filter(customer=self.object).select_related("definition").order_by("-issued_at", "-pk")
        )
        page = Paginator(vouchers, PAGE).get_page(self.request.GET.get("page"))
        today = local_date(self.now)
        return super().get_context(
            page=page,
            rows=[(voucher, bool(voucher.valid_until and voucher.valid_until < today)) for voucher in page],
            **extra,
        )
