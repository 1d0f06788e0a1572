import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.timezone import localtime

from mailings.models import Mailing, Message, Settlement
from tests.mailings.conftest import base_data, house, make_content, marketing, reader, readers, service, start

__all__ = ["base_data", "house", "make_content", "marketing", "reader", "readers", "service", "start"]

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]


@pytest.fixture
def client(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


@pytest.fixture
def mailing(start: Start, readers: Any, now: dt.datetime) -> Mailing:
    """Of four readers one was sent, the others are in doubt."""
    readers(4)
    mailing = start(name="Zomeractie")
    mailing.messages.update(state="in_doubt", reply="<script>alert(1)</script>", state_at=now)
    mailing.messages.filter(pk=mailing.messages.order_by("pk")[0].pk).update(state="sent", sent_at=now)
    return mailing


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())


def test_doubts_are_listed_and_settled_one_by_one(client: Client, mailing: Mailing) -> None:
    page = text(client.get("/mailings/in-doubt/"))
    assert page.count("/settle/") == 3 * 3 + 3
    assert "<script>alert" not in page
    one, two, three = Message.objects.in_doubt().order_by("pk")
    for message, decision in ((one, "sent"), (two, "again"), (three, "dropped")):
        assert f'value="{localtime(message.state_at).isoformat()}"' in page
        given = {"decision": decision, "since": localtime(message.state_at).isoformat()}
        client.post(f"/mailings/messages/{message.pk}/settle/", given)
    found = dict(Message.objects.values_list("pk", "state"))
    assert [found[message.pk] for message in (one, two, three)] == ["sent", "queued", "failed"]
    page = text(client.get("/mailings/in-doubt/"))
    assert "Niets onzeker" in page
    assert page.count("Zomeractie") >= 3  # settled lately
    assert client.get(f"/mailings/messages/{one.pk}/settle/").status_code == 405


def test_the_same_form_twice_sends_a_message_again_once(client: Client, mailing: Mailing, now: dt.datetime) -> None:
    message = Message.objects.in_doubt().order_by("pk")[0]
    url, form = f"/mailings/messages/{message.pk}/settle/", {"decision": "again", "since": now.isoformat()}
    client.post(url, form)
    client.post(url, form)
    assert Settlement.objects.filter(message=message).count() == 1
    Message.objects.filter(pk=message.pk).update(state="in_doubt", state_at=now + dt.timedelta(minutes=5))
    for again in (form, {"decision": "again"}, {**form, "since": "yesterday"}, {**form, "since": "2026-06-15T10:00"}):
        assert client.post(url, again).status_code < 500
    message.refresh_from_db()
    assert message.state == "in_doubt"
    assert Settlement.objects.filter(message=message).count() == 1
    client.post(url, {**form, "since": message.state_at.isoformat()})
    assert Settlement.objects.filter(message=message).count() == 2


def test_all_of_a_mailing_are_settled_at_once_when_the_page_was_up_to_date(
    client: Client, mailing: Mailing, now: dt.datetime
) -> None:
    url, since = f"/mailings/{mailing.pk}/settle/", now.isoformat()
    client.post(url, {"decision": "sent", "count": "2", "since": since})
    client.post(url, {"decision": "sent", "count": "3"})
    client.post(url, {"decision": "sent", "count": "3", "since": (now - dt.timedelta(seconds=1)).isoformat()})
    assert Message.objects.in_doubt().count() == 3
    client.post(url, {"decision": "sent", "count": "3", "since": since})
    assert not Message.objects.in_doubt().exists()
    assert Settlement.objects.count() == 3


def test_the_pages_of_a_mailing_lead_to_its_doubts(
    client: Client, mailing: Mailing, counter_staff: User, client_of: Any
) -> None:
    url = f"/mailings/in-doubt/?mailing={mailing.pk}"
    assert url in text(client.get(f"/mailings/{mailing.pk}/"))
    assert url in text(client.get(f"/mailings/{mailing.pk}/messages/?state=in_doubt"))
    assert client.get(url).context["total"] == 3
    assert client_of(counter_staff).get(url).status_code == 403


def test_doubts_are_listed_without_a_query_per_row(
    client: Client, start: Start, readers: Any, django_assert_max_num_queries: Any
) -> None:
    readers(25)
    start().messages.update(state="in_doubt")
    with django_assert_max_num_queries(18):
        text(client.get("/mailings/in-doubt/"))
