from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from common.actions import give_rights, let_handle_privacy
from customers.actions import ensure_base_data
from customers.actions.privacy import erase_customer, make_waiting_copies, save_register_texts
from customers.models import AccessRequest, Customer, Erasure, RetentionRun
from customers.privacy import keys
from tests.factories import CustomerFactory


@pytest.fixture(autouse=True)
def _own_media(db: None, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    ensure_base_data()


@pytest.fixture
def portal(api: APIClient, administrator: User) -> APIClient:
    """An integration that may handle privacy."""
    let_handle_privacy(User.objects.get(username="website"), allowed=True, by=administrator)
    return api


def test_an_integration_handles_privacy_only_by_permission(api: APIClient, administrator: User) -> None:
    customer = CustomerFactory(number="200001")
    wanted = {"customer": "200001", "ground": "request"}
    assert api.post("/api/v1/erasures/", wanted).status_code == 403
    integration = User.objects.get(username="website")
    let_handle_privacy(integration, allowed=True, by=administrator)
    assert api.get("/api/v1/erasures/").status_code == 200
    let_handle_privacy(integration, allowed=False, by=administrator)
    assert api.get("/api/v1/erasures/").status_code == 403
    assert Customer.objects.filter(pk=customer.pk).exists()


def test_a_customer_is_erased_and_the_receipt_comes_back(portal: APIClient) -> None:
    CustomerFactory(number="200001")
    answer = portal.post("/api/v1/erasures/", {"customer": "200001", "ground": "request"})
    assert answer.status_code == 201
    assert answer.json()["counts"]["customers_customer"] == 1
    assert Erasure.objects.get().erased_by == "website"
    assert portal.post("/api/v1/erasures/", {"customer": "200001"}).status_code in {400, 404}


def test_a_copy_is_asked_made_and_downloaded(portal: APIClient, now: dt.datetime) -> None:
    CustomerFactory(number="200001")
    copy = portal.post("/api/v1/copies/", {"customer": "200001"}).json()
    assert (copy["state"], copy["customer"]) == ("waiting", "200001")
    assert portal.get(f"/api/v1/copies/{copy['id']}/data/").status_code == 404
    make_waiting_copies(now=now)
    AccessRequest.objects.update(expires_at=dt.datetime(2126, 1, 1, tzinfo=dt.UTC))
    assert portal.get(f"/api/v1/copies/{copy['id']}/").json()["state"] == "ready"
    data = json.loads(b"".join(portal.get(f"/api/v1/copies/{copy['id']}/data/").streaming_content))
    assert data["numbers"] == ["200001"]
    pdf = portal.get(f"/api/v1/copies/{copy['id']}/pdf/", headers={"Accept": "application/pdf"})
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert b"".join(pdf.streaming_content).startswith(b"%PDF")


def test_the_register_and_what_the_nights_took_away_can_be_read(
    portal: APIClient, administrator: User, now: dt.datetime
) -> None:
    save_register_texts(by=administrator, now=now, controller="Bibliotheek Waterland")
    told = portal.get("/api/v1/register/").json()
    assert told["texts"]["controller"] == "Bibliotheek Waterland"
    marketing = next(one for one in told["purposes"] if one["code"] == "marketing")
    assert {base["channel"] for base in marketing["bases"]} >= {"Post"}
    assert {one["code"] for one in told["periods"]} >= {"imports", "facts"} or told["periods"]
    assert any("website" in one["present"] for one in told["recipients"]), "the integration itself gets data"
    RetentionRun.objects.create(day=now.date(), started_at=now, finished_at=now, counts={"facts": 12})
    assert portal.get("/api/v1/retention-runs/").json()["results"][0]["counts"] == {"facts": 12}


def test_the_texts_of_the_register_are_written_by_who_may_set_up_data_too(
    portal: APIClient, administrator: User
) -> None:
    told = {"controller": "Bibliotheek Waterland", "officer": "Fatima"}
    refused = portal.patch("/api/v1/register/texts/", told)
    assert (refused.status_code, refused.json()["code"]) == (403, "no_right")
    give_rights(User.objects.get(username="website"), rights=["manage_data"], by=administrator)
    assert portal.patch("/api/v1/register/texts/", told).status_code == 200
    changed = portal.patch("/api/v1/register/texts/", {"officer": "Anna"}).json()
    assert (changed["controller"], changed["officer"]) == ("Bibliotheek Waterland", "Anna")
    assert portal.get("/api/v1/register/").json()["texts"] == changed


def test_register_and_retention_ask_for_the_permission_too(api: APIClient) -> None:
    assert api.get("/api/v1/register/").status_code == 403
    assert api.get("/api/v1/retention-runs/").status_code == 403


def test_what_is_not_there_is_told_in_the_language_of_the_caller(portal: APIClient) -> None:
    answer = portal.get("/api/v1/copies/999999/", headers={"Accept-Language": "nl"})
    assert (answer.status_code, answer.json()) == (404, {"code": "not_found", "message": "Niet gevonden."})


def test_use_is_restricted_and_released(portal: APIClient) -> None:
    customer = CustomerFactory(number="200001")
    wanted = {"customer": "200001", "restricted": True, "reason": "Betwist"}
    assert portal.post("/api/v1/restrictions/", wanted).status_code == 200
    customer.refresh_from_db()
    assert customer.restricted_at
    assert portal.post("/api/v1/restrictions/", wanted).status_code == 409
    assert portal.post("/api/v1/restrictions/", wanted | {"restricted": False}).status_code == 200
    customer.refresh_from_db()
    assert customer.restricted_at is None


def test_a_system_cannot_bring_back_who_was_erased(api: APIClient, now: dt.datetime) -> None:
    home = {"first_name": "Anna", "last_name": "Wit", "postal_code": "1441AB", "house_number": "7"}
    customer = CustomerFactory(number="200001", email="weg@example.nl", **home)
    erase_customer(customer, ground=Erasure.Ground.REQUEST, by="", now=now)
    new = {"kind": "member", "last_name": "de Boer"}
    back = {"kind": "member"} | home
    for number, fields in (("200001", new), ("200009", new | {"email": "Weg@example.nl"}), ("200009", back)):
        answer = api.put(f"/api/v1/customers/{number}/", fields)
        assert (answer.status_code, answer.json()["code"]) == (409, "erased")
    CustomerFactory(number="200002")
    assert api.patch("/api/v1/customers/200002/", {"email": "weg@example.nl"}).status_code == 409
    assert not Customer.objects.filter(number__in=["200001", "200009"]).exists()


def test_people_who_enter_somebody_again_are_believed(now: dt.datetime) -> None:
    from customers.actions import add_customer, change_customer

    customer = CustomerFactory(number="200001", email="weg@example.nl", phone="+31612345678")
    erase_customer(customer, ground=Erasure.Ground.REQUEST, by="", now=now)
    other = add_customer(number="200002", kind="member", last_name="x", by="Anna", now=now, email="weg@example.nl")
    assert not keys.is_erased("email", "weg@example.nl")
    assert keys.is_erased("phone", "+31612345678"), "who takes over an address need not be that person"
    change_customer(other, by="customer", now=now, source_code="mijnmenu", phone="0612345678")
    assert not keys.is_erased("phone", "+31612345678")
    assert keys.is_erased("number", "200001")


def test_who_is_entered_again_by_number_is_welcome_altogether(now: dt.datetime) -> None:
    from customers.actions import add_customer

    customer = CustomerFactory(number="200001", email="weg@example.nl", phone="+31612345678")
    erase_customer(customer, ground=Erasure.Ground.REQUEST, by="", now=now)
    add_customer(number="200001", kind="member", last_name="x", by="Anna", now=now)
    assert not keys.is_erased("phone", "+31612345678")
    assert not keys.is_erased("email", "weg@example.nl")
