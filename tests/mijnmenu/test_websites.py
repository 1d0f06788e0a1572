from __future__ import annotations

import pytest
from django.test import Client

from common.time import clock
from customers.models import Customer
from tests.website.test_linking import says
from website.actions import add_site
from website.models import Site
from website.tokens import read_web_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> Site:
    return add_site(name="Bibliotheek", hosts=["www.example.nl"], by=None, now=clock())


def test_the_overview_leads_to_the_websites(mine: Client, site: Site) -> None:
    assert f"/mijn/website/{site.pk}/" in mine.get("/mijn/").content.decode()


def test_who_allows_it_is_known_on_the_website(mine: Client, customer: Customer, site: Site) -> None:
    says(customer, "granted")
    address = mine.get(f"/mijn/website/{site.pk}/").headers["Location"]
    start, _hash, token = address.partition("#wise=")
    assert start == "https://www.example.nl/"
    assert read_web_token(token, now=clock()) == customer.pk


def test_who_does_not_just_goes_there(mine: Client, site: Site) -> None:
    assert mine.get(f"/mijn/website/{site.pk}/").headers["Location"] == "https://www.example.nl/"


def test_a_website_out_of_use_is_not_there(mine: Client, site: Site) -> None:
    Site.objects.update(is_active=False)
    assert mine.get(f"/mijn/website/{site.pk}/").status_code == 404
    assert "/mijn/website/" not in mine.get("/mijn/").content.decode()


def test_strangers_are_asked_for_a_link(client: Client, site: Site) -> None:
    assert client.get(f"/mijn/website/{site.pk}/").headers["Location"] == "/mijn/link/"
