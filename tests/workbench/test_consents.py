"""Consents of a customer at the desk: who answers for a child, what proves a yes, and what a refusal does at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from customers.actions.guardians import add_guardian
from customers.models import Channel, Consent, Customer, Purpose, PurposeChannel
from tests.factories import NOW, ConsentFactory, CustomerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


def text(page: Any) -> str:
    return str(page.content.decode())


@pytest.fixture
def child() -> Customer:
    return CustomerFactory(first_name="Pippa", birth_date=dt.date(2016, 3, 14))


@pytest.fixture
def parent(child: Customer, marketeer: User) -> Customer:
    parent: Customer = CustomerFactory(first_name="Anna", name_prefix="van der", last_name="Berg")
    add_guardian(child, parent, by=marketeer, now=NOW)
    return parent


def say(client: Client, customer: Customer, **fields: Any) -> Any:
    purpose = Purpose.objects.get(code=fields.pop("purpose", "newsletter"))
    said = {"channel": "email", "state": "granted", "source": "counter", "purpose": purpose.pk, **fields}
    return client.post(f"/customers/{customer.pk}/consents/record/", said)


def test_a_childs_yes_is_refused_and_the_page_says_why(desk: Client, child: Customer) -> None:
    page = text(desk.get(f"/customers/{child.pk}/consents/"))
    assert "Onder de 16, en er is geen ouder gekoppeld" in page
    assert 'name="guardian"' not in page
    answer = say(desk, child)
    assert answer.status_code == 422
    assert "Onder de 16 zegt een ouder of verzorger hier ja tegen" in text(answer)
    assert not Consent.objects.exists()


def test_the_parent_who_said_yes_is_chosen_and_shown(desk: Client, child: Customer, parent: Customer) -> None:
    page = text(desk.get(f"/customers/{child.pk}/consents/"))
    assert "Wie zei het?" in page
    assert "Anna van der Berg" in page
    assert say(desk, child).status_code == 422  # nobody was chosen: the child itself
    assert say(desk, child, guardian=parent.pk).status_code == 302
    assert Consent.objects.get().guardian_id == parent.pk
    assert "Anna van der Berg antwoordde als ouder of verzorger" in text(desk.get(f"/customers/{child.pk}/consents/"))


def test_somebody_who_is_no_parent_cannot_be_chosen(desk: Client, child: Customer, parent: Customer) -> None:
    assert say(desk, child, guardian=CustomerFactory().pk).status_code == 422
    assert not Consent.objects.exists()


def test_a_child_says_no_at_the_desk_without_a_parent(desk: Client, child: Customer, parent: Customer) -> None:
    assert say(desk, child, state="withdrawn").status_code == 302
    assert Consent.objects.get().guardian_id is None


def test_of_a_grown_up_nobody_asks_who_said_it(desk: Client) -> None:
    page = text(desk.get(f"/customers/{CustomerFactory(birth_date=dt.date(1980, 1, 1)).pk}/consents/"))
    assert "Wie zei het?" not in page


def test_all_channels_of_a_purpose_that_uses_none_comes_back(desk: Client) -> None:
    PurposeChannel.objects.filter(purpose__code="newsletter").update(basis="none")
    assert say(desk, CustomerFactory(), channel="all").status_code == 422
    assert not Consent.objects.exists()


def test_all_channels_are_all_or_nothing(desk: Client, child: Customer) -> None:
    purpose = Purpose.objects.get(code="marketing")
    purpose.channels.exclude(channel="post").update(basis="none")
    purpose.channels.filter(channel="phone").update(basis="consent")
    assert Channel.values.index("post") < Channel.values.index("phone")  # paper comes first and needs no parent
    assert say(desk, child, channel="all", purpose="marketing").status_code == 422
    assert not Consent.objects.exists()


def test_a_confirmed_sign_up_shows_its_proof(desk: Client) -> None:
    evidence = {
        "method": "double opt-in", "asked_at": "2026-06-01T08:00:00+00:00", "asked_from": "192.0.2.0/24",
        "confirmed_at": "2026-06-01T08:05:00+00:00",
    }  # fmt: skip
    consent = ConsentFactory(evidence=evidence)
    page = text(desk.get(f"/customers/{consent.customer_id}/consents/"))
    assert "Gevraagd op 1 juni 2026 10:00 vanaf netwerk 192.0.2.0/24, per mail bevestigd op 1 juni 2026 10:05." in page


def test_what_held_on_a_past_day_is_shown_with_why(desk: Client) -> None:
    customer, purpose = CustomerFactory(), Purpose.objects.get(code="newsletter")
    for state, days in ((Consent.State.GRANTED, 20), (Consent.State.WITHDRAWN, 10)):
        ConsentFactory(customer=customer, purpose=purpose, state=state, event_at=NOW - dt.timedelta(days=days))

    def told(query: str) -> tuple[bool, str]:
        page = desk.get(f"/customers/{customer.pk}/consents/{query}")
        [row] = [row for one, row in page.context["states"] if one == purpose and "E-mail" in row["channels"]]
        return row["state"].is_allowed, text(page)

    allowed, page = told("")
    assert not allowed
    assert "Wat nu geldt" in page
    allowed, page = told(f"?as_of={NOW.date() - dt.timedelta(days=15)}")
    assert allowed
    assert "Terug naar nu" in page
    assert "Wat nu geldt" not in page
    for query in ("?as_of=2999-01-01", "?as_of=x"):
        assert not told(query)[0]
