"""Kinds of facts: what a customer can do. The code declares most, with their units; higher apps register theirs in
``facts.py``, and an organisation adds kinds of its own (``KindSetting``), which everything here sees as well.

Everything a customer does is one row of ``customers.Fact``; a new source is a new kind, never a new table.
Titles are never stored: a fact carries genre, world and sector only (loan history is sensitive).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.registry import LivingRegistry, Registry

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from customers.models import KindSetting

USUAL_ICON = "circle-dot"
PIECES = _("pieces")
#: What an own kind may look like in a timeline: name of a lucide icon -> what it shows.
OWN_ICONS = {
    "circle-dot": _("dot"),
    "users": _("people"),
    "calendar-days": _("calendar"),
    "graduation-cap": _("course"),
    "music": _("music"),
    "film": _("film"),
    "palette": _("art"),
    "coffee": _("coffee cup"),
    "heart-handshake": _("volunteering"),
    "message-circle": _("conversation"),
    "printer": _("printer"),
    "map-pin": _("place"),
    "shopping-bag": _("purchase"),
    "star": _("star"),
}


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
    is_income: bool = False  # its amount is what a customer paid; a discount is an amount too, and is not
    is_own: bool = False  # made by the organisation, not by the code
    is_ours: bool = False  # something that was done to the customer: called him, took a redemption back
    keep_months: int | None = None  # how long personal rows stay when nobody set it; None: for as long as the customer
    advised_months: int | None = None  # what the page about kinds advises to set
    unit: str | _StrPromise = PIECES  # what its quantity counts

    @property
    def done(self) -> str | _StrPromise:
        """What somebody has done, to stand after "have"."""
        return self.participle or self.verb


class KindRegistry(Registry[FactKind]):
    """The kinds of the code and those of the organisation, as one collection.

    Own kinds are read from the database at most once in FRESH_SECONDS per process, so a kind that another process
    made is known here that soon; ``forget`` is called by who changes one. A kind of the code never asks the database.
    """

    FRESH_SECONDS = 2.0

    def __init__(self) -> None:
        super().__init__("fact kind")
        self._own: dict[str, FactKind] = {}
        self._read_at = float("-inf")
        self._forgotten = 0

    def own(self) -> dict[str, FactKind]:
        """Return the kinds that the organisation made, by code."""
        if time.monotonic() - self._read_at > self.FRESH_SECONDS:
            from customers.models import KindSetting  # models are there by now; this module comes before them

            forgotten = self._forgotten
            settings = KindSetting.objects.filter(is_own=True).order_by("name")
            own = {row.code: own_kind(row) for row in settings if row.code not in self._items}
            if forgotten != self._forgotten:  # another thread changed them meanwhile: what was read may be old
                return own
            self._own, self._read_at = own, time.monotonic()
        return self._own

    def forget(self) -> None:
        """Read own kinds anew at the next use."""
        self._forgotten += 1
        self._read_at = float("-inf")

    def declared(self) -> list[FactKind]:
        """Return the kinds of the code alone."""
        return list(self._items.values())

    def __getitem__(self, code: str) -> FactKind:
        kind = self.get(code)
        if kind is None:
            raise KeyError(code)
        return kind

    def get(self, code: str) -> FactKind | None:
        """Return the kind with this code, or None."""
        return self._items.get(code) or self.own().get(code)

    def __contains__(self, code: object) -> bool:
        return code in self._items or code in self.own()

    def __iter__(self) -> Iterator[FactKind]:
        yield from self._items.values()
        yield from self.own().values()

    def __len__(self) -> int:
        return len(self._items) + len(self.own())


def own_kind(row: KindSetting) -> FactKind:
    """Return an own kind as if the code had declared it; in a file it is called by its code or its name."""
    return FactKind(
        row.code,
        row.name or row.code,
        row.verb or row.name or row.code,
        row.icon or USUAL_ICON,
        dutch=row.name.lower(),
        has_amount=row.has_amount,
        has_duration=row.has_duration,
        participle=row.participle,
        is_income=row.has_amount,
        is_own=True,
        unit=row.unit or PIECES,
    )


fact_kinds = KindRegistry()


@dataclass(frozen=True)
class LookBack:
    """Something that reads the facts of ``kinds`` over the last ``months``, so they must stay at least that long.

    ``name`` is a plural: "system labels about worlds".
    """

    code: str
    kinds: tuple[str, ...]
    months: int
    name: str | _StrPromise


#: Some follow what the organisation set: how far back a system label or a computed value looks.
look_backs: LivingRegistry[LookBack] = LivingRegistry("look back")


#: Each tells what has a kind (a code) in its rule or settings, in words; higher apps add theirs.
kind_users: list[Callable[[str], Iterable[object]]] = []


def kinds() -> list[FactKind]:
    """Return all kinds, those of the code first."""
    return list(fact_kinds)


def income() -> list[str]:
    """Return the codes of the kinds of which the amounts are what customers paid."""
    return [kind.code for kind in fact_kinds if kind.is_income]


for _kind in (
    FactKind(
        "loan", _("Loan"), _("borrowed"), "book-open",
        dutch="uitlening", participle=pgettext_lazy("have", "borrowed"), advised_months=24,
    ),
    FactKind(
        "reservation", _("Reservation"), _("reserved"), "bookmark",
        dutch="reservering", participle=pgettext_lazy("have", "reserved"), advised_months=24,
    ),
    FactKind(
        "fee", _("Contribution"), _("paid contribution"), "euro",
        dutch="contributie", has_amount=True, is_income=True, participle=pgettext_lazy("have", "paid contribution"),
        advised_months=84,
    ),
    FactKind(
        "fine", _("Fine"), _("paid a fine"), "receipt",
        dutch="boete", has_amount=True, is_income=True, participle=pgettext_lazy("have", "paid a fine"),
        advised_months=84,
    ),
    FactKind(
        "ticket", _("Ticket sale"), _("bought tickets"), "ticket",
        dutch="kaartverkoop", has_amount=True, is_income=True, participle=pgettext_lazy("have", "bought tickets"),
        advised_months=60, unit=_("tickets"),
    ),
    FactKind(
        "visit", _("Web visit"), _("visited the website"), "globe",
        dutch="webbezoek", has_duration=True, participle=pgettext_lazy("have", "visited the website"),
        advised_months=13, unit=_("pages"),
    ),
    FactKind(  # its genre is the topic
        "request", _("Request for information"), _("asked for information"), "circle-question-mark",
        dutch="aanvraag", participle=pgettext_lazy("have", "asked for information"), advised_months=24,
    ),
):  # fmt: skip
    fact_kinds.register(_kind)
