from __future__ import annotations

import datetime as dt

import pytest

from common.time import end_of_day, local_date, start_of_day


def test_an_instant_just_before_midnight_in_amsterdam_belongs_to_that_day() -> None:
    assert local_date(dt.datetime(2026, 7, 1, 21, 59, tzinfo=dt.UTC)) == dt.date(2026, 7, 1)
    assert local_date(dt.datetime(2026, 7, 1, 22, 0, tzinfo=dt.UTC)) == dt.date(2026, 7, 2)


@pytest.mark.parametrize(
    ("day", "hours"), [(dt.date(2027, 3, 28), 23), (dt.date(2027, 10, 31), 25), (dt.date(2027, 1, 1), 24)]
)
def test_a_day_lasts_as_long_as_the_clock_on_the_wall_says(day: dt.date, hours: int) -> None:
    lasted = end_of_day(day).astimezone(dt.UTC) - start_of_day(day).astimezone(dt.UTC)
    assert lasted == dt.timedelta(hours=hours)
