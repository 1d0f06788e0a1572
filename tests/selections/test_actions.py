from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User

from common.errors import Refused
from customers.models import Customer
from labels.actions import create_label, give_label, take_label
from labels.models import Label
from selections.actions import (
    change_selection,
    count_selection,
    create_selection,
    delete_selection,
    refresh_memberships,
    unwatch_selection,
    watch_selection,
)
from selections.models import Membership, Selection
from tests.factories import CustomerFactory
from tests.selections.test_rules import MEMBERS, rule

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def in_selection(selection: Selection) -> dict[str, Any]:
    return rule({"criterion": "selections.in", "params": {"selection": selection.pk}})


def test_a_selection_keeps_its_rule_owner_and_history(marketeer: User, now: dt.datetime) -> None:
    selection = create_selection(name=" Leden ", rule=rule(MEMBERS), description="Alle", by=marketeer, now=now)
    selection = Selection.objects.get(pk=selection.pk)
    assert (selection.name, selection.owner, selection.rule) == ("Leden", marketeer, rule(MEMBERS))
    [event] = selection.events.all()  # type: ignore[attr-defined]
    assert event.pgh_label == "insert"
    assert event.pgh_context.metadata["user"] == marketeer.pk


def test_counting_is_kept_and_is_no_history(now: dt.datetime) -> None:
    CustomerFactory.create_batch(3)
    CustomerFactory(kind="prospect")
    selection = create_selection(name="Leden", rule=rule(MEMBERS), now=now)
    assert count_selection(selection, now=now) == 3
    selection.refresh_from_db()
    assert (selection.last_count, selection.counted_at) == (3, now)
    assert selection.events.count() == 1  # type: ignore[attr-defined]


def test_another_rule_makes_the_count_worthless_and_the_same_rule_does_not(now: dt.datetime) -> None:
    selection = create_selection(name="Leden", rule=rule(MEMBERS), now=now)
    count_selection(selection, now=now)
    change_selection(selection, name="Alle leden", rule=rule(MEMBERS), now=now + DAY)
    assert selection.last_count == 0
    change_selection(selection, rule=rule(), now=now + DAY)
    selection.refresh_from_db()
    assert (selection.name, selection.last_count, selection.updated_at) == ("Alle leden", None, now + DAY)
    assert selection.events.count() == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "data", "code", "field"),
    [
        ("Leden", rule(), "name_taken", "name"),
        ("  ", rule(), "name_missing", "name"),
        ("Nieuw", {}, "version", "/version"),
        ("Nieuw", rule({"op": "all", "children": [{"criterion": "x"}]}), "unknown_criterion",
         "/children/0/children/0/criterion"),
        ("Nieuw", rule({"criterion": "selections.in", "params": {"selection": 999_999}}), "unknown_selection",
         "/children/0/params/selection"),
        ("Nieuw", rule({"criterion": "labels.has", "params": {"labels": ["weg"]}}), "unknown_label",
         "/children/0/params/labels"),
    ],
)  # fmt: skip
def test_what_cannot_be_saved_says_why_and_where(now: dt.datetime, name: str, data: Any, code: str, field: str) -> None:
    create_selection(name="Leden", rule=rule(), now=now)
    with pytest.raises(Refused) as refused:
        create_selection(name=name, rule=data, now=now)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert Selection.objects.count() == 1


def test_a_circle_of_selections_is_refused(now: dt.datetime) -> None:
    one = create_selection(name="Een", rule=rule(), now=now)
    two = create_selection(name="Twee", rule=in_selection(one), now=now)
    three = create_selection(name="Drie", rule=in_selection(two), now=now)
    for circle in (one, two, three):
        with pytest.raises(Refused) as refused:
            change_selection(one, rule=in_selection(circle), now=now)
        assert refused.value.code == "cycle"
    one.refresh_from_db()
    assert one.rule == rule()


def test_a_selection_in_use_is_not_deleted_and_says_where_it_is_used(now: dt.datetime) -> None:
    one = create_selection(name="Een", rule=rule(), now=now)
    two = create_selection(name="Twee", rule=in_selection(one), now=now)
    with pytest.raises(Refused, match="Twee") as refused:
        delete_selection(one)
    assert refused.value.code == "in_use"
    delete_selection(two)
    delete_selection(one)
    assert not Selection.objects.exists()


def test_deleting_is_in_the_history(marketeer: User, now: dt.datetime) -> None:
    selection = create_selection(name="Een", rule=rule(), now=now)
    events = selection.events.model  # type: ignore[attr-defined]
    delete_selection(selection, by=marketeer)
    last = events.objects.latest("pgh_id")
    assert (last.pgh_label, last.name, last.pgh_context.metadata["user"]) == ("delete", "Een", marketeer.pk)


@pytest.fixture
def red(now: dt.datetime) -> Label:
    return create_label(code="rood", name="Rood", kind="own", now=now)


@pytest.fixture
def watched(red: Label, now: dt.datetime) -> Selection:
    data = rule({"criterion": "labels.has", "params": {"labels": ["rood"]}})
    return create_selection(name="Rode klanten", rule=data, now=now)


def give(label: Label, *customers: Customer, now: dt.datetime) -> None:
    give_label(label, Customer.objects.filter(pk__in=[c.pk for c in customers]), by="test", now=now)


def take(label: Label, *customers: Customer, now: dt.datetime) -> None:
    take_label(label, Customer.objects.filter(pk__in=[c.pk for c in customers]), by="test", now=now)


def stays(selection: Selection) -> list[tuple[int, dt.datetime, dt.datetime | None, bool]]:
    memberships = Membership.objects.filter(selection=selection).order_by("id")
    return list(memberships.values_list("customer_id", "since", "until", "is_baseline"))


def test_who_is_in_when_the_watching_begins_did_not_enter(red: Label, watched: Selection, now: dt.datetime) -> None:
    early, late = CustomerFactory.create_batch(2)
    give(red, early, now=now)
    watch_selection(watched, now=now)
    watch_selection(watched, now=now + DAY)
    give(red, late, now=now + DAY)
    assert refresh_memberships(now=now + DAY) == {watched.pk: (1, 0)}
    assert stays(watched) == [(early.pk, now, None, True), (late.pk, now + DAY, None, False)]


def test_only_differences_are_written(red: Label, watched: Selection, now: dt.datetime) -> None:
    stayer, leaver, returner = CustomerFactory.create_batch(3)
    watch_selection(watched, now=now)
    give(red, stayer, leaver, returner, now=now)
    assert refresh_memberships(now=now) == {watched.pk: (3, 0)}
    assert refresh_memberships(now=now + DAY) == {watched.pk: (0, 0)}
    take(red, leaver, returner, now=now + 2 * DAY)
    assert refresh_memberships(now=now + 2 * DAY) == {watched.pk: (0, 2)}
    give(red, returner, now=now + 3 * DAY)
    assert refresh_memberships(now=now + 3 * DAY) == {watched.pk: (1, 0)}
    assert sorted(stays(watched)) == sorted(
        [
            (stayer.pk, now, None, False),
            (leaver.pk, now, now + 2 * DAY, False),
            (returner.pk, now, now + 2 * DAY, False),
            (returner.pk, now + 3 * DAY, None, False),
        ]
    )


def test_an_empty_day_does_not_turn_newcomers_into_a_baseline(red: Label, watched: Selection, now: dt.datetime) -> None:
    customer = CustomerFactory()
    watch_selection(watched)
    assert refresh_memberships(now=now) == {watched.pk: (0, 0)}
    give(red, customer, now=now + DAY)
    assert refresh_memberships(now=now + DAY) == {watched.pk: (1, 0)}


def test_who_comes_in_by_a_changed_rule_did_not_enter(red: Label, watched: Selection, now: dt.datetime) -> None:
    member = CustomerFactory()
    watch_selection(watched, now=now)
    watched.refresh_from_db()
    change_selection(watched, rule=rule(MEMBERS), now=now)
    assert refresh_memberships(now=now + DAY) == {watched.pk: (0, 0)}
    assert stays(watched) == [(member.pk, now + DAY, None, True)]


def test_no_longer_watched_is_no_longer_recorded(red: Label, watched: Selection, now: dt.datetime) -> None:
    customer = CustomerFactory()
    give(red, customer, now=now)
    watch_selection(watched, now=now)
    unwatch_selection(watched, now=now + DAY)
    assert stays(watched) == [(customer.pk, now, now + DAY, True)]
    assert refresh_memberships(now=now + 2 * DAY) == {}


def test_one_broken_selection_does_not_stop_the_others(
    red: Label, watched: Selection, now: dt.datetime, caplog: pytest.LogCaptureFixture
) -> None:
    broken = create_selection(name="Kapot", rule=rule(), now=now)
    Selection.objects.filter(pk=broken.pk).update(rule=in_selection(broken), is_watched=True)
    watch_selection(watched, now=now)
    assert refresh_memberships(now=now) == {watched.pk: (0, 0)}
    assert f"selection {broken.pk} is not watched: cycle" in caplog.text
