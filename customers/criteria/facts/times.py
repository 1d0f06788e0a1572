"""When somebody did something for the first or the last time."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Exists, Max, Min, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import TypeAdapter, model_validator

from customers.criteria.facts import totals
from customers.criteria.facts.common import FactCriterion, FactForm, FactParams, facts_of, narrowed, what
from customers.criteria.facts.shapes import Among
from customers.criteria.moments import day_of
from customers.models import Customer

NOBODYS_TIME = "1900-01-01"  # facts are of later days
_DAYS = TypeAdapter(int)


class TimeParams(FactParams):
    """The window in which the first or last time lies. Rules of the first months say ``more_than_days`` ago,
    ``within_days``, or both.
    """

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


class LastTime(FactCriterion):
    """The last time before the moment asked about lies in the window; who never did it does not match."""

    code = "facts.last"
    label = gettext_lazy("When they did something for the last time")
    params = TimeParams
    form = FactForm

    def to_q(self, params: TimeParams, *, now: dt.datetime) -> Q:
        start, end = params.happened(now=now)
        if not params.is_narrowed:
            return totals.last_within(params.kind, start, end, now=now)
        if end == now:
            return Q(Exists(facts_of(params, start, end).filter(customer=OuterRef("pk"))))
        last = facts_of(params, start, now).values("customer_id").annotate(last=Max("occurred_at"))
        return Q(Among(last.filter(last__lt=end).values("customer_id")))

    def sentence(self, params: TimeParams) -> str:
        return narrowed(_("have last %(what)s %(ago)s") % {"what": what(params.kind), "ago": params.words()}, params)

    def rows_since(self, params: TimeParams, *, now: dt.datetime) -> dict[str, dt.datetime | None]:
        """Return what it must see: of what is not narrowed only what happened since the moment asked about."""
        return {params.kind: params.happened(now=now)[0] if params.is_narrowed else now}

    def seen(self, params: TimeParams, customer: Customer, *, now: dt.datetime) -> str:
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
    form = FactForm

    def to_q(self, params: TimeParams, *, now: dt.datetime) -> Q:
        start, end = params.happened(now=now)
        if not params.is_narrowed:
            return totals.first_within(params.kind, start, end)
        if start is None:
            return Q(Exists(facts_of(params, start, end).filter(customer=OuterRef("pk"))))
        first = facts_of(params, None, end).values("customer_id").annotate(first=Min("occurred_at"))
        return Q(Among(first.filter(first__gte=start).values("customer_id")))

    def sentence(self, params: TimeParams) -> str:
        return narrowed(_("have first %(what)s %(ago)s") % {"what": what(params.kind), "ago": params.words()}, params)

    def rows_since(self, params: TimeParams, *, now: dt.datetime) -> dict[str, dt.datetime | None]:
        """Return what it must see: everything there ever was, when it is narrowed."""
        return {params.kind: None} if params.is_narrowed else {}

    def seen(self, params: TimeParams, customer: Customer, *, now: dt.datetime) -> str:
        if params.is_narrowed:
            found = facts_of(params, None, now).filter(customer=customer).order_by("occurred_at")
            first = found.values_list("occurred_at", flat=True).first()
        else:
            first = totals.of_customer(params.kind, customer, now).get("first")
        return _("first on %(day)s") % {"day": day_of(first)} if first else _("never")
