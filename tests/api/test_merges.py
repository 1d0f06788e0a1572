from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from customers.actions.matching import match_customers
from customers.models import Customer, MatchPair, Merge
from tests.factories import NOW, CustomerFactory

pytestmark = pytest.mark.django_db

PAIRS, MERGES = "/api/v1/duplicates/", "/api/v1/merges/"


@pytest.fixture
def api(integrator: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(integrator)
    return client


@pytest.fixture
def both() -> list[Customer]:
    found = [
        CustomerFactory(last_name="Zwart", postal_code="1441AB", house_number="7", email="zwart@example.nl")
        for _one in range(2)
    ]
    match_customers("SELECT id FROM customers_customer", now=NOW)
    return found


def test_pairs_come_with_their_reasons(api: APIClient, both: list[Customer]) -> None:
    pair = api.get(PAIRS, {"state": "open", "least": 90}).json()["results"][0]
    assert (pair["first"], pair["second"], pair["score"]) == (both[0].number, both[1].number, 100)
    assert {"code": "birth_date", "points": 35, "text": "Dezelfde geboortedatum"} in pair["reasons"]
    assert api.get(PAIRS, {"customer": both[1].number}).json()["results"] == [pair]
    assert api.get(PAIRS, {"customer": "nobody"}).json()["results"] == []
    assert api.get(PAIRS, {"state": "different"}).json()["results"] == []


def test_deciding_that_they_are_two_and_taking_it_back(api: APIClient, both: list[Customer]) -> None:
    pair = MatchPair.objects.get()
    answer = api.post(f"{PAIRS}{pair.pk}/decide/", {"same": False}, format="json")
    assert answer.json()["state"] == "different"
    assert api.post(f"{PAIRS}{pair.pk}/decide/", {"same": True}, format="json").status_code in (409, 422)
    assert api.post(f"{PAIRS}{pair.pk}/reopen/").json()["state"] == "open"


def test_deciding_that_they_are_one(api: APIClient, both: list[Customer]) -> None:
    pair = MatchPair.objects.get()
    wrong = api.post(f"{PAIRS}{pair.pk}/decide/", {"same": True, "kept": "X"}, format="json")
    assert wrong.status_code == 400
    answer = api.post(f"{PAIRS}{pair.pk}/decide/", {"same": True, "kept": both[1].number}, format="json")
    assert answer.json()["state"] == "merged"
    assert Merge.objects.get().kept == both[1]


def test_merging_by_number_and_undoing(api: APIClient) -> None:
    kept, absorbed = CustomerFactory(), CustomerFactory()
    answer = api.post(MERGES, {"kept": kept.number, "absorbed": absorbed.number}, format="json")
    assert answer.status_code == 201
    merge = answer.json()
    assert api.get(MERGES, {"absorbed": absorbed.number, "undone": False}).json()["results"] == [merge]
    again = api.post(MERGES, {"kept": kept.number, "absorbed": absorbed.number}, format="json")
    assert again.status_code in (409, 422)
    undone = api.post(f"{MERGES}{merge['id']}/undo/").json()
    assert undone["undone_at"]
    assert api.get(f"{MERGES}{merge['id']}/").json() == undone
    assert Customer.objects.count() == 2
