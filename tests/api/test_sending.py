"""How the organisation sends, as a system that an administrator trusts sees and changes it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from common.actions import give_rights
from common.errors import Refused
from mailings.actions import change_content, change_sending_settings
from mailings.models import CapRule, ClosingDay, Content, SeenWarnings, SendingSettings
from tests.factories import BranchFactory
from tests.mailings.conftest import base_data, house, make_content, marketing, reader, readers, start

__all__ = ["base_data", "house", "make_content", "marketing", "reader", "readers", "start"]

pytestmark = pytest.mark.django_db

SETTINGS, LIMITS, CLOSED = "/api/v1/sending-settings/", "/api/v1/message-limits/", "/api/v1/closing-days/"


def give(codename: str, by: User) -> User:
    user = User.objects.get(username="website")
    give_rights(user, rights=[codename], by=by)
    return user


@pytest.fixture
def trusted(api: APIClient, administrator: User, house: SendingSettings) -> APIClient:
    give("manage_sending", administrator)
    CapRule.objects.all().delete()
    return api


def send(api: APIClient, verb: str, address: str, body: dict[str, Any] | None = None) -> Any:
    return getattr(api, verb)(address, body or {}, format="json")


def test_an_integration_is_only_let_in_by_name(api: APIClient, house: SendingSettings) -> None:
    for address in (SETTINGS, f"{SETTINGS}history/", LIMITS, CLOSED, f"{LIMITS}history/"):
        assert api.get(address).status_code == 403
    assert send(api, "patch", SETTINGS, {"send_from_hour": 9}).status_code == 403


def test_hours_and_brake_are_changed_and_who_did_is_kept(
    trusted: APIClient, administrator: User, client_of: Any
) -> None:
    changed = send(trusted, "patch", SETTINGS, {"send_from_hour": 9, "brake_bounces": 20})
    assert (changed.status_code, changed.data["send_from_hour"], changed.data["brake_bounces"]) == (200, 9, 20)
    assert trusted.get(SETTINGS).data["organisation"] == "Bibliotheek Waterland"
    refused = send(trusted, "patch", SETTINGS, {"send_until_hour": 8})
    assert (refused.status_code, refused.data["field"]) == (422, "send_until_hour")
    last = trusted.get(f"{SETTINGS}history/").data["results"][0]
    assert (last["by"], last["change"], last["values"]["brake_bounces"]) == ("website", "update", 20)
    client: Client = client_of(administrator)
    assert "website" in client.get("/sending/").content.decode()


def test_limits_are_made_changed_and_removed(trusted: APIClient) -> None:
    made = send(trusted, "post", LIMITS, {"messages": 2, "days": 7, "purpose": "marketing", "channel": "email"})
    assert made.status_code == 201
    twice = send(trusted, "post", LIMITS, {"messages": 3, "days": 7, "purpose": "marketing", "channel": "email"})
    assert (twice.status_code, twice.data["code"]) == (422, "twice")
    assert send(trusted, "post", LIMITS, {"messages": 2, "days": 7, "purpose": "service"}).status_code == 422
    one = f"{LIMITS}{made.data['id']}/"
    assert send(trusted, "patch", one, {"messages": 4}).data == {**made.data, "messages": 4}
    assert send(trusted, "delete", one).status_code == 204
    assert trusted.get(LIMITS).data["results"] == []
    told = [(row["change"], row["by"]) for row in trusted.get(f"{LIMITS}history/").data["results"][:3]]
    assert told == [("delete", "website"), ("update", "website"), ("insert", "website")]


def test_closing_days_of_a_branch(trusted: APIClient) -> None:
    BranchFactory(code="PUR")
    king = {"name": "Koningsdag", "branch": "PUR", "first_day": "2027-04-27", "last_day": "2027-04-27"}
    made = send(trusted, "post", CLOSED, king)
    assert made.data == {"id": made.data["id"], **king}
    one = f"{CLOSED}{made.data['id']}/"
    wrong = send(trusted, "patch", one, {"last_day": "2027-04-26"})
    assert (wrong.status_code, wrong.data["field"]) == (422, "last_day")
    assert send(trusted, "patch", one, {"branch": None}).data["branch"] is None
    assert trusted.get(CLOSED, {"last_day__gte": "2027-04-28"}).data["results"] == []
    send(trusted, "delete", one)
    assert not ClosingDay.objects.exists()
    assert trusted.get(f"{CLOSED}history/").data["results"][0]["change"] == "delete"


def test_a_mailing_is_approved_or_refused_by_who_holds_that_right_by_name(
    api: APIClient, start: Any, readers: Any, marketeer: User, administrator: User, now: dt.datetime
) -> None:
    change_sending_settings(approval_from=1)
    readers(1)
    first, second = start(by=marketeer), start(by=marketeer)
    approve, refuse = f"/api/v1/mailings/{first.pk}/approve/", f"/api/v1/mailings/{second.pk}/refuse/"
    assert send(api, "post", approve).status_code == 403
    user = give("approve_mailings", administrator)
    assert send(api, "post", refuse).status_code == 400  # without a reason
    assert send(api, "post", refuse, {"reason": "De datum klopt niet"}).data["state"] == "cancelled"
    shown = api.get(f"/api/v1/mailings/{first.pk}/preview/").data
    assert shown["texts"] == [
        {"letter": "", "content": first.content_id, "version": 1, "newest": 1, "is_behind": False}
    ]
    assert shown["subject"] in shown["html"] or shown["text"]
    assert send(api, "post", approve).status_code == 400  # without saying what was looked at
    change_content(Content.objects.get(pk=first.content_id), subject="Iets anders", by=marketeer, now=now)
    assert send(api, "post", approve, {"seen": shown["seen"]}).data["code"] == "not_as_seen"
    anew = api.get(f"/api/v1/mailings/{first.pk}/preview/").data
    assert (anew["subject"], anew["texts"][0]["is_behind"]) == (shown["subject"], True)
    assert send(api, "post", approve, {"seen": anew["seen"]}).data["state"] == "sending"
    first.refresh_from_db()
    assert first.approved_by == user
    assert send(api, "post", approve, {"seen": anew["seen"]}).status_code == 409
    own = start(by=user)
    assert send(api, "post", f"/api/v1/mailings/{own.pk}/approve/", {"seen": "x"}).data["code"] == "same_person"


def test_an_administrator_gives_and_takes_the_rights_by_name(
    api: APIClient, administrator: User, marketeer: User, house: SendingSettings, client_of: Any
) -> None:
    user = User.objects.get(username="website")
    client, page = client_of(administrator), f"/integrations/{user.pk}/sending/"
    assert page in client.get("/integrations/").content.decode()
    client.post(page, {"rights": ["manage_sending"]})
    assert api.get(SETTINGS).status_code == 200
    assert "checked" in client.get(page).content.decode()
    assert client.post(page, {"rights": ["manage_users"]}).status_code == 422
    client.post(page, {})
    assert api.get(SETTINGS).status_code == 403
    for other, rights in ((marketeer, ["manage_sending"]), (user, ["manage_users"])):
        with pytest.raises(Refused):
            give_rights(other, rights=rights, by=administrator)


def test_a_mailing_tells_who_answers_for_it_and_which_warnings_were_confirmed(
    api: APIClient, start: Any, readers: Any, marketeer: User, now: dt.datetime
) -> None:
    readers(1)
    mailing = start(by=None, planned_by=marketeer)
    told = {"code": "subject.capitals", "place": "subject", "words": "Hoofdletters"}
    SeenWarnings.objects.create(
        content=mailing.content, about=mailing.origin, warnings=[told], confirmed_by=marketeer, confirmed_at=now
    )
    found = api.get(f"/api/v1/mailings/{mailing.pk}/").data
    assert (found["created_by"], found["planned_by"], found["approved_by"]) == (None, "marketeer", None)
    seen = api.get(f"/api/v1/mailings/{mailing.pk}/warnings/").data["results"]
    assert [(one["confirmed_by"], one["warnings"]) for one in seen] == [("marketeer", [told])]
    decision = api.get(f"/api/v1/mailings/{mailing.pk}/decisions/").data["results"][0]
    assert (decision["outcome"], decision["rule"]) == ("accepted", "")
    assert "zei ja tegen" in decision["words"]
