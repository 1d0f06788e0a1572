"""Ticket buyers against their own past, and what they mostly come for."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta

from customers.consents import record_consent
from customers.models import Customer, Purpose
from labels.actions import refresh_system_labels
from labels.models import Label
from labels.system.ticket_quality import MOST_GENRES
from tests.factories import NOW, CustomerFactory, FactFactory, WorldFactory

pytestmark = pytest.mark.django_db

SECOND = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)


def labels_of(customer: Customer, group: str) -> list[str]:
    found = customer.label_assignments.open().filter(label__group__code=group)
    return sorted(found.values_list("label__code", flat=True))


def refresh(now: dt.datetime = NOW) -> None:
    refresh_system_labels(now=now, due_key=f"test {now}")


def months_ago(months: int) -> dt.datetime:
    day = NOW.date() - relativedelta(months=months)
    return dt.datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/Amsterdam"))


def buys(customer: Customer, times: int, *, at: dt.datetime = NOW - 10 * DAY, **fields: Any) -> None:
    given = {"kind": "ticket", "quantity": 2, "world": "", "genre": ""} | fields
    FactFactory.create_batch(times, customer=customer, occurred_at=at, **given)


@pytest.mark.parametrize(
    ("earlier", "recent", "labels"),
    [
        (0, 0, []),
        (2, 3, ["ticket-trend-grower"]),
        (3, 4, []),
        (0, 6, []),  # new, which is not growing
        (1, 2, []),  # too few to say anything
        (1, 3, ["ticket-trend-grower"]),
        (3, 1, ["ticket-trend-fader"]),
        (3, 0, ["ticket-trend-fader"]),
        (4, 2, ["ticket-trend-fader"]),
        (4, 3, []),
        (2, 0, []),
    ],
)
def test_the_trend_compares_two_years(earlier: int, recent: int, labels: list[str]) -> None:
    customer = CustomerFactory()
    buys(customer, earlier, at=months_ago(12) - SECOND)
    buys(customer, recent, at=months_ago(12))
    refresh()
    assert labels_of(customer, "ticket-trend") == labels


def test_what_lies_outside_the_two_years_or_was_given_back_does_not_count() -> None:
    customer = CustomerFactory()
    buys(customer, 1, at=months_ago(24))
    buys(customer, 8, at=months_ago(24) - SECOND)
    buys(customer, 3, quantity=-2)
    buys(customer, 2)
    buys(customer, 5, kind="loan")
    buys(customer, 5, at=NOW + DAY)
    refresh()
    assert labels_of(customer, "ticket-trend") == []
    buys(customer, 1)
    refresh(NOW + SECOND)
    assert labels_of(customer, "ticket-trend") == ["ticket-trend-grower"]


@pytest.mark.parametrize(
    ("cabaret", "dance", "unknown", "labels"),
    [
        (3, 0, 0, ["ticket-genre-cabaret"]),
        (2, 0, 0, []),
        (3, 2, 0, ["ticket-genre-cabaret"]),
        (3, 3, 0, []),
        (5, 4, 0, []),
        (3, 0, 20, ["ticket-genre-cabaret"]),
        (0, 6, 0, ["ticket-genre-dans"]),
    ],
)
def test_a_favourite_genre_is_three_in_five_of_what_is_known(
    cabaret: int, dance: int, unknown: int, labels: list[str]
) -> None:
    customer = CustomerFactory()
    buys(customer, cabaret, genre="cabaret")
    buys(customer, dance, genre="dans")
    buys(customer, unknown)
    refresh()
    assert labels_of(customer, "ticket-genre") == labels


def test_spellings_of_a_genre_are_one_label_named_by_the_most_used() -> None:
    customer = CustomerFactory()
    buys(customer, 2, genre="Jazz & Blues")
    buys(customer, 1, genre="jazz-blues")
    refresh()
    assert labels_of(customer, "ticket-genre") == ["ticket-genre-jazz-blues"]
    assert str(Label.objects.get(code="ticket-genre-jazz-blues")) == "Favoriete genre van voorstellingen: Jazz & Blues"


def test_a_favourite_world_is_one_of_our_worlds_and_comes_from_tickets_alone() -> None:
    WorldFactory(code="reizen")
    customer, reader = CustomerFactory.create_batch(2)
    buys(customer, 3, world="reizen", genre="muziek")
    buys(reader, 9, world="reizen", kind="loan")
    refresh()
    assert labels_of(customer, "ticket-world") == ["ticket-world-reizen"]
    assert labels_of(customer, "ticket-genre") == ["ticket-genre-muziek"]
    assert labels_of(reader, "ticket-world") == []


def test_a_favourite_that_is_no_longer_one_is_taken_away() -> None:
    customer = CustomerFactory()
    buys(customer, 3, genre="cabaret", at=months_ago(24))
    refresh()
    assert labels_of(customer, "ticket-genre") == ["ticket-genre-cabaret"]
    refresh(NOW + 2 * DAY)
    assert labels_of(customer, "ticket-genre") == []


def test_rare_genres_get_no_label_of_their_own() -> None:
    customer = CustomerFactory()
    for number in range(MOST_GENRES):
        buys(CustomerFactory(), 4, genre=f"genre {number}")
    buys(customer, 3, genre="zeldzaam")
    refresh()
    assert labels_of(customer, "ticket-genre") == []
    assert Label.objects.filter(group__code="ticket-genre").count() == MOST_GENRES


def test_who_objects_to_profiling_gets_none_of_these(profiling: Purpose) -> None:
    customer = CustomerFactory()
    buys(customer, 1, at=months_ago(13))
    buys(customer, 4, genre="cabaret")
    refresh()
    assert labels_of(customer, "ticket-trend") == ["ticket-trend-grower"]
    assert labels_of(customer, "ticket-genre") == ["ticket-genre-cabaret"]
    record_consent(
        customer, purpose=profiling, channel="email", state="objected", source_code="mijnmenu", actor="customer",
        event_at=NOW,
    )  # fmt: skip
    refresh(NOW + SECOND)
    assert labels_of(customer, "ticket-trend") == labels_of(customer, "ticket-genre") == []
