"""What the gate would say about candidates, as rows of a bar chart."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from customers.models import Customer
from mailings.gate import Terms, preview
from mailings.models import Decision


@dataclass(frozen=True)
class Funnel:
    """``rows`` are for c-bars, the accepted first; ``total`` is the number of candidates."""

    rows: list[dict[str, Any]]
    total: int
    accepted: int


def gate_funnel(terms: Terms, *, candidates: QuerySet[Customer], now: dt.datetime) -> Funnel:
    counts = preview(terms, candidates=candidates, now=now)
    rows = [
        {
            "label": Decision.Outcome(outcome).label,
            "value": count,
            "tone": "success" if outcome == Decision.Outcome.ACCEPTED else "neutral",
        }
        for outcome, count in counts.items()
    ]
    return Funnel(rows, sum(counts.values()), counts.get(Decision.Outcome.ACCEPTED, 0))
