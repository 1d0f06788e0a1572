"""Everything that happened to one customer, latest first, from all sources in one line."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Count
from django.utils.translation import gettext as _

from customers.facts import fact_kinds
from customers.models import Customer, FactTotal
from customers.timeline import few, many, notes  # noqa: F401 - they register their parts
from customers.timeline.base import (
    INBOUND,
    OUTBOUND,
    About,
    Key,
    ListPart,
    Moment,
    Part,
    QueryPart,
    Wish,
    parts,
)
from customers.timeline.words import CONSENT_TONES, fact_moment

__all__ = [
    "CONSENT_TONES", "INBOUND", "OUTBOUND", "About", "Key", "ListPart", "Moment", "Page", "QueryPart", "Timeline",
    "Wish", "all_parts", "fact_moment", "parts",
]  # fmt: skip


def all_parts() -> list[type[Part]]:
    """Return the parts of all apps in the order in which one filters by them."""
    return sorted(parts, key=lambda part: part.place)


class Page(NamedTuple):
    """A stretch of the line; ``next`` is where the following one begins, None at the end."""

    moments: list[Moment]
    keys: list[Key]
    next: Key | None


class Timeline:
    """The moments of a customer that a wish leaves. Pages go on from a key, so page 400 costs what page 1 does."""

    def __init__(self, customer: Customer, wish: Wish | None = None) -> None:
        self.customer = customer
        self.wish = wish or Wish()

    @cached_property
    def parts(self) -> dict[str, Part]:
        """The parts that may have something, by code."""
        every = [part(self.customer, self.wish) for part in all_parts()]
        return {part.code: part for part in every if part.is_wanted()}

    def page(self, size: int, before: Key | None = None) -> Page:
        """Return up to ``size`` moments after the one at ``before``: which in one query, then one per table."""
        found: dict[Key, Moment | None] = dict.fromkeys(self._stored(size + 1, before))
        for part in self.parts.values():
            if isinstance(part, ListPart):
                found |= {key: moment for key, moment in part.found().items() if not before or key.order > before.order}
        keys = sorted(found, key=lambda key: key.order)
        shown = keys[:size]
        said = self._said([key for key in shown if found[key] is None])
        moments = {key: moment for key in shown if (moment := found[key] or said.get(key))}
        return Page([*moments.values()], [*moments], shown[-1] if len(keys) > size else None)

    def _stored(self, limit: int, before: Key | None) -> list[Key]:
        parts = [part.keys(before, limit) for part in self.parts.values() if isinstance(part, QueryPart)]
        if not parts:
            return []
        if len(parts) == 1:  # in order and cut already
            return [Key(*row) for row in parts[0]]
        rows: Any = parts[0].union(*parts[1:], all=True).order_by("-at", "table", "-key")
        return [Key(*row) for row in rows[:limit]]

    def _said(self, keys: list[Key]) -> dict[Key, Moment]:
        by_table: dict[str, list[Key]] = {}
        for key in keys:
            by_table.setdefault(key.table, []).append(key)
        said: dict[Key, Moment] = {}
        for table, its_keys in by_table.items():
            moments = self.parts[table].moments([key.id for key in its_keys])
            said |= {key: moments[key.id] for key in its_keys if key.id in moments}
        return said

    def kinds(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return what can be filtered by, in three groups: which way it went, what the customer did, and the rest."""
        totals = FactTotal.objects.filter(customer=self.customer)
        counts = dict(totals.values_list("kind").annotate(Count("pk")))
        done = [(kind.code, str(kind.name)) for kind in fact_kinds if kind.code in counts]
        others = {part.kind: str(part.name) for part in all_parts() if part.kind != "fact"}
        ways = [(INBOUND, _("From the customer to us")), (OUTBOUND, _("From us to the customer"))]
        return [
            (_("Which way"), ways),
            (_("What they did"), [("fact", _("Everything they did")), *done]),
            (_("The rest"), [*others.items()]),
        ]
