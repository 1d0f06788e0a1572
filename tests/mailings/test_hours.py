import datetime as dt

import pytest

from common.time import AMSTERDAM
from mailings.hours import is_open, next_opening


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-06-15 08:59", "2026-06-15 09:00"),
        ("2026-06-15 09:00", "2026-06-15 09:00"),
        ("2026-06-15 17:59", "2026-06-15 17:59"),
        ("2026-06-15 18:00", "2026-06-16 09:00"),
        ("2026-12-31 23:30", "2027-01-01 09:00"),
        ("2027-03-28 01:30", "2027-03-28 09:00"),  # the night that loses an hour
        ("2027-10-31 02:30", "2027-10-31 09:00"),  # the night that has one twice
    ],
)
def test_sending_waits_for_the_hours_of_amsterdam(now: str, opens: str) -> None:
    moment = at(now).astimezone(dt.UTC)
    assert next_opening(moment, from_hour=9, until_hour=18) == at(opens)
    assert is_open(moment, from_hour=9, until_hour=18) is (now == opens)


def test_the_whole_day_is_open_by_default() -> None:
    for hour in range(24):
        assert is_open(at(f"2026-06-15 {hour:02}:59"), from_hour=0, until_hour=24)
