import html
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from mailings.models import DomainLimit, Relay
from tests.faults.scripted_smtp import Server, scripted_smtp

pytestmark = pytest.mark.django_db

SERVER = {"name": "Eigen server", "variable": "RELAY_OWN", "weight": 2, "connections": 4, "is_active": "on"}


@pytest.fixture
def server(tmp_path: Path, settings: Settings) -> Iterator[Server]:
    with scripted_smtp(tmp_path / "ledger") as running:
        settings.RELAYS = {
            "EMAIL_URL": {},
            "RELAY_OWN": {
                "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": running.port, "EMAIL_HOST_USER": "", "EMAIL_USE_SSL": False,
                "EMAIL_HOST_PASSWORD": "", "EMAIL_USE_TLS": False,
            },
        }  # fmt: skip
        yield running


@pytest.fixture
def admin(administrator: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(administrator)


def text(response: Any) -> str:
    return html.unescape(response.content.decode())


def test_an_administrator_adds_a_mail_server_tries_it_and_takes_it_away(admin: Client, server: Server) -> None:
    assert "Alle mail gaat over één server" in text(admin.get("/sending/servers/"))
    page = text(admin.post("/sending/servers/add/", SERVER, follow=True))
    assert "Eigen server" in page
    relay = Relay.objects.get()
    assert (relay.weight, relay.connections, relay.per_second) == (2, 4, None)
    page = text(admin.post(f"/sending/servers/{relay.pk}/try/", follow=True))
    assert "De mailserver antwoordt en laat ons binnen" in page
    server.most_connections = 0
    assert "421 4.7.0 too many connections" in text(admin.post(f"/sending/servers/{relay.pk}/try/", follow=True))
    admin.post(f"/sending/servers/{relay.pk}/", {**SERVER, "per_second": 20, "is_active": ""})
    relay.refresh_from_db()
    assert (relay.per_second, relay.is_active) == (20, False)
    assert "Niet in gebruik" in text(admin.get("/sending/servers/"))
    admin.post(f"/sending/servers/{relay.pk}/remove/")
    assert not Relay.objects.exists()


def test_a_mail_server_whose_setting_went_away_is_shown_so(admin: Client, server: Server, settings: Settings) -> None:
    admin.post("/sending/servers/add/", SERVER)
    relay = Relay.objects.get()
    settings.RELAYS = {"EMAIL_URL": {}}
    assert "De instelling ontbreekt" in text(admin.get("/sending/servers/"))
    assert "RELAY_OWN" in text(admin.post(f"/sending/servers/{relay.pk}/try/", follow=True))
    assert admin.post(f"/sending/servers/{relay.pk}/", SERVER).status_code == 422


def test_an_administrator_limits_a_domain(admin: Client) -> None:
    page = text(admin.post("/sending/domains/add/", {"domain": "Gmail.com", "per_minute": 600}, follow=True))
    assert "gmail.com" in page
    assert admin.post("/sending/domains/add/", {"domain": "gmail.com", "per_minute": 1}).status_code == 422
    limit = DomainLimit.objects.get()
    admin.post(f"/sending/domains/{limit.pk}/", {"domain": "gmail.com", "per_minute": 300})
    limit.refresh_from_db()
    assert limit.per_minute == 300
    admin.post(f"/sending/domains/{limit.pk}/remove/")
    assert not DomainLimit.objects.exists()


def test_only_who_manages_the_system_sees_mail_servers(client: Client, marketeer: User, client_of: Any) -> None:
    assert client_of(marketeer).get("/sending/servers/").status_code == 403
