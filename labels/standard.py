"""The computed values that come with the product, made where they are missing."""

from __future__ import annotations

import datetime as dt

from labels.formulas import STANDARD, stored
from labels.models import ValueDefinition


def ensure_standard_values(*, now: dt.datetime) -> None:
    """Make the standard values that are not there; what the organisation changed of them stays."""
    known = set(ValueDefinition.objects.filter(code__in=STANDARD).values_list("code", flat=True))
    for code, (_name, _description, unit, terms) in STANDARD.items():
        if code not in known:
            ValueDefinition.objects.create(code=code, unit=unit, terms=stored(terms), is_standard=True, created_at=now)
