"""Kinds of facts: what a customer can do, declared in code with its unit; higher apps register theirs in
``facts.py``.

Everything a customer does is one row of ``customers.Fact``; a new source is a new kind, never a new table.
Titles are never stored: a fact carries genre, world and sector only (loan history is sensitive).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.registry import Registry

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class FactKind:
    """One kind of behaviour. ``icon`` is a lucide name; ``verb`` stands in a timeline: "borrowed" ("leende").

    ``participle`` completes "customers who have …": "borrowed" ("geleend"); it goes with "hebben" in Dutch.
    """

    code: str
    name: str | _StrPromise
    verb: str | _StrPromise
    icon: str
    importable: bool = True  # may come from a file or the API; False: only the product itself writes it
    dutch: str = ""  # the word in an import file's column ``soort``
    has_amount: bool = False
    has_duration: bool = False
    participle: str | _StrPromise = ""

    @property
    def done(self) -> str | _StrPromise:
        """What somebody has done, to stand after "have"."""
        return self.participle or self.verb


fact_kinds: Registry[FactKind] = Registry("fact kind")

for _kind in (
    FactKind(
        "loan", _("Loan"), _("borrowed"), "book-open",
        dutch="uitlening", participle=pgettext_lazy("have", "borrowed"),
    ),
    FactKind(
        "reservation", _("Reservation"), _("reserved"), "bookmark",
        dutch="reservering", participle=pgettext_lazy("have", "reserved"),
    ),
    FactKind(
        "fee", _("Contribution"), _("paid contribution"), "euro",
        dutch="contributie", has_amount=True, participle=pgettext_lazy("have", "paid contribution"),
    ),
    FactKind(
        "fine", _("Fine"), _("paid a fine"), "receipt",
        dutch="boete", has_amount=True, participle=pgettext_lazy("have", "paid a fine"),
    ),
    FactKind(
        "ticket", _("Ticket sale"), _("bought tickets"), "ticket",
        dutch="kaartverkoop", has_amount=True, participle=pgettext_lazy("have", "bought tickets"),
    ),
    FactKind(
        "visit", _("Web visit"), _("visited the website"), "globe",
        dutch="webbezoek", has_duration=True, participle=pgettext_lazy("have", "visited the website"),
    ),
):  # fmt: skip
    fact_kinds.register(_kind)
