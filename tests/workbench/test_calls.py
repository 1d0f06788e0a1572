"""The pages of call lists: take, call, write down; take along as a file; settings."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from common.actions import add_integration
from common.time import clock
from customers.models import Customer, Purpose
from mailings.actions import change_call_settings, change_sending_settings, save_content, start_mailing
from mailings.models import Call, CallSettings, Mailing, Message
from selections.models import Export
from tests.factories import ConsentFactory, CustomerFactory, begin, limit_messages

pytestmark = pytest.mark.django_db


@pytest.fixture
def call_list(db: None) -> Mailing:
    begin()
    limit_messages(0)
    change_sending_settings(organisation="Waterland", postal_address="Postbus 12", sender_email="a@waterland.example")
    change_call_settings(from_hour=0, until_hour=24)
    marketing = Purpose.objects.get(code="marketing")
    for number in range(2):
        customer = CustomerFactory(phone=f"+3129912345{number}", first_name="=Anna")
        ConsentFactory(customer=customer, purpose=marketing, channel="phone")
    text = {"type": "text", "data": {"text": "<p>Vraag {{ first_name }} of het beviel.</p>"}}
    content = save_content(None, name="Bellen", blocks=[text], now=clock())
    return start_mailing(
        name="Nabellen", origin="test", due_key="calls", purpose=marketing, channels="calls", content=content,
        candidates=Customer.objects.all(), now=clock(),
    )  # fmt: skip


@pytest.fixture
def pages(client: Client, marketeer: User) -> Client:
    client.force_login(marketeer)
    return client


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_a_list_is_worked_through_customer_by_customer(pages: Client, call_list: Mailing) -> None:
    page = reverse("workbench:mailing_calls", args=[call_list.pk])
    assert page in text(pages.get(reverse("workbench:mailing_detail", args=[call_list.pk])))
    assert not Message.objects.filter(state="claimed").exists()
    shown = text(pages.post(reverse("workbench:call_take", args=[call_list.pk]), follow=True))
    assert "0299-123450" in shown
    assert "Vraag =Anna of het beviel." in shown
    day = (clock() + dt.timedelta(days=3)).date().isoformat()
    first, second = Message.objects.order_by("pk").values_list("pk", flat=True)
    assert f'value="{first}"' in shown
    assert pages.post(page, {"message": first, "outcome": "later"}).status_code == 422
    later = {"message": first, "outcome": "later", "again_on": day, "note": "Op reis"}
    shown = text(pages.post(page, later, follow=True))
    assert "0299-123451" in shown
    shown = text(pages.post(page, {"message": second, "outcome": "reached"}, follow=True))
    assert "niemand meer" in shown
    made = text(pages.get(reverse("workbench:call_list", args=[call_list.pk])))
    assert "Op reis" in made
    assert Call.objects.count() == 2


def test_what_is_sent_twice_is_not_written_down_of_the_next_customer(pages: Client, call_list: Mailing) -> None:
    page = reverse("workbench:mailing_calls", args=[call_list.pk])
    pages.post(reverse("workbench:call_take", args=[call_list.pk]))
    first, second = Message.objects.order_by("pk")
    given = {"message": first.pk, "outcome": "not_reached"}
    for _again in range(2):
        shown = text(pages.post(page, given, follow=True))
    assert "0299-123451" in shown
    assert "staat niet meer bij jou" in shown
    assert list(Call.objects.values_list("message", flat=True)) == [first.pk]
    second.refresh_from_db()
    assert second.state == "claimed"


def test_the_last_call_of_a_day_is_kept_and_the_page_says_that_it_is_enough(pages: Client, call_list: Mailing) -> None:
    page = reverse("workbench:mailing_calls", args=[call_list.pk])
    pages.post(reverse("workbench:call_take", args=[call_list.pk]))
    change_call_settings(per_day=1)
    message = Message.objects.get(state="claimed")
    shown = text(pages.post(page, {"message": message.pk, "outcome": "reached"}, follow=True))
    assert "Morgen" in shown or "morgen" in shown
    assert Call.objects.count() == 1


def test_a_customer_in_hand_can_be_left_to_somebody_else(pages: Client, call_list: Mailing) -> None:
    pages.post(reverse("workbench:call_take", args=[call_list.pk]))
    pages.post(reverse("workbench:call_put_back", args=[call_list.pk]))
    assert set(Message.objects.values_list("state", flat=True)) == {"queued"}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_list_goes_along_as_a_file_and_that_is_written_down(
    pages: Client, call_list: Mailing, marketeer: User, kind: str
) -> None:
    found = pages.post(reverse("workbench:call_export", args=[call_list.pk]), {"format": kind})
    body = b"".join(found.streaming_content)  # type: ignore[attr-defined]
    assert body[:2] == b"PK" if kind == "xlsx" else "123450" in body.decode()
    assert kind == "xlsx" or ";=Anna" not in body.decode()
    kept = Export.objects.get()
    assert (kept.kind, kept.user, kept.row_count, kept.selection_name) == ("calls", marketeer, 2, "Nabellen")


def test_pages_of_a_list_ask_as_many_questions_for_many_as_for_few(
    pages: Client, call_list: Mailing, django_assert_max_num_queries: Any
) -> None:
    pages.post(reverse("workbench:call_take", args=[call_list.pk]))
    with django_assert_max_num_queries(30):
        pages.get(reverse("workbench:mailing_calls", args=[call_list.pk]))
    with django_assert_max_num_queries(20):
        pages.get(reverse("workbench:call_list", args=[call_list.pk]))


def test_an_administrator_sets_when_customers_are_called(
    client: Client, administrator: User, call_list: Mailing
) -> None:
    client.force_login(administrator)
    page = reverse("workbench:call_settings")
    given = {"from_hour": "11", "until_hour": "20", "per_day": "40", "most_attempts": "4"}
    assert client.post(page, given).status_code == 302
    found = CallSettings.load()
    assert (found.from_hour, found.per_day, found.most_attempts) == (11, 40, 4)
    assert client.post(page, {**given, "from_hour": "21"}).status_code == 422


def test_a_mailing_that_is_no_call_list_has_no_such_page(pages: Client, call_list: Mailing) -> None:
    Mailing.objects.update(channels="email")
    assert pages.get(reverse("workbench:mailing_calls", args=[call_list.pk])).status_code == 404


def test_a_call_centre_writes_down_its_calls_over_the_api(administrator: User, call_list: Mailing) -> None:
    _user, token = add_integration(name="callcenter", by=administrator)
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    first, second = Message.objects.select_related("customer").order_by("pk")
    told = {"mailing": call_list.pk, "customer": first.customer.number, "outcome": "reached", "note": "Graag"}
    assert api.post("/api/v1/calls/", told).status_code == 201
    assert api.post("/api/v1/calls/", told).status_code in {400, 409, 422}
    assert api.post("/api/v1/calls/", {**told, "customer": second.customer.number, "outcome": "x"}).status_code == 400
    assert api.post("/api/v1/calls/", {**told, "customer": "bestaat niet"}).status_code == 400
    [made] = api.get("/api/v1/calls/", {"message__mailing": call_list.pk}).data["results"]
    assert (made["customer"], made["outcome"], made["note"]) == (first.customer.number, "reached", "Graag")
