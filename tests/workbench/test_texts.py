"""The pages about text messages: writing one, its price beforehand, settings, answers; and the same over the API."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from campaigns.actions import create_action
from campaigns.models import Action
from common.actions import add_integration, give_rights
from common.errors import Refused
from common.time import clock
from customers.models import Customer, Purpose
from mailings.actions import (
    change_sending_settings,
    change_text_settings,
    check_links,
    record_text_events,
    save_short_text,
)
from mailings.actions.testing import send_text_test
from mailings.delivery import Answer as Found
from mailings.models import Message, SentTest, ShortText, TextSettings
from mailings.sms.events import Answer
from mailings.sms.worker import send_ready_texts
from selections.actions import create_selection
from selections.models import Selection
from tests.factories import ConsentFactory, CustomerFactory, begin, limit_messages

pytestmark = pytest.mark.django_db


@pytest.fixture
def texts(db: None, settings: Any, tmp_path: Path) -> None:
    begin()
    limit_messages(0)
    settings.SMS_FOLDER, settings.SMS_API = tmp_path, ""
    change_sending_settings(
        organisation="Bibliotheek Waterland", postal_address="Postbus 12", sender_email="nieuws@waterland.example"
    )
    change_text_settings(sender="Bieb", price_mills=75, from_hour=0, until_hour=24)


@pytest.fixture
def reader(texts: None) -> Customer:
    customer: Customer = CustomerFactory(phone="+31612345678")
    ConsentFactory(customer=customer, purpose=Purpose.objects.get(code="marketing"), channel="sms")
    return customer


@pytest.fixture
def action(texts: None, marketeer: User) -> Action:
    return create_action(
        name="Sms", purpose=Purpose.objects.get(code="marketing"), channels="sms", by=marketeer, now=clock()
    )


@pytest.fixture
def everybody(texts: None) -> Selection:
    rule = {
        "version": 2,
        "op": "all",
        "children": [{"criterion": "customer.age", "params": {"at_least": 1}}],
    }
    return create_selection(name="Iedereen", rule=rule, now=clock())


@pytest.fixture
def pages(client: Client, marketeer: User) -> Client:
    client.force_login(marketeer)
    return client


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_an_action_goes_out_as_a_text_message_from_writing_to_answer(
    pages: Client, action: Action, reader: Customer, everybody: Selection
) -> None:
    page = reverse("workbench:action_detail", args=[action.pk])
    assert "nog leeg" in text(pages.get(page))
    write = reverse("workbench:content_text", args=[action.content_id])
    assert write in text(pages.get(page))
    assert pages.post(write, {"text": "Dag {{ first_name }}, tot morgen! https://example.nl/x"}).status_code == 302
    assert "Dag Anna, tot morgen!" not in text(pages.get(page))
    run = reverse("workbench:action_run", args=[action.pk])
    shown = text(pages.get(run, {"selection": everybody.pk}))
    assert "1 deel, voor € 0,08" in shown.replace("\xa0", " ")
    sent = pages.post(run, {"selection": everybody.pk, "key": "a", "confirmed": ""}, follow=True)
    assert sent.status_code == 200
    assert send_ready_texts(seconds=20) == {"sent": 1}
    message = Message.objects.get()
    record_text_events([Answer("k", message.address, "Leuk, dank u!")], now=clock())
    mailing = text(pages.get(reverse("workbench:mailing_detail", args=[message.mailing_id])))
    assert "voor 1 deel" in mailing
    assert reverse("workbench:mailing_clicks", args=[message.mailing_id]) not in mailing  # it shows mails
    assert "Klikten" in text(pages.get(reverse("workbench:mailing_report", args=[message.mailing_id])))
    assert "Leuk, dank u!" in text(pages.get(reverse("workbench:text_reply_list")))


def test_what_is_wrong_with_a_text_is_told_while_writing_and_nothing_is_kept(pages: Client, action: Action) -> None:
    example = reverse("workbench:content_text_example", args=[action.content_id])
    assert "naam" in text(pages.get(example, {"text": "Dag {{ naam }}"}))
    shown = text(pages.get(example, {"text": "Koop nu 😀"}))
    assert "UCS-2" in shown
    assert "😀" in shown
    assert not ShortText.objects.exists()
    page = pages.post(reverse("workbench:content_text", args=[action.content_id]), {"text": "Dag {{ naam }}"})
    assert page.status_code == 422
    assert "{{ naam }}" in page.content.decode()


def test_a_text_that_a_colleague_wrote_meanwhile_is_not_put_aside_unseen(pages: Client, action: Action) -> None:
    write = reverse("workbench:content_text", args=[action.content_id])
    assert pages.post(write, {"text": "Van de collega", "was": ""}).status_code == 302
    page = pages.post(write, {"text": "Van mij", "was": ""})
    assert (page.status_code, ShortText.objects.get().text) == (422, "Van de collega")
    assert "Van mij" in text(page)
    assert ShortText.objects.get().mark in text(page)
    assert pages.post(write, {"text": "Van mij", "was": ShortText.objects.get().mark}).status_code == 302
    assert "Van de collega" in text(pages.get(write))  # in its history


def test_a_text_that_is_not_there_stops_the_run_and_says_where_to_write_it(
    pages: Client, action: Action, reader: Customer, everybody: Selection
) -> None:
    run = reverse("workbench:action_run", args=[action.pk])
    assert reverse("workbench:content_text", args=[action.content_id]) in text(
        pages.get(run, {"selection": everybody.pk})
    )
    pages.post(run, {"selection": everybody.pk, "key": "a", "confirmed": ""})
    assert not Message.objects.exists()


def test_an_administrator_sets_sender_price_and_hours(client: Client, administrator: User, texts: None) -> None:
    client.force_login(administrator)
    page = reverse("workbench:text_settings")
    given = {"sender": "Waterland", "price": "0,081", "most_parts": "2", "from_hour": "10", "until_hour": "19"}
    assert client.post(page, given).status_code == 302
    found = TextSettings.load()
    assert (found.sender, found.price_mills, found.until_hour) == ("Waterland", 81, 19)
    assert "Waterland" in text(client.get(page))
    assert client.post(page, {**given, "sender": "Bibliotheek Waterland"}).status_code == 422


def test_a_test_goes_to_ones_own_number_and_its_links_are_looked_up(
    pages: Client, action: Action, tmp_path: Path, marketeer: User
) -> None:
    write, send = (
        reverse(f"workbench:{name}", args=[action.content_id]) for name in ("content_text", "content_text_test")
    )
    checks = reverse("workbench:content_checks", args=[action.content_id])
    pages.post(write, {"text": "Dag {{ first_name }}, kijk: https://www.example.nl/weg."})
    assert "geen telefoonnummer" in text(pages.post(send, {"number": "bel mij"}, follow=True))
    assert "eindigt op 432" in text(pages.post(send, {"number": "06 98 76 54 32"}, follow=True))
    [line] = [json.loads(one) for file in (tmp_path / "out").iterdir() for one in file.read_text().splitlines()]
    assert (line["to"], line["from"]) == ("+31698765432", "Bieb")
    assert line["text"].startswith("Dag Fatima, kijk: https://www.example.nl/weg.\nNiet meer? ")
    assert SentTest.objects.get().number_ending == "432"
    assert not Message.objects.exists()
    pages.post(reverse("workbench:content_links", args=[action.content_id]))
    check_links(ask=lambda _url: Found(404, "404 Not Found"), now=clock())
    shown = text(pages.get(checks))
    assert "Er is geen pagina op https://www.example.nl/weg" in shown
    SentTest.objects.bulk_create(
        SentTest(content=action.content, recipient=marketeer, sent_by=marketeer, number_ending="432", sent_at=clock())
        for _number in range(19)
    )
    assert "hoogstens 20" in text(pages.post(send, {"number": "06 98 76 54 32"}, follow=True))


@pytest.mark.django_db(transaction=True)
def test_two_tests_at_the_same_moment_do_not_pass_the_limit_of_a_day(
    texts: None, action: Action, marketeer: User
) -> None:
    save_short_text(action.content, text="Dag.", by=None, now=clock())
    known = {"content": action.content, "recipient": marketeer, "sent_by": marketeer, "number_ending": "432"}
    SentTest.objects.bulk_create(SentTest(**known, sent_at=clock()) for _number in range(19))
    together = Barrier(2)

    def send(_time: int) -> str:
        together.wait(timeout=10)
        try:
            send_text_test(action.content, number="0698765432", purpose=action.purpose, by=marketeer, now=clock())
        except Refused as refused:
            return refused.code
        finally:
            connection.close()
        return "sent"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(send, range(2))) == ["sent", "too_many"]


def test_texts_over_the_api(administrator: User, action: Action, reader: Customer) -> None:
    user, token = add_integration(name="website", by=administrator)
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    address = f"/api/v1/texts/{action.content_id}/"
    assert api.get(address).data["text"] == ""
    assert api.put(address, {"text": "Dag"}).status_code == 403
    give_rights(user, rights=["manage_mailings"], by=administrator)
    assert api.put(address, {"text": "Dag {{ first_name }}"}).data["text"] == "Dag {{ first_name }}"
    assert api.put(address, {"text": "Dag {{ naam }}"}).status_code == 422
    found = api.get(f"{address}example/", {"purpose": "marketing"}).data
    assert found["text"].startswith("Dag Fatima\nNiet meer? ")
    assert (found["encoding"], found["parts"], found["cost_mills"]) == ("GSM-7", 1, 75)
    sent = api.post(f"{address}send-test/", {"number": "0612345678"}).data
    assert (sent["number_ending"], sent["state"]) == ("678", "sent")
    api.post(f"{address}send-test/", {"number": "0612345678", "customer": reader.number})
    assert SentTest.objects.get(as_customer=True).subject == "Dag {{ first_name }}"  # nobody's name is kept


def test_what_became_of_texts_over_the_api(
    administrator: User, action: Action, reader: Customer, everybody: Selection, pages: Client
) -> None:
    pages.post(reverse("workbench:content_text", args=[action.content_id]), {"text": "Dag"})
    pages.post(
        reverse("workbench:action_run", args=[action.pk]), {"selection": everybody.pk, "key": "a", "confirmed": ""}
    )
    send_ready_texts(seconds=20)
    record_text_events([Answer("k", reader.contact_points.get(channel="phone").value, "stop")], now=clock())
    _user, token = add_integration(name="website", by=administrator)
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    [sent] = api.get("/api/v1/sent-texts/").data["results"]
    assert (sent["customer"], sent["parts"], sent["delivery"]) == (reader.number, 1, "")
    [reply] = api.get("/api/v1/text-replies/", {"is_stop": "true"}).data["results"]
    assert (reply["text"], reply["customer"]) == ("stop", reader.number)
