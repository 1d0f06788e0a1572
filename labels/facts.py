"""How far back system labels and computed values look at facts: retention may not be shorter, or they would be lost.

They look as far as the organisation set, so this is told anew at every use.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from customers.facts import LookBack, look_backs
from labels.system import Family, families
from labels.system.specs import words


def of_family(family: Family) -> LookBack | None:
    """Return how far a family looks back at facts, as its thresholds are; None when it reads none."""
    limits = family.limits()
    measures = family.measures(limits).values()
    kinds = {kind for one in measures for kind in one.kinds}
    months = [one.months for one in measures]
    if family.fact_edges:
        kinds |= {kind for found in family.fact_edges.values() for kind in found()}
        months.append(limits.whole("months"))
    if not months:
        return None
    name = words(_("The system labels “%(family)s”"), family=family.name)
    return LookBack(family.code, tuple(sorted(kinds)), max(months), name)


def of_families() -> Iterable[LookBack]:
    """Return how far each family looks back."""
    return [found for family in families if (found := of_family(family))]


class _OfValues:
    """How far computed values look back; kept for some seconds, since pages ask it per kind of fact."""

    FRESH_SECONDS = 2.0

    def __init__(self) -> None:
        self._known: list[LookBack] = []
        self._read_at = float("-inf")

    def __call__(self) -> Iterable[LookBack]:
        if time.monotonic() - self._read_at > self.FRESH_SECONDS:
            self._known, self._read_at = list(self._read()), time.monotonic()
        return self._known

    def forget(self) -> None:
        """Read anew at the next use."""
        self._read_at = float("-inf")

    def _read(self) -> Iterable[LookBack]:
        from labels.formulas import read_terms  # models are there by now; this module comes before them
        from labels.models import ValueDefinition

        for definition in ValueDefinition.objects.all():
            terms = read_terms(definition.terms)
            kinds = {kind for term in terms for kind in term.measure.kinds}
            name = words(_("The computed value “%(value)s”"), value=definition)
            yield LookBack(f"value-{definition.code}", tuple(sorted(kinds)), max(term.months for term in terms), name)


of_values = _OfValues()
look_backs.provide(of_families)
look_backs.provide(of_values)
