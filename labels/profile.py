"""What sets a group apart: the labels that its customers have more often than everybody, or less often."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from math import sqrt

from common.sql import as_subquery, rows
from customers.models import Customer
from labels.models import Assignment, Label
from selections.compiler import compile_rule
from selections.figures import PAGE_SECONDS, time_limit
from selections.rules import Group

LOOKED_AT = 20_000  # of a larger group the same so many each time, from all over it: enough to know a share to 1%
FEWEST = 10  # of a smaller group a share says more of persons than of the group
MOST = 15  # labels of each kind
RARE = 5  # fewer have it and would have it: that tells of persons too, and a share so small says nothing
#: How many standard deviations a share must lie from that of everybody: by chance one label of a hundred would.
SURE = 2.58

_COUNT = """
WITH members AS MATERIALIZED ({members}),
looked_at AS MATERIALIZED (SELECT id FROM members ORDER BY hashint8(id), id LIMIT {most})
SELECT (SELECT count(*) FROM members) AS total, (SELECT count(*) FROM looked_at) AS looked_at,
    (SELECT json_object_agg(label_id, n) FROM (
        SELECT had.label_id, count(DISTINCT had.customer_id) AS n
        FROM looked_at JOIN labels_assignment AS had ON had.customer_id = looked_at.id AND had.until IS NULL
        GROUP BY had.label_id) AS held) AS held
"""


@dataclass(frozen=True)
class Mark:
    """A label, and which share (0 to 1) of the group and of everybody has it."""

    label: Label
    share: float
    share_of_all: float

    @property
    def ratio(self) -> float:
        """How many times as often the group has it."""
        return self.share / self.share_of_all

    @property
    def percent(self) -> float:
        """The share of the group in percent."""
        return 100 * self.share

    @property
    def percent_of_all(self) -> float:
        """The share of everybody in percent."""
        return 100 * self.share_of_all


@dataclass(frozen=True)
class Profile:
    """``more`` and ``less`` often than everybody, the surest first; shares are of the ``looked_at`` of ``total``."""

    total: int
    looked_at: int
    more: list[Mark]
    less: list[Mark]

    @property
    def is_too_small(self) -> bool:
        """Whether nothing is said, because the group is so small."""
        return self.looked_at < FEWEST


def profile_of(rule: Group, *, now: dt.datetime, seconds: float = PAGE_SECONDS) -> Profile:
    """Compare the labels of whom a rule means with those of everybody, now. Raises Refused ``too_heavy``.

    How many of everybody have a label that very many have is as it was counted last night.
    """
    members = as_subquery(compile_rule(rule, now=now).values("id"))
    with time_limit(seconds, rule=rule, now=now):
        [found] = rows(_COUNT.format(members=members, most=LOOKED_AT), {})
    total, looked_at, held = found["total"], found["looked_at"], found["held"] or {}
    if looked_at < FEWEST:
        return Profile(total, looked_at, [], [])
    labels = list(Label.objects.in_use().select_related("group"))
    everybody = Customer.objects.count()
    holders = Assignment.objects.holders(labels)
    surest: list[tuple[float, Mark]] = []
    for label in labels:
        own = held.get(str(label.pk), 0)
        of_all = min(1.0, max(holders[label.pk], own) / everybody)
        deviation = sqrt(of_all * (1 - of_all) / looked_at)
        distance = abs(own / looked_at - of_all)
        if max(own, looked_at * of_all) >= RARE and deviation and distance >= SURE * deviation:
            surest.append((distance / deviation, Mark(label, own / looked_at, of_all)))
    surest.sort(key=lambda one: (-one[0], one[1].label.pk))
    marks = [mark for _sure, mark in surest]
    return Profile(
        total,
        looked_at,
        [mark for mark in marks if mark.share > mark.share_of_all][:MOST],
        [mark for mark in marks if mark.share < mark.share_of_all][:MOST],
    )
