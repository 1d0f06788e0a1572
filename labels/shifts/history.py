"""How one customer moved within each exclusive group, folded out of his intervals; one query."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from customers.models import Customer
from labels.models import Assignment
from labels.shifts.moves import Move
from labels.shifts.scale import NONE, Scale


def history_of(customer: Customer) -> list[list[Move]]:
    """Return the moves of a customer per exclusive group, the latest first; first the group that moved last.

    The scales hold the labels he ever had, in the order of the group.
    """
    held = Assignment.objects.filter(customer=customer, label__group__is_exclusive=True)
    ordered = held.select_related("label__group").order_by("label__group", "since", "pk")
    groups = [_fold(list(found)) for _group, found in groupby(ordered, key=lambda one: one.label.group_id)]
    return sorted((moves for moves in groups if moves), key=lambda moves: moves[0].at, reverse=True)


def _fold(held: Sequence[Assignment]) -> list[Move]:
    group = held[0].label.group
    if group is None:
        return []
    labels = sorted({one.label for one in held}, key=lambda one: (one.rank, one.code))
    scale, moves, place = Scale(group, labels), [], NONE
    for at in sorted({at for one in held for at in (one.since, one.until) if at}):
        present = [one for one in held if one.since <= at and (one.until is None or one.until > at)]
        here = max((scale.places[one.label.code] for one in present), default=NONE)
        if here != place:
            began = [one for one in present if one.since == at and scale.places[one.label.code] == here]
            ended = [one for one in held if one.until == at and scale.places[one.label.code] == place]
            interval = next(iter(began or ended), None)
            moves.append(Move(scale, held[0].customer_id, at, place, here, interval, not began))
        place = here
    return moves[::-1]
