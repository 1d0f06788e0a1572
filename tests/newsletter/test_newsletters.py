"""Newsletters: a purpose each, and subscribing as a row in the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from common.errors import Refused
from customers.consents import record_consent
from customers.models import Consent, ContactPoint, Customer, Purpose
from newsletter.actions import (
    change_newsletter,
    create_newsletter,
    subscribe,
    subscribe_contact,
    unsubscribe,
)
from newsletter.models import Newsletter
from tests.factories import ConsentFactory, CustomerFactory, PurposeFactory

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]
BY_SITE = {"source_code": "website", "actor": "customer", "wording_version": "2026-1"}


def test_a_newsletter_has_an_opt_in_purpose_of_its_own(newsletter: Newsletter) -> None:
    purpose = newsletter.purpose
    assert (purpose.rule, purpose.name, purpose.description) == ("opt_in", newsletter.name, newsletter.description)
    assert (purpose.code, purpose.is_public) == ("nieuwsbrief-uit-in-waterland", True)


def test_names_are_given_once_and_codes_stay_apart(newsletter: Newsletter, now: dt.datetime) -> None:
    with pytest.raises(Refused) as refusal:
        create_newsletter(name="uit in waterland", by=None, now=now)
    assert refusal.value.field == "name"
    other = create_newsletter(name="Uit in Waterland!", by=None, now=now)
    assert other.purpose.code == "nieuwsbrief-uit-in-waterland-2"


def test_a_purpose_that_people_said_yes_to_before_can_be_taken_over_once(house: Any, now: dt.datetime) -> None:
    purpose = Purpose.objects.get(code="newsletter")
    subscriber = ConsentFactory(
        purpose=purpose, customer=CustomerFactory(), event_at=now - dt.timedelta(days=900)
    ).customer
    newsletter = create_newsletter(name="Nieuwsbrief", purpose=purpose, by=None, now=now)
    assert set(newsletter.subscribers(now=now)) == {subscriber}
    for taken in (purpose, Purpose.objects.get(code="marketing")):
        with pytest.raises(Refused) as refusal:
            create_newsletter(name="Nog een", purpose=taken, by=None, now=now)
        assert refusal.value.field == "purpose"


def test_changing_a_newsletter_changes_what_customers_read(newsletter: Newsletter, now: dt.datetime) -> None:
    change_newsletter(newsletter, name="Waterland uit", description="Wekelijks.", is_active=False, by=None, now=now)
    purpose = Purpose.objects.get(pk=newsletter.purpose_id)
    assert (purpose.name, purpose.description, purpose.is_public) == ("Waterland uit", "Wekelijks.", False)
    with pytest.raises(Refused) as refusal:
        subscribe(CustomerFactory(), newsletter, now=now, **BY_SITE)
    assert refusal.value.code == "newsletter_stopped"


def test_subscribing_and_unsubscribing_are_rows_in_the_ledger(newsletter: Newsletter, now: dt.datetime) -> None:
    customer = CustomerFactory()
    subscribe(customer, newsletter, now=now, **BY_SITE)
    assert list(newsletter.subscribers(now=now)) == [customer]
    later = now + dt.timedelta(minutes=1)
    unsubscribe(customer, newsletter, source_code="mijnmenu", actor="customer", now=later)
    assert list(newsletter.subscribers(now=later)) == []
    assert list(newsletter.subscribers(now=now)) == [customer]
    subscribe(customer, newsletter, now=later + dt.timedelta(minutes=1), **BY_SITE)
    assert list(newsletter.subscribers(now=later + dt.timedelta(minutes=1))) == [customer]
    kept = Consent.objects.filter(customer=customer).order_by("event_at")
    assert [(row.state, row.channel, row.wording_version) for row in kept] == [
        ("granted", "email", "2026-1"),
        ("withdrawn", "email", ""),
        ("granted", "email", "2026-1"),
    ]


@pytest.mark.parametrize("refusal", ["withdrawn", "objected"])
def test_at_a_tie_the_refusal_counts(newsletter: Newsletter, now: dt.datetime, refusal: str) -> None:
    customer = CustomerFactory()
    for state in (refusal, "granted"):
        record_consent(
            customer,
            purpose=newsletter.purpose,
            channel="email",
            state=state,
            source_code="website",
            actor="",
            event_at=now,
        )
    assert list(newsletter.subscribers(now=now)) == []


def test_a_yes_by_another_channel_or_to_another_newsletter_is_no_subscription(
    newsletter: Newsletter, now: dt.datetime
) -> None:
    ConsentFactory(purpose=newsletter.purpose, channel="post", customer=CustomerFactory())
    ConsentFactory(purpose=PurposeFactory(code="marketing"), customer=CustomerFactory())
    assert list(newsletter.subscribers(now=now)) == []


# People we do not know yet


def test_an_unknown_address_becomes_a_newsletter_contact(newsletter: Newsletter, now: dt.datetime) -> None:
    made = subscribe_contact(newsletter, email=" Noor@Example.NL ", first_name="Noor", now=now, **BY_SITE)
    customer = Customer.objects.get(pk=made.pk)
    assert (customer.kind, customer.first_name, customer.source.code) == ("newsletter", "Noor", "website")
    assert customer.number.startswith("N")
    assert ContactPoint.objects.get(customer=customer).value == "noor@example.nl"
    assert list(newsletter.subscribers(now=now)) == [customer]
    assert subscribe_contact(newsletter, email="noor@example.nl", now=now, **BY_SITE) == customer


def test_a_known_address_subscribes_its_customer(newsletter: Newsletter, now: dt.datetime) -> None:
    member = CustomerFactory(email="anna@example.nl")
    assert subscribe_contact(newsletter, email="ANNA@example.nl", first_name="Iemand", now=now, **BY_SITE) == member
    member.refresh_from_db()
    assert member.first_name == "Anna"


def test_an_address_shared_by_a_family_gets_a_contact_of_its_own(newsletter: Newsletter, now: dt.datetime) -> None:
    family = [CustomerFactory(email="gezin@example.nl") for _number in range(2)]
    contact = subscribe_contact(newsletter, email="gezin@example.nl", now=now, **BY_SITE)
    assert contact not in family
    assert subscribe_contact(newsletter, email="gezin@example.nl", now=now, **BY_SITE) == contact


@pytest.mark.parametrize("email", ["", "geen adres", "a@b", "twee@apen@example.nl"])
def test_an_address_that_cannot_exist_is_refused(newsletter: Newsletter, now: dt.datetime, email: str) -> None:
    with pytest.raises(Refused):
        subscribe_contact(newsletter, email=email, now=now, **BY_SITE)
    assert not Customer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_address_signed_up_twice_at_once_is_one_contact(newsletter: Newsletter, now: dt.datetime) -> None:
    gate = Barrier(4)

    def sign_up() -> int:
        gate.wait()
        try:
            return subscribe_contact(newsletter, email="noor@example.nl", now=now, **BY_SITE).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        made = {future.result() for future in [threads.submit(sign_up) for _number in range(4)]}
    assert len(made) == 1
    assert Customer.objects.count() == 1
