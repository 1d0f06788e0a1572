"""How much somebody spent, took or how long it lasted: in all, on average, or at most at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal

from django import forms
from django.db.models import Count, F, Max, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, model_validator

from common.criteria import Params
from common.money import format_cents
from customers.criteria.facts import totals
from customers.criteria.facts.bounds import Bounds
from customers.criteria.facts.common import (
    PER,
    FactCriterion,
    FactForm,
    NarrowForm,
    by_customer,
    facts_of,
    narrowed,
    what,
)
from customers.criteria.facts.counting import HEAPS, PerParams, heaps, seen_never, times_of
from customers.criteria.facts.shapes import Among, Heaped
from customers.criteria.windows import WindowForm, shown_when
from customers.models import Customer
from customers.models.querysets import FactQuerySet

Measure = Literal["amount_cents", "quantity", "duration_seconds"]
Figure = Literal["sum", "average", "largest"]

#: What a total calls it; how long something lasted is not in it.
IN_TOTALS = {"amount_cents": "cents", "quantity": "pieces"}
#: How many of what is stored make one of what the form asks: euros, pieces, minutes.
FACTORS = {"amount_cents": 100, "quantity": 1, "duration_seconds": 60}


class MuchParams(PerParams):
    """``at_least`` and ``at_most`` are cents, pieces or seconds, by ``measure``; of the sum, the average or the largest
    per fact, order or day. Rules of the first months call the measure ``unit``.

    The sum of who did nothing is 0; he has no average and no largest. A sum per order is the largest order: "at least
    so much in one order".
    """

    figure: Figure = "sum"
    measure: Measure = "amount_cents"
    at_least: int | None = Field(default=None, ge=0, le=10**9)
    at_most: int | None = Field(default=None, ge=0, le=10**9)

    @model_validator(mode="before")
    @classmethod
    def _as_it_was_measured(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if data.get("unit") in ("amount_cents", "quantity"):
            data["measure"] = data.pop("unit")
        is_one_order = data.get("per_order") in (True, "true", "on") or data.get("per", "fact") != "fact"
        if is_one_order and data.get("figure", "sum") == "sum":
            data["figure"] = "largest"
        return data

    @model_validator(mode="after")
    def _bounded(self) -> MuchParams:
        if self.at_least is None and self.at_most is None:
            raise ValueError(_("Fill in at least one of the two amounts."))
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(_("Fill in two numbers, the lowest first."))
        return self

    @property
    def bounds(self) -> Bounds:
        """Least and most."""
        return Bounds(self.at_least, self.at_most)

    @property
    def is_total(self) -> bool:
        """Whether totals know it, as far as the window goes."""
        return self.per == "fact" and not self.is_narrowed and self.measure in IN_TOTALS and self.figure != "largest"


class MuchForm(FactForm):
    figure = forms.ChoiceField(
        label=gettext_lazy("Which figure"),
        required=False,
        initial="sum",
        choices=[
            ("sum", gettext_lazy("all together")),
            ("average", gettext_lazy("on average")),
            ("largest", gettext_lazy("the largest")),
        ],
    )
    measure = forms.ChoiceField(
        label=gettext_lazy("Unit"),
        choices=[
            ("amount_cents", gettext_lazy("euros")),
            ("quantity", gettext_lazy("pieces")),
            ("duration_seconds", gettext_lazy("minutes")),
        ],
    )
    at_least = forms.DecimalField(
        label=gettext_lazy("At least"), required=False, min_value=0, max_digits=9, decimal_places=2, localize=True
    )
    at_most = forms.DecimalField(
        label=gettext_lazy("At most"), required=False, min_value=0, max_digits=9, decimal_places=2, localize=True
    )
    per = forms.ChoiceField(label=gettext_lazy("Per"), choices=PER, required=False, initial="fact")
    field_order = (
        "kind", "figure", "at_least", "at_most", "measure", "per", *WindowForm.WINDOW, *NarrowForm.NARROW,
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown_when(self, "per", "figure", ("average", "largest"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("figure") in (None, "", "sum"):
            cleaned["per"] = "fact"  # what all together comes to is not split
        return cleaned


class HowMuch(FactCriterion):
    """The sum, average or largest of amounts, pieces or time lies within bounds."""

    code = "facts.sum"
    label = gettext_lazy("How much they spent or took in all")
    params = MuchParams
    form = MuchForm

    def to_q(self, params: MuchParams, *, now: dt.datetime) -> Q:
        return _FIGURES[params.figure](params, *params.happened(now=now))

    def sentence(self, params: MuchParams) -> str:
        values = {"when": params.words(), "total": _total(params), "what": what(params.kind)}
        words = {
            ("sum", "fact"): _("have %(what)s for %(total)s %(when)s"),
            ("average", "fact"): _("have %(what)s for %(total)s on average %(when)s"),
            ("average", "order"): _("have %(what)s for %(total)s an order on average %(when)s"),
            ("average", "day"): _("have %(what)s for %(total)s a day on average %(when)s"),
            ("largest", "fact"): _("have %(what)s for %(total)s at once %(when)s"),
            ("largest", "order"): _("have %(what)s for %(total)s in one order %(when)s"),
            ("largest", "day"): _("have %(what)s for %(total)s on one day %(when)s"),
        }
        return narrowed(words[params.figure, params.per] % values, params)

    def rows_since(self, params: MuchParams, *, now: dt.datetime) -> dict[str, dt.datetime | None]:
        """Return what it must see: only what happened since the window, where totals know the rest."""
        start, end = params.happened(now=now)
        return {params.kind: end if params.is_total and start is None else start}

    def seen(self, params: MuchParams, customer: Customer, *, now: dt.datetime) -> str:
        start, end = params.happened(now=now)
        amount, times = _measured(params, customer, start, end)
        if not times:
            return seen_never(params, customer, now=now)
        words = {"sum": _("%(amount)s in all"), "average": _("%(amount)s on average"),
                 "largest": _("%(amount)s at most")}[params.figure]  # fmt: skip
        return words % {"amount": said(amount, params.measure)}

    def initial(self, params: Params) -> dict[str, Any]:
        """Return what the form shows: euros, pieces, minutes."""
        shown = super().initial(params)
        factor = FACTORS[shown["measure"]]
        for name in ("at_least", "at_most"):
            if name in shown and factor > 1:
                shown[name] = round(shown[name] / factor, 2)
        return shown

    def read(self, cleaned_data: Mapping[str, Any]) -> Params:
        """Turn a valid form into params: euros into cents, minutes into seconds."""
        cleaned = dict(cleaned_data)
        factor = FACTORS[cleaned["measure"]]
        for name in ("at_least", "at_most"):
            if cleaned.get(name) is not None:
                cleaned[name] = round(cleaned[name] * factor)
        return super().read(cleaned)


def _sum(params: MuchParams, start: dt.datetime | None, end: dt.datetime) -> Q:
    bounds = params.bounds
    if bounds.is_everything:
        bounds = Bounds(0)  # amounts may have been paid back
    condition = bounds.outside("total") if bounds.has_zero else bounds.within("total")
    if params.is_total and start is None:
        name = IN_TOTALS[params.measure]
        found = totals.who(params.kind, end, bounds.outside(name) if bounds.has_zero else bounds.within(name))
    else:
        facts = facts_of(params, start, end)
        if params.measure == "amount_cents":
            facts = facts.exclude(amount_cents=0)  # adds nothing, and an index knows the others
        summed = by_customer(facts, params).annotate(total=Sum(params.measure))
        found = Q(Among(summed.filter(condition).values("customer_id")))
    return ~found if bounds.has_zero else found


def _average(params: MuchParams, start: dt.datetime | None, end: dt.datetime) -> Q:
    if params.is_total and start is None:
        name = IN_TOTALS[params.measure]
        return totals.who(params.kind, end, Q(times__gte=1) & params.bounds.within(name, times="times"))
    facts = facts_of(params, start, end)
    if params.per != "fact":
        return _of_heaps(facts, params, *params.bounds.having("sum(total)", times="count(*)"))
    summed = by_customer(facts, params).annotate(total=Sum(params.measure), times=Count("*"))
    return Q(Among(summed.filter(params.bounds.within("total", times="times")).values("customer_id")))


def _largest(params: MuchParams, start: dt.datetime | None, end: dt.datetime) -> Q:
    facts = facts_of(params, start, end)
    if params.per != "fact":
        return _of_heaps(facts, params, *params.bounds.having("max(total)"))
    most = by_customer(facts, params).annotate(most=Max(params.measure))
    return Q(Among(most.filter(params.bounds.within("most")).values("customer_id")))


def _of_heaps(facts: FactQuerySet, params: MuchParams, having: str, values: list[int]) -> Q:
    """Return whose orders or days, each with its total, meet a condition."""
    summed = heaps(facts, params.per).annotate(total=Sum(params.measure))
    return Q(Heaped(summed, (*HEAPS[params.per], "total"), having, values))


_FIGURES = {"sum": _sum, "average": _average, "largest": _largest}


def _measured(params: MuchParams, customer: Customer, start: dt.datetime | None, end: dt.datetime) -> tuple[int, int]:
    """Return the figure of one customer, and of how many times it is made."""
    if params.is_total and start is None:
        known = totals.of_customer(params.kind, customer, end)
        total, times = known.get(IN_TOTALS[params.measure], 0), known.get("times", 0)
    else:
        facts = facts_of(params, start, end).filter(customer=customer)
        found = facts.aggregate(total=Sum(params.measure), times=times_of(params.per))
        total, times = found["total"] or 0, found["times"]
        if params.figure == "largest" and times:
            each = F(params.measure) if params.per == "fact" else Sum(params.measure)
            rows = facts if params.per == "fact" else heaps(facts, params.per)
            total = rows.annotate(total=each).aggregate(most=Max("total"))["most"]
    return (round(total / times) if params.figure == "average" and times else total), times


def _total(params: MuchParams) -> str:
    """Return the bounds in words: "at least € 50,00"."""
    low, high = (None if n is None else said(n, params.measure) for n in (params.at_least, params.at_most))
    if low is not None and high is not None:
        return _("%(low)s to %(high)s") % {"low": low, "high": high}
    return _("at least %s") % low if low is not None else _("at most %s") % high


def said(number: int, measure: Measure) -> str:
    """Return a number with its unit."""
    if measure == "amount_cents":
        return format_cents(number)
    if measure == "quantity":
        return ngettext("%d piece", "%d pieces", number) % number
    if number % 60 == 0:
        return ngettext("%d minute", "%d minutes", number // 60) % (number // 60)
    return ngettext("%d second", "%d seconds", number) % number
