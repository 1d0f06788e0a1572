"""Messages in the timeline of a customer: those that were sent, and those that were not."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.timeline import OUTBOUND, About, Moment, QueryPart, parts
from mailings.models import Decision, Message

MESSAGE_TONES = {"sent": "success", "failed": "danger", "in_doubt": "warning", "deferred": "warning"}


class Messages(QueryPart):
    """What was sent, or is on its way."""

    code = kind = "message"
    name = gettext_lazy("Messages")
    place = 10
    way = OUTBOUND
    source = "mailings"

    def rows(self) -> QuerySet[Any]:
        sent: QuerySet[Any] = Message.objects.filter(customer=self.customer)
        found: QuerySet[Any] = sent.annotate(at=Coalesce("sent_at", "state_at"))
        return found

    def moments(self, ids: list[int]) -> dict[int, Moment]:
        messages = Message.objects.filter(pk__in=ids).select_related("mailing")
        return {
            message.pk: Moment(
                message.sent_at or message.state_at,
                "mail" if message.channel == Message.Channel.EMAIL else "mailbox",
                message.mailing.name,
                _("%(channel)s: %(state)s")
                % {"channel": message.get_channel_display(), "state": message.get_state_display().lower()},
                MESSAGE_TONES.get(message.state, "neutral"),
                About("mailing", message.mailing_id),
            )
            for message in messages
        }


class Refusals(QueryPart):
    """What was not sent, with the reason that the gate gave."""

    code = kind = "refusal"
    name = gettext_lazy("Messages not sent")
    place = 20
    source = "mailings"

    def rows(self) -> QuerySet[Any]:
        decided: QuerySet[Any] = Decision.objects.filter(customer=self.customer)
        found: QuerySet[Any] = decided.exclude(outcome=Decision.Outcome.ACCEPTED).annotate(at=F("decided_at"))
        return found

    def moments(self, ids: list[int]) -> dict[int, Moment]:
        decisions = Decision.objects.filter(pk__in=ids).select_related("mailing")
        return {
            decision.pk: Moment(
                decision.decided_at,
                "ban",
                _("Not sent: %s") % decision.mailing.name,
                decision.get_outcome_display(),
                "neutral",
                About("mailing", decision.mailing_id),
            )
            for decision in decisions
        }


parts.register(Messages)
parts.register(Refusals)
