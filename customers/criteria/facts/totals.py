"""What the totals of customers answer exactly, at any moment.

A total knows the first and the last time, the count and the sums up to the present. At a moment before the last time
it is brought back to that moment by leaving out the facts since then; that needs only those facts, which are the
newest, so it also holds of what is no longer kept from before. At the present there are none of those, which one look
at an index tells beforehand: PostgreSQL cannot guess how many people a union of two queries yields.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import BigIntegerField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Greatest

from common.remembering import remembered
from customers.criteria.facts.shapes import Among
from customers.models import Customer, Fact, FactRemainder, FactTotal


def totals_at(kind: str, end: dt.datetime) -> list[QuerySet[FactTotal]]:
    """Return the totals of who did it before ``end``, as they were then: those that are as they were, and those that
    were brought back, when there are any. Each has ``times``, ``pieces``, ``cents``, ``first_at`` and ``last_then``.
    """
    totals = FactTotal.objects.filter(kind=kind)
    as_kept = {"times": F("count"), "pieces": F("quantity"), "cents": F("amount_cents"), "last_then": F("last_at")}
    if not goes_on(kind, end):
        return [totals.alias(**as_kept)]
    same = totals.filter(last_at__lt=end).alias(**as_kept)
    since = Fact.objects.filter(kind=kind, customer=OuterRef("customer_id"), occurred_at__gte=end).order_by()
    before = Fact.objects.filter(kind=kind, customer=OuterRef("customer_id"), occurred_at__lt=end)
    gone = FactRemainder.objects.filter(kind=kind, customer=OuterRef("customer_id"))
    back = totals.filter(first_at__lt=end, last_at__gte=end).alias(
        times=F("count") - _summed(since, Count("*")),
        pieces=F("quantity") - _summed(since, Sum("quantity")),
        cents=F("amount_cents") - _summed(since, Sum("amount_cents")),
        # GREATEST leaves out what is NULL.
        last_then=Greatest(
            Subquery(before.order_by("-occurred_at").values("occurred_at")[:1]),
            Subquery(gone.order_by("-last_at").values("last_at")[:1]),
        ),
    )
    return [same, back]


@remembered
def goes_on(kind: str, since: dt.datetime) -> bool:
    """Return whether anybody did it at or after a moment."""
    return FactTotal.objects.filter(kind=kind, last_at__gte=since).exists()


def _summed(facts: QuerySet[Fact], aggregate: Any) -> Coalesce:
    found = Subquery(facts.values("customer_id").annotate(n=aggregate).values("n"))
    return Coalesce(found, Value(0), output_field=BigIntegerField())


def who(kind: str, end: dt.datetime, condition: Q) -> Q:
    """Return who met a condition on his total (the names of ``totals_at``) just before ``end``."""
    found = (totals.filter(condition).values("customer_id") for totals in totals_at(kind, end))
    return Q(Among(*found))


def once(kind: str, start: dt.datetime | None, end: dt.datetime, *, now: dt.datetime) -> Q:
    """Return who did it at least once from ``start`` until ``end``, which is not after ``now``.

    Until now: whose last time lies within is found by it; only of who did it later as well, when there are any, the
    facts are asked. Of a window that ends earlier that would be nearly everybody, so the facts in it are asked at once.
    The last of the facts that are not kept is known in either case.
    """
    if start is None:
        return first_within(kind, None, end)
    totals = FactTotal.objects.filter(kind=kind, last_at__gte=start)
    if end == now and not goes_on(kind, end):
        return Q(Among(totals.values("customer_id")))
    facts = Fact.objects.filter(kind=kind, occurred_at__gte=start, occurred_at__lt=end)
    found: list[QuerySet[Any, Any]] = [_gone_within(kind, start, end)]
    if end == now:
        later = FactTotal.objects.filter(kind=kind, last_at__gte=end).values("customer_id")
        facts = facts.filter(customer__in=later)
        found.append(totals.filter(last_at__lt=end))
    return Q(Among(*(rows.order_by().values("customer_id") for rows in (*found, facts))))


def _gone_within(kind: str, start: dt.datetime, end: dt.datetime) -> QuerySet[FactRemainder]:
    """Return what is left of facts that are not kept, of which the last lay within."""
    return FactRemainder.objects.filter(kind=kind, last_at__gte=start, last_at__lt=end)


def of_customer(kind: str, customer: Customer, end: dt.datetime) -> dict[str, Any]:
    """Return ``times``, ``pieces``, ``cents``, ``first`` and ``last`` of one customer just before ``end``; empty when
    he never did it.
    """
    columns = {"n": F("times"), "p": F("pieces"), "c": F("cents"), "last": F("last_then")}
    for totals in totals_at(kind, end):
        for row in totals.filter(customer=customer).annotate(**columns).values(*columns, "first_at"):
            return {"times": row["n"], "pieces": row["p"], "cents": row["c"], "first": row["first_at"],
                    "last": row["last"]}  # fmt: skip
    return {}


def first_within(kind: str, start: dt.datetime | None, end: dt.datetime) -> Q:
    """Return who did it for the first time from ``start`` until ``end``; the first time never changes by what
    follows.

    Who did it first then, did it last then or later: said as well, since the last times have an index.
    """
    totals = FactTotal.objects.filter(kind=kind, customer=OuterRef("pk"), first_at__lt=end)
    return Q(Exists(totals.filter(first_at__gte=start, last_at__gte=start) if start else totals))


def last_within(kind: str, start: dt.datetime | None, end: dt.datetime, *, now: dt.datetime) -> Q:
    """Return whose last time before ``now`` lies from ``start`` until ``end``.

    Of who did it after ``now`` as well, it is so when he did it in the window, and not between the window and now.
    """
    if start is not None and end == now:
        return once(kind, start, end, now=now)
    totals = FactTotal.objects.filter(kind=kind)
    known = totals.filter(last_at__lt=end, **({"last_at__gte": start} if start else {}))
    if not goes_on(kind, now):
        return Q(Among(known.values("customer_id")))
    his = Fact.objects.filter(kind=kind, customer=OuterRef("customer_id"))
    gone = FactRemainder.objects.filter(kind=kind, customer=OuterRef("customer_id"))
    later = totals.filter(
        ~Exists(his.filter(occurred_at__gte=end, occurred_at__lt=now)),
        ~Exists(gone.filter(last_at__gte=end)),
        first_at__lt=end,
        last_at__gte=now,
    )
    found = [known, later]
    if start is not None:
        within = Exists(his.filter(occurred_at__gte=start, occurred_at__lt=end))
        found = [known, later.filter(within), later.filter(Exists(gone.filter(last_at__gte=start, last_at__lt=end)))]
    return Q(Among(*(rows.order_by().values("customer_id") for rows in found)))
