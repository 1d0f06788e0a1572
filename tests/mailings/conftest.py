"""What the tests of mailings start from: an organisation that may send, content, and mailings to some customers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from customers.models import Customer, Purpose
from mailings.actions import change_sending_settings, save_content, start_mailing
from mailings.models import Content, Mailing, SendingSettings
from tests.factories import ConsentFactory, CustomerFactory, begin, limit_messages

TEXT = {"type": "text", "data": {"text": '<p>Dag {{ first_name | default: "lezer" }}, er is iets te doen.</p>'}}
BUTTON = {"type": "button", "data": {"text": "Kom kijken", "url": "https://www.example.nl/agenda?a=1&b=2"}}

_numbers = count(1)


@pytest.fixture
def base_data(db: None) -> None:
    """Sources and purposes, for the first time or again."""
    begin()


@pytest.fixture
def house(base_data: None) -> SendingSettings:
    limit_messages(3, days=7)
    return change_sending_settings(
        organisation="Bibliotheek Waterland",
        postal_address="Postbus 12, 1440 AA Purmerend",
        sender_name="Bibliotheek Waterland",
        sender_email="nieuws@waterland.example",
        privacy_url="https://www.example.nl/privacy",
    )


@pytest.fixture
def marketing(base_data: None) -> Purpose:
    return Purpose.objects.get(code="marketing")


@pytest.fixture
def service(base_data: None) -> Purpose:
    return Purpose.objects.get(code="service")


@pytest.fixture
def make_content(house: SendingSettings, now: dt.datetime) -> Callable[..., Content]:
    def make(*blocks: dict[str, Any], subject: str = "Nieuws voor {{ first_name }}", **fields: Any) -> Content:
        chosen = list(blocks) or [TEXT, BUTTON]
        return save_content(None, name="Voorjaar", subject=subject, blocks=chosen, now=now, **fields)

    return make


@pytest.fixture
def reader(marketing: Purpose) -> Callable[..., Customer]:
    """Give a customer who said yes to marketing by e-mail; for a child a parent did."""

    def make(**fields: Any) -> Customer:
        customer: Customer = CustomerFactory(**fields)
        is_young = customer.birth_date is not None and customer.birth_date.year > 2005
        ConsentFactory(customer=customer, purpose=marketing, guardian_id=1 if is_young else None)
        return customer

    return make


@pytest.fixture
def readers(reader: Callable[..., Customer]) -> Callable[[int], list[Customer]]:
    return lambda number: [reader() for _ in range(number)]


@pytest.fixture
def start(make_content: Callable[..., Content], marketing: Purpose, now: dt.datetime) -> Callable[..., Mailing]:
    """Start a mailing to these customers (all when none is given)."""

    def make(*customers: Customer, content: Content | None = None, **fields: Any) -> Mailing:
        people = Customer.objects.filter(pk__in=[one.pk for one in customers]) if customers else Customer.objects.all()
        given = {
            "name": "Voorjaar",
            "origin": "action:1",
            "due_key": f"test:{next(_numbers)}",
            "purpose": marketing,
            "channels": "email",
            "content": content or make_content(),
            "candidates": people,
            "now": now,
        }
        return start_mailing(**{**given, **fields})

    return make
