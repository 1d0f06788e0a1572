from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.matching.scoring import REASONS, Person, score

ANNA = Person(
    first_name="Anna",
    initials="A.M.",
    name_prefix="de",
    last_name="Vries",
    birth_date=dt.date(1980, 3, 14),
    gender="f",
    postal_code="1441AB",
    house="12",
    emails=frozenset({"anna@example.nl"}),
    phones=frozenset({"+31612345678"}),
)
CERTAIN = 95


def other(**fields: Any) -> Person:
    return dataclasses.replace(ANNA, **fields)


def codes(one: Person, two: Person, **also: Any) -> set[str]:
    return {code for code, _points in score(one, two, **also).reasons}


def test_the_same_in_all_is_certain() -> None:
    assert score(ANNA, ANNA).points == 100
    assert not score(ANNA, ANNA).needs_eyes


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"first_name": "Anne"}, "first_name_alike"),
        ({"first_name": "Anna Maria"}, "first_name_alike"),
        ({"first_name": "Kees"}, "first_name_differs"),
        ({"first_name": "", "initials": "A."}, "initial"),
        ({"first_name": "", "initials": "A.M."}, "initials"),
        ({"first_name": "", "initials": "K."}, "first_name_differs"),
        ({"last_name": "Vriess"}, "last_name_alike"),
        ({"last_name": "Bos-de Vries"}, "last_name_alike"),
        ({"last_name": "Pietersen"}, "last_name_differs"),
        ({"birth_date": dt.date(1980, 3, 15)}, "birth_date_alike"),
        ({"birth_date": dt.date(1952, 11, 2)}, "birth_date_differs"),
        ({"gender": "m"}, "gender_differs"),
        ({"house": "14"}, "postal_code"),
    ],
)
def test_each_difference_has_its_reason(change: dict[str, Any], code: str) -> None:
    assert code in codes(ANNA, other(**change))


def test_a_day_and_month_that_changed_places_are_alike() -> None:
    assert "birth_date_alike" in codes(other(birth_date=dt.date(1980, 4, 3)), other(birth_date=dt.date(1980, 3, 4)))


def test_a_first_of_january_weighs_little() -> None:
    guess = other(birth_date=dt.date(1980, 1, 1))
    assert "birth_date_guess" in codes(guess, guess)


def test_a_prefix_that_one_writes_and_the_other_not_is_no_difference() -> None:
    assert "last_name" in codes(ANNA, other(name_prefix="", last_name="de Vries"))


def test_who_moved_is_found_by_name_and_birth_date() -> None:
    moved = other(postal_code="9712CP", house="3", emails=frozenset(), phones=frozenset())
    assert 60 <= score(ANNA, moved).points < CERTAIN


@pytest.mark.parametrize(
    "relative",
    [
        other(first_name="Joris", gender="m"),  # a twin: same birth date, home, parent's e-mail and phone
        other(first_name="Anne"),  # twins with names alike
        other(first_name="", initials="A.", birth_date=None),
        other(first_name="Kees", birth_date=dt.date(2015, 6, 1)),  # a child with the parent's address
        other(birth_date=dt.date(1950, 1, 30)),  # a mother after whom the daughter was named
    ],
)
def test_family_is_never_certain(relative: Person) -> None:
    found = score(ANNA, relative)
    assert found.points < CERTAIN or found.needs_eyes


def test_two_numbers_in_one_system_are_for_a_person_to_judge() -> None:
    assert score(ANNA, ANNA, same_source=True).needs_eyes
    assert score(ANNA, ANNA, same_source=True).points == 100


def test_an_address_that_many_use_weighs_little() -> None:
    shared = other(shared=ANNA.emails)
    assert codes(shared, ANNA) & {"email", "email_shared"} == {"email_shared"}


NAMES = st.sampled_from(["", "Anna", "anna ", "Joris", "A", "de Vries", "Vries-Bos", "Jansen", "Janssen", "É."])
PEOPLE = st.builds(
    Person,
    first_name=NAMES,
    initials=NAMES,
    name_prefix=st.just(""),
    last_name=NAMES,
    birth_date=st.none() | st.dates(dt.date(1980, 1, 1), dt.date(1980, 2, 5)),
    gender=st.sampled_from(["", "f", "m", "x"]),
    postal_code=st.sampled_from(["", "1441AB"]),
    house=st.sampled_from(["", "1", "1a"]),
    emails=st.frozensets(st.sampled_from(["a@x.nl", "b@x.nl"])),
    phones=st.frozensets(st.sampled_from(["+31612345678"])),
)


@given(PEOPLE, PEOPLE)
def test_it_does_not_matter_who_comes_first(one: Person, two: Person) -> None:
    found, turned = score(one, two), score(two, one)
    assert (found.points, sorted(found.reasons)) == (turned.points, sorted(turned.reasons))
    assert 0 <= found.points <= 100
    assert all(points == REASONS[code][0] for code, points in found.reasons)
