"""Periods by name, and the days they mean as seen from a day: "last week", "the first day of next month"."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dateutil.relativedelta import relativedelta
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

SEASON_STARTS = 8  # the month in which a season of theatre and courses begins

#: Days ``[start, end)``; None is open. A stretch that begins where it ends has no day in it.
Stretch = tuple[dt.date | None, dt.date | None]

WHICH = {"last": -1, "this": 0, "next": 1}
LENGTHS = {
    "day": relativedelta(days=1),
    "week": relativedelta(weeks=1),
    "month": relativedelta(months=1),
    "quarter": relativedelta(months=3),
    "season": relativedelta(years=1),
    "year": relativedelta(years=1),
}
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}

# Those with a number.
_ROLLING: dict[str, Any] = {
    "last": gettext_lazy("in the past …"),
    "before_last": gettext_lazy("more than … ago"),
    "ago": gettext_lazy("between … and … ago"),
    "next": gettext_lazy("in the coming …"),
    "after_next": gettext_lazy("more than … ahead"),
    "ahead": gettext_lazy("between … and … ahead"),
}
_CALENDAR: dict[str, Any] = {
    "today": gettext_lazy("today"),
    "yesterday": gettext_lazy("yesterday"),
    "tomorrow": gettext_lazy("tomorrow"),
    "this_week": gettext_lazy("this week"),
    "last_week": gettext_lazy("last week"),
    "next_week": gettext_lazy("next week"),
    "this_month": gettext_lazy("this month"),
    "last_month": gettext_lazy("last month"),
    "next_month": gettext_lazy("next month"),
    "this_quarter": gettext_lazy("this quarter"),
    "last_quarter": gettext_lazy("last quarter"),
    "next_quarter": gettext_lazy("next quarter"),
    "this_season": gettext_lazy("this season (from August)"),
    "last_season": gettext_lazy("last season (from August)"),
    "next_season": gettext_lazy("next season (from August)"),
    "this_year": gettext_lazy("this year"),
    "last_year": gettext_lazy("last year"),
    "next_year": gettext_lazy("next year"),
}
_PRIOR: dict[str, Any] = {
    "prior_day": gettext_lazy("the day before yesterday"),
    "prior_week": gettext_lazy("the week before last"),
    "prior_month": gettext_lazy("the month before last"),
    "prior_quarter": gettext_lazy("the quarter before last"),
    "prior_season": gettext_lazy("the season before last"),
    "prior_year": gettext_lazy("the year before last"),
}
_TWO: dict[str, Any] = {
    "two_day": gettext_lazy("yesterday or the day before"),
    "two_week": gettext_lazy("the two weeks before this one"),
    "two_month": gettext_lazy("the two months before this one"),
    "two_quarter": gettext_lazy("the two quarters before this one"),
    "two_season": gettext_lazy("the two seasons before this one"),
    "two_year": gettext_lazy("the two years before this one"),
}
_HOLIDAYS: dict[str, Any] = {
    "this_holiday": gettext_lazy("in the present school holiday"),
    "last_holiday": gettext_lazy("in the last school holiday"),
    "next_holiday": gettext_lazy("in the next school holiday"),
}


def _made(code: str, words: Any, units: tuple[str, ...], which: tuple[str, ...] = ("this",)) -> dict[str, Any]:
    """Return periods made of others: the code with unit or period in it, and the words with those of the period."""
    return {
        f"{code}_{one}_{unit}" if len(which) > 1 else f"{code}_{unit}": format_lazy(
            words, period=_CALENDAR[f"{one}_{unit}"]
        )
        for unit in units
        for one in which
    }


_UNITS = ("week", "month", "quarter", "season", "year")
_OF_DAY = ("month", "quarter", "year")
_SO_FAR = _made("to_date", gettext_lazy("{period}, until today"), _UNITS)
_EARLIER: dict[str, Any] = {"earlier_day": gettext_lazy("before today")} | _made(
    "earlier", gettext_lazy("before {period}"), _UNITS
)
_FROM: dict[str, Any] = {"from_day": gettext_lazy("from today on")} | _made(
    "from", gettext_lazy("from the beginning of {period} on"), _UNITS
)
_UNTIL: dict[str, Any] = {"until_day": gettext_lazy("until and including today")} | _made(
    "until", gettext_lazy("until the end of {period}"), _UNITS
)
_FIRST = _made("start", gettext_lazy("on the first day of {period}"), _OF_DAY, tuple(WHICH))
_LAST = _made("end", gettext_lazy("on the last day of {period}"), _OF_DAY, tuple(WHICH))
_EVER: dict[str, Any] = {"ever": gettext_lazy("ever")}
_BETWEEN: dict[str, Any] = {"between": gettext_lazy("between two dates")}

#: (heading of a menu, code -> words).
GROUPS: tuple[tuple[Any, dict[str, Any]], ...] = (
    (gettext_lazy("At any time"), _EVER),
    (gettext_lazy("Counted from today"), _ROLLING),
    (gettext_lazy("Of the calendar"), _CALENDAR | _PRIOR | _TWO),
    (gettext_lazy("School holidays"), _HOLIDAYS),
    (gettext_lazy("Between two dates"), _BETWEEN),
    (gettext_lazy("Up to or from a period"), _EARLIER | _SO_FAR | _UNTIL | _FROM),
    (gettext_lazy("One day of a period"), _FIRST | _LAST),
)
#: Code of a period -> how it reads in a menu and completes a sentence.
PERIODS: dict[str, Any] = {code: words for _heading, periods in GROUPS for code, words in periods.items()}
ROLLING = tuple(_ROLLING)
HOLIDAYS = tuple(_HOLIDAYS)
#: Those that hold nothing that can have happened; the rest of what has not happened yet ends at the moment asked about.
FUTURE = ("next", "after_next", "ahead", "tomorrow", *(code for code in PERIODS if code.startswith("next_")))
# What has happened lies before now anyhow, so these would say the same as others.
_SAME_IN_THE_PAST = (*_SO_FAR, *_UNTIL, *_FROM, *_FIRST, *_LAST)


def past_periods() -> list[tuple[Any, list[tuple[str, Any]]]]:
    """Return the periods for what can only have happened, as choices with headings."""
    return _choices(set(FUTURE) | set(_SAME_IN_THE_PAST))


def all_periods() -> list[tuple[Any, list[tuple[str, Any]]]]:
    """Return all periods, as choices with headings."""
    return _choices(set())


def _choices(without: set[str]) -> list[tuple[Any, list[tuple[str, Any]]]]:
    listed = ((heading, [(c, w) for c, w in periods.items() if c not in without]) for heading, periods in GROUPS)
    return [(heading, periods) for heading, periods in listed if periods]


def back(day: dt.date, number: int, unit: str) -> dt.date:
    """Return the day so many units earlier (later when negative); the last of a month stays within its month.

    Raises OverflowError where the calendar ends.
    """
    try:
        return day - relativedelta(**{f"{unit}s": number})  # type: ignore[arg-type]
    except ValueError:
        raise OverflowError from None


def calendar(period: str, today: dt.date) -> Stretch:
    """Return the days of a period of the calendar: "today", "this_week", "prior_month", "two_year" (the two before this
    one), "to_date_year", "end_next_quarter", …
    """
    if period in _DAYS:
        return _one_day(today + dt.timedelta(days=_DAYS[period]))
    *words, unit = period.split("_")
    start, length = start_of(unit, today), LENGTHS[unit]
    if words == ["to", "date"]:
        return start, today + dt.timedelta(days=1)
    if words == ["earlier"]:
        return None, start
    if words == ["from"]:
        return start, None
    if words == ["until"]:
        return None, start + length
    if words == ["prior"]:
        return start - 2 * length, start - length
    if words == ["two"]:
        return start - 2 * length, start
    step = WHICH[words[-1]]
    first, after = start + step * length, start + (step + 1) * length
    if words[0] == "start" and len(words) > 1:
        return _one_day(first)
    return _one_day(after - dt.timedelta(days=1)) if words[0] == "end" and len(words) > 1 else (first, after)


def _one_day(day: dt.date) -> Stretch:
    return day, day + dt.timedelta(days=1)


def start_of(unit: str, day: dt.date) -> dt.date:
    """Return the day itself, or the first day of the week (Monday), month, quarter, season or year in which it lies."""
    if unit == "day":
        return day
    if unit == "week":
        return day - dt.timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    if unit == "season":
        return dt.date(day.year - (day.month < SEASON_STARTS), SEASON_STARTS, 1)
    return day.replace(month=1, day=1)
