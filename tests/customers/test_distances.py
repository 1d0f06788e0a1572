"""Who lives near a branch: coordinates come in, and distances are right."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from common.criteria import criteria
from common.errors import Refused
from customers.actions import run_import, undo_import
from customers.actions.places import place_branch
from customers.models import BranchPlace, Customer, PostalPlace
from customers.places import Place, branch_places, codes_within, place_of
from tests.customers.conftest import Import, counts, errors
from tests.customers.test_criteria import found
from tests.factories import NOW, BranchFactory, CustomerFactory

pytestmark = pytest.mark.django_db

HEADER = "postcode;lat;lon"
PURMEREND, EDAM, HOORN = Place(52.5054, 4.9597), Place(52.5126, 5.0490), Place(52.6424, 5.0602)


@pytest.fixture
def person() -> Callable[..., Customer]:
    def make(number: str, **fields: Any) -> Customer:
        return CustomerFactory(number=number, **fields)

    return make


Person = Callable[..., Customer]


def put(code: str, place: Place) -> None:
    PostalPlace.objects.create(code=code, latitude=place.latitude, longitude=place.longitude)


@pytest.fixture
def towns(person: Person) -> None:
    """Three towns with a branch and an inhabitant; Edam's branch has no place of its own."""
    for code, place in (("1441AB", PURMEREND), ("1135AB", EDAM), ("1621AB", HOORN)):
        put(code, place)
    person("purmerend", postal_code="1441AB", branch=BranchFactory(code="PUR", name="Purmerend", postal_code="1441 ab"))
    person("edam", postal_code="1135AB", branch=BranchFactory(code="EDA", name="Edam", postal_code="1135AB"))
    person("hoorn", postal_code="1621AB", branch=BranchFactory(code="HRN", name="Hoorn"))
    person("unplaced", postal_code="9999ZZ")
    person("nowhere", postal_code="")


def test_known_distances() -> None:
    amsterdam, maastricht = Place(52.3676, 4.9041), Place(50.8514, 5.6910)
    assert amsterdam.km_to(maastricht) == pytest.approx(177, abs=1)
    assert PURMEREND.km_to(EDAM) == pytest.approx(6.1, abs=0.1)
    assert EDAM.km_to(EDAM) == 0


def test_the_database_and_python_agree_on_any_two_places() -> None:
    chance = random.Random(7)
    for _ in range(50):
        one, two = (Place(chance.uniform(50.7, 53.6), chance.uniform(3.3, 7.3)) for _ in range(2))
        with connection.cursor() as cursor:
            values = [one.latitude, one.longitude, two.latitude, two.longitude]
            cursor.execute("SELECT customers_km(%s, %s, %s, %s)", values)
            [(km,)] = cursor.fetchall()
        assert km == pytest.approx(one.km_to(two), rel=1e-9)


def test_the_box_leaves_nobody_out() -> None:
    chance, centre = random.Random(11), Place(52.5, 5.0)
    spots = {f"{1000 + n}AB": Place(chance.uniform(52.2, 52.8), chance.uniform(4.5, 5.5)) for n in range(400)}
    for code, place in spots.items():
        put(code, place)
    for km in (0.5, 5, 12.5, 40):
        near = set(codes_within(centre, km).values_list("code", flat=True))
        assert near == {code for code, place in spots.items() if place.km_to(centre) <= km}


def test_within_so_many_kilometres_of_a_branch(towns: None) -> None:
    assert found("customer.distance", {"km": 1, "branch": "PUR"}) == {"purmerend"}
    assert found("customer.distance", {"km": 6.5, "branch": "PUR"}) == {"purmerend", "edam"}
    assert found("customer.distance", {"km": 100, "branch": "PUR"}) == {"purmerend", "edam", "hoorn"}


def test_within_so_many_kilometres_of_the_own_branch(towns: None) -> None:
    assert found("customer.distance", {"km": 1}) == {"purmerend", "edam"}  # where Hoorn's branch lies is not known
    Customer.objects.filter(number="edam").update(branch=BranchFactory(code="PUR"))
    assert found("customer.distance", {"km": 1}) == {"purmerend"}
    assert found("customer.distance", {"km": 7}) == {"purmerend", "edam"}


def test_a_place_that_staff_set_goes_before_that_of_the_postal_code(towns: None) -> None:
    edam = BranchFactory(code="EDA")
    place_branch(edam, latitude=HOORN.latitude, longitude=HOORN.longitude, by=None)
    assert found("customer.distance", {"km": 1, "branch": "EDA"}) == {"hoorn"}
    assert branch_places()[edam.pk].is_own
    place_branch(edam, latitude=None, longitude=None, by=None)
    assert found("customer.distance", {"km": 1, "branch": "EDA"}) == {"edam"}
    assert not BranchPlace.objects.exists()


@pytest.mark.parametrize("values", [(52.5, None), (None, 5.0), (5.0, 52.5), (52.5, 52.5)])
def test_a_place_that_cannot_be_is_refused(values: tuple[float | None, float | None]) -> None:
    with pytest.raises(Refused):
        place_branch(BranchFactory(), latitude=values[0], longitude=values[1], by=None)


def test_the_nearest_branch_whichever_one_belongs_to(towns: None) -> None:
    place_branch(BranchFactory(code="HRN"), latitude=HOORN.latitude, longitude=HOORN.longitude, by=None)
    Customer.objects.update(branch=None)
    assert found("customer.nearest_branch", {"branches": ["PUR"]}) == {"purmerend"}
    assert found("customer.nearest_branch", {"branches": ["PUR", "HRN"]}) == {"purmerend", "hoorn"}
    assert found("customer.nearest_branch", {"branches": ["HRN"], "km": 0.5}) == {"hoorn"}


def test_of_two_branches_as_near_the_one_known_longest_counts(towns: None) -> None:
    BranchFactory(code="NEW", postal_code="1441AB")
    assert found("customer.nearest_branch", {"branches": ["PUR"]}) == {"purmerend"}
    assert found("customer.nearest_branch", {"branches": ["NEW"]}) == set()


def test_the_area_counts_where_the_postal_code_itself_is_not_known(towns: None, person: Person) -> None:
    put("1442", PURMEREND)
    put("1441", HOORN)  # 1441AB has a place of its own
    person("area", postal_code="1442XY")
    assert found("customer.distance", {"km": 1, "branch": "PUR"}) == {"purmerend", "area"}
    assert place_of(Customer.objects.get(number="area")) == PURMEREND


def test_a_branch_of_which_nobody_knows_where_it_lies_is_refused(towns: None) -> None:
    for code, params in (
        ("customer.distance", {"km": 5, "branch": "HRN"}),
        ("customer.nearest_branch", {"branches": ["HRN"]}),
    ):
        criterion = criteria[code]
        with pytest.raises(Refused, match="Hoorn"):
            criterion.check(criterion.params.model_validate(params))
        assert found(code, params) == set()


def test_it_says_how_far_it_saw(towns: None) -> None:
    criterion = criteria["customer.distance"]
    given = criterion.params.model_validate({"km": 5, "branch": "PUR"})
    edam, unplaced = Customer.objects.get(number="edam"), Customer.objects.get(number="unplaced")
    with translation.override("nl"):
        assert criterion.seen(given, edam, now=NOW) == "6,1 km van Purmerend"
        assert criterion.seen(given, unplaced, now=NOW) == "waar de klant woont is niet bekend"


def test_many_branches_take_no_more_queries(towns: None) -> None:
    criterion = criteria["customer.distance"]
    given = criterion.params.model_validate({"km": 5})
    with CaptureQueriesContext(connection) as few:
        criterion.to_q(given, now=NOW)
    for number in range(20):
        BranchFactory(code=f"B{number}", postal_code="1441AB")
    with CaptureQueriesContext(connection) as many:
        criterion.to_q(given, now=NOW)
    assert len(many) == len(few)


def test_coordinates_come_in_from_any_provider(take_in: Import) -> None:
    run = take_in(
        "coordinates", HEADER, "1441 ab;52,5054;4.9597", "1135AB;52.5;5.0", "1135 AB;52.6;5.2", "1621;52.64;5.06"
    )
    assert counts(run) == (3, 0, 0, 0)
    assert PostalPlace.objects.get(code="1441AB").latitude == 52.5054
    middle = PostalPlace.objects.get(code="1135AB")
    assert (middle.latitude, middle.longitude) == (pytest.approx(52.55), pytest.approx(5.1))
    again = take_in("coordinates", HEADER, "1441AB;52.6;4.9597", "1621;52.64;5.06")
    assert counts(again) == (0, 1, 1, 0)


def test_what_is_no_place_in_the_netherlands_is_refused_with_what_to_do(take_in: Import) -> None:
    run = take_in("coordinates", HEADER, "1441AB;4.9597;52.5054", "0000AA;52.5;5.0", "1441AC;veel;5", "1441AD;;5")
    assert counts(run) == (0, 0, 0, 4)
    found_errors = {(row, column, code) for row, column, _value, code in errors(run)}
    assert (2, "lat", "degrees") in found_errors
    assert (3, "postcode", "postal_area") in found_errors
    assert (4, "lat", "degrees") in found_errors
    assert (5, "lat", "empty") in found_errors


def test_coordinates_are_taken_back(take_in: Import) -> None:
    take_in("coordinates", HEADER, "1441AB;52.5;4.9")
    run = take_in("coordinates", HEADER, "1441AB;52.6;4.9", "1135AB;52.5;5.0")
    undo_import(run, by=None, now=NOW)
    run_import(run, now=NOW)
    assert list(PostalPlace.objects.values_list("code", "latitude")) == [("1441AB", 52.5)]


def test_degrees_of_longitude_are_shorter_up_north() -> None:
    east = Place(PURMEREND.latitude, PURMEREND.longitude + 1)
    north = Place(PURMEREND.latitude + 1, PURMEREND.longitude)
    expected = PURMEREND.km_to(north) * math.cos(math.radians(PURMEREND.latitude))
    assert PURMEREND.km_to(east) == pytest.approx(expected, rel=1e-3)


def test_a_box_is_looked_up_in_its_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "postal_place_point" in codes_within(PURMEREND, 5).explain()
