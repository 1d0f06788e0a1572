from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
import time_machine
from django.test import Client

from common.errors import Refused
from common.time import clock
from common.tokens import make_token
from customers.models import Customer, CustomerChange, Subscription
from mijnmenu.actions import ask_for_address, confirm_address, send_confirmations
from mijnmenu.models import AddressChange, LinkRequest
from tests.factories import BranchFactory, CustomerFactory
from tests.smtp_sink import Sink

NEW = {"address": "Sanne.Nieuw@example.nl", "again": "sanne.nieuw@example.nl"}


def email_of(customer: Customer) -> str:
    return customer.contact_points.get(channel="email", is_primary=True).value


def test_details_show_what_we_know(mine: Client, customer: Customer) -> None:
    Customer.objects.update(branch=BranchFactory(name="Edam", phone="0299 123456"))
    page = mine.get("/mijn/gegevens/").content.decode()
    for words in ("Sanne de Boer", "200001", "sanne@example.nl", "14 maart 1980", "Volwassenenabonnement", "Bel Edam"):
        assert words in page


def test_the_new_address_holds_after_its_own_link_was_followed(
    mine: Client, customer: Customer, smtp_sink: Sink, link: Callable[[Customer], str]
) -> None:
    old_link = link(customer)
    assert mine.post("/mijn/gegevens/", NEW).headers["Location"] == "/mijn/gegevens/"
    assert email_of(customer) == "sanne@example.nl"
    assert send_confirmations(now=clock()) == 1
    (mail,) = smtp_sink.to("sanne.nieuw@example.nl")
    assert mail["Subject"] == "Bevestig uw nieuwe e-mailadres"
    url = re.search(r"https?://[^/]+(/mijn/gegevens/adres/\S+)", mail.get_content())
    assert url
    answer = mine.get(url[1])
    assert (answer.headers["Location"], answer.headers["Referrer-Policy"]) == (
        "/mijn/gegevens/bevestigen/",
        "no-referrer",
    )
    assert "sanne.nieuw@example.nl" in mine.get("/mijn/gegevens/bevestigen/").content.decode()
    assert email_of(customer) == "sanne@example.nl"
    assert mine.post("/mijn/gegevens/bevestigen/").status_code == 200
    assert email_of(customer) == "sanne.nieuw@example.nl"
    assert CustomerChange.objects.latest("id").changed_by == "customer"
    assert mine.get("/mijn/").status_code == 200
    assert Client().get(old_link).headers["Location"] == "/mijn/link/?oud=1"


def test_the_link_also_works_in_a_browser_without_a_session(customer: Customer) -> None:
    change = ask_for_address(customer, address="nieuw@example.nl", now=clock())
    client = Client()
    client.get(f"/mijn/gegevens/adres/{make_token('mijnmenu-address', [change.pk, 0])}/")
    assert client.post("/mijn/gegevens/bevestigen/").status_code == 200
    assert email_of(customer) == "nieuw@example.nl"
    assert client.get("/mijn/").headers["Location"] == "/mijn/link/"


@pytest.mark.parametrize("purpose", ["mijnmenu", "unsubscribe"])
def test_a_token_of_another_purpose_confirms_nothing(client: Client, customer: Customer, purpose: str) -> None:
    change = ask_for_address(customer, address="nieuw@example.nl", now=clock())
    client.get(f"/mijn/gegevens/adres/{make_token(purpose, [change.pk, 0])}/")
    assert client.post("/mijn/gegevens/bevestigen/").status_code == 410
    assert email_of(customer) == "sanne@example.nl"


def test_the_link_to_confirm_works_one_day(client: Client, customer: Customer) -> None:
    change = ask_for_address(customer, address="nieuw@example.nl", now=clock())
    token = make_token("mijnmenu-address", [change.pk, 0])
    with time_machine.travel(clock() + dt.timedelta(days=1, minutes=1)):
        client.get(f"/mijn/gegevens/adres/{token}/")
        assert client.get("/mijn/gegevens/bevestigen/").status_code == 410


def test_confirming_twice_changes_nothing_more_and_an_outdated_one_is_refused(
    customer: Customer, now: dt.datetime
) -> None:
    first = ask_for_address(customer, address="een@example.nl", now=now)
    second = ask_for_address(customer, address="twee@example.nl", now=now)
    confirm_address(first, link_version=0, now=now)
    confirm_address(first, link_version=0, now=now)
    customer.refresh_from_db()
    assert customer.link_version == 1
    with pytest.raises(Refused) as refused:
        confirm_address(second, link_version=0, now=now)
    assert refused.value.code == "outdated"
    assert email_of(customer) == "een@example.nl"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"address": "een@example.nl", "again": "twee@example.nl"}, 422),
        ({"address": "geen adres", "again": "geen adres"}, 422),
        ({"address": "SANNE@example.nl", "again": "sanne@example.nl"}, 409),
    ],
)
def test_a_faulty_address_is_asked_again(mine: Client, sent: dict[str, str], status: int) -> None:
    assert mine.post("/mijn/gegevens/", sent).status_code == status
    assert not AddressChange.objects.exists()


def test_an_older_link_asks_for_a_fresh_one_first(
    client: Client, customer: Customer, link: Callable[[Customer], str]
) -> None:
    url = link(customer)
    with time_machine.travel(clock() + dt.timedelta(days=2)):
        client.get(url)
        page = client.get("/mijn/gegevens/").content.decode()
        assert "link van vandaag" in page
        client.post("/mijn/gegevens/", NEW)
        assert not AddressChange.objects.exists()
        client.post("/mijn/gegevens/nieuwe-link/")
    assert LinkRequest.objects.get().address == "sanne@example.nl"


def test_changes_are_limited(customer: Customer, now: dt.datetime) -> None:
    for number in range(3):
        ask_for_address(customer, address=f"{number}@example.nl", now=now)
    with pytest.raises(Refused) as refused:
        ask_for_address(customer, address="vier@example.nl", now=now)
    assert refused.value.code == "too_many"
    ask_for_address(CustomerFactory(), address="vier@example.nl", now=now)


def test_a_confirmation_that_does_not_arrive_is_tried_five_times(customer: Customer, now: dt.datetime) -> None:
    ask_for_address(customer, address="nieuw@example.nl", now=now)
    assert [send_confirmations(now=now) for _time in range(7)] == [0] * 7  # nothing listens for mail in this test
    assert AddressChange.objects.get().tries == 5


def test_a_customer_sees_what_he_subscribed_to(mine: Client, customer: Customer) -> None:
    Subscription.objects.update(
        name="Volwassenen", price_cents=5800, payment_method="direct_debit", started_on=dt.date(2024, 9, 1)
    )
    page = mine.get("/mijn/gegevens/").content.decode()
    for words in ("Volwassenen", "€ 58,00", "Automatische incasso", "1 september 2024", "Loopt door tot u opzegt"):
        assert words in page.replace("\xa0", " "), words
    Subscription.objects.update(ended_on=dt.date(2025, 8, 31))
    assert "Dit lidmaatschap is afgelopen" in mine.get("/mijn/gegevens/").content.decode()
    Subscription.objects.all().delete()
    assert "Uw lidmaatschap" not in mine.get("/mijn/gegevens/").content.decode()
