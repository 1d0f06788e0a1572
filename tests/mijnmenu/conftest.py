from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from common.tokens import make_token
from customers.models import Customer
from mailings.actions import change_sending_settings
from tests.factories import CustomerFactory, SubscriptionFactory, begin


@pytest.fixture(autouse=True)
def _house(db: None) -> None:
    begin()
    change_sending_settings(
        organisation="Bibliotheek Waterland",
        postal_address="Postbus 12, 1440 AA Purmerend",
        sender_name="Bibliotheek Waterland",
        sender_email="post@waterland.example",
    )


@pytest.fixture
def customer() -> Customer:
    """A paying member, so marketing by e-mail and by post are allowed without a word."""
    made: Customer = CustomerFactory(
        number="200001", first_name="Sanne", last_name="de Boer", email="sanne@example.nl", phone="+31612345678"
    )
    SubscriptionFactory(customer=made)
    return made


@pytest.fixture
def link() -> Callable[[Customer], str]:
    return lambda customer: f"/mijn/enter/{make_token('mijnmenu', [customer.pk, customer.link_version])}/"


@pytest.fixture
def mine(client: Client, customer: Customer, link: Callable[[Customer], str]) -> Client:
    """A browser in which the customer has followed a link."""
    client.get(link(customer))
    return client
