"""Who gets which items of an edition: the different issues that one edition is, and how many people get each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import BooleanField, Count, ExpressionWrapper, Q

from mailings.actions.queueing import audience_members
from mailings.content import audience_key
from newsletter.models import Edition, TextItem


@dataclass(frozen=True)
class Variant:
    """One issue as some people get it: the items in order, and how many subscribers get exactly these."""

    items: tuple[TextItem, ...]
    subscriber_count: int


def variants_of(edition: Edition, *, now: dt.datetime) -> list[Variant]:
    """Return the variants, the most read first, in one statement. The gate may still turn some of the people away."""
    items = list(edition.items.select_related("selection", "label"))
    audiences = {f"a{number}": item.audience for number, item in enumerate(items) if item.audience}
    flags = {
        name: ExpressionWrapper(
            Q(pk__in=audience_members(audience_key(audience), now=now).values("pk")), output_field=BooleanField()
        )
        for name, audience in audiences.items()
    }
    people = edition.newsletter.subscribers(now=now).annotate(**flags).order_by()
    if not flags:
        return [Variant(tuple(items), people.count())]
    counted = people.values(*flags).annotate(people=Count("pk"))
    variants = [
        Variant(tuple(item for number, item in enumerate(items) if row.get(f"a{number}", True)), row["people"])
        for row in counted
    ]
    return sorted(variants, key=lambda variant: -variant.subscriber_count)
