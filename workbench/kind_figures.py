"""How much there is of each kind of activity, from which source, and through the months: as it was counted last, since
there may be millions of facts.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dateutil.relativedelta import relativedelta
from django.db.models import Max, Sum

from common.criteria import criteria
from common.time import local_date
from customers.actions.retention import limit
from customers.criteria.facts.common import FactCriterion
from customers.facts import FactKind, fact_kinds
from customers.models import FactCount, FactTally, KindSetting
from selections.models import Selection
from selections.readable import readable
from selections.rules import Condition, walk
from selections.usages import json_has

MONTHS = 24


@dataclass(frozen=True)
class SourceFigures:
    """What one source brought of a kind."""

    name: str
    count: int
    last_at: dt.datetime


@dataclass(frozen=True)
class KindFigures:
    """A kind with what there is of it; ``counted`` are facts that became counts; ``keep_months`` None: for good."""

    kind: FactKind
    sources: list[SourceFigures]
    counted: int
    keep_months: int | None
    setting: KindSetting | None

    @property
    def count(self) -> int:
        """How many facts there are with a person."""
        return sum(source.count for source in self.sources)

    @property
    def last_at(self) -> dt.datetime | None:
        """When somebody did it last."""
        return max((source.last_at for source in self.sources), default=None)


def _sources() -> dict[str, list[SourceFigures]]:
    found = FactTally.objects.order_by().values_list("kind", "source__name")
    sources: dict[str, list[SourceFigures]] = {}
    for kind, name, count, last_at in found.annotate(many=Sum("count"), last=Max("last_at")).order_by("kind", "-many"):
        sources.setdefault(kind, []).append(SourceFigures(name, count, last_at))
    return sources


def counted_at() -> dt.datetime | None:
    """Return when it was counted, None before the first time."""
    at: dt.datetime | None = FactTally.objects.aggregate(at=Max("counted_at"))["at"]
    return at


def all_kinds() -> list[KindFigures]:
    """Return every kind, those that occur most first."""
    sources = _sources()
    settings = {row.code: row for row in KindSetting.objects.all()}
    counted = dict(FactCount.objects.order_by().values_list("kind").annotate(Sum("count")))
    figures = [
        KindFigures(
            kind,
            sources.get(kind.code, []),
            counted.get(kind.code, 0),
            settings[kind.code].keep_months if kind.code in settings else kind.keep_months,
            settings.get(kind.code),
        )
        for kind in fact_kinds
    ]
    return sorted(figures, key=lambda row: (-row.count, str(row.kind.name)))


def per_month(kind: str, *, now: dt.datetime) -> dict[dt.date, int]:
    """Return first day of a month -> how many, of the last MONTHS months: facts, and what became of older ones."""
    today = local_date(now)
    months = [today.replace(day=1) - relativedelta(months=ago) for ago in range(MONTHS - 1, -1, -1)]
    tallies = FactTally.objects.filter(kind=kind, month__gte=months[0])
    found = dict(tallies.order_by().values_list("month").annotate(Sum("count")))
    counts = FactCount.objects.filter(kind=kind, month__gte=months[0])
    gone = dict(counts.order_by().values_list("month").annotate(Sum("count")))
    return {month: found.get(month, 0) + gone.get(month, 0) for month in months}


def looking_further(kind: str, months: int, *, now: dt.datetime) -> list[Selection]:
    """Return the selections that look further back at this kind than ``months``, for its facts and not its totals."""
    before = limit(local_date(now), months)
    asking = Selection.objects.filter(json_has("rule", "$.** ? (@.kind == $kind)", kind=kind)).order_by("name")
    return [selection for selection in asking if _looks_before(selection, kind, before, now)][:20]


def _looks_before(selection: Selection, kind: str, before: dt.datetime, now: dt.datetime) -> bool:
    """Whether a part of the rule must see facts of the kind from before a moment."""
    for _path, node in walk(readable(selection.rule)[0]):
        criterion = criteria[node.criterion] if isinstance(node, Condition) else None
        if isinstance(node, Condition) and isinstance(criterion, FactCriterion):
            since = criterion.rows_since(node.params, now=now).get(kind, now)
            if since is None or since < before:
                return True
    return False
