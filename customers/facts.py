"""Kinds of facts: what a customer can do, declared in code with its unit; higher apps register theirs in ``facts.py``.

Everything a customer does is one row of ``customers.Fact``; a new source is a new kind, never a new table. Titles are
never stored: a fact carries genre, world and sector only (loan history is sensitive).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from common.registry import Registry

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class FactKind:
    """One kind of behaviour. ``icon`` is a lucide name; ``verb`` stands in a timeline: "borrowed"."""

    code: str
    name: str | _StrPromise
    verb: str | _StrPromise
    icon: str
    importable: bool = True  # may come from a file or the API; False: only the product itself writes it
    dutch: str = ""  # the word in an import file's column ``soort``
    has_amount: bool = False
    has_duration: bool = False


fact_kinds: Registry[FactKind] = Registry("fact kind")

for _kind in (
    FactKind("loan", _("Loan"), _("borrowed"), "book-open", dutch="uitlening"),
    FactKind("reservation", _("Reservation"), _("reserved"), "bookmark", dutch="reservering"),
    FactKind("fee", _("Contribution"), _("paid contribution"), "euro", dutch="contributie", has_amount=True),
    FactKind("fine", _("Fine"), _("paid a fine"), "receipt", dutch="boete", has_amount=True),
    FactKind(
        "ticket", _("Ticket sale"), _("bought tickets"), "ticket", dutch="kaartverkoop", has_amount=True
    ),
    FactKind(
        "visit", _("Web visit"), _("visited the website"), "globe", dutch="webbezoek", has_duration=True
    ),
):
    fact_kinds.register(_kind)
