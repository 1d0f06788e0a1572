import datetime as dt

import pytest

from common.time import AMSTERDAM
from mailings.hours import Hours


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
    hours = Hours(9, 18)
    assert hours.next_opening(moment) == at(opens)
    assert hours.is_open(moment) is (now == opens)


def test_the_whole_day_is_open_by_default() -> None:
    for hour in range(24):
        assert Hours().is_open(at(f"2026-06-15 {hour:02}:59"))


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-06-19 10:00", "2026-06-19 10:00"),  # a Friday
        ("2026-06-19 19:00", "2026-06-22 09:00"),  # over the weekend
        ("2026-06-20 10:00", "2026-06-22 09:00"),
        ("2026-12-24 18:30", "2026-12-28 09:00"),  # Christmas and a weekend
        ("2027-01-01 08:00", "2027-01-04 09:00"),
    ],
)
def test_sending_waits_for_a_day_that_is_neither_closed_nor_left_out(now: str, opens: str) -> None:
    christmas, new_year = (dt.date(2026, 12, 25), dt.date(2026, 12, 26)), (dt.date(2027, 1, 1), dt.date(2027, 1, 1))
    hours = Hours(9, 18, frozenset({1, 2, 3, 4, 5}), (christmas, new_year))
    assert hours.next_opening(at(now)) == at(opens)
    assert hours.is_open(at(now)) is (now == opens)


def test_who_is_closed_for_ever_gets_an_answer_all_the_same() -> None:
    hours = Hours(closed=((dt.date(2026, 1, 1), dt.date(2099, 1, 1)),))
    assert hours.next_opening(at("2026-06-15 10:00")) > at("2027-06-15 10:00")
