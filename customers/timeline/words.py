"""The words of a moment, and its tone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.money import format_cents
from customers.facts import PIECES, fact_kinds
from customers.models import Fact
from customers.timeline.base import Moment

VISIT = "visit"  # of the website; its quantity counts pages

CONSENT_TONES = {"granted": "success", "withdrawn": "warning", "objected": "danger", "retracted": "neutral"}


def fact_moment(fact: Fact, worlds: Mapping[str, str]) -> Moment:
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
    if fact.order_number:
        parts.append(_("order %s") % fact.order_number)
    return Moment(
        fact.occurred_at, kind.icon if kind else "circle", verb[:1].upper() + verb[1:], joined(parts), kind=fact.kind
    )


def order_moment(lines: Sequence[Fact]) -> Moment:
    """Return the lines of one order as one moment: "Kocht kaarten", "bestelling 1044 · 3 regels · € 61,50"."""
    first = lines[0]
    kind = fact_kinds.get(first.kind)
    verb = str(kind.verb) if kind else first.kind
    cents = sum(line.amount_cents for line in lines)
    parts = [
        _("order %s") % first.order_number,
        ngettext("%d line", "%d lines", len(lines)) % len(lines),
        format_cents(cents) if cents else "",
        first.branch.name if first.branch else "",
    ]
    return Moment(
        first.occurred_at, kind.icon if kind else "circle", verb[:1].upper() + verb[1:], joined(parts), kind=first.kind
    )


def _quantity(fact: Fact) -> str:
    if fact.kind == VISIT:
        return ngettext("%d page", "%d pages", fact.quantity) % fact.quantity
    kind = fact_kinds.get(fact.kind)
    if kind and kind.is_own and kind.unit != PIECES:
        return f"{fact.quantity} {kind.unit}"
    return ngettext("%d piece", "%d pieces", fact.quantity) % fact.quantity


def joined(parts: list[str]) -> str:
    """Return what there is to say, with dots between."""
    return " · ".join(str(part) for part in parts if part)


def by(name: str) -> str:
    """Return by whom, in words: the program itself, the customer, or a name."""
    if name in ("", "system"):
        return ""
    return _("by the customer") if name == "customer" else _("by %s") % name
