from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from common.errors import Refused
from customers.actions import matching
from customers.actions.matching import (
    change_match_settings,
    decide_pair,
    match_changed,
    match_customers,
    reopen_pair,
)
from customers.actions.merging import merge_customers, undo_merge
from customers.matching.blocking import BUILDING
from customers.models import Customer, Guardianship, MatchPair, MatchSettings, Merge, SourceRecord
from customers.tasks import match_nightly
from tests.factories import NOW, CustomerFactory, SourceFactory
from wise_marketing.celery import app

pytestmark = pytest.mark.django_db

EVERYBODY = "SELECT id FROM customers_customer"
ALIKE = {"first_name": "Anna", "last_name": "de Vries", "postal_code": "1441AB", "house_number": "12"}


def person(source: str = "library", email: str = "anna@example.nl", **fields: Any) -> Customer:
    """Somebody with a record of a source."""
    customer = CustomerFactory(**{**ALIKE, **fields}, email=email, source=SourceFactory(code=source))
    SourceRecord.objects.create(
        source=customer.source, key=customer.number, customer=customer, created_at=NOW, updated_at=NOW,
        values={"kind": customer.kind, "first_name": customer.first_name, "last_name": customer.last_name,
                "postal_code": customer.postal_code, "house_number": customer.house_number, "city": customer.city,
                "street": customer.street, "birth_date": str(customer.birth_date or ""), "email": email},
    )  # fmt: skip
    return customer


def match(**values: Any) -> tuple[int, int]:
    done = match_customers(EVERYBODY, now=NOW, **values)
    return done.possible, done.merged


def test_who_is_certainly_one_merges_and_the_member_is_kept() -> None:
    visitor = person("theatre", kind="prospect")
    member = person("library")
    assert match() == (0, 1)
    visitor.refresh_from_db()
    assert visitor.merged_into == member
    assert MatchPair.objects.get().state == "merged"
    assert Merge.objects.get().merged_by == "system"


def test_two_numbers_of_one_system_wait_for_a_person() -> None:
    person(), person()
    assert match() == (1, 0)
    assert MatchPair.objects.get().score == 100


def test_nothing_merges_by_itself_when_staff_switched_that_off(marketeer: User) -> None:
    change_match_settings(possible_from=60, certain_from=90, merges_itself=False, by=marketeer)
    person("theatre"), person()
    assert match() == (1, 0)


def test_thresholds_decide_what_is_shown(marketeer: User) -> None:
    person(), person("theatre", email="", postal_code="9712CP", street="x")
    change_match_settings(possible_from=90, certain_from=95, merges_itself=True, by=marketeer)
    assert match() == (0, 0)
    change_match_settings(possible_from=60, certain_from=95, merges_itself=True, by=marketeer)
    assert match() == (1, 0)
    change_match_settings(possible_from=60, certain_from=80, merges_itself=True, by=marketeer)
    assert match() == (0, 1)
    with pytest.raises(Refused):
        change_match_settings(possible_from=80, certain_from=60, merges_itself=True, by=marketeer)


@pytest.mark.parametrize(
    "shared",
    [
        {"email": "anna@example.nl", "postal_code": "", "last_name": "Vries"},
        {"email": "", "phone": "+31612345678", "postal_code": ""},
        {"email": "", "last_name": "de Vriess"},
        {"email": "", "postal_code": "9712CP", "last_name": "de Vriess"},
        {"email": "", "house_number": "99", "birth_date": None},
    ],
)
def test_each_block_finds_its_pairs(shared: dict[str, Any], marketeer: User) -> None:
    change_match_settings(possible_from=40, certain_from=100, merges_itself=False, by=marketeer)
    person(phone="+31612345678")
    person("theatre", **shared)
    assert match() == (1, 0)


def test_a_crowd_with_one_address_says_nothing() -> None:
    for number in range(22):
        person(
            email="school@example.nl",
            last_name=f"Naam{number}",
            postal_code="",
            birth_date=dt.date(2012, 1, 2 + number),
        )
    assert match_customers(EVERYBODY, now=NOW).compared == 0


def test_children_with_their_mothers_address_are_not_shown() -> None:
    mother = person(birth_date=dt.date(1980, 3, 14))
    person(first_name="Joris", birth_date=dt.date(2016, 5, 1))
    twin = person(first_name="Tim", birth_date=dt.date(2018, 5, 1))
    person(first_name="Tom", birth_date=dt.date(2018, 5, 1))
    Guardianship.objects.create(child=twin, guardian=mother, source=mother.source, created_at=NOW)
    assert match() == (0, 0)


def test_a_parent_with_the_same_name_is_not_compared() -> None:
    mother, daughter = person(), person("theatre", birth_date=None)
    Guardianship.objects.create(child=daughter, guardian=mother, source=mother.source, created_at=NOW)
    assert match_customers(EVERYBODY, now=NOW).compared == 0


def test_not_the_same_person_is_remembered_until_somebody_reopens_it(marketeer: User) -> None:
    person(), person()
    match()
    pair = MatchPair.objects.get()
    decide_pair(pair, is_same=False, by=marketeer, now=NOW)
    assert match() == (0, 0)
    pair.refresh_from_db()
    assert (pair.state, pair.decided_by) == ("different", "marketeer")
    with pytest.raises(Refused):
        decide_pair(pair, is_same=True, by=marketeer, now=NOW)
    reopen_pair(pair, by=marketeer)
    with pytest.raises(Refused):
        reopen_pair(pair, by=marketeer)
    assert match() == (1, 0)


def test_what_was_judged_of_somebody_holds_for_who_took_him_up(marketeer: User) -> None:
    first, second, third = person(), person(), person()
    match()
    different = MatchPair.objects.get(first=first, second=second)
    decide_pair(different, is_same=False, by=marketeer, now=NOW)
    merge_customers(third, second, by=marketeer, now=NOW)
    MatchPair.objects.filter(first=first, second=third).delete()
    assert match() == (0, 0)


def test_an_undone_merge_does_not_come_back_by_itself() -> None:
    person(), person("theatre")
    assert match() == (0, 1)
    undo_merge(Merge.objects.get(), by="Mia", now=NOW)
    assert match() == (0, 0)
    assert Customer.objects.count() == 2


def test_a_pair_goes_when_the_data_no_longer_say_so() -> None:
    _first, second = person(), person()
    match()
    Customer.objects.filter(pk=second.pk).update(first_name="Kees", birth_date=dt.date(1950, 1, 2))
    second.contact_points.all().delete()
    assert match_customers("SELECT %(id)s", {"id": second.pk}, now=NOW).possible == 0
    assert not MatchPair.objects.exists()


def test_three_records_of_one_person_become_one() -> None:
    for source in ("library", "theatre", "website"):
        person(source)
    assert match()[1] == 2
    assert Customer.objects.count() == 1
    assert set(Customer.everyone.exclude(merged_into=None).values_list("merged_into", flat=True)) == {
        Customer.objects.get().pk
    }


def test_merging_passes_open_pairs_on_to_who_is_kept(marketeer: User) -> None:
    first, second, third = person(), person(), person()
    match()
    MatchPair.objects.filter(first=first, second=third).delete()
    merge_customers(first, second, by=marketeer, now=NOW)
    assert MatchPair.objects.get(state="open", first__merged_into=None, second__merged_into=None).second == third
    assert MatchPair.objects.filter(first=first, second=third).exists()


def test_who_is_restricted_is_left_alone() -> None:
    person(), person("theatre", restricted_at=NOW)
    assert match_customers(EVERYBODY, now=NOW).compared == 0


def test_the_nightly_run_looks_at_who_changed_since() -> None:
    person(updated_at=NOW), person("theatre", updated_at=NOW)
    assert match_changed(now=NOW).merged == 1
    assert MatchSettings.objects.get().matched_at == NOW
    tomorrow = NOW + dt.timedelta(days=1)
    late = person("website")
    Customer.everyone.update(updated_at=NOW - dt.timedelta(days=2))
    assert match_changed(now=tomorrow).compared == 0
    Customer.objects.filter(pk=late.pk).update(updated_at=tomorrow)
    assert match_changed(now=tomorrow).merged == 1


def test_which_of_two_is_kept_is_for_staff_to_say(marketeer: User) -> None:
    first, second = person(), person()
    match()
    with pytest.raises(Refused):
        decide_pair(MatchPair.objects.get(), is_same=True, kept=person(), by=marketeer, now=NOW)
    merge = decide_pair(MatchPair.objects.get(), is_same=True, kept=second, by=marketeer, now=NOW)
    assert merge is not None
    assert (merge.kept, merge.absorbed, merge.user) == (second, first, marketeer)


def test_the_task_of_the_night_merges_what_is_certain() -> None:
    person(), person("theatre")
    assert match_nightly() == 1
    assert match_nightly() == 0


def test_a_building_full_of_people_is_not_compared_house_by_house() -> None:
    """Otherwise an institution with thousands at one number costs the square of that."""
    for number in range(BUILDING + 1):
        CustomerFactory(**ALIKE | {"first_name": f"An{number}", "birth_date": None})
    assert match_customers(EVERYBODY, now=NOW).compared == 0
    Customer.objects.filter(first_name="An0").delete()
    assert match_customers(EVERYBODY, now=NOW).compared > BUILDING


def test_a_second_run_of_matching_comes_back_later_instead_of_waiting() -> None:
    person(), person("theatre")
    with app.pool.acquire(block=True) as broker, closing(connection.copy()) as other:
        waiting = broker.default_channel.client
        before = waiting.llen("celery")
        other.cursor().execute("SELECT pg_advisory_lock(%s)", [matching._LOCK])
        assert match_nightly() == 0
        assert match_nightly() == 0  # once for however many come back
        assert waiting.llen("celery") == before + 1
        assert not Merge.objects.exists()
        # not left to the end of the connection, which comes a moment after it was closed
        other.cursor().execute("SELECT pg_advisory_unlock(%s)", [matching._LOCK])
    assert match_nightly() == 1
