"""The charts and figures of one customer: activity per month, worlds, and what was paid per year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from dateutil.relativedelta import relativedelta
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from common.money import format_cents
from common.time import local_date, start_of_months
from common.values import values
from customers.facts import fact_kinds, income
from customers.models import Customer, Fact, FactTotal, World
from labels.values import PREFIX

MONTHS_SHOWN = 24
KINDS_SHOWN = 4
WORLDS_SHOWN = 6
YEARS_SHOWN = 8


def start_of_activity(now: dt.datetime) -> dt.datetime:
    """Return the first instant of the months shown, the present one included."""
    return start_of_months(now, MONTHS_SHOWN)


def activity(customer: Customer, kinds: Sequence[str], *, now: dt.datetime) -> dict[str, Any] | None:
    """Return how often things happened in each month, a bar per kind; ``kinds`` is the order in which they come."""
    start = start_of_activity(now)
    counts = Fact.objects.of(customer).by_month(since=start)
    shown = [kind for kind in kinds if kind in counts][:KINDS_SHOWN]
    if not shown:
        return None
    months = [local_date(start) + relativedelta(months=step) for step in range(MONTHS_SHOWN)]
    return {
        "labels": [date_format(day, "b Y") for day in months],
        "datasets": [{"label": name_of(code), "data": [counts[code].get(day, 0) for day in months]} for code in shown],
    }


def worlds(customer: Customer, *, now: dt.datetime) -> dict[str, Any]:
    """Return what of the worlds was taken in the months shown, the favourites first."""
    counts = list(Fact.objects.of(customer).by_world(since=start_of_activity(now)).items())
    names = dict(World.objects.values_list("code", "name"))
    rows: list[dict[str, Any]] = [
        {"label": names.get(world, world), "value": many} for world, many in counts[:WORLDS_SHOWN]
    ]
    rest = sum(many for _world, many in counts[WORLDS_SHOWN:])
    if rest:
        rows.append({"label": _("Other worlds"), "value": rest, "tone": "neutral"})
    return {"rows": rows, "max": max((row["value"] for row in rows), default=1)}


def value(customer: Customer, totals: Sequence[FactTotal], *, now: dt.datetime) -> dict[str, Any] | None:
    """Return what was paid, in all and per year, and for what; None when nothing was."""
    kinds = income()
    paid = {total.kind: total for total in totals if total.kind in kinds and total.amount_cents}
    if not paid:
        return None
    years = Fact.objects.of(customer).by_year(kinds)
    shown = sorted(years)[-YEARS_SHOWN:]
    this_year = local_date(now).year
    return {
        "total": sum(total.amount_cents for total in paid.values()),
        "this_year": sum(years.get(this_year, {}).values()),
        "last_year": sum(years.get(this_year - 1, {}).values()),
        "average": _per_year(paid.values(), now),
        "kinds": [
            {"name": name_of(kind), "cents": total.amount_cents, "count": total.count, "quantity": total.quantity}
            for kind, total in paid.items()
        ],
        "chart": {
            "labels": [str(year) for year in shown],
            "datasets": [
                {"label": name_of(kind), "data": [round(years[year].get(kind, 0) / 100) for year in shown]}
                for kind in paid
            ],
        },
        "years": [
            {"year": year, "cents": [format_cents(years[year].get(kind, 0)) for kind in paid]}
            for year in reversed(shown)
        ],
    }


def computed(customer: Customer, *, now: dt.datetime) -> list[dict[str, str]]:
    """Return the computed values that are known of a customer, by name and in words; one query."""
    found = [value for value in values if value.code.startswith(PREFIX)]
    numbers = {f"n{place}": value.expression(now=now) for place, value in enumerate(found)}
    known = Customer.everyone.filter(pk=customer.pk).annotate(**numbers).values(*numbers)[0] if found else {}
    return [
        {"name": str(value.label), "words": value.words(known[name])}
        for name, value in zip(numbers, found, strict=True)
        if known[name] is not None
    ]


def _per_year(paid: Iterable[FactTotal], now: dt.datetime) -> int:
    """Return cents per year since the first payment, of which a part of a year counts as a whole one."""
    paid = list(paid)
    days = (now - min(total.first_at for total in paid)).days
    return round(sum(total.amount_cents for total in paid) / max(1, -(-days // 365)))


def of_kind(total: FactTotal) -> dict[str, Any]:
    """Return a kind of fact with its total, as a figure at the top of the page."""
    kind = fact_kinds.get(total.kind)
    return {"name": name_of(total.kind), "icon": kind.icon if kind else "circle", "total": total}


def name_of(kind: str) -> str:
    """Return the name of a kind of fact; a kind that is gone is called by its code."""
    known = fact_kinds.get(kind)
    return str(known.name) if known else kind
