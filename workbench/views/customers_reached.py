"""What one customer was sent, was not sent and why, and the vouchers that were given."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Enrolment
from common.time import local_date
from mailings.experiments.splitting import HELD
from mailings.models import Decision, EarlierDecision, Mailing, Message
from mailings.timeline import MESSAGE_TONES
from mailings.wording import words_of
from vouchers.models import Voucher
from workbench.views.customers_base import CustomerPage

PAGE = 25
#: Why a message that is ready does not leave yet.
_HELD = {
    Mailing.State.AWAITS: gettext_lazy("The mailing awaits the approval of a second person."),
    Mailing.State.PAUSED: gettext_lazy("The mailing is on pause."),
}
_FOR_OUTCOME = gettext_lazy("Waits until it is decided which version of the A/B test the rest of the readers get.")
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
                self._row(decision, by_mailing.get(decision.mailing_id), earlier.get(decision.mailing_id, []))
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

    def _row(self, decision: Decision, message: Message | None, earlier: list[EarlierDecision]) -> dict[str, Any]:
        waits = decision.outcome == Decision.Outcome.WAITS
        refused = decision.outcome != Decision.Outcome.ACCEPTED
        tone = "neutral" if refused or message is None else MESSAGE_TONES.get(message.state, "info")
        purpose = decision.mailing.purpose.name
        is_open = message is not None and message.state in (Message.State.QUEUED, Message.State.DEFERRED)
        held = _HELD.get(Mailing.State(decision.mailing.state), "") if is_open else ""
        if message is not None and is_open and message.next_attempt_at == HELD:
            held = held or _FOR_OUTCOME
        return {
            "decision": decision,
            "message": message,
            "refused": refused,
            "waits": waits,
            "tone": tone,
            "words": words_of(decision, purpose=purpose),
            "held": held,
            "leaves": self._leaves(message) if message and is_open and not held else None,
            "earlier": [(before, words_of(before, purpose=purpose)) for before in earlier],
        }

    def _leaves(self, message: Message) -> dt.datetime | None:
        """Return when a message may leave, while that lies ahead; letters leave when they are printed."""
        is_ahead = message.channel != Message.Channel.POST and message.next_attempt_at > self.now
        return message.next_attempt_at if is_ahead else None


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
