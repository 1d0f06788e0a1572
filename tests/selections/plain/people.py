"""Who somebody is."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from tests.selections.plain.names import BRANCHES, KINDS
from tests.selections.plain.subscriptions import running
from tests.selections.plain.twins import DAY, Moment, Params, age, bounds, filled, optional, some, twin, within
from tests.selections.plain.windows import shifted, span
from tests.selections.plain.world import Row, World

_OP = optional(op=st.sampled_from(["any", "none"]))


def one_of(value: str | None, chosen: list[str], params: Params) -> bool:
    """Whether a value is one of those chosen, or (none of) is not."""
    return (value in chosen) == (params.get("op", "any") == "any")


@twin("customer.kind", filled(_OP, kinds=some(KINDS)))
def kind(world: World, person: Row, params: Params, at: Moment) -> bool:
    return one_of(person["kind"], params["kinds"], params)


@twin("customer.gender", filled(_OP, genders=some(["", "f", "m", "x"])))
def gender(world: World, person: Row, params: Params, at: Moment) -> bool:
    return one_of(person["gender"], params["genders"], params)


@twin("customer.branch", filled(_OP, branches=some([*BRANCHES, "gone"])))
def branch(world: World, person: Row, params: Params, at: Moment) -> bool:
    return one_of(world.codes("branches").get(person["branch_id"]), params["branches"], params)


@twin("customer.no_branch")
def no_branch(world: World, person: Row, params: Params, at: Moment) -> bool:
    return person["branch_id"] is None


@twin("customer.age", bounds(0, 100), filled(bounds(0, 900), unit=st.just("month")))
def of_age(world: World, person: Row, params: Params, at: Moment) -> bool:
    born = person["birth_date"]
    if born is not None and born > at.today:
        return False
    if params.get("unit") != "month":
        return within(age(born, at.today), params)
    low, high = params.get("at_least"), params.get("at_most")
    return (
        born is not None
        and (low is None or born <= shifted(at.today, -low, "month"))
        and (high is None or born > shifted(at.today, -high - 1, "month"))
    )


@st.composite
def _ahead(draw: st.DrawFn) -> Params:
    first = draw(st.integers(0, 365))
    last = draw(st.none() | st.integers(first, min(first + 92, 365)))
    return {"days_ahead": first} | ({} if last is None else {"until_days_ahead": last})


@twin("customer.birthday", _ahead())
def birthday(world: World, person: Row, params: Params, at: Moment) -> bool:
    born = person["birth_date"]
    if born is None:
        return False
    days = range(params["days_ahead"], params.get("until_days_ahead", params["days_ahead"]) + 1)
    return any(comes_back(born, at.today + number * DAY) for number in days)


def comes_back(born: dt.date, day: dt.date) -> bool:
    """Whether a date comes back on that day; 29 February does so on the 28th in years without one."""
    if (born.month, born.day) == (2, 29) and (day + DAY).day == 1:
        return day.month == 2
    return (born.month, born.day) == (day.month, day.day)


_SHORT = st.sampled_from(
    ["today", "tomorrow", "yesterday", "this_week", "next_week", "this_month", "next_month", "last_quarter",
     "this_year", "this_season", "to_date_year", "end_this_month", "this_holiday", "next_holiday"]
).map(lambda period: {"period": period}) | filled(
    period=st.sampled_from(["next", "last"]), number=st.integers(0, 300), unit=st.just("day")
)  # fmt: skip


@twin(
    "customer.anniversary",
    filled(_SHORT, of=st.sampled_from(["birth_date", "registered_on", "member"])),
    filled(_SHORT, of=st.sampled_from(["birth_date", "registered_on", "member"]),
           years=st.lists(st.integers(1, 70), max_size=20)),
    filled(_SHORT, of=st.sampled_from(["birth_date", "member"]), every=st.integers(1, 10)),
)  # fmt: skip
def anniversary(world: World, person: Row, params: Params, at: Moment) -> bool:
    if params["of"] == "member":
        began = min((row["started_on"] for row in world.of("subscriptions", person)), default=None)
        began = began if running(world, person, at.today) else None
    else:
        began = person[params["of"]]
    first, after = span(world, params, at.today)
    if began is None or first is None or after is None:
        return False
    wanted = {*params.get("years", []), *(range(params["every"], 151, params["every"]) if "every" in params else ())}
    days = (first + number * DAY for number in range((after - first).days))
    return any(
        comes_back(began, day) and day.year > began.year and (not wanted or day.year - began.year in wanted)
        for day in days
    )


@twin(
    "customer.registered",
    filled(within_days=st.integers(0, 800)),
    filled(more_than_days=st.integers(0, 800)),
    filled(within_days=st.integers(300, 800), more_than_days=st.integers(0, 300)),
)
def registered(world: World, person: Row, params: Params, at: Moment) -> bool:
    day = person["registered_on"]
    if day is None or day > at.today:
        return False
    ago = (at.today - day).days
    return ago <= params.get("within_days", ago) and ago > params.get("more_than_days", -1)
