"""Formulas of computed values: what a term measures, how it is checked, said in words and computed.

The number of a customer is the sum of weight × measure over the terms. Sums and counts of nothing are nothing; without
any of the facts that the formula looks at, or without what it needs to know (the last time), there is no number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.formats import localize
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from customers.facts import fact_kinds
from labels.system.kinds import DEEDS, INCOME, resolve
from labels.system.measures import Measure, What

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from labels.models import ValueDefinition

RECENCY, INTERVAL = "recency", "interval"
MEASURED: dict[str, _StrPromise] = {
    "amount": gettext_lazy("amount paid"),
    "quantity": gettext_lazy("number of pieces"),
    "count": gettext_lazy("number of times"),
    "days": gettext_lazy("number of days with one"),
    "duration": gettext_lazy("duration in seconds"),
    RECENCY: gettext_lazy("days since the last time"),
    INTERVAL: gettext_lazy("average number of days between two times"),
}
SETS: dict[str, _StrPromise] = {
    INCOME: gettext_lazy("everything that is paid"),
    DEEDS: gettext_lazy("everything somebody does with us, apart from the web"),
}
MOST_TERMS, MOST_MONTHS, HEAVIEST = 8, 120, 1_000_000


@dataclass(frozen=True)
class Term:
    """One term: ``weight`` × ``what`` of facts of ``kinds`` (codes, or names of SETS) in the last ``months``."""

    weight: float
    what: str
    kinds: tuple[str, ...]
    months: int

    def weight_in_euros(self, unit: str) -> Decimal:
        """Return by how much it counts for who thinks in euros, in a value that counts ``unit``."""
        shown = Decimal(f"{self.weight:.10g}") * in_euros(self.what, unit)
        return shown.to_integral_value() if shown == shown.to_integral_value() else shown.normalize()

    @property
    def measure(self) -> Measure:
        """What has to be known of the facts."""
        what: What = "last" if self.what == RECENCY else self.what  # type: ignore[assignment]
        return Measure(what, resolve(self.kinds), self.months)

    @property
    def is_needed(self) -> bool:
        """Whether nothing can be said without it; a sum of nothing is nothing."""
        return self.what in (RECENCY, INTERVAL)


def in_euros(what: str, unit: str) -> Decimal:
    """Return what to multiply a stored weight by to show it: amounts are stored in cents, and people say euros."""
    measured, counted = Decimal(100 if what == "amount" else 1), Decimal(100 if unit == "cents" else 1)
    return measured / counted


def read_terms(told: Any) -> tuple[Term, ...]:
    """Return a stored or sent formula as terms; raises Refused on anything that is none."""
    if not isinstance(told, Sequence) or not 1 <= len(told) <= MOST_TERMS:
        raise Refused("terms", _("A formula has 1 to %d parts.") % MOST_TERMS, field="terms")
    return tuple(_read_term(one) for one in told)


def _read_term(told: Any) -> Term:
    try:
        term = Term(float(told["weight"]), str(told["what"]), tuple(map(str, told["kinds"])), int(told["months"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise Refused("terms", _("A part of the formula cannot be read."), field="terms") from None
    if term.what not in MEASURED:
        raise Refused("what", _("Choose what is measured."), field="terms")
    if not term.kinds or any(kind not in SETS and kind not in fact_kinds for kind in term.kinds):
        raise Refused("kinds", _("Choose activities that exist."), field="terms")
    if not 1 <= term.months <= MOST_MONTHS:
        raise Refused("months", _("Choose 1 to %d months.") % MOST_MONTHS, field="terms")
    if not 0 < abs(term.weight) <= HEAVIEST:
        raise Refused("weight", _("The number by which it counts is not 0 and at most a million."), field="terms")
    return term


def stored(terms: Sequence[Term]) -> list[dict[str, Any]]:
    """Return terms as they are stored."""
    return [
        {"weight": term.weight, "what": term.what, "kinds": list(term.kinds), "months": term.months} for term in terms
    ]


def drift_of(terms: Sequence[Term]) -> float:
    """Return by how much the number grows a day by itself: the weight of the days since the last time."""
    return sum(term.weight for term in terms if term.what == RECENCY)


def number_sql(terms: Sequence[Term], columns: Mapping[Measure, str]) -> tuple[str, str]:
    """Return the number as SQL over the columns of measures, as it is stored (the last time as minus its day), and the
    condition under which there is one.
    """
    parts: list[str] = []
    needed: list[str] = []
    found: list[str] = []
    for term in terms:
        column = columns[term.measure]
        (needed if term.is_needed else found).append(f"{column} IS NOT NULL")
        weight = f"({-term.weight if term.what == RECENCY else term.weight!r})::float8"
        parts.append(f"{weight} * {column}" if term.is_needed else f"{weight} * coalesce({column}, 0)")
    # A sum tells something once one of what it adds up is there, unless a needed part is there already.
    condition = " AND ".join(needed) if needed else f"({' OR '.join(found)})"
    return " + ".join(parts), condition


def kinds_in_words(kinds: Sequence[str]) -> str:
    """Return kinds of facts as people read them."""
    names = [str(SETS[code]) if code in SETS else str(fact_kinds[code].name) for code in kinds if _is_known(code)]
    return ", ".join(names)


def _is_known(code: str) -> bool:
    return code in SETS or code in fact_kinds


def formula_in_words(terms: Sequence[Term], *, unit: str) -> list[str]:
    """Return each term of a value that counts ``unit`` as a line, with amounts in euros: "1 × amount paid:
    everything that is paid, in the last 24 months".
    """
    return [
        _("%(weight)s × %(what)s: %(kinds)s, in the last %(months)d months")
        % {
            "weight": localize(term.weight_in_euros(unit)),
            "what": MEASURED[term.what],
            "kinds": kinds_in_words(term.kinds),
            "months": term.months,
        }
        for term in terms
    ]


#: Values that come with the product: code -> name, description, unit, formula.
STANDARD: dict[str, tuple[_StrPromise, _StrPromise, str, tuple[Term, ...]]] = {
    "customer-value": (
        gettext_lazy("Customer value"),
        gettext_lazy("What somebody paid in the last two years. The classes of customer value follow from it."),
        "cents",
        (Term(1, "amount", (INCOME,), 24),),
    ),
    "frequency": (
        gettext_lazy("Frequency"),
        gettext_lazy("On how many days of the last year somebody was active."),
        "days",
        (Term(1, "days", (DEEDS,), 12),),
    ),
    "recency": (
        gettext_lazy("Recency"),
        gettext_lazy("How many days ago somebody was active for the last time."),
        "days",
        (Term(1, RECENCY, (DEEDS,), 24),),
    ),
    "interval": (
        gettext_lazy("Average time in between"),
        gettext_lazy("How many days lie between two active days on average."),
        "days",
        (Term(1, INTERVAL, (DEEDS,), 24),),
    ),
}


def standard_name(definition: ValueDefinition) -> _StrPromise | None:
    """Return the name of a standard value in the active language; None for own ones and for who renamed it."""
    known = STANDARD.get(definition.code) if definition.is_standard else None
    return known[0] if known and not definition.name else None
