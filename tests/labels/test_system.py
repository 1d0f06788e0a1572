"""Each family computed on a handful of customers at its edges."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from django.utils import translation

from customers.models import Customer, FactTotal
from labels.actions import refresh_system_labels
from labels.models import Label
from labels.system import families
from tests.factories import (
    NOW,
    CustomerFactory,
    FactFactory,
    HouseholdFactory,
    SubscriptionFactory,
    WorldFactory,
)

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
DAY = dt.timedelta(days=1)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def labels_of(customer: Customer, group: str) -> list[str]:
    found = customer.label_assignments.open().filter(label__group__code=group)
    return sorted(found.values_list("label__code", flat=True))


def refresh(key: str = "test") -> None:
    refresh_system_labels(now=NOW, due_key=key)


def months_ago(months: int) -> dt.datetime:
    day = TODAY - relativedelta(months=months)
    return dt.datetime(day.year, day.month, day.day, tzinfo=AMSTERDAM)


def loans(customer: Customer, count: int, *, at: dt.datetime = NOW - 10 * DAY, **fields: Any) -> None:
    if count:
        FactFactory(customer=customer, occurred_at=at, quantity=count, **fields)


@pytest.mark.parametrize(
    ("count", "label"),
    [
        (0, "borrowing-none"),
        (1, "borrowing-light"),
        (5, "borrowing-light"),
        (6, "borrowing-average"),
        (23, "borrowing-average"),
        (24, "borrowing-heavy"),
        (500, "borrowing-heavy"),
    ],
)
def test_borrowing_has_four_classes(count: int, label: str) -> None:
    customer = CustomerFactory()
    loans(customer, count)
    refresh()
    assert labels_of(customer, "borrowing") == [label]


def test_borrowing_looks_back_twelve_months_of_amsterdam_days() -> None:
    inside, outside, ahead = CustomerFactory.create_batch(3)
    loans(inside, 6, at=months_ago(12))
    loans(outside, 6, at=months_ago(12) - dt.timedelta(seconds=1))
    loans(ahead, 6, at=NOW + DAY)
    refresh()
    assert labels_of(inside, "borrowing") == ["borrowing-average"]
    assert labels_of(outside, "borrowing") == labels_of(ahead, "borrowing") == ["borrowing-none"]


def test_only_members_are_called_non_borrowers() -> None:
    prospect = CustomerFactory(kind="prospect")
    refresh()
    assert labels_of(prospect, "borrowing") == []


@pytest.mark.parametrize(
    ("earlier", "recent", "labels"),
    [
        (0, 0, []),
        (4, 6, ["trend-joiner"]),
        (5, 7, []),
        (0, 6, ["trend-joiner"]),
        (0, 5, []),
        (6, 0, ["trend-dropper"]),
        (12, 6, ["trend-dropper"]),
        (12, 7, []),
        (5, 0, []),
        (20, 20, []),
    ],
)
def test_the_trend_compares_two_half_years(earlier: int, recent: int, labels: list[str]) -> None:
    customer = CustomerFactory()
    loans(customer, earlier, at=months_ago(6) - dt.timedelta(seconds=1))
    loans(customer, recent, at=months_ago(6))
    refresh()
    assert labels_of(customer, "trend") == labels


def test_a_new_customer_has_no_trend() -> None:
    customer = CustomerFactory(registered_on=TODAY - 100 * DAY)
    loans(customer, 30)
    refresh()
    assert labels_of(customer, "trend") == []


@pytest.mark.parametrize(
    ("kind", "days_ago", "labels"),
    [
        ("member", 0, ["phase-newcomer"]),
        ("member", 89, ["phase-newcomer"]),
        ("member", 90, []),
        ("member", -1, []),
        ("prospect", 10, []),
    ],
)
def test_a_newcomer_is_a_member_of_less_than_ninety_days(kind: str, days_ago: int, labels: list[str]) -> None:
    customer = CustomerFactory(kind=kind, registered_on=TODAY - days_ago * DAY)
    refresh()
    assert labels_of(customer, "phase") == labels


@pytest.mark.parametrize(
    ("ends_in", "labels"),
    [
        ([None], []),
        ([60], ["phase-leaver"]),
        ([61], []),
        ([-90], ["phase-leaver"]),
        ([-91], []),
        ([-30, None], []),
        ([-30, -200], ["phase-leaver"]),
        ([], []),
    ],
)
def test_a_leaver_is_near_the_end_of_the_last_subscription(ends_in: list[int | None], labels: list[str]) -> None:
    customer = CustomerFactory()
    for days in ends_in:
        SubscriptionFactory(customer=customer, ended_on=None if days is None else TODAY + days * DAY)
    refresh()
    assert labels_of(customer, "phase") == labels


@pytest.mark.parametrize(
    ("size", "label"),
    [(1, "household-1"), (2, "household-2"), (3, "household-3-4"), (4, "household-3-4"), (5, "household-5-more")],
)
def test_the_household_counts_who_live_there_now(size: int, label: str) -> None:
    home = HouseholdFactory()
    people = CustomerFactory.create_batch(size, household=home)
    former = CustomerFactory(household=home, kind="former")
    deceased = CustomerFactory(household=home, deceased_on=NOW.date())
    homeless = CustomerFactory(household=None)
    refresh()
    assert [labels_of(person, "household") for person in people] == [[label]] * size
    assert [labels_of(one, "household") for one in (former, deceased, homeless)] == [[], [], []]


def test_the_payment_method_is_that_of_the_newest_running_subscription() -> None:
    customer, ended = CustomerFactory.create_batch(2)
    SubscriptionFactory(customer=customer, payment_method="invoice", started_on=TODAY - 500 * DAY)
    SubscriptionFactory(customer=customer, payment_method="direct_debit", started_on=TODAY - 100 * DAY)
    SubscriptionFactory(customer=customer, payment_method="cash", started_on=TODAY + DAY)
    SubscriptionFactory(customer=ended, payment_method="ideal", ended_on=TODAY - DAY)
    last_day = CustomerFactory()
    SubscriptionFactory(customer=last_day, payment_method="free", ended_on=TODAY)
    refresh()
    assert labels_of(customer, "payment") == ["payment-direct-debit"]
    assert labels_of(ended, "payment") == []
    assert labels_of(last_day, "payment") == ["payment-free"]


def test_worlds_are_ranked_by_loans_then_by_the_latest() -> None:
    for code in ("reizen", "spanning", "jeugd", "kunst"):
        WorldFactory(code=code)
    customer = CustomerFactory()
    loans(customer, 9, world="reizen")
    loans(customer, 5, world="spanning", at=NOW - 20 * DAY)
    loans(customer, 5, world="jeugd", at=NOW - 5 * DAY)
    loans(customer, 4, world="kunst")
    loans(customer, 50, world="bestaat-niet")
    loans(customer, 50, world="kunst", at=months_ago(24) - DAY)
    refresh()
    ranked = [labels_of(customer, f"world-{rank}") for rank in (1, 2, 3)]
    assert ranked == [["world-1-reizen"], ["world-2-jeugd"], ["world-3-spanning"]]


def test_a_world_counts_from_three_loans() -> None:
    WorldFactory(code="reizen", name="Reizen")
    customer, barely = CustomerFactory.create_batch(2)
    loans(customer, 3, world="reizen")
    loans(barely, 2, world="reizen")
    refresh()
    assert labels_of(customer, "world-1") == ["world-1-reizen"]
    assert labels_of(customer, "world-2") == labels_of(barely, "world-1") == []
    assert str(Label.objects.get(code="world-2-reizen")) == "Secundaire wereld: Reizen"


@pytest.mark.parametrize(
    ("purchases", "labels"),
    [(0, []), (1, ["tickets-once"]), (2, ["tickets-returning"]), (4, ["tickets-returning"]),
     (5, ["tickets-frequent"])],
)  # fmt: skip
def test_ticket_buyers_are_classed_by_purchases_and_not_by_seats(purchases: int, labels: list[str]) -> None:
    customer = CustomerFactory()
    FactFactory.create_batch(purchases, customer=customer, kind="ticket", quantity=6)
    refresh()
    assert labels_of(customer, "tickets") == labels


@pytest.mark.parametrize(
    ("kinds", "subscribed", "labels"),
    [
        ([], False, []),
        ([], True, ["sector-library"]),
        (["loan"], False, ["sector-library"]),
        (["ticket"], False, ["sector-theatre"]),
        (["ticket"], True, ["sector-both"]),
        (["ticket", "reservation"], False, ["sector-both"]),
        (["visit"], False, []),
    ],
)
def test_the_sectors_are_library_theatre_or_both(kinds: list[str], subscribed: bool, labels: list[str]) -> None:
    customer = CustomerFactory()
    for kind in kinds:
        FactTotal.objects.create(
            customer=customer, kind=kind, first_at=NOW - DAY, last_at=NOW - DAY, count=1, quantity=1, amount_cents=0
        )
    if subscribed:
        SubscriptionFactory(customer=customer)
    refresh()
    assert labels_of(customer, "sector") == labels


def test_every_label_of_a_family_has_a_name_and_a_definition_in_both_languages() -> None:
    refresh()
    for label in Label.objects.filter(kind="system"):
        texts = {}
        for language in ("nl", "en"):
            with translation.override(language):
                texts[language] = (str(label), label.definition, str(label.group))
        assert all(map(all, texts.values()))
        assert texts["nl"] != texts["en"]
        assert "%(" not in "".join(texts["nl"])
    assert {label.kind for label in Label.objects.all()} == {"system"}
    assert len(families) == 17
