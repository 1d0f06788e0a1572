from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from customers.models import Customer
from mailings.actions import record_reports
from mailings.bounces.reading import Report
from mailings.models import Bounce, Mailing, Message, Suppression
from tests.mailings.conftest import base_data, house, make_content, marketing, reader, start  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


@pytest.fixture
def bounces(start: Callable[..., Mailing], reader: Callable[..., Customer], now: dt.datetime) -> list[Bounce]:  # noqa: F811
    reader(email="anna@example.nl")
    message = Message.objects.get(mailing=start(name="Zomer"))
    reports = [
        Report("hard", "1", address="anna@example.nl", status="5.1.1", detail="550 <weg>", message_id=message.pk,
               is_proven=True),
        Report("soft", "2", address="bert@example.nl", status="5.2.2", detail="552 vol"),
        Report("unknown", "3", detail="Vraag"),
    ]  # fmt: skip
    return record_reports(reports, source="mailbox", now=now)


def text(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


def rows(client: Client, query: str = "") -> list[str]:
    table = client.get(f"/mailings/bounces/?{query}").context["table"]
    return sorted(row.record.kind for row in table.page.object_list)


def test_the_list_tells_what_came_back_and_can_be_searched(client: Client, bounces: list[Bounce]) -> None:
    assert "/mailings/bounces/" in text(client.get("/mailings/"))
    page = text(client.get("/mailings/bounces/"))
    assert "550 &lt;weg&gt;" in page
    assert "Zomer" in page
    assert rows(client) == ["hard", "soft", "unknown"]
    assert rows(client, "kind=soft") == rows(client, "q=bert") == ["soft"]
    assert rows(client, "blocked=yes") == rows(client, f"mailing={Mailing.objects.get().pk}") == ["hard"]
    assert rows(client, "blocked=no") == ["soft", "unknown"]


def test_the_list_costs_the_same_however_long_it_is(
    client: Client, bounces: list[Bounce], now: dt.datetime, django_assert_max_num_queries: Any
) -> None:
    more = [Report("soft", f"n{n}", address=f"n{n}@example.nl") for n in range(40)]
    record_reports(more, source="smtp", now=now)
    with django_assert_max_num_queries(12):
        client.get("/mailings/bounces/")


def test_an_address_is_released_and_blocked_again_from_its_page(client: Client, bounces: list[Bounce]) -> None:
    url = f"/mailings/bounces/{bounces[0].pk}/"
    page = text(client.get(url))
    blocked = Suppression.objects.get()
    assert f"/mailings/blocked/{blocked.pk}/release/" in page
    assert "Zomer" in page
    client.post(f"/mailings/blocked/{blocked.pk}/release/")
    assert f"{url}block/" in text(client.get(url))
    client.post(f"{url}block/")
    blocked.refresh_from_db()
    assert (blocked.reason, blocked.released_at) == ("manual", None)


def test_a_report_about_nobody_has_a_page_without_buttons(client: Client, bounces: list[Bounce]) -> None:
    page = text(client.get(f"/mailings/bounces/{bounces[2].pk}/"))
    assert "Vraag" in page
    assert "/block/" not in page


def test_over_the_api(integrator: User, client_of: Callable[[User], Client], bounces: list[Bounce]) -> None:
    found = client_of(integrator).get("/api/v1/bounces/?kind=hard").json()["results"]
    assert [(one["address"], one["status"], one["mailing"]) for one in found] == [
        ("anna@example.nl", "5.1.1", Mailing.objects.get().pk)
    ]
    assert found[0]["customer"] == Customer.objects.get(contact_points__value="anna@example.nl").number
    both = client_of(integrator).get("/api/v1/bounces/?address=bert@example.nl").json()["results"]
    assert [(one["customer"], one["mailing"]) for one in both] == [(None, None)]
