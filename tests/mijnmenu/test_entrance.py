from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver

from common.time import clock
from common.tokens import make_token
from customers.models import Consent, Customer
from mailings.models import Mailing, Message
from mijnmenu.actions import answer_requests, ask_for_link, forget_old_requests
from mijnmenu.models import AddressChange, LinkRequest
from tests.factories import CustomerFactory

Link = Callable[[Customer], str]

PAGES = ["", "voorkeuren/", "nieuwsbrieven/", "interesses/", "afmelden/", "bonnen/", "gegevens/"]


def test_a_link_lets_in_and_leaves_the_address_bar(client: Client, customer: Customer, link: Link) -> None:
    answer = client.get(link(customer))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/mijn/")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    page = client.get("/mijn/")
    assert "Welkom, Sanne" in page.content.decode()
    assert page.headers["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize("page", PAGES)
def test_each_page_opens_with_a_session_and_not_without(page: str, customer: Customer, link: Link) -> None:
    inside, outside = Client(), Client()
    inside.get(link(customer))
    assert inside.get(f"/mijn/{page}").status_code == 200
    for answer in (outside.get(f"/mijn/{page}"), outside.post(f"/mijn/{page}")):
        assert (answer.status_code, answer.headers["Location"]) == (302, "/mijn/link/")


def test_staff_without_a_customer_session_are_not_let_in(
    administrator: User, client_of: Callable[[User], Client], customer: Customer
) -> None:
    assert client_of(administrator).get("/mijn/").headers["Location"] == "/mijn/link/"


def test_the_session_gets_a_new_key(client: Client, customer: Customer, link: Link) -> None:
    client.get("/mijn/gegevens/adres/x/")
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = session.session_key or ""
    client.get(link(customer))
    assert client.session.session_key != session.session_key


@pytest.mark.parametrize("purpose", ["unsubscribe", "click", "qr", "mijnmenu-address", "MIJNMENU"])
def test_a_token_of_another_purpose_is_refused(client: Client, customer: Customer, purpose: str) -> None:
    token = make_token(purpose, [customer.pk, customer.link_version])
    answer = client.get(f"/mijn/enter/{token}/")
    assert answer.headers["Location"] == "/mijn/link/?oud=1"
    assert client.get("/mijn/").headers["Location"] == "/mijn/link/"


@pytest.mark.parametrize("payload", [None, 7, "x", [], [1], [1, 0, 0], {"a": 1}, ["x", "y"], [None, None]])
def test_a_token_with_something_else_in_it_is_refused(client: Client, payload: object) -> None:
    assert client.get(f"/mijn/enter/{make_token('mijnmenu', payload)}/").headers["Location"] == "/mijn/link/?oud=1"


def test_a_forged_token_is_refused(client: Client, customer: Customer, link: Link) -> None:
    token = link(customer).rstrip("/")
    forged = token[:-1] + ("A" if token[-1] != "A" else "Q")
    assert client.get(f"{forged}/").headers["Location"] == "/mijn/link/?oud=1"
    assert client.get("/mijn/enter/onzin/").headers["Location"] == "/mijn/link/?oud=1"


def test_a_link_works_thirty_days(client: Client, customer: Customer, link: Link) -> None:
    url = link(customer)
    with time_machine.travel(clock() + dt.timedelta(days=29, hours=23)):
        assert client.get(url).headers["Location"] == "/mijn/"
    with time_machine.travel(clock() + dt.timedelta(days=30, minutes=1)):
        assert client.get(url).headers["Location"] == "/mijn/link/?oud=1"


def test_an_old_link_says_so_and_offers_a_new_one(client: Client) -> None:
    page = client.get("/mijn/link/?oud=1").content.decode()
    assert "Deze link werkt niet meer" in page
    assert "Stuur mij een link" in page


def test_raising_the_link_version_ends_links_and_sessions(mine: Client, customer: Customer, link: Link) -> None:
    url = link(customer)
    Customer.objects.update(link_version=1)
    assert mine.get("/mijn/").headers["Location"] == "/mijn/link/"
    assert mine.get(url).headers["Location"] == "/mijn/link/?oud=1"


def test_a_session_ends_after_two_hours(mine: Client) -> None:
    with time_machine.travel(clock() + dt.timedelta(hours=2, seconds=1)):
        assert mine.get("/mijn/").headers["Location"] == "/mijn/link/"


def test_leaving_is_a_post_and_keeps_staff_signed_in(
    administrator: User, client_of: Callable[[User], Client], customer: Customer, link: Link
) -> None:
    client = client_of(administrator)
    client.get(link(customer))
    assert client.get("/mijn/uitloggen/").status_code == 405
    assert client.get("/mijn/").status_code == 200
    client.post("/mijn/uitloggen/")
    assert client.get("/mijn/").headers["Location"] == "/mijn/link/"
    assert client.get("/balie/vestiging/").status_code == 200


def test_no_get_changes_anything(mine: Client, customer: Customer) -> None:
    before = (Consent.objects.count(), LinkRequest.objects.count(), AddressChange.objects.count())
    names = [name for name in get_resolver("mijnmenu.urls").reverse_dict if isinstance(name, str)]
    assert len(names) > 10
    for page in [*PAGES, "link/", "uitloggen/", "gegevens/nieuwe-link/", "gegevens/bevestigen/", "gegevens/adres/x/"]:
        mine.get(f"/mijn/{page}")
    assert (Consent.objects.count(), LinkRequest.objects.count(), AddressChange.objects.count()) == before


def test_without_a_csrf_token_nothing_is_changed(customer: Customer, link: Link) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get(link(customer))
    assert client.post("/mijn/afmelden/").status_code == 403
    assert not Consent.objects.exists()


# --- a new link ---


def test_the_answer_is_the_same_for_an_address_we_know_and_one_we_do_not(client: Client, customer: Customer) -> None:
    pages = []
    for address in ("sanne@example.nl", "iemand@example.nl"):
        page = client.post("/mijn/link/", {"address": address}).content.decode().replace(address, "X")
        pages.append(re.sub(r'(nonce=|X-CSRFToken": |csrfmiddlewaretoken" value=)"[^"]+"', "", page))
    assert pages[0] == pages[1]
    assert "Kijk in uw mailbox" in pages[0]
    assert not Mailing.objects.exists()  # that is left to the task, so the page takes as long for both


def test_a_known_address_gets_one_mail_with_its_link(customer: Customer, now: dt.datetime) -> None:
    ask_for_link(" Sanne@Example.NL ", now=now)
    assert answer_requests(now=now) == 1
    message = Message.objects.get()
    assert (message.customer, message.address, message.mailing.origin) == (customer, "sanne@example.nl", "mijnmenu")
    assert LinkRequest.objects.get().outcome == "sent"
    assert answer_requests(now=now) == 0


def test_an_unknown_address_gets_nothing(now: dt.datetime) -> None:
    ask_for_link("iemand@example.nl", now=now)
    answer_requests(now=now)
    assert LinkRequest.objects.get().outcome == "unknown"
    assert not Mailing.objects.exists()


def test_who_objected_to_everything_still_gets_the_link_he_asked_for(mine: Client, customer: Customer) -> None:
    mine.post("/mijn/afmelden/")
    ask_for_link("sanne@example.nl", now=clock())
    answer_requests(now=clock())
    assert Message.objects.count() == 1


def test_a_shared_mailbox_gets_one_mail(customer: Customer, now: dt.datetime) -> None:
    CustomerFactory(first_name="Piet", email="sanne@example.nl")
    ask_for_link("sanne@example.nl", now=now)
    answer_requests(now=now)
    assert Message.objects.get().customer == customer


def test_asking_again_within_ten_minutes_sends_no_second_mail(customer: Customer, now: dt.datetime) -> None:
    for minutes in (0, 5, 9):
        ask_for_link("sanne@example.nl", now=now + dt.timedelta(minutes=minutes))
    assert LinkRequest.objects.count() == 1
    ask_for_link("sanne@example.nl", now=now + dt.timedelta(minutes=11))
    answer_requests(now=now + dt.timedelta(minutes=11))
    assert Message.objects.count() == 2


def test_requests_from_one_place_are_limited(client: Client) -> None:
    statuses = [client.post("/mijn/link/", {"address": f"a{n}@example.nl"}).status_code for n in range(21)]
    assert statuses == [200] * 20 + [429]
    assert LinkRequest.objects.count() == 20


def test_requests_from_everywhere_together_are_limited(client: Client) -> None:
    LinkRequest.objects.bulk_create(LinkRequest(address=f"a{n}@example.nl", asked_at=clock()) for n in range(60))
    assert client.post("/mijn/link/", {"address": "nog@example.nl"}).status_code == 429


def test_no_address_is_asked_again(client: Client) -> None:
    for address in ("", "geen adres", "a@b"):
        assert client.post("/mijn/link/", {"address": address}).status_code == 422
    assert not LinkRequest.objects.exists()


def test_requests_are_forgotten_after_a_month(now: dt.datetime) -> None:
    ask_for_link("iemand@example.nl", now=now)
    assert forget_old_requests(now=now + dt.timedelta(days=29)) == 0
    assert forget_old_requests(now=now + dt.timedelta(days=31)) == 1
