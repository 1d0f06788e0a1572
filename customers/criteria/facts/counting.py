"""How often somebody did something in a window, and not at all."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django import forms
from django.db.models import Count, Exists, Max, OuterRef, Q, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, model_validator

from customers.criteria.facts import totals
from customers.criteria.facts.bounds import Bounds
from customers.criteria.facts.common import (
    PER,
    FactCriterion,
    FactForm,
    FactParams,
    NarrowForm,
    Per,
    by_customer,
    facts_of,
    last_of,
    narrowed,
    what,
)
from customers.criteria.facts.shapes import DAY, Among, Heaped
from customers.criteria.moments import day_of
from customers.criteria.windows import WindowForm, shown_when
from customers.models import Customer, FactTotal
from customers.models.querysets import FactQuerySet

EVERYBODY = Q(pk__isnull=False)

# Two sources may have an order of the same number; a fact without an order is one by itself.
NUMBER = Coalesce("order_number", "external_id", output_field=TextField())
ORDER = Concat(Cast("source_id", TextField()), Value("/"), NUMBER, output_field=TextField())
HEAPS = {"order": ("customer_id", "source_id", "number"), "day": ("customer_id", "day")}


class PerParams(FactParams):
    """``per``: what counts as one time. Rules of the first months say ``per_order``."""

    per: Per = "fact"

    @model_validator(mode="before")
    @classmethod
    def _orders_as_they_were(cls, data: Any) -> Any:
        if isinstance(data, dict) and "per_order" in data:
            data = dict(data)
            if data.pop("per_order") in (True, "true", "on"):
                data["per"] = "order"
        return data


class OftenParams(PerParams):
    """``times`` (``between``: to ``times_to``) in the window; "at most" includes those who never did."""

    op: Literal["at_least", "at_most", "exactly", "between"] = "at_least"
    times: int = Field(default=1, ge=0, le=100000)
    times_to: int | None = Field(default=None, ge=0, le=100000)

    @model_validator(mode="after")
    def _in_order(self) -> OftenParams:
        if self.op == "between" and (self.times_to is None or self.times_to < self.times):
            raise ValueError(_("Fill in two numbers, the lowest first."))
        return self

    @property
    def bounds(self) -> Bounds:
        """Least and most."""
        return bounds_of(self.op, self.times, self.times_to)


def bounds_of(op: str, times: int, times_to: int | None = None) -> Bounds:
    """Return least and most of an operator and its numbers."""
    low = None if op == "at_most" else times
    return Bounds(low, {"at_least": None, "between": times_to}.get(op, times))


OPS = [
    ("at_least", gettext_lazy("at least")),
    ("at_most", gettext_lazy("at most")),
    ("exactly", gettext_lazy("exactly")),
    ("between", gettext_lazy("from … to …")),
]


class OftenForm(FactForm):
    op = forms.ChoiceField(label=gettext_lazy("How often"), choices=OPS)
    times = forms.IntegerField(label=gettext_lazy("Times"), min_value=0, max_value=100000, initial=1)
    times_to = forms.IntegerField(label=gettext_lazy("To … times"), required=False, min_value=0, max_value=100000)
    per = forms.ChoiceField(label=gettext_lazy("What counts as one time"), choices=PER, required=False, initial="fact")
    field_order = ("kind", "op", "times", "times_to", *WindowForm.WINDOW, *NarrowForm.NARROW, "per")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown_when(self, "times_to", "op", ("between",))


class HowOften(FactCriterion):
    """At least, at most, exactly or from so many times to so many."""

    code = "facts.count"
    label = gettext_lazy("How often they did something")
    params = OftenParams
    form = OftenForm

    def to_q(self, params: OftenParams, *, now: dt.datetime) -> Q:
        bounds = params.bounds
        if bounds.is_everything:
            return EVERYBODY
        if bounds.has_zero:  # who never did it stands in no row: everybody but those who did it more often
            return ~who_did(params, Bounds((bounds.high or 0) + 1), now)
        return who_did(params, bounds, now)

    def sentence(self, params: OftenParams) -> str:
        values = {"when": params.words(), "often": often(params), "what": what(params.kind)}
        return narrowed(_("have %(what)s %(often)s %(when)s") % values, params)

    def rows_since(self, params: OftenParams, *, now: dt.datetime) -> dict[str, dt.datetime | None]:
        """Return what it must see: only what happened since the window, where totals know the rest."""
        start, end = params.happened(now=now)
        asked = Bounds((params.bounds.high or 0) + 1) if params.bounds.has_zero else params.bounds
        if not params.is_narrowed and asked.is_once:
            return {params.kind: end} if start else {}
        return {params.kind: end if _is_total(params, start) else start}

    def seen(self, params: OftenParams, customer: Customer, *, now: dt.datetime) -> str:
        start, end = params.happened(now=now)
        times, last = tally(params, customer, start, end)
        if times:
            counted = _counted(params.per, times) % times
            return _("%(times)s, last on %(day)s") % {"times": counted, "day": day_of(last)} if last else counted
        return seen_never(params, customer, now=now)


def seen_never(params: FactParams, customer: Customer, *, now: dt.datetime) -> str:
    """Return that somebody did not do it in the window, and when he did it last."""
    last = last_of(params, customer, now=now)
    if last is None and not params.is_narrowed:
        last = totals.of_customer(params.kind, customer, now).get("last")
    if last is None:
        return _("never")
    return _("not once; last on %(day)s") % {"day": day_of(last)}


def _is_total(params: PerParams, start: dt.datetime | None) -> bool:
    return start is None and params.per == "fact" and not params.is_narrowed


def who_did(params: PerParams, bounds: Bounds, now: dt.datetime) -> Q:
    """Return who did it so often; the bounds leave out never."""
    start, end = params.happened(now=now)
    if bounds.is_once:
        return did(params, start, end, now=now)
    if _is_total(params, start):
        return totals.who(params.kind, end, bounds.within("times"))
    facts = facts_of(params, start, end)
    if params.per == "order":
        return Q(Heaped(heaps(facts, "order").distinct(), HEAPS["order"], *bounds.having("count(*)")))
    if params.per == "day" and start is None and bounds.low:
        # Nobody has more days than facts: who has too few of those is not looked at, for days are slow to tell apart.
        enough = FactTotal.objects.filter(kind=params.kind, count__gte=bounds.low).order_by()
        facts = facts.filter(customer__in=enough.values("customer_id"))
    counted = by_customer(facts, params).annotate(times=times_of(params.per))
    return Q(Among(counted.filter(bounds.within("times")).values("customer_id")))


def did(params: FactParams, start: dt.datetime | None, end: dt.datetime, *, now: dt.datetime) -> Q:
    """Return who did it at least once from ``start`` until ``end``, which is not after ``now``."""
    if not params.is_narrowed:
        return totals.once(params.kind, start, end, now=now)
    return Q(Exists(facts_of(params, start, end).filter(customer=OuterRef("pk"))))


def heaps(facts: FactQuerySet, per: Per) -> Any:
    """Return a row per fact for its order or day, to be made distinct or summed; ``HEAPS`` names the columns."""
    if per == "order":
        return facts.values("customer_id", "source_id", number=NUMBER)
    return facts.values("customer_id", day=DAY)


def times_of(per: Per) -> Count:
    """Return how many times facts make; of orders, which are texts and slow to sort, ``heaps`` makes less work."""
    if per == "fact":
        return Count("*")  # and not of a column: the index that finds them knows how many there are
    return Count(ORDER if per == "order" else DAY, distinct=True)


def tally(
    params: PerParams, customer: Customer, start: dt.datetime | None, end: dt.datetime
) -> tuple[int, dt.datetime | None]:
    """Return how often one customer did it in the window, and when last."""
    if _is_total(params, start):
        known = totals.of_customer(params.kind, customer, end)
        return known.get("times", 0), known.get("last")
    facts = facts_of(params, start, end).filter(customer=customer)
    found = facts.aggregate(times=times_of(params.per), last=Max("occurred_at"))
    return found["times"], found["last"]


def often(params: OftenParams) -> str:
    """Return the number of times in words: "at least 3 times", "on 2 to 5 days"."""
    if params.op == "between":
        values = {"low": params.times, "high": params.times_to}
        return str(_BETWEEN[params.per]) % values
    words = {
        "fact": {
            "at_least": ngettext("at least %d time", "at least %d times", params.times),
            "at_most": ngettext("at most %d time", "at most %d times", params.times),
            "exactly": ngettext("exactly %d time", "exactly %d times", params.times),
        },
        "order": {
            "at_least": ngettext("in at least %d order", "in at least %d orders", params.times),
            "at_most": ngettext("in at most %d order", "in at most %d orders", params.times),
            "exactly": ngettext("in exactly %d order", "in exactly %d orders", params.times),
        },
        "day": {
            "at_least": ngettext("on at least %d day", "on at least %d days", params.times),
            "at_most": ngettext("on at most %d day", "on at most %d days", params.times),
            "exactly": ngettext("on exactly %d day", "on exactly %d days", params.times),
        },
    }
    return words[params.per][params.op] % params.times


_BETWEEN = {
    "fact": gettext_lazy("%(low)s to %(high)s times"),
    "order": gettext_lazy("in %(low)s to %(high)s orders"),
    "day": gettext_lazy("on %(low)s to %(high)s days"),
}


def _counted(per: Per, times: int) -> str:
    if per == "order":
        return ngettext("%d order", "%d orders", times)
    return ngettext("on %d day", "on %d days", times) if per == "day" else ngettext("%d time", "%d times", times)


class NotAtAll(FactCriterion):
    """Not once in the window."""

    code = "facts.none"
    label = gettext_lazy("Did not do something")
    params = FactParams
    form = FactForm

    def to_q(self, params: FactParams, *, now: dt.datetime) -> Q:
        return ~did(params, *params.happened(now=now), now=now)

    def sentence(self, params: FactParams) -> str:
        if params.is_ever:
            return narrowed(_("have never %(what)s") % {"what": what(params.kind)}, params)
        values = {"when": params.words(), "what": what(params.kind)}
        return narrowed(_("have not %(what)s %(when)s") % values, params)

    def rows_since(self, params: FactParams, *, now: dt.datetime) -> dict[str, dt.datetime | None]:
        """Return what it must see: of what is not narrowed only what happened since the window."""
        start, end = params.happened(now=now)
        if params.is_narrowed:
            return {params.kind: start}
        return {params.kind: end} if start else {}

    def seen(self, params: FactParams, customer: Customer, *, now: dt.datetime) -> str:
        often = OftenParams.model_validate(params.model_dump(exclude_none=True))
        return OFTEN.seen(often, customer, now=now)


OFTEN = HowOften()
