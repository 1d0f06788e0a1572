"""Signing up with an address that nobody vouches for: it counts once its owner pressed the button."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from common.errors import Refused
from common.network import truncated
from common.time import clock
from customers.actions.purposes import save_wording
from customers.consents import states_of
from customers.models import Consent, Customer, ErasedKey, Purpose
from customers.privacy.keys import is_erased, remember
from mailings.actions import (
    ask_confirmation,
    confirm,
    forget_old_confirmations,
    send_confirmations,
    suppress_address,
)
from mailings.confirming import confirm_url, confirmation_of
from mailings.models import Confirmation, SendingSettings
from tests.factories import CustomerFactory
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def newsletter(house: SendingSettings) -> Purpose:
    return Purpose.objects.get(code="newsletter")


@pytest.fixture
def ask(newsletter: Purpose, now: dt.datetime) -> Callable[..., Confirmation]:
    def make(address: str = "noor@example.nl", **fields: Any) -> Any:
        told = {"source_code": "website", "wording_version": "2026-1", "network_address": "192.0.2.77", "now": now}
        return ask_confirmation(newsletter, address=address, **{**told, **fields})

    return make


def subscribed(customer: Customer, now: dt.datetime) -> bool:
    states = states_of(customer, now=now)
    return any(state.is_allowed for state in states if state.purpose.code == "newsletter")


def test_nothing_counts_and_nobody_is_a_customer_before_confirming(ask: Callable[..., Confirmation]) -> None:
    asked = ask(" Noor@Example.NL ", first_name="Noor")
    assert (asked.address, asked.asked_from) == ("noor@example.nl", "192.0.2.0/24")
    assert not Customer.objects.exists()
    assert not Consent.objects.exists()


def test_confirming_makes_a_newsletter_contact_with_the_evidence(
    ask: Callable[..., Confirmation], now: dt.datetime
) -> None:
    asked = ask(first_name="Noor")
    consent = confirm(asked, network_address="2001:db8:1:2::9", now=now + DAY)
    assert consent is not None
    customer = Customer.objects.get()
    assert (customer.kind, customer.first_name) == ("newsletter", "Noor")
    assert customer.contact_points.get().value == "noor@example.nl"
    assert (consent.customer, consent.state, consent.wording_version) == (customer, "granted", "2026-1")
    assert consent.evidence == {
        "method": "double opt-in",
        "asked_at": now.astimezone(dt.UTC).isoformat(),
        "asked_from": "192.0.2.0/24",
        "mailed_at": "",
        "confirmed_at": (now + DAY).astimezone(dt.UTC).isoformat(),
        "confirmed_from": "2001:db8:1::/48",
    }
    assert subscribed(customer, now + DAY)
    asked.refresh_from_db()
    assert (asked.address, asked.first_name) == ("", "")


def test_confirming_twice_is_confirming_once(ask: Callable[..., Confirmation], now: dt.datetime) -> None:
    asked = ask()
    assert confirm(asked, now=now)
    assert confirm(asked, now=now + DAY) is None
    assert Consent.objects.count() == Customer.objects.count() == 1


def test_the_customer_who_has_the_address_is_the_one_who_says_yes(
    ask: Callable[..., Confirmation], now: dt.datetime
) -> None:
    known = CustomerFactory(email="noor@example.nl")
    consent = confirm(ask(first_name="Iemand"), now=now)
    assert consent is not None
    assert consent.customer == known
    assert Customer.objects.get().first_name == "Anna"


def test_after_fourteen_days_it_is_too_late(ask: Callable[..., Confirmation], now: dt.datetime) -> None:
    asked = ask()
    with pytest.raises(Refused) as refused:
        confirm(asked, now=now + 14 * DAY)
    assert refused.value.code == "outdated"
    assert forget_old_confirmations(now=now + 14 * DAY) == 1
    assert not Confirmation.objects.exists()
    assert not Customer.objects.exists()


def test_a_child_cannot_confirm_for_itself(ask: Callable[..., Confirmation], now: dt.datetime) -> None:
    CustomerFactory(email="noor@example.nl", birth_date=dt.date(2015, 1, 1))
    with pytest.raises(Refused) as refused:
        confirm(ask(), now=now)
    assert refused.value.code == "needs_guardian"


def test_an_erased_address_comes_back_only_by_confirming(ask: Callable[..., Confirmation], now: dt.datetime) -> None:
    remember([(ErasedKey.What.EMAIL, "noor@example.nl")], now=now - DAY)
    asked = ask()
    assert is_erased("email", "noor@example.nl")
    confirm(asked, now=now)
    assert not is_erased("email", "noor@example.nl")
    assert Customer.objects.count() == 1


@pytest.mark.parametrize("address", ["", "noor", "noor@", "a b@example.nl"])
def test_what_is_no_address_is_refused(ask: Callable[..., Confirmation], address: str) -> None:
    with pytest.raises(Refused) as refused:
        ask(address)
    assert refused.value.field == "email"


def test_an_address_gets_few_mails_whoever_asks(ask: Callable[..., Confirmation], now: dt.datetime) -> None:
    hour = dt.timedelta(hours=1)
    asked = [ask(now=now + number * hour) is not None for number in range(5)]
    assert asked == [True, True, True, False, False]
    assert ask("ander@example.nl", now=now + 5 * hour) is not None
    assert ask("ander@example.nl", now=now + 5 * hour + dt.timedelta(minutes=9)) is None


def test_a_flood_is_not_passed_on(ask: Callable[..., Confirmation], now: dt.datetime) -> None:
    for number in range(60):
        ask(f"lezer{number}@example.nl")
    with pytest.raises(Refused) as refused:
        ask("nog-een@example.nl")
    assert refused.value.code == "busy"
    assert ask("nog-een@example.nl", now=now + dt.timedelta(minutes=2)) is not None


# --- the mail ---


def mails(sink: Sink) -> list[Any]:
    return [mail.message for mail in sink.received]


def test_the_mail_has_a_link_that_is_the_owners_alone(
    ask: Callable[..., Confirmation], newsletter: Purpose, smtp_sink: Sink, now: dt.datetime
) -> None:
    save_wording(newsletter, version="2026-1", text="Ja, mail mij elke maand.", valid_from=now - DAY, by=None)
    asked = ask(first_name="Noor")
    assert send_confirmations(now=now) == 1
    assert send_confirmations(now=now) == 0
    [mail] = mails(smtp_sink)
    text = mail.get_content()
    assert mail["To"] == "noor@example.nl"
    assert "Noor" in text
    assert "Ja, mail mij elke maand." in text
    assert "29 juni 2026" in text
    [token] = re.findall(r"/mijn/aanmelden/bevestigen/([^/\s]+)/", text)
    assert confirmation_of(token) == asked
    assert confirmation_of(token[:-1]) is None


def test_who_forgot_is_reminded_once(ask: Callable[..., Confirmation], smtp_sink: Sink, now: dt.datetime) -> None:
    ask()
    send_confirmations(now=now)
    assert [send_confirmations(now=now + days * DAY) for days in (2, 3, 4, 8)] == [0, 1, 0, 0]
    assert mails(smtp_sink)[1]["Subject"].startswith("Herinnering")


def test_who_confirmed_or_asked_again_is_not_reminded(
    ask: Callable[..., Confirmation], smtp_sink: Sink, now: dt.datetime
) -> None:
    ask("eens@example.nl")
    confirm(ask("ja@example.nl"), now=now)
    send_confirmations(now=now)
    ask("eens@example.nl", now=now + 2 * DAY)
    send_confirmations(now=now + 2 * DAY)
    assert [send_confirmations(now=now + days * DAY) for days in (3, 4, 5, 6)] == [0, 0, 1, 0]


def test_a_blocked_address_gets_no_mail(ask: Callable[..., Confirmation], smtp_sink: Sink, now: dt.datetime) -> None:
    suppress_address("noor@example.nl", now=now)
    ask()
    assert send_confirmations(now=now) == send_confirmations(now=now + DAY) == 0
    assert not smtp_sink.received


# --- the pages ---


@pytest.fixture
def visitor() -> Client:
    return Client()


FORM = "/mijn/aanmelden/newsletter/"


@pytest.fixture
def letter(newsletter: Purpose, now: dt.datetime) -> Any:
    from newsletter.actions import create_newsletter

    return create_newsletter(name="Waterland", purpose=newsletter, by=None, now=now)


def test_looking_changes_nothing_and_the_button_signs_up(
    letter: Any, visitor: Client, settings: Any, now: dt.datetime
) -> None:
    assert FORM in visitor.get("/mijn/aanmelden/").content.decode()
    assert visitor.get(FORM).status_code == 200
    assert visitor.post(FORM, {"email": "noor@example.nl"}, REMOTE_ADDR="192.0.2.9").status_code == 200
    asked = Confirmation.objects.get()
    link = confirm_url(asked).removeprefix(settings.BASE_URL)
    page = visitor.get(link, follow=True)
    assert "noor@example.nl" in page.content.decode()
    assert not Consent.objects.exists()
    assert "u bent aangemeld" in visitor.post(page.request["PATH_INFO"]).content.decode()
    assert Consent.objects.get().evidence["asked_from"] == "192.0.2.0/24"
    assert "u bent aangemeld" in visitor.get(link, follow=True).content.decode()


def test_the_answer_is_the_same_for_a_known_address(letter: Any, visitor: Client) -> None:
    CustomerFactory(email="bekend@example.nl")
    answers = {
        address: visitor.post(FORM, {"email": address}).content.decode().replace(address, "X")
        for address in ("bekend@example.nl", "onbekend@example.nl", "bekend@example.nl")
    }
    first, second = (re.sub(r'nonce="[^"]+"|value="[^"]{60,}"|Token": "[^"]+"', "", text) for text in answers.values())
    assert first == second


def test_one_network_cannot_sign_up_everybody(letter: Any, visitor: Client) -> None:
    answers = [visitor.post(FORM, {"email": f"a{number}@example.nl"}).status_code for number in range(21)]
    assert answers == [200] * 20 + [429]


@pytest.mark.parametrize("token", ["x", "x:y:z"])
def test_a_link_that_is_not_ours_opens_nothing(house: SendingSettings, visitor: Client, token: str) -> None:
    answer = visitor.get(f"/mijn/aanmelden/bevestigen/{token}/", follow=True)
    assert answer.status_code == 410
    assert visitor.post("/mijn/aanmelden/bevestigen/").status_code == 410


def test_an_expired_link_says_so_and_how_to_ask_a_new_one(
    letter: Any, visitor: Client, settings: Any, ask: Callable[..., Confirmation]
) -> None:
    late = ask(now=clock() - 15 * DAY)
    page = visitor.get(confirm_url(late).removeprefix(settings.BASE_URL), follow=True)
    words = page.content.decode()
    assert page.status_code == 410
    assert "14 dagen" in words
    assert f'href="{FORM}"' in words
    assert "data-once" not in words  # no button that would be refused
    assert visitor.post(page.request["PATH_INFO"]).status_code == 410
    assert not Consent.objects.exists()
    letter.is_active = False
    letter.save(update_fields=["is_active"])
    assert 'href="/mijn/aanmelden/"' in visitor.get(page.request["PATH_INFO"]).content.decode()


# --- through the API ---


def test_over_the_api_a_stranger_is_asked_to_confirm_and_the_answer_tells_nothing(
    letter: Any, client_of: Callable[..., Client], integrator: Any
) -> None:
    CustomerFactory(email="bekend@example.nl")
    client = client_of(integrator)
    for address in ("bekend@example.nl", "onbekend@example.nl"):
        told = {"newsletter": letter.pk, "email": address, "source": "website", "wording_version": "3"}
        answer = client.post("/api/v1/sign-ups/", {**told, "network_address": "192.0.2.4"}, "application/json")
        assert (answer.status_code, answer.json()) == (202, {"accepted": True})
    assert not Consent.objects.exists()
    assert set(Confirmation.objects.values_list("asked_from", flat=True)) == {"192.0.2.0/24"}


def test_without_double_opt_in_a_sign_up_counts_at_once_but_not_for_an_erased_address(
    letter: Any, client_of: Callable[..., Client], integrator: Any, now: dt.datetime
) -> None:
    letter.purpose.channels.update(needs_double_opt_in=False)
    remember([(ErasedKey.What.EMAIL, "weg@example.nl")], now=now)
    client = client_of(integrator)
    for address in ("nieuw@example.nl", "weg@example.nl"):
        told = {"newsletter": letter.pk, "email": address, "source": "website", "wording_version": "3"}
        assert client.post("/api/v1/sign-ups/", told, "application/json").json() == {"accepted": True}
    assert Consent.objects.get().customer.contact_points.get().value == "nieuw@example.nl"
    assert Confirmation.objects.get().address == "weg@example.nl"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::9", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_a_network_address_is_cut(address: str, network: str) -> None:
    assert truncated(address) == network


@pytest.mark.django_db(transaction=True)
def test_two_confirmations_at_once_make_one_contact(
    house: SendingSettings, ask: Callable[..., Confirmation], now: dt.datetime
) -> None:
    first, second = ask(), ask(now=now + dt.timedelta(hours=1))

    def run(asked: Confirmation) -> bool:
        try:
            return confirm(asked, now=now + DAY) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(run, (first, second))) == [False, True]
    assert Customer.objects.count() == 1
