"""Somebody asks for information about a topic: by a file or over the API, a customer or a stranger."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from common.actions import add_integration
from common.criteria import criteria
from customers.actions import ensure_base_data
from customers.models import Customer, Fact
from tests.customers.conftest import Import, counts
from tests.factories import NOW, CustomerFactory

pytestmark = pytest.mark.django_db

FACTS = "id;klantnummer;soort;tijdstip;vestiging;sector;wereld;genre;aantal;bedrag;duur"


@pytest.fixture
def api(administrator: User) -> APIClient:
    ensure_base_data()
    _user, token = add_integration(name="website", by=administrator)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def asked(topic: str, times: int = 1) -> set[str]:
    criterion = criteria["facts.count"]
    params = criterion.params.model_validate({"kind": "request", "genre": topic, "times": times})
    return set(Customer.objects.filter(criterion.to_q(params, now=NOW)).values_list("number", flat=True))


def test_a_file_brings_requests_with_their_topic(take_in: Import) -> None:
    CustomerFactory(number="1000001")
    lines = [
        "L1;1000001;aanvraag;2026-05-30 09:00;;bibliotheek;;zaalverhuur;;;",
        "L2;1000001;Aanvraag;2026-06-01 09:00;;;;zaalverhuur;;;",
        "L3;1000001;aanvraag;2026-06-02 09:00;;;;schrijfcursus;;;",
    ]
    assert counts(take_in("facts", FACTS, *lines)) == (3, 0, 0, 0)
    assert counts(take_in("facts", FACTS, *lines)) == (0, 0, 3, 0)
    assert asked("zaalverhuur", 2) == {"1000001"}
    assert asked("schrijfcursus", 2) == set()


def test_a_stranger_who_asks_on_the_website_becomes_a_prospect_with_a_topic(
    api: APIClient, marketeer: User, client_of: Callable[[User], Client]
) -> None:
    person = {"kind": "prospect", "last_name": "Visser", "email": "visser@example.nl"}
    assert api.put("/api/v1/customers/W-1/", person, format="json").status_code == 201
    request = {
        "customer": "W-1", "kind": "request", "genre": "taalcafe", "source": "website", "external_id": "form-77",
        "occurred_at": "2026-06-10T12:00:00+02:00",
    }  # fmt: skip
    answer = api.post("/api/v1/facts/", [request, request | {"external_id": "form-78"}], format="json")
    assert (answer.status_code, answer.data) == (201, {"new": 2, "changed": 0, "known": 0})
    assert asked("taalcafe") == {"W-1"}
    fact = Fact.objects.filter(external_id="form-77").select_related("customer").get()
    assert fact.customer.kind == "prospect"
    line = client_of(marketeer).get(f"/customers/{fact.customer_id}/timeline/?kind=request").content.decode()
    assert "Vroeg informatie" in line
    assert "taalcafe" in line
