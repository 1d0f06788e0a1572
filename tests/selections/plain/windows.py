"""Stretches of time, counted on the fingers."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Any

from hypothesis import strategies as st

from tests.selections.plain.twins import DAY, Moment, Params
from tests.selections.plain.world import World

UNITS = ["week", "month", "quarter", "season", "year"]
ROLLING = ["last", "before_last", "ago", "next", "after_next", "ahead"]
CALENDAR = [
    *(f"{which}_{unit}" for which in ("this", "last", "next", "prior", "two", "to_date", "earlier", "from", "until")
      for unit in UNITS),
    *(f"{which}_day" for which in ("prior", "two", "earlier", "from", "until")),
    *(f"{end}_{which}_{unit}" for end in ("start", "end") for which in ("this", "last", "next")
      for unit in ("month", "quarter", "year")),
]  # fmt: skip
HOLIDAYS = ["this_holiday", "last_holiday", "next_holiday"]
_days = st.dates(dt.date(2024, 1, 1), dt.date(2026, 12, 31))


@st.composite
def windows(draw: st.DrawFn) -> Params:
    """Return the fields of a window, sometimes as rules of old had them."""
    period = draw(
        st.sampled_from(["within_days", "ever", "between", "today", "yesterday", "tomorrow"])
        | st.sampled_from(ROLLING)
        | st.sampled_from(CALENDAR)
        | st.sampled_from(HOLIDAYS)
    )
    if period == "within_days":
        return {"within_days": draw(st.integers(0, 800))}
    if period in ROLLING:
        return _rolling(draw, period)
    if period == "between":
        since = draw(st.none() | _days)
        until = draw(_days if since is None else st.none() | st.dates(since, dt.date(2027, 1, 1)))
        return {"period": period} | {
            name: day.isoformat() for name, day in (("since", since), ("until", until)) if day is not None
        }
    if period in HOLIDAYS:
        return {"period": period, "holiday": draw(st.sampled_from(["", "mei", "zomer", "herfst"]))}
    return {"period": period}


def _rolling(draw: st.DrawFn, period: str) -> Params:
    unit = draw(st.sampled_from(["day", "week", "month", "year"]))
    most = {"day": 900, "week": 120, "month": 30, "year": 3}[unit]
    low = draw(st.integers(0, most))
    given: Params = {"period": period, "number": low, "unit": unit}
    return given | {"number_to": draw(st.integers(low, most))} if period in ("ago", "ahead") else given


def span(world: World, params: Params, today: dt.date) -> tuple[dt.date | None, dt.date | None]:
    """Return the first day, and the first day after; None is open."""
    if "within_days" in params:
        return today - params["within_days"] * DAY, today + DAY
    period = params.get("period", "ever")
    if period == "ever":
        return None, None
    if period == "between":
        since, until = params.get("since"), params.get("until")
        first = dt.date.fromisoformat(since) if since else None
        return first, dt.date.fromisoformat(until) + DAY if until else None
    if period in HOLIDAYS:
        return _holiday(world, params, today)
    near = shifted(today, -(params.get("number") or 0), params.get("unit", "day"))
    ahead = shifted(today, params.get("number") or 0, params.get("unit", "day"))
    rolling: dict[str, Any] = {
        "last": lambda: (near, today + DAY),
        "before_last": lambda: (None, near),
        "ago": lambda: (shifted(today, -params["number_to"], params["unit"]), near + DAY),
        "next": lambda: (today, ahead + DAY),
        "after_next": lambda: (ahead + DAY, None),
        "ahead": lambda: (ahead, shifted(today, params["number_to"], params["unit"]) + DAY),
        "yesterday": lambda: (today - DAY, today),
        "today": lambda: (today, today + DAY),
        "tomorrow": lambda: (today + DAY, today + 2 * DAY),
    }
    return rolling[period]() if period in rolling else _of_calendar(period, today)


def shifted(day: dt.date, number: int, unit: str) -> dt.date:
    """Return the day so many units later; a day that its month does not have is the last of that month."""
    if unit in ("day", "week"):
        return day + number * (7 if unit == "week" else 1) * DAY
    months = day.year * 12 + day.month - 1 + number * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _of_calendar(period: str, today: dt.date) -> tuple[dt.date | None, dt.date | None]:
    kind, unit = period.rsplit("_", 1)
    if kind == "two":
        return _turn(unit, today, -2), _turn(unit, today, 0)
    this, following = _turn(unit, today, 0), _turn(unit, today, 1)
    if kind in ("to_date", "earlier", "from", "until"):
        return {
            "to_date": (this, today + DAY), "earlier": (None, this), "from": (this, None), "until": (None, following),
        }[kind]  # fmt: skip
    step = {"prior": -2, "last": -1, "this": 0, "next": 1}[kind.split("_")[-1]]
    first, after = _turn(unit, today, step), _turn(unit, today, step + 1)
    if kind.startswith("start_"):
        return first, first + DAY
    return (after - DAY, after) if kind.startswith("end_") else (first, after)


def _turn(unit: str, today: dt.date, step: int) -> dt.date:
    """Return the first day of this week, month, …, or of one so many later."""
    if unit == "day":
        return today + step * DAY
    if unit == "week":
        return today - today.weekday() * DAY + 7 * step * DAY
    months = {"month": 1, "quarter": 3, "season": 12, "year": 12}[unit]
    starts = {"month": range(1, 13), "quarter": (1, 4, 7, 10), "season": (8,), "year": (1,)}[unit]
    first = today.replace(day=1)
    while first.month not in starts:
        first = (first - DAY).replace(day=1)
    return shifted(first, step * months, "month")


def _holiday(world: World, params: Params, today: dt.date) -> tuple[dt.date, dt.date]:
    """Return the days of a holiday of our region; none when there is none."""
    ours = (world["calendar"] or [{"region": "noord"}])[0]["region"]
    days = sorted(
        (row["first_day"], row["last_day"])
        for row in world["holidays"]
        if row["region"] == ours and params.get("holiday", "") in ("", row["name"])
    )
    found = {
        "this_holiday": [one for one in days if one[0] <= today <= one[1]][:1],
        "last_holiday": [one for one in days if one[1] < today][-1:],
        "next_holiday": [one for one in days if one[0] > today][:1],
    }[params["period"]]
    return (found[0][0], found[0][1] + DAY) if found else (today, today)


def lies_on(world: World, day: dt.date | None, params: Params, at: Moment) -> bool:
    """Whether a day lies in the window; an unknown one never does."""
    first, after = span(world, params, at.today)
    return day is not None and (first is None or day >= first) and (after is None or day < after)


def bounds_of(world: World, params: Params, at: Moment) -> tuple[dt.datetime | None, dt.datetime]:
    """Return from when until just before when something must have happened."""
    first, after = span(world, params, at.today)
    return (at.start_of(first) if first else None), (min(at.start_of(after), at.now) if after else at.now)


def happened(world: World, moment: dt.datetime | None, params: Params, at: Moment) -> bool:
    """Whether something lies in the window and happened before ``at``."""
    start, end = bounds_of(world, params, at)
    return moment is not None and (start is None or moment >= start) and moment < end


def had_happened(world: World, moment: dt.datetime | None, params: Params, at: Moment) -> bool:
    """Whether something lies in the window and had happened by ``at``, that instant included."""
    start, end = bounds_of(world, params, at)
    if moment is None or (start is not None and moment < start):
        return False
    return moment <= end if end == at.now else moment < end
