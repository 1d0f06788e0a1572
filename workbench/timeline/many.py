"""The parts of which a customer may have thousands: doings, messages, refusals, vouchers, consents, labels, changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Consent, CustomerChange, Fact, World
from labels.models import Assignment
from mailings.models import Decision, Message
from vouchers.models import Voucher
from workbench.menu import address
from workbench.timeline.base import Moment, QueryPart
from workbench.timeline.notes import Notes
from workbench.timeline.words import CONSENT_TONES, MESSAGE_TONES, fact_moment, joined, order_moment


class Facts(QueryPart):
    """What the customer did; the filter knows each kind of fact by its own code."""

    table = kind = "fact"
    name = gettext_lazy("What they did")

    def rows(self) -> QuerySet[Any]:
        facts = Fact.objects.filter(customer=self.customer).annotate(at=F("occurred_at"))
        if self.wish.kind not in ("", self.kind):
            facts = facts.filter(kind=self.wish.kind)
        return facts.filter(world=self.wish.world) if self.wish.world else facts

    def by_source(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(source__code=self.wish.source) if self.wish.source else rows

    def is_wanted(self) -> bool:
        return self.wish.kind not in OTHER_KINDS

    def told(self) -> QuerySet[Any]:
        """Leave out the lines of an order but the latest, at which the whole order is told: pages stay full."""
        same = {name: OuterRef(name) for name in ("source", "kind", "order_number")}
        later = Q(at__gt=OuterRef("at")) | Q(at=OuterRef("at"), pk__gt=OuterRef("pk"))
        return self.wished().filter(
            Q(order_number__isnull=True) | ~Exists(self.wished().filter(later, at__gte=OuterRef("at"), **same))
        )

    def moments(self, ids: list[int]) -> dict[int, Moment]:
        """Return a moment per fact; the lines of one order are one moment, at the latest of them."""
        worlds = dict(World.objects.values_list("code", "name"))
        facts = list(Fact.objects.filter(pk__in=ids).select_related("branch"))
        said = {fact.pk: fact_moment(fact, worlds) for fact in facts if not fact.order_number}
        if numbers := {fact.order_number for fact in facts if fact.order_number}:
            lines = self.wished().filter(order_number__in=numbers).select_related("branch")
            for order in self._orders(lines.order_by("-occurred_at", "-pk")):
                said[order[0].pk] = order_moment(order) if len(order) > 1 else fact_moment(order[0], worlds)
        return said

    def _orders(self, lines: Iterable[Fact]) -> Iterable[list[Fact]]:
        orders: dict[tuple[int, str, str], list[Fact]] = {}
        for line in lines:
            orders.setdefault((line.source_id, line.kind, line.order_number or ""), []).append(line)
        return orders.values()


class Messages(QueryPart):
    """What was sent, or is on its way."""

    table = kind = "message"
    name = gettext_lazy("Messages")
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
                address("workbench:mailing_detail", message.mailing_id),
            )
            for message in messages
        }


class Refusals(QueryPart):
    """What was not sent, with the reason that the gate gave."""

    table = kind = "refusal"
    name = gettext_lazy("Messages not sent")
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
                address("workbench:mailing_detail", decision.mailing_id),
            )
            for decision in decisions
        }


class Vouchers(QueryPart):
    """Vouchers that were given; redeeming one is a fact."""

    table = kind = "voucher"
    name = gettext_lazy("Vouchers")
    source = "vouchers"

    def rows(self) -> QuerySet[Any]:
        return Voucher.objects.filter(customer=self.customer).annotate(at=F("issued_at"))

    def moments(self, ids: list[int]) -> dict[int, Moment]:
        vouchers = Voucher.objects.filter(pk__in=ids).select_related("definition")
        return {
            voucher.pk: Moment(
                voucher.issued_at,
                "ticket-percent",
                _("Got the voucher “%s”") % voucher.definition.name,
                voucher.get_state_display(),
                "accent",
            )
            for voucher in vouchers
        }


class Consents(QueryPart):
    """What was said about being reached."""

    table = kind = "consent"
    name = gettext_lazy("Consents")

    def rows(self) -> QuerySet[Any]:
        return Consent.objects.filter(customer=self.customer).annotate(at=F("event_at"))

    def by_source(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(source__code=self.wish.source) if self.wish.source else rows

    def is_wanted(self) -> bool:
        return self.wish.kind in ("", self.kind) and not self.wish.world

    def moments(self, ids: list[int]) -> dict[int, Moment]:
        consents = Consent.objects.filter(pk__in=ids).select_related("purpose", "source")
        return {
            consent.pk: Moment(
                consent.event_at,
                "shield-check" if consent.state == Consent.State.GRANTED else "shield-off",
                f"{consent.get_state_display()}: {consent.purpose.name}",
                f"{consent.get_channel_display()} · {consent.source}",
                CONSENT_TONES.get(consent.state, "neutral"),
            )
            for consent in consents
        }


class LabelsGiven(QueryPart):
    """Labels from the moment they were given."""

    table = "label"
    kind = "label"
    name = gettext_lazy("Labels")

    def rows(self) -> QuerySet[Any]:
        return Assignment.objects.filter(customer=self.customer).annotate(at=F("since"))

    def moments(self, ids: list[int]) -> dict[int, Moment]:
        held = Assignment.objects.filter(pk__in=ids).select_related("label__group")
        return {
            one.pk: Moment(
                one.since, "tag", _("Got the label “%s”") % one.label, joined([one.reason, by(one.given_by)]), "info"
            )
            for one in held
        }


class LabelsTaken(QueryPart):
    """Labels that ended."""

    table = "label_end"
    kind = "label"
    name = gettext_lazy("Labels")

    def rows(self) -> QuerySet[Any]:
        return Assignment.objects.filter(customer=self.customer, until__isnull=False).annotate(at=F("until"))

    def moments(self, ids: list[int]) -> dict[int, Moment]:
        held = Assignment.objects.filter(pk__in=ids).select_related("label__group")
        return {
            one.pk: Moment(one.until or one.since, "tag", _("Lost the label “%s”") % one.label, by(one.taken_by))
            for one in held
        }


class Changes(QueryPart):
    """What people changed, field by field."""

    table = kind = "change"
    name = gettext_lazy("Changes by people")
    source = "workbench"

    def rows(self) -> QuerySet[Any]:
        return CustomerChange.objects.filter(customer=self.customer).annotate(at=F("changed_at"))

    def moments(self, ids: list[int]) -> dict[int, Moment]:
        from workbench.forms.customers import field_names

        names = field_names()
        found = {}
        for change in CustomerChange.objects.filter(pk__in=ids):
            fields = ", ".join(names.get(field, field) for field in change.fields)
            title = _("Changed: %s") % fields
            found[change.pk] = Moment(change.changed_at, "pencil", title, by(change.changed_by))
        return found


OTHER_KINDS = frozenset({
    "message", "refusal", "voucher", "consent", "label", "change", "subscription", "record", "merge", "privacy", "note",
})  # fmt: skip
MANY: tuple[type[QueryPart], ...] = (
    Facts, Messages, Refusals, Vouchers, Consents, LabelsGiven, LabelsTaken, Changes, Notes,
)  # fmt: skip


def by(name: str) -> str:
    """Return by whom, in words: the program itself, the customer, or a name."""
    if name in ("", "system"):
        return ""
    return _("by the customer") if name == "customer" else _("by %s") % name
