"""Parts of which a customer may have thousands: what he did, consents, changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.actions.privacy.choices import RESTRICTED
from customers.facts import fact_kinds
from customers.models import Consent, Customer, CustomerChange, Fact, World
from customers.records import FIELDS
from customers.timeline.base import INBOUND, OUTBOUND, Moment, QueryPart, parts
from customers.timeline.words import CONSENT_TONES, by, fact_moment, order_moment


class Facts(QueryPart):
    """What the customer did; the filter knows each kind of fact by its own code."""

    code = kind = "fact"
    name = gettext_lazy("What they did")
    place = 0
    way = INBOUND

    def rows(self) -> QuerySet[Any]:
        facts = Fact.objects.filter(customer=self.customer).annotate(at=F("occurred_at"))
        if self.wish.kind == self.way:
            facts = facts.exclude(kind__in=[kind.code for kind in fact_kinds if kind.is_ours])
        elif self.wish.kind not in ("", self.kind):
            facts = facts.filter(kind=self.wish.kind)
        return facts.filter(world=self.wish.world) if self.wish.world else facts

    def by_source(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(source__code=self.wish.source) if self.wish.source else rows

    def is_wanted(self) -> bool:
        return self.wish.kind not in {OUTBOUND, *(part.kind for part in parts)} - {self.kind}

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


class Consents(QueryPart):
    """What was said about being reached."""

    code = kind = "consent"
    name = gettext_lazy("Consents")
    place = 40
    way = INBOUND

    def rows(self) -> QuerySet[Any]:
        return Consent.objects.filter(customer=self.customer).annotate(at=F("event_at"))

    def by_source(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(source__code=self.wish.source) if self.wish.source else rows

    def is_wanted(self) -> bool:
        return self.is_of_kind() and not self.wish.world

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


class Changes(QueryPart):
    """What people changed, field by field."""

    code = kind = "change"
    name = gettext_lazy("Changes by people")
    place = 60
    source = "workbench"

    def rows(self) -> QuerySet[Any]:
        return CustomerChange.objects.filter(customer=self.customer).annotate(at=F("changed_at"))

    def moments(self, ids: list[int]) -> dict[int, Moment]:
        names = {field.name: str(field.verbose_name) for field in Customer._meta.fields}
        names |= {code: str(field.name) for code, field in FIELDS.items()}
        found = {}
        for change in CustomerChange.objects.filter(pk__in=ids):
            fields = ", ".join(names.get(field, field) for field in change.fields)
            if RESTRICTED in change.fields:  # with its reason, which the page about privacy tells
                fields = _("whether the data may be used")
            title = _("Changed: %s") % fields
            found[change.pk] = Moment(change.changed_at, "pencil", title, by(change.changed_by))
        return found


for _part in (Facts, Consents, Changes):
    parts.register(_part)
