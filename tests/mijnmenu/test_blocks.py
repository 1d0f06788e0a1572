from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client

from common.blocks import SLOT, blocks
from customers.models import Customer
from mailings.models import Content
from mailings.tasks import send_queued
from mijnmenu.actions import ask_for_link
from mijnmenu.tasks import answer_customers
from tests.factories import CustomerFactory
from tests.smtp_sink import Sink

BLOCK = blocks["mijnmenu"]
DATA = {"text": "Open mijn pagina"}


def test_all_slots_that_are_used_are_declared_and_filled(customer: Customer) -> None:
    used = {match[1] for text in (BLOCK.mjml(DATA), BLOCK.text(DATA)) for match in re.finditer(SLOT, text)}
    values = BLOCK.values(DATA, customer_ids=[customer.pk], origin="mailing:1", medium="email")
    assert used == set(BLOCK.slots(DATA)) == set(values[customer.pk]) == set(BLOCK.samples(DATA, medium="email"))


def test_one_query_fills_many_readers(django_assert_num_queries: object) -> None:
    people = CustomerFactory.create_batch(5)
    with django_assert_num_queries(1):  # type: ignore[operator]
        values = BLOCK.values(DATA, customer_ids=[one.pk for one in people], origin="x", medium="email")
    assert len({one["mijnmenu:0:url"] for one in values.values()}) == 5


def test_a_letter_tells_where_to_ask() -> None:
    assert "/mijn/link/" in BLOCK.letter(DATA)
    assert BLOCK.values(DATA, customer_ids=[1], origin="x", medium="post") == {}


@pytest.mark.parametrize("name", ["Piet", '<b onmouseover="x">Piet'])
def test_the_mail_to_a_shared_mailbox_holds_a_link_per_person_that_works(
    customer: Customer, smtp_sink: Sink, now: dt.datetime, client: Client, name: str
) -> None:
    CustomerFactory(first_name=name, name_prefix="", last_name="Smit", email="sanne@example.nl")
    ask_for_link("sanne@example.nl", now=now)
    answer_customers()
    send_queued()
    (mail,) = smtp_sink.to("sanne@example.nl")
    assert mail["Subject"] == "Uw link naar uw eigen pagina"
    plain, html = (mail.get_body([kind]) for kind in ("plain", "html"))
    assert plain
    assert html
    links = re.findall(r"https?://[^/]+(/mijn/enter/\S+)", plain.get_content())
    names = []
    for link in dict.fromkeys(links):
        client.get(link)
        names.append(client.get("/mijn/gegevens/").context["customer"].first_name)
    assert names == ["Sanne", name]
    assert "<b onmouseover" not in html.get_content()
    assert html.get_content().count("/mijn/enter/") == 3  # the button, the other person, "my preferences" at the foot


def test_the_content_of_the_mail_is_made_once_and_stays_as_staff_change_it(
    customer: Customer, now: dt.datetime
) -> None:
    for hours in (0, 1):
        ask_for_link("sanne@example.nl", now=now + dt.timedelta(hours=hours))
        answer_customers()
    assert Content.objects.count() == 1
