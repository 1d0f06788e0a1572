"""What somebody has a subscription to."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from tests.selections.plain.names import PAYMENTS, TYPES
from tests.selections.plain.twins import DAY, Moment, Params, bounds, few, filled, twin, within, years_back
from tests.selections.plain.world import Row, World


def runs(row: Row, day: dt.date) -> bool:
    """Whether a subscription runs on a day; its last day included."""
    return row["started_on"] <= day and (row["ended_on"] is None or row["ended_on"] >= day)


def running(world: World, person: Row, day: dt.date) -> list[Row]:
    """Return the subscriptions of somebody that run on a day."""
    return [row for row in world.of("subscriptions", person) if runs(row, day)]


@twin("subscriptions.has", filled(types=few(TYPES), payment_methods=few(PAYMENTS)))
def has(world: World, person: Row, params: Params, at: Moment) -> bool:
    types, methods = params["types"], params["payment_methods"]
    return any(
        (not types or row["type"] in types) and (not methods or row["payment_method"] in methods)
        for row in running(world, person, at.today)
    )


@twin("subscriptions.years", bounds(0, 12))
def years(world: World, person: Row, params: Params, at: Moment) -> bool:
    if not running(world, person, at.today):
        return False
    first = min(row["started_on"] for row in world.of("subscriptions", person))
    whole = max(n for n in range(80) if n == 0 or first <= years_back(at.today, n))
    return within(whole, params)


@twin("subscriptions.ends", filled(days=st.integers(0, 400)))
def ends(world: World, person: Row, params: Params, at: Moment) -> bool:
    last = at.today + params["days"] * DAY
    goes_on = any(row["ended_on"] is None or row["ended_on"] > last for row in world.of("subscriptions", person))
    return bool(running(world, person, at.today)) and not goes_on


@twin("subscriptions.ended", filled(days=st.integers(0, 900)))
def ended(world: World, person: Row, params: Params, at: Moment) -> bool:
    since = at.today - params["days"] * DAY
    gone = any(
        row["ended_on"] is not None and since <= row["ended_on"] < at.today for row in world.of("subscriptions", person)
    )
    return gone and not running(world, person, at.today)
