"""Each kind of trigger: on which day it concerns whom."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import translation

from campaigns.models import Trigger
from campaigns.triggers import describe, trigger_kinds
from common.errors import Refused
from common.time import AMSTERDAM, start_of_day
from customers.models import Customer
from labels.actions import create_group, create_label
from selections.models import Membership, Selection
from tests.factories import CustomerFactory, FactFactory, SubscriptionFactory, WorldFactory

pytestmark = pytest.mark.django_db

LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def reached(kind_code: str, day: dt.date, *, after: dt.datetime = LONG_AGO, **params: Any) -> set[Customer]:
    trigger = trigger_kinds[kind_code]
    now = start_of_day(day) + dt.timedelta(hours=8)
    return set(trigger.candidates(trigger.clean(params), day=day, now=now, after=after))


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


@pytest.mark.parametrize(
    ("born", "day", "days_before", "ages", "is_reached"),
    [
        ("1980-03-14", "2026-03-14", 0, "", True),
        ("1980-03-14", "2026-03-13", 0, "", False),
        ("1980-03-14", "2026-03-07", 7, "", True),
        ("1980-03-14", "2026-03-14", 7, "", False),
        # over the turn of the year
        ("1980-01-03", "2026-12-27", 7, "", True),
        # 29 February: on the 28th in common years, on the day itself in leap years
        ("2004-02-29", "2026-02-28", 0, "", True),
        ("2004-02-29", "2026-03-01", 0, "", False),
        ("2004-02-29", "2028-02-28", 0, "", False),
        ("2004-02-29", "2028-02-29", 0, "", True),
        ("2004-02-28", "2028-02-29", 0, "", False),
        ("2004-02-28", "2026-02-28", 0, "", True),
        ("2004-02-29", "2026-02-21", 7, "", True),
        # 2100 is no leap year
        ("2004-02-29", "2100-02-28", 0, "", True),
        # certain ages
        ("2008-06-15", "2026-06-15", 0, "18", True),
        ("2007-06-15", "2026-06-15", 0, "18", False),
        ("2008-06-15", "2026-06-08", 7, "12, 18", True),
        ("2008-02-29", "2026-02-28", 0, "18", True),
        ("2008-02-29", "2026-02-28", 0, "17", False),
        # a newborn has no birthday yet
        ("2026-06-15", "2026-06-15", 0, "", False),
    ],
)
def test_birthday(born: str, day: str, days_before: int, ages: str, is_reached: bool) -> None:
    customer = CustomerFactory(birth_date=dt.date.fromisoformat(born))
    CustomerFactory(birth_date=None)
    found = reached("birthday", dt.date.fromisoformat(day), days_before=days_before, ages=ages)
    assert found == ({customer} if is_reached else set())


@pytest.mark.parametrize(
    ("started", "day", "years", "is_reached"),
    [
        ("2016-06-15", "2026-06-15", "10", True),
        ("2016-06-15", "2026-06-14", "10", False),
        ("2016-06-15", "2026-06-15", "5, 10, 25", True),
        ("2016-06-15", "2026-06-15", "5", False),
        ("2016-06-15", "2026-06-15", "", True),
        ("2026-06-15", "2026-06-15", "", False),
        ("2016-02-29", "2026-02-28", "10", True),
        ("2016-02-29", "2028-02-28", "12", False),
        ("2016-02-29", "2028-02-29", "12", True),
    ],
)
@pytest.mark.parametrize("counted_from", ["subscription", "registration"])
def test_years_of_membership(started: str, day: str, years: str, is_reached: bool, counted_from: str) -> None:
    start = dt.date.fromisoformat(started)
    other = dt.date(1999, 9, 9)
    customer = CustomerFactory(registered_on=start if counted_from == "registration" else other)
    SubscriptionFactory(customer=customer, started_on=start if counted_from == "subscription" else other)
    found = reached("membership_years", dt.date.fromisoformat(day), years=years, counted_from=counted_from)
    assert found == ({customer} if is_reached else set())


def test_years_of_membership_count_from_the_first_subscription_not_from_a_later_one() -> None:
    customer = CustomerFactory()
    SubscriptionFactory(customer=customer, started_on=dt.date(2010, 1, 1), ended_on=dt.date(2016, 6, 14))
    SubscriptionFactory(customer=customer, started_on=dt.date(2016, 6, 15))
    day = dt.date(2026, 6, 15)
    assert reached("membership_years", day, years="10", counted_from="subscription") == set()
    assert reached("membership_years", dt.date(2026, 1, 1), years="", counted_from="subscription") == {customer}


def test_years_of_membership_are_not_counted_for_who_is_no_member_any_more() -> None:
    gone = CustomerFactory(kind="former", registered_on=dt.date(2016, 6, 15))
    SubscriptionFactory(customer=gone, started_on=dt.date(2016, 6, 15), ended_on=dt.date(2026, 6, 14))
    day = dt.date(2026, 6, 15)
    assert reached("membership_years", day, years="10", counted_from="subscription") == set()
    assert reached("membership_years", day, years="10", counted_from="registration") == set()


@pytest.mark.parametrize(
    ("occurred", "day", "days", "is_reached"),
    [
        ("2026-06-14T12:00", "2026-06-15", 1, True),
        # the edges of the Amsterdam day, in summer and in winter
        ("2026-06-14T00:00", "2026-06-15", 1, True),
        ("2026-06-14T23:59:59", "2026-06-15", 1, True),
        ("2026-06-13T23:59:59", "2026-06-15", 1, False),
        ("2026-06-15T00:00", "2026-06-15", 1, False),
        ("2026-01-14T00:00", "2026-01-15", 1, True),
        ("2026-01-13T23:59:59", "2026-01-15", 1, False),
        # days of 23 and of 25 hours
        ("2026-03-29T00:00", "2026-03-30", 1, True),
        ("2026-03-29T23:59:59", "2026-03-30", 1, True),
        ("2026-03-28T23:59:59", "2026-03-30", 1, False),
        ("2026-10-25T00:00", "2026-10-26", 1, True),
        ("2026-10-25T23:59:59", "2026-10-26", 1, True),
        ("2026-10-26T00:00", "2026-10-26", 1, False),
        ("2026-03-16T12:00", "2026-06-14", 90, True),
    ],
)
def test_days_after_a_fact(occurred: str, day: str, days: int, is_reached: bool) -> None:
    customer = CustomerFactory()
    FactFactory(customer=customer, occurred_at=moment(occurred))
    FactFactory(customer=CustomerFactory(), kind="ticket", occurred_at=moment(occurred))
    found = reached("fact_days_ago", dt.date.fromisoformat(day), kind="loan", days=days, which="each")
    assert found == ({customer} if is_reached else set())


def test_first_each_and_last_time_of_a_fact_differ() -> None:
    customer = CustomerFactory()
    for day in ("2026-06-01T10:00", "2026-06-05T10:00", "2026-06-05T16:00", "2026-06-09T10:00"):
        FactFactory(customer=customer, occurred_at=moment(day))

    def days_reached(which: str) -> list[int]:
        days = [dt.date(2026, 6, number) for number in range(1, 20)]
        return [day.day for day in days if reached("fact_days_ago", day, kind="loan", days=5, which=which)]

    assert days_reached("each") == [6, 10, 14]
    assert days_reached("first") == [6]
    assert days_reached("last") == [14]


def test_a_fact_is_narrowed_by_world_and_sector_and_first_means_first_in_that_world() -> None:
    WorldFactory(code="reizen")
    WorldFactory(code="spanning")
    customer = CustomerFactory()
    FactFactory(customer=customer, occurred_at=moment("2026-06-01T10:00"), world="spanning", sector="library")
    FactFactory(customer=customer, occurred_at=moment("2026-06-05T10:00"), world="reizen", sector="library")

    def reached_on_the_sixth(**where: str) -> set[Customer]:
        return reached("fact_days_ago", dt.date(2026, 6, 6), kind="loan", days=1, which="first", **where)

    assert reached_on_the_sixth(world="reizen") == {customer}
    assert reached_on_the_sixth(world="spanning") == set()
    assert reached_on_the_sixth() == set()
    assert reached_on_the_sixth(world="reizen", sector="theatre") == set()


@pytest.mark.parametrize(
    ("kind", "days", "ended", "day", "is_reached"),
    [
        ("subscription_ends", 30, "2026-07-15", "2026-06-15", True),
        ("subscription_ends", 30, "2026-07-16", "2026-06-15", False),
        ("subscription_ends", 0, "2026-06-15", "2026-06-15", True),
        ("subscription_ended", 30, "2026-05-16", "2026-06-15", True),
        ("subscription_ended", 30, "2026-05-15", "2026-06-15", False),
        ("subscription_ended", 1, "2024-02-29", "2024-03-01", True),
    ],
)
def test_end_of_a_subscription(kind: str, days: int, ended: str, day: str, is_reached: bool) -> None:
    customer = CustomerFactory()
    SubscriptionFactory(customer=customer, ended_on=dt.date.fromisoformat(ended))
    SubscriptionFactory()
    found = reached(kind, dt.date.fromisoformat(day), days=days)
    assert found == ({customer} if is_reached else set())


@pytest.mark.parametrize(
    ("started", "ended", "day", "is_reached"),
    [
        ("2026-05-16", None, "2026-06-15", True),
        ("2026-05-17", None, "2026-06-15", False),
        ("2026-05-16", "2026-06-15", "2026-06-15", True),
        ("2026-05-16", "2026-06-14", "2026-06-15", False),
    ],
)
def test_start_of_a_subscription(started: str, ended: str | None, day: str, is_reached: bool) -> None:
    subscription = SubscriptionFactory(
        started_on=dt.date.fromisoformat(started), ended_on=dt.date.fromisoformat(ended) if ended else None
    )
    found = reached("subscription_started", dt.date.fromisoformat(day), days=30, which="first")
    assert found == ({subscription.customer} if is_reached else set())


def test_a_second_subscription_is_not_the_first() -> None:
    customer = CustomerFactory()
    SubscriptionFactory(customer=customer, started_on=dt.date(2020, 1, 1), ended_on=dt.date(2026, 5, 15))
    SubscriptionFactory(customer=customer, started_on=dt.date(2026, 5, 16))
    assert reached("subscription_started", dt.date(2026, 6, 15), days=30, which="first") == set()
    assert reached("subscription_started", dt.date(2026, 6, 15), days=30, which="each") == {customer}


@pytest.mark.parametrize(
    ("started", "ended"), [("2026-07-16", None), ("2026-07-01", "2027-07-01"), ("2020-01-01", None)]
)
def test_a_renewed_subscription_does_not_end(started: str, ended: str | None) -> None:
    customer = CustomerFactory()
    SubscriptionFactory(customer=customer, started_on=dt.date(2025, 7, 16), ended_on=dt.date(2026, 7, 15))
    SubscriptionFactory(
        customer=customer,
        started_on=dt.date.fromisoformat(started),
        ended_on=dt.date.fromisoformat(ended) if ended else None,
    )
    assert reached("subscription_ends", dt.date(2026, 6, 15), days=30) == set()
    assert reached("subscription_ended", dt.date(2026, 8, 14), days=30) == set()


def test_entering_a_selection_takes_those_who_came_in_since_the_previous_run() -> None:
    selection = Selection.objects.create(name="Ouders", created_at=LONG_AGO, updated_at=LONG_AGO)
    day, after = dt.date(2026, 6, 15), moment("2026-06-14T08:00")
    fresh, known, gone, baseline = (CustomerFactory() for _number in range(4))
    morning = moment("2026-06-15T08:00")
    stays = [(fresh, morning, None, False), (known, after, None, False), (gone, morning, morning, False)]
    for customer, since, until, is_baseline in [*stays, (baseline, morning, None, True)]:
        Membership.objects.create(
            selection=selection, customer=customer, since=since, until=until, is_baseline=is_baseline
        )
    assert reached("enters_selection", day, after=after, selection=selection.pk) == {fresh}


@pytest.mark.parametrize(
    ("kind", "params", "field"),
    [
        ("birthday", {"days_before": -1}, "days_before"),
        ("birthday", {"days_before": 0, "ages": "achttien"}, "ages"),
        ("birthday", {"days_before": 0, "ages": "0"}, "ages"),
        ("birthday", {"days_before": 0, "ages": "999"}, "ages"),
        ("birthday", {}, "days_before"),
        ("membership_years", {"years": "5;x", "counted_from": "subscription"}, "years"),
        ("membership_years", {"years": "5", "counted_from": "birth"}, "counted_from"),
        ("fact_days_ago", {"kind": "dance", "days": 1, "which": "each"}, "kind"),
        ("fact_days_ago", {"kind": "loan", "days": 0, "which": "each"}, "days"),
        ("fact_days_ago", {"kind": "loan", "days": 1, "which": "each", "world": "nergens"}, "world"),
        ("enters_selection", {"selection": 987654}, "selection"),
        ("subscription_ended", {"days": 0}, "days"),
    ],
)
def test_wrong_settings_are_refused_with_the_name_of_the_field(kind: str, params: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refusal:
        trigger_kinds[kind].clean(params)
    assert refusal.value.field == field


@pytest.mark.parametrize("kind", [kind.code for kind in trigger_kinds])
def test_clean_settings_are_json_and_stay_the_same_when_cleaned_again(kind: str) -> None:
    selection = Selection.objects.create(name="Ouders", created_at=LONG_AGO, updated_at=LONG_AGO)
    create_label(name="Tree", kind="own", group=create_group(name="Trap", is_exclusive=True), now=LONG_AGO)
    given = {
        "birthday": {"days_before": "7", "ages": "18; 12,18"},
        "membership_years": {"years": "25,5", "counted_from": "registration"},
        "fact_days_ago": {"kind": "loan", "days": "30", "which": "last"},
        "enters_selection": {"selection": str(selection.pk)},
        "label_move": {"label_group": "trap", "from_label": "", "to_label": "~none", "with_recounts": "on"},
        "subscription_started": {"days": "30", "which": "each"},
        "subscription_ends": {"days": "30"},
        "subscription_ended": {"days": "30"},
    }[kind]
    params = trigger_kinds[kind].clean(given)
    trigger = Trigger(name="Proef", kind=kind, params=params)
    trigger.params = Trigger._meta.get_field("params").clean(params, trigger)
    assert trigger_kinds[kind].clean(params) == params
    assert params.get("ages", [12, 18]) == [12, 18]
    assert params.get("years", [5, 25]) == [5, 25]


@pytest.mark.parametrize(
    ("kind", "params", "missed", "useful_until"),
    [
        ("birthday", {"days_before": 0, "ages": ""}, dt.date(2026, 6, 15), dt.date(2026, 6, 15)),
        ("birthday", {"days_before": 3, "ages": ""}, dt.date(2026, 6, 15), dt.date(2026, 6, 18)),
        ("subscription_ends", {"days": 2}, dt.date(2026, 6, 15), dt.date(2026, 6, 17)),
        ("subscription_ended", {"days": 2}, dt.date(2026, 6, 15), None),
        ("fact_days_ago", {"kind": "loan", "days": 1, "which": "each"}, dt.date(2026, 6, 15), None),
        ("membership_years", {"years": "", "counted_from": "subscription"}, dt.date(2026, 6, 15), None),
    ],
)
def test_a_missed_day_is_useful_as_long_as_the_occasion_lies_ahead(
    kind: str, params: dict[str, Any], missed: dt.date, useful_until: dt.date | None
) -> None:
    trigger = trigger_kinds[kind]
    clean = trigger.clean(params)
    days = [missed + dt.timedelta(days=number) for number in range(8)]
    useful = [day for day in days if trigger.is_useful(clean, day=missed, today=day)]
    assert useful == [day for day in days if useful_until is None or day <= useful_until]


def test_triggers_are_described_in_words_with_one_query(django_assert_num_queries: Any) -> None:
    selection = Selection.objects.create(name="Ouders", created_at=LONG_AGO, updated_at=LONG_AGO)
    settings: dict[str, dict[str, Any]] = {
        "birthday": {"days_before": 7, "ages": [18]},
        "membership_years": {"years": [10], "counted_from": "subscription"},
        "fact_days_ago": {"kind": "loan", "days": 30, "which": "first", "world": "", "sector": ""},
        "enters_selection": {"selection": selection.pk},
        "subscription_started": {"days": 30, "which": "first"},
        "subscription_ends": {"days": 1},
        "subscription_ended": {"days": 30},
    }
    triggers = [
        Trigger(pk=number, kind=kind, params=params) for number, (kind, params) in enumerate(settings.items(), 1)
    ]
    with translation.override("en"), django_assert_num_queries(1):
        words = list(describe([*triggers, Trigger(pk=99, kind="gone", params={})]).values())
    assert words == [
        "7 days before the birthday, for those who turn 18",
        "10 years after the start of the first subscription",
        "30 days after: loan (only the first time ever)",
        "when somebody enters the selection “Ouders”",
        "30 days after the start (only the first subscription ever)",
        "1 day before the subscription ends",
        "30 days after the subscription ended",
        "gone",
    ]
