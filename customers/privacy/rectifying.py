"""What somebody may put right himself (AVG 16), and where another source has the last word."""

from __future__ import annotations

from collections.abc import Collection

from customers.golden import provenance
from customers.models import Customer, FieldRank, Source


def closed_fields(customer: Customer, fields: Collection[str], *, source_code: str) -> dict[str, Source]:
    """Return field -> the source that would keep its word whatever ``source_code`` says: its rank is lower.

    Among equals what was said last counts, so those are open.
    """
    ours = Source.objects.filter(code=source_code).first()
    if ours is None:
        return {}
    ranks = {(one.source_id, one.field): one.rank for one in FieldRank.objects.filter(field__in=fields)}

    def rank(source: Source, field: str) -> int:
        return ranks.get((source.pk, field), source.rank)

    told = provenance(customer)
    return {
        field: told[field].source
        for field in fields
        if field in told and rank(told[field].source, field) < rank(ours, field)
    }
