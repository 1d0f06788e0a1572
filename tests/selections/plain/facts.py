"""What somebody did."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from tests.selections.plain.names import BRANCHES, FACTS, GENRES, SECTORS, SOURCES, WORLDS
from tests.selections.plain.twins import AMSTERDAM, DAY, Moment, Params, bounds, optional, twin, within
from tests.selections.plain.windows import bounds_of, windows
from tests.selections.plain.world import Row, World

_NARROWING = (
    "world", "genre", "sector", "branch", "source", "at_least_seconds", "at_least_quantity", "at_least_cents",
)  # fmt: skip


@st.composite
def narrowing(draw: st.DrawFn) -> Params:
    """Return what narrows facts: mostly nothing, often one thing."""
    codes = {"world": WORLDS, "genre": GENRES, "sector": SECTORS, "branch": BRANCHES, "source": SOURCES}
    sizes = {"at_least_seconds": [1, 60, 300, 1500], "at_least_quantity": [1, 2, 4], "at_least_cents": [1, 300, 1500]}
    chosen = draw(st.lists(st.sampled_from([*codes, *sizes]), max_size=2, unique=True))
    found: Params = {"kind": draw(st.sampled_from(FACTS))}
    for name in chosen:
        if name in codes:
            one = draw(st.lists(st.sampled_from(codes[name]), min_size=1, max_size=2, unique=True))
            found[name] = one[0] if name != "source" and draw(st.booleans()) else one
        else:
            found[name] = draw(st.sampled_from(sizes[name]))
    return found


def asked(*more: st.SearchStrategy[Params]) -> st.SearchStrategy[Params]:
    """Return settings: facts of a kind in a window, and more."""
    return st.tuples(narrowing(), windows(), *more).map(
        lambda parts: {key: value for part in parts for key, value in part.items()}
    )


def fits(world: World, row: Row, params: Params) -> bool:
    """Whether a fact is one of those that are meant, whenever it was."""
    said = {
        "world": row["world"], "genre": row["genre"], "sector": row["sector"],
        "branch": world.codes("branches").get(row["branch_id"]), "source": world.codes("sources")[row["source_id"]],
    }  # fmt: skip
    for name, value in said.items():
        wanted = params.get(name) or []
        if wanted and value not in ([wanted] if isinstance(wanted, str) else wanted):
            return False
    return (
        row["kind"] == params["kind"]
        and row["duration_seconds"] >= params.get("at_least_seconds", 0)
        and row["quantity"] >= params.get("at_least_quantity", row["quantity"])
        and row["amount_cents"] >= params.get("at_least_cents", row["amount_cents"])
    )


def is_narrowed(params: Params) -> bool:
    """Whether not all facts of the kind are meant."""
    return any(params.get(name) for name in _NARROWING)


def did(world: World, person: Row, params: Params, start: dt.datetime | None, end: dt.datetime) -> list[Row]:
    """Return the facts that are meant and lie between two moments, the last of them not included."""
    return [
        row
        for row in world.of("facts", person)
        if fits(world, row, params) and row["occurred_at"] < end and (start is None or row["occurred_at"] >= start)
    ]


def gone(world: World, person: Row, params: Params, start: dt.datetime | None) -> list[Row]:
    """Return what is left of facts that are not kept: they count where all of a kind that ever was is asked for."""
    if start is not None or is_narrowed(params):
        return []
    return [row for row in world.of("remainders", person) if row["kind"] == params["kind"]]


def heaps(rows: list[Row], per: str) -> dict[Any, list[Row]]:
    """Return the facts by what counts as one time."""
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        key: Any = row["id"]
        if per == "order":
            key = (row["source_id"], row["order_number"] or row["external_id"])
        elif per == "day":
            key = row["occurred_at"].astimezone(AMSTERDAM).date()
        found[key].append(row)
    return found


def _per(params: Params) -> str:
    return "order" if params.get("per_order") else params.get("per", "fact")


def times(world: World, person: Row, params: Params, at: Moment) -> int:
    """Return how often."""
    start, end = bounds_of(world, params, at)
    found = len(heaps(did(world, person, params, start, end), _per(params)))
    if _per(params) == "fact":
        found += sum(row["count"] for row in gone(world, person, params, start))
    return found


_PER = st.sampled_from([{}, {}, {"per": "order"}, {"per": "day"}, {"per_order": True}])


@st.composite
def _often(draw: st.DrawFn) -> Params:
    op = draw(st.sampled_from(["at_least", "at_most", "exactly", "between"]))
    number = draw(st.integers(0, 5))
    return {"op": op, "times": number} | ({"times_to": draw(st.integers(number, 8))} if op == "between" else {})


@twin("facts.count", asked(_often(), _PER))
def count(world: World, person: Row, params: Params, at: Moment) -> bool:
    number, low = times(world, person, params, at), params["times"]
    return {
        "at_least": number >= low, "at_most": number <= low, "exactly": number == low,
        "between": low <= number <= params.get("times_to", 0),
    }[params["op"]]  # fmt: skip


@twin("facts.none", asked())
def none(world: World, person: Row, params: Params, at: Moment) -> bool:
    return times(world, person, params, at) == 0


def _moments(world: World, person: Row, params: Params, at: Moment, which: str) -> list[dt.datetime]:
    rows = [row["occurred_at"] for row in did(world, person, params, None, at.now)]
    return rows + [row[which] for row in gone(world, person, params, None)]


_WHICH = st.sampled_from([{}, {}, {"of": "all"}])


def _is_such(world: World, person: Row, params: Params, at: Moment, moment: dt.datetime | None) -> bool:
    """Whether one of the facts at a moment is one of those that are meant."""
    return any(row["occurred_at"] == moment for row in did(world, person, params, None, at.now))


def _of_all(params: Params) -> Params | None:
    """Return what is asked when the very first or last time is, whatever it was like."""
    if params.get("of") != "all" or not is_narrowed(params):
        return None
    return {key: value for key, value in params.items() if key not in _NARROWING}


@twin("facts.last", asked(_WHICH), asked(st.fixed_dictionaries({"more_than_days": st.integers(0, 800)})))
def last(world: World, person: Row, params: Params, at: Moment) -> bool:
    every = _of_all(params)
    moment = max(_moments(world, person, every or params, at, "last_at"), default=None)
    return _when(world, moment, params, at) and (every is None or _is_such(world, person, params, at, moment))


@twin("facts.first", asked(_WHICH), asked(st.fixed_dictionaries({"more_than_days": st.integers(0, 800)})))
def first(world: World, person: Row, params: Params, at: Moment) -> bool:
    every = _of_all(params)
    moment = min(_moments(world, person, every or params, at, "first_at"), default=None)
    return _when(world, moment, params, at) and (every is None or _is_such(world, person, params, at, moment))


def _when(world: World, moment: dt.datetime | None, params: Params, at: Moment) -> bool:
    """Whether a moment lies in the window; ``more_than_days`` is of old, and goes before all but ``within_days``."""
    if moment is None:
        return False
    if "more_than_days" in params:
        params = {key: value for key, value in params.items() if key in ("more_than_days", "within_days")}
        ago = (at.today - moment.astimezone(AMSTERDAM).date()).days
        return ago > params["more_than_days"] and ago <= params.get("within_days", ago)
    start, end = bounds_of(world, params, at)
    return (start is None or moment >= start) and moment < end


@twin(
    "facts.sum",
    asked(
        bounds(0, 6000),
        _PER,
        st.sampled_from([{}, {"figure": "average"}, {"figure": "largest"}]),
        st.sampled_from([{"unit": "quantity"}, {"unit": "amount_cents"}, {"measure": "duration_seconds"}, {}]),
    ),
    asked(bounds(0, 9), st.sampled_from([{"measure": "quantity"}, {"measure": "quantity", "figure": "average"}])),
)
def much(world: World, person: Row, params: Params, at: Moment) -> bool:
    measure, per = params.get("measure") or params.get("unit", "amount_cents"), _per(params)
    figure = params.get("figure", "sum")
    if figure == "sum" and per != "fact":
        figure = "largest"
    if params.get("unit") in ("quantity", "amount_cents"):  # in rules of old the unit is that of the sum
        params = {**params, "unit": "day"}
    start, end = bounds_of(world, params, at)
    by_heap = heaps(did(world, person, params, start, end), per)
    amounts = [sum(row[measure] for row in heap) for heap in by_heap.values()]
    total, number = sum(amounts), len(amounts)
    if per == "fact" and measure != "duration_seconds" and figure != "largest":
        for row in gone(world, person, params, start):
            total, number = total + row[measure], number + row["count"]
    if figure == "sum":
        return within(total, params)
    if not number:
        return False
    return within(total / number if figure == "average" else max(amounts), params)


# --- rhythm -----------------------------------------------------------------------------------------------------------

_RHYTHM = optional(visits=st.integers(2, 4), per=st.sampled_from(["day", "fact"]))


def visits(world: World, person: Row, params: Params, at: Moment) -> tuple[int, dt.date, dt.date] | None:
    """Return how many visits, the day of the first and of the last; None when there are not enough."""
    start, end = bounds_of(world, params, at)
    rows = did(world, person, params, start, end)
    days = [row["occurred_at"].astimezone(AMSTERDAM).date() for row in rows]
    number = len(set(days)) if params.get("per", "day") == "day" else len(days)
    if params.get("per") == "fact":
        for row in gone(world, person, params, start):
            number += row["count"]
            days += [row[name].astimezone(AMSTERDAM).date() for name in ("first_at", "last_at")]
    return (number, min(days), max(days)) if number >= params.get("visits", 3) else None


@twin("facts.interval", asked(_RHYTHM, bounds(0, 200)))
def interval(world: World, person: Row, params: Params, at: Moment) -> bool:
    known = visits(world, person, params, at)
    return known is not None and within(Fraction((known[2] - known[1]).days, known[0] - 1), params)


@st.composite
def _late(draw: st.DrawFn) -> Params:
    low = draw(st.integers(10, 300))
    high = draw(st.none() | st.integers(low + 1, 600))
    return {"percent": low} | ({} if high is None else {"percent_to": high})


@twin("facts.due", asked(_RHYTHM, _late()))
def due(world: World, person: Row, params: Params, at: Moment) -> bool:
    known = visits(world, person, params, at)
    if known is None:
        return False
    usual = Fraction((known[2] - known[1]).days, known[0] - 1)
    idle = (at.today - known[2]).days * 100
    return idle > usual * params["percent"] and ("percent_to" not in params or idle <= usual * params["percent_to"])


# --- first this, then that --------------------------------------------------------------------------------------------


@st.composite
def _steps(draw: st.DrawFn) -> Params:
    steps = []
    for _number in range(draw(st.integers(1, 2))):
        op = draw(st.sampled_from(["at_least", "at_most", "exactly"]))
        step = draw(narrowing()) | {"op": op, "times": draw(st.integers(1 if op == "at_least" else 0, 2))}
        days = draw(st.none() | st.integers(0, 200))
        steps.append(step if days is None else step | {"within_days": days})
    firsts: list[Params] = [{}, {"times": 2}, {"at_least_total_cents": 2500}, {"anchor": "last"}, {"anchor": "each"}]
    first = draw(st.sampled_from(firsts))
    return {**first, "then": steps}


@twin("facts.then", asked(_steps()))
def then(world: World, person: Row, params: Params, at: Moment) -> bool:
    start, end = bounds_of(world, params, at)
    rows = sorted(did(world, person, params, start, end), key=lambda row: (row["occurred_at"], row["id"]))
    return any(_goes_on(world, person, params["then"], moment, at) for moment in _reached(rows, params))


def _reached(rows: list[Row], params: Params) -> list[dt.datetime]:
    """Return the moments from which the rest may follow."""
    if "at_least_total_cents" in params:
        spent = 0
        for row in rows:
            spent += row["amount_cents"]
            if spent >= params["at_least_total_cents"]:
                return [row["occurred_at"]]
        return []
    moments = [row["occurred_at"] for row in rows]
    if params.get("times", 1) > 1:
        return moments[params["times"] - 1 : params["times"]]
    return {"first": moments[:1], "last": moments[-1:], "each": moments}[params.get("anchor", "first")]


def _goes_on(world: World, person: Row, steps: list[Params], since: dt.datetime, at: Moment) -> bool:
    """Whether all steps follow, each after the one before it that has a moment."""
    for step in steps:
        last_day = since.astimezone(AMSTERDAM).date() + step.get("within_days", 99999) * DAY
        after = sorted(
            row["occurred_at"]
            for row in did(world, person, step, None, at.now)
            if row["occurred_at"] > since and row["occurred_at"].astimezone(AMSTERDAM).date() <= last_day
        )
        number, times = len(after), step["times"]
        holds = {"at_least": number >= times, "at_most": number <= times, "exactly": number == times}[step["op"]]
        if not holds:
            return False
        if step["op"] != "at_most" and times > 0:
            since = after[times - 1]
    return True
