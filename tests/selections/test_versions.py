"""Versions of a selection count on, however many there are."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User

from common.errors import Refused
from selections.actions import change_selection, create_selection, move_selection, restore_version, save_folder
from selections.models import Selection
from selections.versions import MOST, version_of, versions_of
from tests.factories import NOW
from tests.selections.test_rules import MEMBERS, rule

pytestmark = pytest.mark.django_db

MANY = 2 * MOST + 5
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def often_changed(marketeer: User) -> Selection:
    selection = create_selection(name="Leden", rule=rule(MEMBERS), description="1", by=marketeer, now=NOW)
    for number in range(2, MANY + 1):
        change_selection(selection, description=str(number), by=marketeer, now=NOW + number * MINUTE)
    return selection


def test_numbers_go_on_counting_and_older_versions_are_read_by_number(often_changed: Selection) -> None:
    latest = versions_of(often_changed)
    assert [one.number for one in latest] == list(range(MANY, MANY - MOST, -1))
    assert all(one.description == str(one.number) and one.changed for one in latest)
    assert [one.number for one in latest if one.is_present] == [MANY]
    before = versions_of(often_changed, before=latest[-1].number)
    assert [one.number for one in before] == list(range(MANY - MOST, MANY - 2 * MOST, -1))
    first = versions_of(often_changed, before=before[-1].number)
    assert [one.number for one in first] == [5, 4, 3, 2, 1]
    assert [bool(one.changed) for one in first] == [True] * 4 + [False]
    assert not any(one.is_present for one in [*before, *first])
    assert versions_of(often_changed, before=1) == []
    assert versions_of(often_changed, before=10 * MANY) == latest


def test_what_makes_no_version_takes_no_number(often_changed: Selection) -> None:
    move_selection(often_changed, folder=save_folder(None, name="Jeugd", now=NOW), now=NOW)
    assert versions_of(often_changed)[0].number == MANY


def test_an_old_version_is_found_and_restored(often_changed: Selection, marketeer: User) -> None:
    oldest = versions_of(often_changed, before=4)[-1]
    found = version_of(often_changed, oldest.key)
    assert (found.number, found.description, found.is_present) == (1, "1", False)
    second = version_of(often_changed, versions_of(often_changed, before=3)[0].key)
    assert (second.number, second.changed) == (2, versions_of(often_changed, before=3)[0].changed)
    restored = restore_version(often_changed, key=oldest.key, by=marketeer, now=NOW + MANY * MINUTE)
    assert restored.description == "1"
    assert versions_of(restored)[0].number == MANY + 1
    with pytest.raises(Refused):
        version_of(often_changed, 0)
