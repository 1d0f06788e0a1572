"""Everything that happened to one customer, latest first: doings, messages, vouchers and consents in one line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import CharField, F, QuerySet, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.money import format_cents
from customers.facts import fact_kinds
from customers.models import Consent, Customer, Fact, FactTotal, World
from mailings.models import Message
from vouchers.models import Voucher
from workbench.menu import address

MESSAGE, VOUCHER, CONSENT = "message", "voucher", "consent"
VISIT = "visit"  # of the website; its quantity counts pages

MESSAGE_TONES = {"sent": "success", "failed": "danger", "in_doubt": "warning", "deferred": "warning"}
CONSENT_TONES = {"granted": "success", "withdrawn": "warning", "objected": "danger"}


@dataclass(frozen=True)
class Moment:
    """One line: ``title`` says what, ``text`` the rest."""

    when: dt.datetime
    icon: str
    title: str
    text: str = ""
    tone: str = "neutral"
    href: str = ""


class Timeline:
    """A sequence that a Paginator can cut: it counts from the totals and fetches only the rows of a page.

    ``kind`` is a kind of fact, or message, voucher or consent; empty for all.
    """

    def __init__(self, customer: Customer, kind: str = "") -> None:
        self.customer = customer
        self.kind = kind

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many there are of each kind that this customer has."""
        totals = FactTotal.objects.filter(customer=self.customer).values("kind")
        counts = dict(totals.annotate(many=Sum("count")).values_list("kind", "many"))
        counts[MESSAGE] = Message.objects.filter(customer=self.customer).count()
        counts[VOUCHER] = Voucher.objects.filter(customer=self.customer).count()
        counts[CONSENT] = Consent.objects.filter(customer=self.customer).count()
        return {kind: many for kind, many in counts.items() if many}

    def choices(self) -> list[tuple[str, str]]:
        """Return the kinds to filter by, in the order in which they are registered."""
        names = {kind.code: str(kind.name) for kind in fact_kinds}
        names |= {MESSAGE: _("Messages"), VOUCHER: _("Vouchers"), CONSENT: _("Consents")}
        return [(kind, name) for kind, name in names.items() if kind in self.counts]

    def count(self) -> int:
        """Return how many moments there are, for the Paginator."""
        return self.counts.get(self.kind, 0) if self.kind else sum(self.counts.values())

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, part: slice) -> list[Moment]:
        """Return the moments of a page: which they are in one query, then one per table for what they say."""
        parts = [self._part(kind, rows) for kind, rows in self._sources().items() if self._wants(kind)]
        rows = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
        found = list(rows.order_by("-at", "table", "-key")[part])
        keys: dict[str, list[int]] = {}
        for _at, table, key in found:
            keys.setdefault(table, []).append(key)
        moments = {table: self._moments(table, ids) for table, ids in keys.items()}
        return [moments[table][key] for _at, table, key in found if key in moments[table]]

    def _wants(self, table: str) -> bool:
        own = (MESSAGE, VOUCHER, CONSENT)
        return not self.kind or table == self.kind or (table == "fact" and self.kind not in own)

    def _sources(self) -> dict[str, QuerySet[Any]]:
        facts = Fact.objects.filter(customer=self.customer)
        return {
            "fact": (facts.filter(kind=self.kind) if self.kind else facts).annotate(at=F("occurred_at")),
            MESSAGE: Message.objects.filter(customer=self.customer).annotate(at=Coalesce("sent_at", "state_at")),
            VOUCHER: Voucher.objects.filter(customer=self.customer).annotate(at=F("issued_at")),
            CONSENT: Consent.objects.filter(customer=self.customer).annotate(at=F("event_at")),
        }

    def _part(self, table: str, rows: QuerySet[Any]) -> QuerySet[Any, Any]:
        named: QuerySet[Any] = rows.order_by().annotate(table=Value(table, output_field=CharField()), key=F("pk"))
        return named.values_list("at", "table", "key")

    def _moments(self, table: str, keys: Iterable[int]) -> dict[int, Moment]:
        return {
            "fact": self._facts,
            MESSAGE: self._messages,
            VOUCHER: self._vouchers,
            CONSENT: self._consents,
        }[table](list(keys))

    def _facts(self, keys: list[int]) -> dict[int, Moment]:
        worlds = dict(World.objects.values_list("code", "name"))
        facts = Fact.objects.filter(pk__in=keys).select_related("branch")
        return {fact.pk: fact_moment(fact, worlds) for fact in facts}

    def _messages(self, keys: list[int]) -> dict[int, Moment]:
        messages = Message.objects.filter(pk__in=keys).select_related("mailing")
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

    def _vouchers(self, keys: list[int]) -> dict[int, Moment]:
        vouchers = Voucher.objects.filter(pk__in=keys).select_related("definition")
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

    def _consents(self, keys: list[int]) -> dict[int, Moment]:
        consents = Consent.objects.filter(pk__in=keys).select_related("purpose", "source")
        return {
            consent.pk: Moment(
                consent.event_at,
                "shield-check" if consent.state == Consent.State.GRANTED else "shield-off",
                f"{consent.get_state_display()}: {consent.purpose.name}",
                f"{consent.get_channel_display()} · {consent.source}",
                CONSENT_TONES[consent.state],
            )
            for consent in consents
        }


def fact_moment(fact: Fact, worlds: dict[str, str]) -> Moment:
    """Return a fact in words: "Leende", "3 stuks · Reizen · Edam"."""
    kind = fact_kinds.get(fact.kind)
    verb = str(kind.verb) if kind else fact.kind
    parts = [_quantity(fact)] if fact.quantity > 1 else []
    parts += [worlds.get(fact.world, fact.world), fact.genre.replace("-", " ")]
    if fact.kind != VISIT:  # "web" is said already
        parts.append(fact.sector)
    if fact.amount_cents:
        parts.append(format_cents(fact.amount_cents))
    if fact.duration_seconds >= 60:
        parts.append(_("%d min") % (fact.duration_seconds // 60))
    if fact.branch:
        parts.append(fact.branch.name)
    text = " · ".join(part for part in parts if part)
    return Moment(fact.occurred_at, kind.icon if kind else "circle", verb[:1].upper() + verb[1:], text)


def _quantity(fact: Fact) -> str:
    if fact.kind == VISIT:
        return ngettext("%d page", "%d pages", fact.quantity) % fact.quantity
    return ngettext("%d piece", "%d pieces", fact.quantity) % fact.quantity
