"""What the criteria over facts mean, said once more in plain Python over rows in memory: the statements must agree.

Nothing here looks at the database or at how the statements are made; only the days of a window come from the params.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from common.time import local_date

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Did:
    """One thing that somebody did; ``number`` is the order in which it was recorded."""

    number: int
    kind: str
    at: dt.datetime
    world: str = ""
    branch: str = ""
    source: str = "library"
    order: str | None = None
    amount_cents: int = 0
    quantity: int = 1
    duration_seconds: int = 0

    @property
    def day(self) -> dt.date:
        return local_date(self.at)

    @property
    def order_key(self) -> tuple[str, str]:
        return self.source, self.order or f"own {self.number}"


def fits(one: Did, params: Any) -> bool:
    """Whether the params speak of it, whenever it was."""
    return (
        one.kind == params.kind
        and all(not getattr(params, name) or getattr(one, name) in getattr(params, name) for name in _CODES)
        and one.duration_seconds >= (params.at_least_seconds or 0)
        and one.quantity >= (params.at_least_quantity or one.quantity)
        and (params.at_least_cents is None or one.amount_cents >= params.at_least_cents)
    )


_CODES = ("world", "branch", "source")


def between(life: Iterable[Did], params: Any, start: dt.datetime | None, end: dt.datetime) -> list[Did]:
    """What fits from start until end, in order."""
    found = [one for one in life if fits(one, params) and one.at < end and (start is None or one.at >= start)]
    return sorted(found, key=lambda one: (one.at, one.number))


def in_window(life: Iterable[Did], params: Any, now: dt.datetime) -> list[Did]:
    return between(life, params, *params.happened(now=now))


def heaps(found: Sequence[Did], per: str) -> list[list[Did]]:
    """What counts as one time, together."""
    key: dict[str, Callable[[Did], Any]] = {
        "fact": lambda one: one.number,
        "order": lambda one: one.order_key,
        "day": lambda one: one.day,
    }
    together: dict[Any, list[Did]] = {}
    for one in found:
        together.setdefault(key[per](one), []).append(one)
    return list(together.values())


def lies(number: float | Fraction, low: float | None, high: float | None) -> bool:
    return (low is None or number >= low) and (high is None or number <= high)


def count(params: Any, life: list[Did], now: dt.datetime) -> bool:
    times = len(heaps(in_window(life, params, now), params.per))
    return {
        "at_least": times >= params.times,
        "at_most": times <= params.times,
        "exactly": times == params.times,
        "between": lies(times, params.times, params.times_to),
    }[params.op]


def none(params: Any, life: list[Did], now: dt.datetime) -> bool:
    return not in_window(life, params, now)


def last(params: Any, life: list[Did], now: dt.datetime) -> bool:
    return _edge(_such(life, params, now, max) if params.of else between(life, params, None, now)[-1:], params, now)


def first(params: Any, life: list[Did], now: dt.datetime) -> bool:
    return _edge(_such(life, params, now, min) if params.of else between(life, params, None, now)[:1], params, now)


def _such(life: list[Did], params: Any, now: dt.datetime, which: Callable[..., dt.datetime]) -> list[Did]:
    """The very first or last of the kind, when that is such; several may be at one moment."""
    moments = [one.at for one in life if one.kind == params.kind and one.at < now]
    return [one for one in life if moments and one.at == which(moments) and fits(one, params)]


def _edge(found: list[Did], params: Any, now: dt.datetime) -> bool:
    start, end = params.happened(now=now)
    return bool(found) and found[0].at < end and (start is None or found[0].at >= start)


def much(params: Any, life: list[Did], now: dt.datetime) -> bool:
    amounts = [
        sum(getattr(one, params.measure) for one in heap) for heap in heaps(in_window(life, params, now), params.per)
    ]
    if params.figure == "sum":
        return lies(sum(amounts), params.at_least, params.at_most)
    if not amounts:
        return False
    figure = max(amounts) if params.figure == "largest" else Fraction(sum(amounts), len(amounts))
    return lies(figure, params.at_least, params.at_most)


def then(params: Any, life: list[Did], now: dt.datetime) -> bool:
    return any(_goes_on(start, params.then, life, now) for start in _starts(params, in_window(life, params, now)))


def _starts(params: Any, found: list[Did]) -> list[dt.datetime]:
    if params.at_least_total_cents:
        spent = 0
        for one in found:
            spent += one.amount_cents
            if spent >= params.at_least_total_cents:
                return [one.at]
        return []
    if params.times > 1:
        return [found[params.times - 1].at] if len(found) >= params.times else []
    moments = [one.at for one in found]
    return {"first": moments[:1], "last": moments[-1:], "each": moments}[params.anchor]


def _goes_on(since: dt.datetime, steps: Iterable[Any], life: list[Did], now: dt.datetime) -> bool:
    for step in steps:
        later = [one for one in between(life, step, None, now) if one.at > since]
        if step.within_days is not None:
            later = [one for one in later if one.day <= local_date(since) + step.within_days * DAY]
        if step.op == "at_most" or step.times == 0:
            if len(later) > step.times:
                return False
            continue
        if len(later) < step.times or (step.op == "exactly" and len(later) > step.times):
            return False
        since = later[step.times - 1].at
    return True


def interval(params: Any, life: list[Did], now: dt.datetime) -> bool:
    days = _visits(params, life, now)
    if len(days) < params.visits:
        return False
    return lies(_usual(days), params.at_least, params.at_most)


def due(params: Any, life: list[Did], now: dt.datetime) -> bool:
    days = _visits(params, life, now)
    if len(days) < params.visits:
        return False
    idle = (local_date(now) - days[-1]).days
    most = params.percent_to
    late, too_late = Fraction(params.percent, 100) * _usual(days), most and Fraction(most, 100) * _usual(days)
    return idle > late and (too_late is None or idle <= too_late)


def _visits(params: Any, life: list[Did], now: dt.datetime) -> list[dt.date]:
    days = sorted(one.day for one in in_window(life, params, now))
    return sorted(set(days)) if params.per == "day" else days


def _usual(days: list[dt.date]) -> Fraction:
    return Fraction((days[-1] - days[0]).days, len(days) - 1)


PLAIN: dict[str, Callable[[Any, list[Did], dt.datetime], bool]] = {
    "facts.count": count,
    "facts.none": none,
    "facts.last": last,
    "facts.first": first,
    "facts.sum": much,
    "facts.then": then,
    "facts.interval": interval,
    "facts.due": due,
}
