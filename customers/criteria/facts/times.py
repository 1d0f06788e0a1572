"""When somebody did something for the first or the last time."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django import forms
from django.db.models import Exists, F, Max, Min, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import TypeAdapter, model_validator

from customers.criteria.facts import totals
from customers.criteria.facts.common import FactCriterion, FactForm, FactParams, facts_of, narrowed, such, what
from customers.criteria.facts.shapes import Among
from customers.criteria.moments import day_of
from customers.models import Customer, Fact

NOBODYS_TIME = "1900-01-01"  # facts are of later days
_DAYS = TypeAdapter(int)


class TimeParams(FactParams):
    """The window in which the first or last time lies. Rules of the first months say ``more_than_days`` ago,
    ``within_days``, or both.

    Of what is narrowed it is the first or last time that was such; with ``of`` "all" it is the very first or last time
    they did it, and that one must be such. Of several at one moment any will do.
    """

    of: Literal["all"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _days_as_they_were(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "more_than_days" not in data:
            return data
        data = dict(data)
        more, within = data.pop("more_than_days"), data.get("within_days")
        if more is None:
            return data
        data.pop("within_days", None)
        if within is None:
            return data | {"period": "before_last", "number": more, "unit": "day"}
        more, within = (_DAYS.validate_python(days) for days in (more, within))
        if within <= more:  # it never meant anybody
            return data | {"period": "between", "until": NOBODYS_TIME}
        return data | {"period": "ago", "number": more + 1, "number_to": within, "unit": "day"}

    @property
    def is_of_all(self) -> bool:
        """Whether it makes a difference that the very first or last time is asked for."""
        return self.of == "all" and self.is_narrowed


class TimeForm(FactForm):
    of = forms.ChoiceField(
        label=gettext_lazy("Which first or last time counts"),
        required=False,
        choices=[
            ("", gettext_lazy("the first or last time that was such")),
            ("all", gettext_lazy("the very first or last time, and that one was such")),
        ],
        help_text=gettext_lazy("Makes a difference once you ask for a world, genre, branch, source, time or amount."),
    )
    NARROW = (*FactForm.NARROW, "of")
    field_order = (*FactForm.field_order, "of")


class LastTime(FactCriterion):
    """The last time before the moment asked about lies in the window; who never did it does not match."""

    code = "facts.last"
    label = gettext_lazy("When they did something for the last time")
    params = TimeParams
    form = TimeForm

    def to_q(self, params: TimeParams, *, now: dt.datetime) -> Q:
        start, end = params.happened(now=now)
        if not params.is_narrowed:
            return totals.last_within(params.kind, start, end, now=now)
        if params.is_of_all:
            every = Fact.objects.between(start, now).filter(kind=params.kind).order_by().values("customer_id")
            both = every.annotate(last=Max("occurred_at"), last_such=Max("occurred_at", filter=such(params)))
            return Q(Among(both.filter(last=F("last_such"), last__lt=end).values("customer_id")))
        if end == now:
            return Q(Exists(facts_of(params, start, end).filter(customer=OuterRef("pk"))))
        last = facts_of(params, start, now).values("customer_id").annotate(last=Max("occurred_at"))
        return Q(Among(last.filter(last__lt=end).values("customer_id")))

    def sentence(self, params: TimeParams) -> str:
        of_all, of_such = _("have last of all %(what)s %(ago)s, and such"), _("have last %(what)s %(ago)s")
        words = of_all if params.is_of_all else of_such
        return narrowed(words % {"what": what(params.kind), "ago": params.words()}, params)

    def rows_since(self, params: TimeParams, *, now: dt.datetime) -> dict[str, dt.datetime | None]:
        """Return what it must see: of what is not narrowed only what happened since the moment asked about."""
        return {params.kind: params.happened(now=now)[0] if params.is_narrowed else now}

    def seen(self, params: TimeParams, customer: Customer, *, now: dt.datetime) -> str:
        if params.is_of_all:
            return _seen_of_all(params, customer, now=now, which=Max, words=(_("last on %(day)s"), _NOT_SUCH_LAST))
        if params.is_narrowed:
            found = facts_of(params, None, now).filter(customer=customer).order_by("-occurred_at")
            last = found.values_list("occurred_at", flat=True).first()
        else:
            last = totals.of_customer(params.kind, customer, now).get("last")
        return _("last on %(day)s") % {"day": day_of(last)} if last else _("never")


class FirstTime(FactCriterion):
    """The first time ever lies in the window."""

    code = "facts.first"
    label = gettext_lazy("When they did something for the first time")
    params = TimeParams
    form = TimeForm

    def to_q(self, params: TimeParams, *, now: dt.datetime) -> Q:
        start, end = params.happened(now=now)
        if not params.is_narrowed:
            return totals.first_within(params.kind, start, end)
        if params.is_of_all:
            every = Fact.objects.between(None, end).filter(kind=params.kind).order_by().values("customer_id")
            both = every.annotate(first=Min("occurred_at"), first_such=Min("occurred_at", filter=such(params)))
            since = Q(first__gte=start) if start else Q()
            return Q(Among(both.filter(since, first=F("first_such")).values("customer_id")))
        if start is None:
            return Q(Exists(facts_of(params, start, end).filter(customer=OuterRef("pk"))))
        first = facts_of(params, None, end).values("customer_id").annotate(first=Min("occurred_at"))
        return Q(Among(first.filter(first__gte=start).values("customer_id")))

    def sentence(self, params: TimeParams) -> str:
        of_all, of_such = _("have first of all %(what)s %(ago)s, and such"), _("have first %(what)s %(ago)s")
        words = of_all if params.is_of_all else of_such
        return narrowed(words % {"what": what(params.kind), "ago": params.words()}, params)

    def rows_since(self, params: TimeParams, *, now: dt.datetime) -> dict[str, dt.datetime | None]:
        """Return what it must see: everything there ever was, when it is narrowed."""
        return {params.kind: None} if params.is_narrowed else {}

    def seen(self, params: TimeParams, customer: Customer, *, now: dt.datetime) -> str:
        if params.is_of_all:
            return _seen_of_all(params, customer, now=now, which=Min, words=(_("first on %(day)s"), _NOT_SUCH_FIRST))
        if params.is_narrowed:
            found = facts_of(params, None, now).filter(customer=customer).order_by("occurred_at")
            first = found.values_list("occurred_at", flat=True).first()
        else:
            first = totals.of_customer(params.kind, customer, now).get("first")
        return _("first on %(day)s") % {"day": day_of(first)} if first else _("never")


_NOT_SUCH_LAST = gettext_lazy("last on %(day)s, and not such")
_NOT_SUCH_FIRST = gettext_lazy("first on %(day)s, and not such")


def _seen_of_all(
    params: TimeParams, customer: Customer, *, now: dt.datetime, which: type[Max | Min], words: tuple[Any, Any]
) -> str:
    """Return when he did it for the very first or last time, and whether that was such."""
    facts = Fact.objects.between(None, now).filter(kind=params.kind, customer=customer)
    found = facts.aggregate(all=which("occurred_at"), such=which("occurred_at", filter=such(params)))
    if found["all"] is None:
        return _("never")
    return str(words[found["all"] != found["such"]]) % {"day": day_of(found["all"])}
