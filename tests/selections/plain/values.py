"""Numbers that are known of somebody, compared with a number or with those of all others."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from tests.selections.plain.homes import at_home
from tests.selections.plain.names import FACTS
from tests.selections.plain.subscriptions import running
from tests.selections.plain.twins import AMSTERDAM, Moment, Params, age, twin, was_known
from tests.selections.plain.world import Row, World

EPOCH = dt.date(1970, 1, 1)
VALUES = [
    "customer.age", "customer.member_years", "customer.household_size", "customer.quiet_days", "facts.ticket.amount",
    *(f"facts.{kind}.count" for kind in FACTS), "computed.test", "computed.quiet",
]  # fmt: skip


def number_of(world: World, person: Row, code: str, at: Moment) -> float | None:
    """Return the number, or None of whom it is unknown. Of what was done only the present totals are known."""
    if code == "customer.age":  # who is still to be born is not of any age
        born = person["birth_date"]
        return None if born is None or born > at.today else age(born, at.today)
    if code == "customer.member_years":
        first = min((row["started_on"] for row in world.of("subscriptions", person)), default=None)
        return age(first, at.today) if running(world, person, at.today) else None
    if code == "customer.household_size":
        return len(at_home(world, person))
    if code.startswith("computed."):
        return _computed(world, person, code.removeprefix("computed."), at)
    facts, gone = world.of("facts", person), world.of("remainders", person)
    if code == "customer.quiet_days":
        moments = [row["occurred_at"] for row in facts] + [row["last_at"] for row in gone]
        return (at.today - max(moments).astimezone(AMSTERDAM).date()).days if moments else None
    _facts, kind, what = code.split(".")
    facts, gone = ([row for row in rows if row["kind"] == kind] for rows in (facts, gone))
    if what == "count":
        return len(facts) + sum(row["count"] for row in gone)
    return sum(row["amount_cents"] for row in [*facts, *gone])


def _computed(world: World, person: Row, code: str, at: Moment) -> float | None:
    """Return what the nightly run kept; of days since the last time, minus that day is kept."""
    value = world.find("values", code, "code")
    held = [row["number"] for row in world.of("numbers", person) if row["value_id"] == value["id"]]
    if not held:
        return None
    drift = sum(term["weight"] for term in world.json(value["terms"]) if term["what"] == "recency")
    return float(held[0]) + drift * (at.today - EPOCH).days


@st.composite
def _compared(draw: st.DrawFn) -> Params:
    given: Params = {"value": draw(st.sampled_from(VALUES))}
    op = draw(st.sampled_from(
        ["at_least", "at_most", "more", "less", "exactly", "not", "between", "outside", "top", "bottom", "empty",
         "filled"]
    ))  # fmt: skip
    if op in ("top", "bottom"):
        return {**given, "op": op, "percent": draw(st.sampled_from([1, 10, 33.3, 50, 99]))}
    if op in ("empty", "filled"):
        return {**given, "op": op}
    low = draw(st.sampled_from([0, 1, 2, 3, 17, 18, 40, 400, 2500, 7.5]))
    return {**given, "op": op, "number": low} | ({"number_to": low + 20} if op in ("between", "outside") else {})


@twin("customer.value", _compared())
def compares(world: World, person: Row, params: Params, at: Moment) -> bool:
    op = params["op"]
    number = number_of(world, person, params["value"], at)
    if number is None or op in ("empty", "filled"):
        return op == ("empty" if number is None else "filled")
    if op in ("top", "bottom"):
        return was_known(person, at) and _place(world, number, params, at) < params["percent"] / 100
    low, high = params["number"], params.get("number_to", 0)
    return {
        "at_least": number >= low, "at_most": number <= low, "more": number > low, "less": number < low,
        "exactly": number == low, "not": number != low, "between": low <= number <= high,
        "outside": not low <= number <= high,
    }[op]  # fmt: skip


def _place(world: World, number: float, params: Params, at: Moment) -> float:
    """Return the place from 0 to 1 among all of whom it is known; who are equal have the same."""
    numbers = [number_of(world, person, params["value"], at) for person in world.people if was_known(person, at)]
    known = [one for one in numbers if one is not None]
    better = sum(one > number if params["op"] == "top" else one < number for one in known)
    return better / (len(known) - 1) if len(known) > 1 else 0
