"""Thresholds: what the organisation sets decides who has a label, in words too, and a preview tells it beforehand."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from common.errors import Refused
from customers.actions.kinds import set_retention
from customers.models import Customer
from labels.actions import refresh_system_labels
from labels.actions.computed import change_thresholds, preview_thresholds
from labels.models import Assignment, Label, ThresholdSetting
from labels.system import Family, families
from tests.factories import NOW, CustomerFactory, FactFactory

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
BORROWING = families["borrowing"]


def set_to(family: Family, **numbers: float) -> dict[str, float]:
    return {**family.limits(), **numbers}


def readers() -> list[Customer]:
    people = CustomerFactory.create_batch(4)
    for customer, loans in zip(people, (3, 8, 12, 40), strict=True):
        FactFactory(customer=customer, quantity=loans)
    return people


def codes() -> dict[int, str]:
    held = Assignment.objects.open().filter(label__group__code="borrowing")
    return dict(held.values_list("customer", "label__code"))


def test_a_preview_tells_what_the_run_does() -> None:
    people = readers()
    refresh_system_labels(now=NOW, due_key="1")
    before = codes()
    numbers = set_to(BORROWING, average=10, heavy=12)
    told = preview_thresholds(BORROWING, numbers=numbers, now=NOW + DAY)
    assert codes() == before
    change_thresholds(BORROWING, numbers=numbers)
    run = refresh_system_labels(now=NOW + DAY, due_key="2")
    after = codes()
    for label in told.labels:
        assert label.added == sum(after[pk] == label.code != before[pk] for pk in after)
        assert label.removed == sum(before[pk] == label.code != after[pk] for pk in after)
    assert (told.added, told.removed) == (run.given_count, run.taken_count) == (2, 2)
    changes = {label.code: label for label in told.labels}
    assert set(changes) == {"borrowing-light", "borrowing-average", "borrowing-heavy"}
    assert list(changes["borrowing-light"].gaining) == [people[1]]
    assert list(changes["borrowing-average"].losing) == people[1:3]


def test_a_preview_of_what_is_set_already_changes_nothing() -> None:
    readers()
    refresh_system_labels(now=NOW, due_key="1")
    for family in families:
        told = preview_thresholds(family, numbers=family.limits(), now=NOW)
        assert (told.labels, told.added, told.removed) == ([], 0, 0), family.code


def test_definitions_in_words_follow_what_is_set() -> None:
    refresh_system_labels(now=NOW, due_key="1")
    change_thresholds(BORROWING, numbers=set_to(BORROWING, average=10, months=18))
    label = Label.objects.get(code="borrowing-light")
    with translation.override("nl"):
        assert label.definition == "1 tot en met 9 uitleningen in 18 maanden."
    refresh_system_labels(now=NOW + DAY, due_key="2")
    assert "9" in Label.objects.get(code="borrowing-light").description


def test_what_is_back_at_what_it_was_is_kept_with_its_history(marketeer: User) -> None:
    change_thresholds(BORROWING, numbers=set_to(BORROWING, heavy=30), by=marketeer)
    change_thresholds(BORROWING, numbers=set_to(BORROWING, heavy=24), by=marketeer)
    setting = ThresholdSetting.objects.get()
    assert (setting.family, setting.code, setting.number) == ("borrowing", "heavy", 24)
    assert [event.number for event in setting.events.order_by("pgh_id")] == [30, 24]  # type: ignore[attr-defined]
    assert setting.events.first().pgh_context.metadata["user"] == marketeer.pk  # type: ignore[attr-defined]


def test_what_was_not_changed_is_not_written() -> None:
    change_thresholds(BORROWING, numbers=BORROWING.limits())
    assert not ThresholdSetting.objects.exists()


@pytest.mark.parametrize(
    ("numbers", "field"),
    [({"average": 1}, "average"), ({"heavy": 6000}, "heavy"), ({"average": 24}, "heavy"), ({"months": 61}, "months")],
)
def test_thresholds_out_of_bounds_or_order_are_refused(numbers: dict[str, float], field: str) -> None:
    with pytest.raises(Refused) as refused:
        change_thresholds(BORROWING, numbers=set_to(BORROWING, **numbers))
    assert refused.value.field == field
    assert not ThresholdSetting.objects.exists()


def test_retention_follows_how_far_back_the_thresholds_look() -> None:
    change_thresholds(BORROWING, numbers=set_to(BORROWING, months=36))
    with pytest.raises(Refused):
        set_retention("loan", months=35, by=None, now=NOW)
    set_retention("loan", months=36, by=None, now=NOW)


def test_every_threshold_starts_within_its_limits_and_every_family_can_be_computed_with_others() -> None:
    readers()
    refresh_system_labels(now=NOW, due_key="1")
    for family in families:
        assert all(one.min <= one.default <= one.max for one in family.thresholds), family.code
        for pick in ("min", "max"):
            numbers = {one.code: getattr(one, pick) for one in family.thresholds}
            with suppress(Refused):  # the largest of all at once are out of order
                preview_thresholds(family, numbers=numbers, now=NOW)


def test_a_preview_counts_no_labels_that_the_run_does_not_make() -> None:
    favourites = families["ticket-favourites"]
    for number in range(61):  # one more than there are labels for
        FactFactory(customer=CustomerFactory(), kind="ticket", genre=f"genre {number}", occurred_at=NOW - DAY)
    refresh_system_labels(now=NOW, due_key="1")
    numbers = {**favourites.limits(), "minimum": 1}
    told = preview_thresholds(favourites, numbers=numbers, now=NOW + DAY)
    change_thresholds(favourites, numbers=numbers)
    run = refresh_system_labels(now=NOW + DAY, due_key="2")
    assert told.added == run.given_count == 60
