"""What the tests of newsletters start from: an organisation that may send, a newsletter, and readers of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from customers.models import Customer
from mailings.actions import change_sending_settings
from mailings.models import SendingSettings
from newsletter.actions import create_edition, create_newsletter, save_item, subscribe
from newsletter.models import Edition, Newsletter
from tests.factories import CustomerFactory, begin, limit_messages


@pytest.fixture
def house(db: None) -> SendingSettings:
    begin()
    limit_messages(3, days=7)
    return change_sending_settings(
        organisation="Bibliotheek Waterland",
        postal_address="Postbus 12, 1440 AA Purmerend",
        sender_name="Bibliotheek Waterland",
        sender_email="nieuws@waterland.example",
    )


@pytest.fixture
def newsletter(house: SendingSettings, now: dt.datetime) -> Newsletter:
    return create_newsletter(name="Uit in Waterland", description="Elke maand een agenda.", by=None, now=now)


@pytest.fixture
def reader(newsletter: Newsletter, now: dt.datetime) -> Callable[..., Customer]:
    """Give a customer who subscribed the day before."""

    def make(**fields: object) -> Customer:
        customer: Customer = CustomerFactory(**fields)
        yesterday = now - dt.timedelta(days=1)
        subscribe(customer, newsletter, source_code="mijnmenu", actor="customer", now=yesterday, wording_version="1")
        return customer

    return make


@pytest.fixture
def edition(newsletter: Newsletter, now: dt.datetime) -> Edition:
    """A draft with one item for everybody."""
    made = create_edition(newsletter, subject="Juni in Waterland", by=None, now=now)
    save_item(made, title="De zomeragenda", body="<p>Er is van alles.</p>", by=None, now=now)
    return made
