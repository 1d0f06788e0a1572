"""Computed values as values of a customer: for selections, the top so many, criteria and the customer's page."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, FloatField, OuterRef, Q, QuerySet, Subquery
from django.db.models import Value as Constant
from django.utils.translation import gettext_lazy as _

from common.money import format_cents
from common.values import Bounds, Value, values
from labels.formulas import drift_of, read_terms
from labels.system.moments import day_number

if TYPE_CHECKING:
    from django.db.models.expressions import Combinable

    from labels.models import ValueDefinition

PREFIX = "computed."


class ComputedValue(Value):
    """A value that the nightly run keeps for every customer, by a formula over his facts."""

    forgets = _("Computed values are known as they were computed last night, not as they were on an earlier day.")

    def __init__(self, definition: ValueDefinition) -> None:
        self.pk = definition.pk
        self.code = f"{PREFIX}{definition.code}"
        self.label = str(definition)
        self.unit = "cents" if definition.unit == "cents" else "days" if definition.unit == "days" else "number"
        self.drift = drift_of(read_terms(definition.terms))

    def expression(self, *, now: dt.datetime) -> Combinable:
        """Return the number that is kept; NULL of whom nothing is known or who may not be profiled."""
        number = Subquery(self._kept().values("number")[:1], output_field=FloatField())
        if not self.drift:
            return number
        return number + Constant(self.drift * day_number(now), output_field=FloatField())

    def known(self, *, now: dt.datetime) -> Q:
        """Return the condition that the number is kept of a customer."""
        return Q(Exists(self._kept()))

    def within(self, bounds: Bounds, *, now: dt.datetime) -> Q:
        """Return the condition that the number of today lies within bounds, from the rows that are kept."""
        drift = self.drift * day_number(now) if self.drift else 0
        low, high = (bound if bound is None else bound - drift for bound in (bounds.low, bounds.high))
        return Q(Exists(self._kept().filter(Bounds(low, high, bounds.is_open).on("number"))))

    def _kept(self) -> QuerySet[Any]:
        from labels.models import CustomerValue  # models are there by now; registries are filled before them

        return CustomerValue.objects.filter(customer=OuterRef("pk"), value=self.pk)

    def words(self, number: int | float | None) -> str:
        """Return the number as people read it: euros, or rounded to a decimal."""
        if number is None:
            return "–"
        if self.unit == "cents":
            return format_cents(round(number))
        return f"{number:.1f}".rstrip("0").rstrip(".").replace(".", ",")


class _Defined:
    """The values that are defined now; kept for some seconds, since one page asks for them many times."""

    FRESH_SECONDS = 2.0

    def __init__(self) -> None:
        self._known: list[Value] = []
        self._read_at = float("-inf")

    def __call__(self) -> Iterable[Value]:
        if time.monotonic() - self._read_at > self.FRESH_SECONDS:
            from labels.models import ValueDefinition

            self._known = [ComputedValue(definition) for definition in ValueDefinition.objects.all()]
            self._read_at = time.monotonic()
        return self._known

    def forget(self) -> None:
        """Read anew at the next use."""
        self._read_at = float("-inf")


defined = _Defined()
values.provide(defined)
