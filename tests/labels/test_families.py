"""The families of the seeds at their edges: addresses, web, life cycle, customer value, loyalty, sectors."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta

from customers.models import Customer, FactTotal, KindSetting, Purpose
from labels.actions import refresh_system_labels
from labels.models import Label
from tests.factories import (
    NOW,
    ConsentFactory,
    CustomerFactory,
    FactFactory,
    HouseholdFactory,
    SubscriptionFactory,
)

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
DAY = dt.timedelta(days=1)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def labels_of(customer: Customer, group: str) -> list[str]:
    found = customer.label_assignments.open().filter(label__group__code=group)
    return sorted(found.values_list("label__code", flat=True))


def refresh() -> None:
    refresh_system_labels(now=NOW, due_key="test")


def months_ago(months: int) -> dt.datetime:
    day = TODAY - relativedelta(months=months)
    return dt.datetime(day.year, day.month, day.day, tzinfo=AMSTERDAM)


def did(customer: Customer, kind: str, days: int, *, ago: int = 1, step: int = 1, **fields: Any) -> None:
    """One fact on each of so many days, the latest ``ago`` days before today."""
    for n in range(days):
        FactFactory(customer=customer, kind=kind, occurred_at=NOW - (ago + n * step) * DAY, **fields)


def total(customer: Customer, kind: str, *, last_at: dt.datetime = NOW - DAY) -> None:
    FactTotal.objects.create(
        customer=customer, kind=kind, first_at=last_at, last_at=last_at, count=1, quantity=1, amount_cents=0
    )


def born(years: int, *, days: int = 0) -> dt.date:
    return TODAY - relativedelta(years=years) - days * DAY


# --- addresses --------------------------------------------------------------------------------------------------------


def test_an_address_tells_who_live_there() -> None:
    alone = CustomerFactory(household=HouseholdFactory(), birth_date=born(10))
    family, couple, brothers = HouseholdFactory.create_batch(3)
    parent = CustomerFactory(household=family, birth_date=born(18))
    child = CustomerFactory(household=family, birth_date=born(18, days=-1))
    one, unknown = CustomerFactory(household=couple), CustomerFactory(household=couple, birth_date=None)
    young = CustomerFactory.create_batch(2, household=brothers, birth_date=born(9))
    CustomerFactory(household=brothers, kind="former")
    CustomerFactory(household=brothers, deceased_on=TODAY)
    homeless = CustomerFactory(household=None)
    refresh()
    assert labels_of(alone, "address") == ["address-alone"]
    assert labels_of(parent, "address") == ["address-parent"]
    assert labels_of(child, "address") == ["address-child"]
    assert labels_of(one, "address") == labels_of(unknown, "address") == ["address-adults"]
    assert [labels_of(customer, "address") for customer in young] == [["address-children"]] * 2
    assert labels_of(homeless, "address") == []


def test_an_address_is_of_the_library_the_theatre_or_both() -> None:
    readers, goers, mixed, nothing = HouseholdFactory.create_batch(4)
    reader, reading = CustomerFactory.create_batch(2, household=readers)
    total(reader, "loan")
    total(reading, "visit")
    goer = CustomerFactory(household=goers)
    total(goer, "ticket")
    total(goer, "loan", last_at=months_ago(24) - DAY)
    subscriber, visitor = CustomerFactory.create_batch(2, household=mixed)
    SubscriptionFactory(customer=subscriber)
    total(visitor, "ticket")
    quiet = CustomerFactory(household=nothing)
    refresh()
    assert labels_of(reader, "address-sector") == labels_of(reading, "address-sector") == ["address-library"]
    assert labels_of(goer, "address-sector") == ["address-theatre"]
    assert labels_of(subscriber, "address-sector") == labels_of(visitor, "address-sector") == ["address-both"]
    assert labels_of(quiet, "address-sector") == []


def test_what_somebody_did_who_objects_tells_nothing_of_his_address(profiling: Purpose) -> None:
    home = HouseholdFactory()
    silent, open_one = CustomerFactory.create_batch(2, household=home)
    total(silent, "ticket")
    total(open_one, "loan")
    ConsentFactory(customer=silent, purpose=profiling, state="objected")
    refresh()
    assert labels_of(open_one, "address-sector") == ["address-library"]
    assert labels_of(silent, "address-sector") == []
    assert labels_of(silent, "address") == ["address-adults"]


# --- web --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "days", "labels"),
    [
        ("page_view", 5, []),
        ("page_view", 6, ["web-frequent"]),
        ("search", 4, []),
        ("search", 5, ["web-searcher"]),
        ("login", 1, ["web-member"]),
        ("app_use", 1, ["web-app"]),
        ("app_use", 6, ["web-app", "web-frequent"]),
        ("loan", 9, []),
    ],
)
def test_web_labels_follow_from_use_of_the_last_three_months(kind: str, days: int, labels: list[str]) -> None:
    customer = CustomerFactory()
    did(customer, kind, days)
    refresh()
    assert labels_of(customer, "web") == labels


def test_many_pages_on_one_day_are_one_visit() -> None:
    customer = CustomerFactory()
    for minutes in range(20):
        FactFactory(customer=customer, kind="page_view", occurred_at=NOW - dt.timedelta(minutes=minutes))
    refresh()
    assert labels_of(customer, "web") == []


def test_who_was_online_before_and_not_lately_is_inactive() -> None:
    gone, back, long_ago = CustomerFactory.create_batch(3)
    FactFactory(customer=gone, kind="visit", occurred_at=months_ago(3) - DAY)
    FactFactory(customer=back, kind="visit", occurred_at=months_ago(3) - DAY)
    FactFactory(customer=back, kind="visit", occurred_at=months_ago(3))
    FactFactory(customer=long_ago, kind="visit", occurred_at=months_ago(13) - DAY)
    refresh()
    assert labels_of(gone, "web") == ["web-inactive"]
    assert labels_of(back, "web") == labels_of(long_ago, "web") == []


# --- life cycle -------------------------------------------------------------------------------------------------------


def test_the_life_cycle_goes_from_visitor_to_ambassador(profiling: Purpose) -> None:
    nobody, visitor, asking, known, once, returning, new, ambassador = (
        CustomerFactory(kind="former", registered_on=TODAY - 400 * DAY) for _n in range(8)
    )
    did(visitor, "page_view", 3)
    did(asking, "page_view", 3)
    did(asking, "click", 1)
    Customer.objects.filter(pk=known.pk).update(kind="newsletter")
    ConsentFactory(customer=known, purpose=profiling)  # a contact is profiled with a yes only
    did(once, "loan", 1)
    FactFactory(customer=once, kind="loan", occurred_at=NOW - DAY)
    did(returning, "loan", 2)
    Customer.objects.filter(pk=ambassador.pk).update(registered_on=TODAY - 730 * DAY)
    did(new, "ticket", 20)
    did(ambassador, "ticket", 20)
    refresh()
    assert [
        labels_of(one, "lifecycle") for one in (nobody, visitor, asking, known, once, returning, new, ambassador)
    ] == [
        [],
        ["lifecycle-visitor"],
        ["lifecycle-prospect"],
        ["lifecycle-prospect"],
        ["lifecycle-once"],
        ["lifecycle-returning"],
        ["lifecycle-returning"],
        ["lifecycle-ambassador"],
    ]


def test_a_running_subscription_is_one_time_at_least() -> None:
    member, ended = CustomerFactory.create_batch(2, kind="former")
    SubscriptionFactory(customer=member, ended_on=TODAY)
    SubscriptionFactory(customer=ended, ended_on=TODAY - DAY)
    refresh()
    assert labels_of(member, "lifecycle") == ["lifecycle-once"]
    assert labels_of(ended, "lifecycle") == []


def test_an_own_kind_of_activity_counts_in_the_life_cycle() -> None:
    KindSetting.objects.create(code="workshop", is_own=True, name="Workshop", verb="bezocht een workshop")
    customer = CustomerFactory(kind="former")
    did(customer, "workshop", 2)
    refresh()
    assert labels_of(customer, "lifecycle") == ["lifecycle-returning"]


def test_the_phases_stand_in_order() -> None:
    refresh()
    phases = Label.objects.filter(group__code="lifecycle").order_by("rank").values_list("code", flat=True)
    assert [code.removeprefix("lifecycle-") for code in phases] == [
        "visitor", "prospect", "once", "returning", "ambassador",
    ]  # fmt: skip


# --- customer value ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cents", "labels"),
    [(0, []), (1, ["value-low"]), (4999, ["value-low"]), (5000, ["value-middle"]), (14_999, ["value-middle"]),
     (15_000, ["value-high"])],
)  # fmt: skip
def test_customer_value_has_three_classes(cents: int, labels: list[str]) -> None:
    customer = CustomerFactory()
    FactFactory(customer=customer, kind="ticket", amount_cents=cents)
    FactFactory(customer=customer, kind="ticket", amount_cents=99_999, occurred_at=months_ago(24) - DAY)
    FactFactory(customer=customer, kind="redemption", amount_cents=99_999)
    refresh()
    assert labels_of(customer, "value") == labels


# --- loyalty ----------------------------------------------------------------------------------------------------------


def signs_of(customer: Customer) -> tuple[list[str], list[str]]:
    return labels_of(customer, "loyalty"), labels_of(customer, "loyalty-signs")


def test_who_comes_less_often_than_before_shows_a_sign() -> None:
    fewer, same, seldom = CustomerFactory.create_batch(3)
    for customer, before, recent in ((fewer, 6, 4), (same, 6, 5), (seldom, 3, 1)):
        did(customer, "loan", before, ago=400, step=50)
        did(customer, "loan", recent, ago=5, step=50)
    refresh()
    assert signs_of(fewer) == (["loyalty-watch"], ["loyalty-seldom"])
    assert signs_of(same) == signs_of(seldom) == ([], [])


def test_who_pays_half_of_what_he_did_shows_a_sign() -> None:
    half, more, little = CustomerFactory.create_batch(3)
    for customer, before, recent in ((half, 2000, 1000), (more, 2000, 1001), (little, 1999, 0)):
        FactFactory(customer=customer, kind="fee", amount_cents=before, occurred_at=NOW - 400 * DAY)
        FactFactory(customer=customer, kind="fee", amount_cents=recent)
    refresh()
    assert signs_of(half) == (["loyalty-watch"], ["loyalty-less"])
    assert signs_of(more) == signs_of(little) == ([], [])


@pytest.mark.parametrize(
    ("step", "silent", "is_sign"), [(30, 90, False), (30, 91, True), (10, 60, False), (10, 61, True)]
)
def test_who_is_silent_for_three_times_his_rhythm_shows_a_sign(step: int, silent: int, is_sign: bool) -> None:
    customer = CustomerFactory()
    did(customer, "loan", 4, ago=silent, step=step)
    refresh()
    assert signs_of(customer) == ((["loyalty-watch"], ["loyalty-silent"]) if is_sign else ([], []))


def test_signs_together_make_it_worse() -> None:
    two, three = CustomerFactory.create_batch(2)
    for customer in (two, three):
        did(customer, "loan", 8, ago=380, step=20)
    FactFactory(customer=three, kind="fee", amount_cents=5000, occurred_at=NOW - 400 * DAY)
    refresh()
    assert signs_of(two) == (["loyalty-declining"], ["loyalty-seldom", "loyalty-silent"])
    assert signs_of(three) == (["loyalty-critical"], ["loyalty-less", "loyalty-seldom", "loyalty-silent"])


# --- sectors ----------------------------------------------------------------------------------------------------------


def test_each_sector_the_sources_name_has_a_label() -> None:
    both, web, late = CustomerFactory.create_batch(3)
    FactFactory(customer=both, sector="Museum")
    FactFactory(customer=both, sector="cursus & workshop")
    FactFactory(customer=web, kind="page_view", sector="website")
    FactFactory(customer=late, sector="museum", occurred_at=months_ago(24) - DAY)
    refresh()
    assert labels_of(both, "sectors") == ["with-cursus-workshop", "with-museum"]
    assert labels_of(web, "sectors") == labels_of(late, "sectors") == []
