"""Who was at which place of a scale at an instant, as a condition on customers; the same that the matrix counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q

from customers.criteria.moments import known_at
from labels.models import Assignment
from labels.shifts.scale import NEW, NONE, Scale

_INSTANT = dt.timedelta(microseconds=1)


def known_before(instant: dt.datetime) -> Q:
    """Return the condition of who was a customer just before an instant: in this file, or registered by then."""
    return known_at(instant - _INSTANT)


def was_at(scale: Scale, place: int, *, before: dt.datetime) -> Q:
    """Return the condition that a customer was at a place just before an instant."""
    if place == NEW:
        return ~known_before(before) & ~_held(scale.ids, before)
    if place == NONE:
        return known_before(before) & ~_held(scale.ids, before)
    higher = scale.ids[place:]
    here = _held([scale.ids[place - 1]], before)
    return here & ~_held(higher, before) if higher else here


def had_none(scale: Scale, *, before: dt.datetime) -> Q:
    """Return the condition that a customer, if he was one, had none of the labels just before an instant."""
    return ~_held(scale.ids, before)


def _held(labels: Collection[int], before: dt.datetime) -> Q:
    held = Assignment.objects.filter(Q(until__isnull=True) | Q(until__gte=before), since__lt=before)
    return Q(Exists(held.filter(label__in=list(labels), customer=OuterRef("pk"))))
