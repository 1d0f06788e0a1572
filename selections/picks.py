"""Thinning a group out: a sample, a fixed share, the top by a value, one per household.

A pick looks at everybody the group means, so it is a sub-query over usable customers and not a question about one; on a
past day over those who were known then, for who came later was not there to be drawn.
Chance is a digest of the customer's id, so that the same people are drawn every time. Samples and shares draw apart:
a tenth of a sample is a tenth of it, also under one seed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import BigIntegerField, F, Func, OrderBy, Q, TextField, Window
from django.db.models import Value as Constant
from django.db.models.functions import Cast, Coalesce, Concat, RowNumber

from common.values import values
from customers.criteria.moments import known_at
from customers.models import Customer
from customers.models.querysets import CustomerQuerySet
from selections.rules import OnePerHousehold, Pick, Sample, Share, Top

PLACES = 2**28  # seven hexadecimal digits of the digest


def picked(condition: Q, picks: Sequence[Pick], *, now: dt.datetime) -> Q:
    """Return the condition of who is left after the picks, one after the other."""
    for pick in picks:
        found = Customer.objects.usable().filter(condition, known_at(now)).order_by()
        condition = Q(pk__in=_PICKERS[type(pick)](found, pick, now))
    return condition


class Digest(Func):
    """The digest of somebody under a seed, for one use of it: 32 hexadecimal digits."""

    function = "MD5"
    output_field = TextField()

    def __init__(self, use: str, seed: int) -> None:
        super().__init__(Concat(Constant(f"{use}:{seed}:"), Cast("pk", TextField()), output_field=TextField()))


class Place(Func):
    """The place of somebody by chance under a seed: a whole number below ``PLACES``."""

    template = "('x' || substr(%(expressions)s, 1, 7))::bit(28)::int"
    output_field = BigIntegerField()

    def __init__(self, seed: int) -> None:
        super().__init__(Digest("share", seed))


def _sample(found: CustomerQuerySet, pick: Any, now: dt.datetime) -> Any:
    return found.order_by(Digest("sample", pick.seed), "pk").values("pk")[: pick.size]


def _share(found: CustomerQuerySet, pick: Any, now: dt.datetime) -> Any:
    # Rounded, so that a share that ends at 33.3 + 33.4 and one that begins at 66.7 meet.
    first, last = (round(percent / 100 * PLACES) for percent in (pick.start, min(pick.start + pick.percent, 100)))
    return found.alias(place=Place(pick.seed)).filter(place__gte=first, place__lt=last).values("pk")


def _top(found: CustomerQuerySet, pick: Any, now: dt.datetime) -> Any:
    known = values[pick.by].annotated(found, now=now).filter(worth__isnull=False)
    return known.order_by("worth" if pick.lowest else "-worth", "pk").values("pk")[: pick.size]


def _household(found: CustomerQuerySet, pick: Any, now: dt.datetime) -> Any:
    order: dict[str, list[OrderBy]] = {
        "oldest": [F("birth_date").asc(nulls_last=True)],
        "youngest": [F("birth_date").desc(nulls_last=True)],
        "longest": [F("registered_on").asc(nulls_last=True)],
    }
    home = Coalesce(F("household_id"), -F("id"), output_field=BigIntegerField())
    turn = Window(RowNumber(), partition_by=[home], order_by=[*order[pick.keep], F("id").asc()])
    return found.annotate(turn=turn).filter(turn=1).values("pk")


_PICKERS: dict[type[Any], Callable[[CustomerQuerySet, Any, dt.datetime], Any]] = {
    Sample: _sample,
    Share: _share,
    Top: _top,
    OnePerHousehold: _household,
}
