"""Mail servers, speeds and the state of mailings, as a system that an administrator trusts sees and changes them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings
from rest_framework.test import APIClient

from common.actions import give_rights
from mailings.models import Mailing, Message, Relay, SendingSettings
from tests.mailings.conftest import base_data, house, make_content, marketing, reader, readers, start
from tests.mailings.test_dkim import ED25519, setting

__all__ = ["base_data", "house", "make_content", "marketing", "reader", "readers", "start"]

pytestmark = pytest.mark.django_db

SERVERS, DOMAINS, KEYS = "/api/v1/mail-servers/", "/api/v1/mail-domains/", "/api/v1/signing-keys/"


@pytest.fixture
def trusted(api: APIClient, administrator: User, house: SendingSettings, settings: Settings) -> APIClient:
    give_rights(User.objects.get(username="website"), rights=["manage_sending"], by=administrator)
    settings.RELAYS = {"EMAIL_URL": settings.RELAYS["EMAIL_URL"], "RELAY_WEB": {"ANYMAIL": "mailgun"}}
    return api


def send(api: APIClient, verb: str, address: str, body: dict[str, Any] | None = None) -> Any:
    return getattr(api, verb)(address, body or {}, format="json")


def test_an_integration_is_only_let_in_by_name(api: APIClient, start: Any, readers: Any) -> None:
    readers(1)
    mailing = start()
    for address in (SERVERS, DOMAINS, KEYS, f"{SERVERS}history/"):
        assert api.get(address).status_code == 403
    for verb in ("pause", "resume", "cancel"):
        assert send(api, "post", f"/api/v1/mailings/{mailing.pk}/{verb}/").status_code == 403
    assert send(api, "post", f"{KEYS}check/").status_code == 403


def test_servers_are_added_slowed_taken_out_of_use_and_removed(trusted: APIClient) -> None:
    made = send(trusted, "post", SERVERS, {"name": "Web", "variable": "RELAY_WEB", "connections": 4})
    assert made.status_code == 201
    assert made.data == {
        "id": made.data["id"], "name": "Web", "variable": "RELAY_WEB", "weight": 1, "connections": 4,
        "per_second": None, "is_active": True, "is_known": True, "provider": "mailgun",
    }  # fmt: skip
    one = f"{SERVERS}{made.data['id']}/"
    assert "MAILGUN_API_KEY" in send(trusted, "post", f"{one}try/").data["wrong"]  # its settings are not complete
    assert send(trusted, "patch", one, {"per_second": 5, "is_active": False}).data["per_second"] == 5
    assert trusted.get(SERVERS, {"is_active": "true"}).data["results"] == []
    assert trusted.get(one).data["is_active"] is False
    for wrong, field in (({"variable": "RELAY_NONE"}, "variable"), ({"connections": 1000}, "connections")):
        refused = send(trusted, "patch", one, wrong)
        assert (refused.status_code, refused.data["field"]) == (422, field)
    taken = send(trusted, "post", SERVERS, {"name": "Web", "variable": "EMAIL_URL"})
    assert (taken.status_code, taken.data["code"]) == (422, "name_taken")
    assert send(trusted, "delete", one).status_code == 204
    assert not Relay.objects.exists()
    told = [(row["change"], row["by"]) for row in trusted.get(f"{SERVERS}history/").data["results"]]
    assert told == [("delete", "website"), ("update", "website"), ("insert", "website")]


def test_a_mail_domain_is_limited(trusted: APIClient) -> None:
    made = send(trusted, "post", DOMAINS, {"domain": "@Gmail.com", "per_minute": 600})
    assert made.data == {"id": made.data["id"], "domain": "gmail.com", "per_minute": 600}
    one = f"{DOMAINS}{made.data['id']}/"
    assert send(trusted, "patch", one, {"per_minute": 60}).data["per_minute"] == 60
    assert send(trusted, "post", DOMAINS, {"domain": "gmail.com", "per_minute": 1}).data["code"] == "twice"
    assert send(trusted, "patch", one, {"domain": "geen domein"}).status_code == 422
    assert send(trusted, "delete", one).status_code == 204
    assert trusted.get(f"{DOMAINS}history/").data["results"][0]["change"] == "delete"


def test_keys_are_shown_without_their_secret_half(trusted: APIClient, settings: Settings) -> None:
    settings.DKIM = {"DKIM_ONE": setting(ED25519)}
    settings.DNS_SERVER = "127.0.0.1:9"  # where nobody answers
    told = trusted.get(KEYS)
    assert [one["place"] for one in told.data] == ["wise._domainkey.waterland.example"]
    assert setting(ED25519)["key"] not in told.content.decode()
    (checked,) = send(trusted, "post", f"{KEYS}check/").data
    assert checked["wrong"]


def test_a_mailing_is_paused_resumed_and_cancelled_and_who_did_is_kept(
    trusted: APIClient, start: Any, readers: Any, administrator: User
) -> None:
    readers(2)
    mailing: Mailing = start()
    at = f"/api/v1/mailings/{mailing.pk}/"
    assert send(trusted, "post", f"{at}pause/").status_code == 403  # the servers are another matter
    give_rights(User.objects.get(username="website"), rights=["manage_mailings"], by=administrator)
    paused = send(trusted, "post", f"{at}pause/", {"reason": "Fout in de tekst"}).data
    assert (paused["state"], paused["pause_reason"]) == ("paused", "Fout in de tekst")
    assert send(trusted, "post", f"{at}pause/").status_code == 409
    assert send(trusted, "post", f"{at}resume/").data["state"] == "sending"
    assert send(trusted, "post", f"{at}cancel/").data["state"] == "cancelled"
    assert send(trusted, "post", f"{at}resume/").data["code"] == "wrong_state"
    assert set(Message.objects.values_list("state", "withdrawn_because")) == {("withdrawn", "cancelled")}
    by = [event.pgh_context.metadata["by"] for event in mailing.events.order_by("-pgh_id")[:3]]
    assert by == ["website"] * 3
