"""Stretches of time agree with what the words mean, on any day, also when the clock goes forward or back."""

from __future__ import annotations

import calendar as months
import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from customers.actions.calendar import set_region
from customers.criteria.windows import FUTURE, PERIODS, WindowForm, WindowParams, all_periods, past_periods
from customers.criteria.windows.periods import HOLIDAYS, ROLLING
from customers.holidays import official
from customers.models import SchoolHoliday
from tests.factories import NOW

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DAY = dt.timedelta(days=1)
CLOCK_DAYS = [dt.date(2026, 3, 29), dt.date(2026, 10, 25), dt.date(2024, 2, 29), dt.date(2027, 12, 31)]
days = st.one_of(st.dates(dt.date(2020, 1, 1), dt.date(2032, 12, 31)), st.sampled_from(CLOCK_DAYS))
moments = st.times(timezones=st.none())

Unit = Callable[[dt.date], object]


def _season(day: dt.date) -> int:
    return day.year if day.month >= 8 else day.year - 1


#: What two days share when they lie in the same one; numbered so that the next one is one more.
NUMBER: dict[str, Callable[[dt.date], int]] = {
    "day": dt.date.toordinal,
    "week": lambda day: (day.toordinal() - 1) // 7,
    "month": lambda day: day.year * 12 + day.month,
    "quarter": lambda day: day.year * 4 + (day.month - 1) // 3,
    "season": _season,
    "year": lambda day: day.year,
}


def is_in(period: str, day: dt.date, today: dt.date) -> bool:
    """Say by its meaning whether a day lies in a period of the calendar."""
    if period in ("yesterday", "today", "tomorrow"):
        return (day - today).days == {"yesterday": -1, "today": 0, "tomorrow": 1}[period]
    *words, unit = period.split("_")
    apart = NUMBER[unit](day) - NUMBER[unit](today)
    if words[0] in ("start", "end") and len(words) == 2:
        step = {"last": -1, "this": 0, "next": 1}[words[1]]
        edge = day - DAY if words[0] == "start" else day + DAY
        return apart == step and NUMBER[unit](edge) != NUMBER[unit](day)
    return {
        "this": lambda: apart == 0,
        "last": lambda: apart == -1,
        "next": lambda: apart == 1,
        "prior": lambda: apart == -2,
        "two": lambda: apart in (-2, -1),
        "to": lambda: apart == 0 and day <= today,
        "earlier": lambda: apart < 0,
        "from": lambda: apart >= 0,
        "until": lambda: apart <= 0,
    }[words[0]]()


def holds(window: WindowParams, day: dt.date, now: dt.datetime) -> bool:
    first, after = window.days(now=now)
    return (first is None or first <= day) and (after is None or day < after)


CALENDAR = [code for code in PERIODS if code not in (*ROLLING, *HOLIDAYS, "ever", "between")]


@settings(max_examples=400, deadline=None)
@given(today=days, at=moments, away=st.integers(-800, 800), period=st.sampled_from(CALENDAR))
def test_a_period_of_the_calendar_holds_the_days_that_its_name_says(
    today: dt.date, at: dt.time, away: int, period: str
) -> None:
    now = dt.datetime.combine(today, at, tzinfo=AMSTERDAM)
    day = today + dt.timedelta(days=away)
    assert holds(WindowParams(period=period), day, now) == is_in(period, day, today)


@pytest.mark.parametrize("period", CALENDAR)
def test_each_period_begins_and_ends_where_it_should_on_days_that_matter(period: str) -> None:
    for today in (*CLOCK_DAYS, dt.date(2026, 1, 1), dt.date(2026, 8, 1), dt.date(2026, 7, 31)):
        now = dt.datetime.combine(today, dt.time(2, 30), tzinfo=AMSTERDAM)
        window = WindowParams(period=period)
        for day in (today + dt.timedelta(days=away) for away in range(-430, 430)):
            assert holds(window, day, now) == is_in(period, day, today), (today, day)


def shifted(day: dt.date, number: int, unit: str) -> dt.date:
    """Return the day so many units later, counted on the fingers."""
    if unit in ("day", "week"):
        return day + number * (7 if unit == "week" else 1) * DAY
    total = day.year * 12 + day.month - 1 + number * (12 if unit == "year" else 1)
    year, month = divmod(total, 12)
    return dt.date(year, month + 1, min(day.day, months.monthrange(year, month + 1)[1]))


@settings(max_examples=300, deadline=None)
@given(
    today=days,
    unit=st.sampled_from(["day", "week", "month", "year"]),
    near=st.integers(0, 40),
    more=st.integers(0, 20),
    away=st.integers(-30000, 30000),
)
@example(today=dt.date(2024, 2, 29), unit="year", near=1, more=0, away=-366)
@example(today=dt.date(2026, 3, 31), unit="month", near=1, more=0, away=-31)
def test_rolling_periods_count_from_today_which_counts_too(
    today: dt.date, unit: str, near: int, more: int, away: int
) -> None:
    now, day, far = dt.datetime.combine(today, dt.time(23, 59), tzinfo=AMSTERDAM), today + away * DAY, near + more

    def window(period: str) -> WindowParams:
        return WindowParams.model_validate({"period": period, "number": near, "number_to": far, "unit": unit})

    before, beyond = shifted(today, -near, unit), shifted(today, near, unit)
    assert holds(window("last"), day, now) == (before <= day <= today)
    assert holds(window("before_last"), day, now) == (day < before)
    assert holds(window("ago"), day, now) == (shifted(today, -far, unit) <= day <= before)
    assert holds(window("next"), day, now) == (today <= day <= beyond)
    assert holds(window("after_next"), day, now) == (day > beyond)
    assert holds(window("ahead"), day, now) == (beyond <= day <= shifted(today, far, unit))


@settings(max_examples=200, deadline=None)
@given(today=days, at=moments, period=st.sampled_from(["today", "this_week", "last_month", "next_year"]))
def test_instants_begin_at_midnight_in_amsterdam(today: dt.date, at: dt.time, period: str) -> None:
    now = dt.datetime.combine(today, at, tzinfo=AMSTERDAM)
    window = WindowParams(period=period)
    first, after = window.days(now=now)
    start, end = window.instants(now=now)
    for day, instant in ((first, start), (after, end)):
        assert day
        assert instant
        shown = instant.astimezone(AMSTERDAM)
        assert (shown.date(), shown.time()) == (day, dt.time())


@pytest.mark.parametrize(("day", "hours"), [(CLOCK_DAYS[0], 23), (CLOCK_DAYS[1], 25), (dt.date(2026, 6, 1), 24)])
def test_a_day_on_which_the_clock_changes_is_shorter_or_longer(day: dt.date, hours: int) -> None:
    start, end = WindowParams(period="today").instants(now=dt.datetime.combine(day, dt.time(12), tzinfo=AMSTERDAM))
    assert start
    assert end
    assert end.astimezone(dt.UTC) - start.astimezone(dt.UTC) == dt.timedelta(hours=hours)


def test_nothing_has_happened_after_now() -> None:
    start, end = WindowParams(period="this_year").happened(now=NOW)
    assert (start, end) == (dt.datetime(2026, 1, 1, tzinfo=AMSTERDAM), NOW)


HOLIDAY_DAYS = {
    (row["region"], row["name"], row["first_day"] + dt.timedelta(days=n))
    for row in official()
    for n in range((row["last_day"] - row["first_day"]).days + 1)
}


@pytest.mark.django_db
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    today=st.dates(dt.date(2023, 9, 1), dt.date(2029, 6, 30)),
    region=st.sampled_from(["noord", "midden", "zuid"]),
    name=st.sampled_from(["", "herfst", "kerst", "voorjaar", "mei", "zomer"]),
    which=st.sampled_from(["this", "last", "next"]),
)
def test_school_holidays_are_those_of_the_region(today: dt.date, region: str, name: str, which: str) -> None:
    set_region(region, by=None)
    ours = {day for where, called, day in HOLIDAY_DAYS if where == region and name in ("", called)}
    now = dt.datetime.combine(today, dt.time(8), tzinfo=AMSTERDAM)
    first, after = WindowParams.model_validate({"period": f"{which}_holiday", "holiday": name}).days(now=now)
    assert first
    assert after
    found = {first + n * DAY for n in range((after - first).days)}
    if which == "this":
        assert bool(found) == (today in ours)
        assert not found or today in found
    elif found:
        assert all(day > today if which == "next" else day < today for day in found)
        step = DAY if which == "next" else -DAY
        edge = today + step
        if today in ours:  # one that is going on is neither the last nor the next
            while edge in ours:
                edge += step
        while edge not in ours:
            edge += step
        assert edge == (first if which == "next" else after - DAY)
    assert found <= ours


@pytest.mark.django_db
def test_a_holiday_that_nobody_knows_has_no_days() -> None:
    SchoolHoliday.objects.all().delete()
    assert WindowParams(period="next_holiday").days(now=NOW) == (NOW.date(), NOW.date())


@pytest.mark.parametrize(
    ("params", "dutch"),
    [
        ({"period": "ever"}, "ooit"),
        ({"within_days": 30}, "de afgelopen 30 dagen"),
        ({"period": "next", "number": 2, "unit": "week"}, "de komende 2 weken"),
        ({"period": "next", "number": 0}, "vandaag"),
        ({"period": "after_next", "number": 1, "unit": "month"}, "over meer dan 1 maand"),
        ({"period": "ahead", "number": 3, "number_to": 7}, "over 3 dagen tot en met 7 dagen"),
        ({"period": "prior_month"}, "de maand vóór vorige maand"),
        ({"period": "prior_day"}, "eergisteren"),
        ({"period": "two_week"}, "de twee weken vóór deze week"),
        ({"period": "two_day"}, "gisteren of eergisteren"),
        ({"period": "two_quarter"}, "de twee kwartalen vóór dit kwartaal"),
        ({"period": "two_season"}, "de twee seizoenen vóór dit seizoen"),
        ({"period": "until_day"}, "tot en met vandaag"),
        ({"period": "to_date_year"}, "dit jaar tot en met vandaag"),
        ({"period": "earlier_quarter"}, "vóór dit kwartaal"),
        ({"period": "from_week"}, "vanaf het begin van deze week"),
        ({"period": "until_month"}, "tot en met het eind van deze maand"),
        ({"period": "end_next_quarter"}, "op de laatste dag van volgend kwartaal"),
        ({"period": "start_last_year"}, "op de eerste dag van vorig jaar"),
        ({"period": "last_holiday"}, "in de vorige schoolvakantie"),
        ({"period": "next_holiday", "holiday": "kerst"}, "in de komende kerstvakantie"),
        ({"period": "between", "since": "2026-01-01"}, "sinds 1 januari 2026"),
    ],
)
def test_a_window_in_words(params: dict[str, object], dutch: str) -> None:
    with translation.override("nl"):
        assert WindowParams.model_validate(params).words() == dutch


@pytest.mark.parametrize(
    "params",
    [
        {"period": "some_day"},
        {"period": "last"},
        {"period": "ahead", "number": 5},
        {"period": "ahead", "number": 5, "number_to": 3},
        {"period": "between"},
        {"period": "between", "since": "2026-02-01", "until": "2026-01-01"},
        {"period": "next_holiday", "holiday": "pasen"},
        {"period": "last", "number": -1},
    ],
)
def test_a_window_without_meaning_is_refused(params: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WindowParams.model_validate(params)


def test_what_goes_beyond_the_calendar_says_so() -> None:
    with pytest.raises(OverflowError):
        WindowParams.model_validate({"period": "last", "number": 3000, "unit": "year"}).days(now=NOW)


def test_menus_name_every_period_once_and_those_of_the_past_none_that_lies_ahead() -> None:
    every = [code for _heading, choices in all_periods() for code, _words in choices]
    assert sorted(every) == sorted(PERIODS)
    past = [code for _heading, choices in past_periods() for code, _words in choices]
    assert not set(past) & set(FUTURE)
    assert {"this_year", "last_holiday", "prior_week", "earlier_season"} <= set(past)


def test_the_form_shows_a_field_only_for_periods_that_need_it() -> None:
    shown = WindowForm().fields["holiday"].widget.attrs
    assert (shown["data-when"], shown["data-when-is"]) == ("period", "this_holiday last_holiday next_holiday")


@pytest.mark.parametrize("how", [{"initial": {"period": "next"}}, {"data": {"period": "next", "number": "3"}}])
def test_a_period_that_is_not_offered_stays_when_the_rule_has_it(how: dict[str, dict[str, str]]) -> None:
    form = WindowForm(**how)  # type: ignore[arg-type]
    assert 'value="next" selected' in str(form["period"])
    assert not form.is_bound or form.is_valid()
    assert "next" not in dict(past_periods()[1][1])
    assert not WindowForm({"period": "someday"}).is_valid()
