from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from customers.actions import ensure_base_data
from customers.actions.privacy import make_waiting_copies, request_access, request_erasure, restrict
from customers.models import AccessRequest, Customer, CustomerChange, Erasure
from customers.models.privacy import ErasedKey, ErasureRequest, RegisterTexts, RetentionSetting
from customers.privacy import keys
from labels.actions import give_label
from labels.models import Assignment, Label, LabelGroup
from tests.factories import CustomerFactory, FactFactory, VoucherFactory


@pytest.fixture(autouse=True)
def _own_media(db: None, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.CELERY_TASK_ALWAYS_EAGER = False
    ensure_base_data()


@pytest.fixture
def customer() -> Customer:
    made: Customer = CustomerFactory(number="200001", first_name="Sanne", last_name="de Boer", email="s@example.nl")
    return made


@pytest.fixture
def staff(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


@pytest.fixture
def boss(administrator: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(administrator)


def page(customer: Customer, part: str = "") -> str:
    return f"/customers/{customer.pk}/privacy/{part}"


def test_staff_make_a_copy_and_download_both_files(staff: Client, customer: Customer, now: dt.datetime) -> None:
    assert staff.post(page(customer, "copy/")).status_code == 302
    assert make_waiting_copies(now=now) == 1
    copy = AccessRequest.objects.get()
    copy.expires_at = dt.datetime(2126, 1, 1, tzinfo=dt.UTC)
    copy.save()
    assert "Klaar" in staff.get(page(customer)).content.decode()
    pdf = staff.get(f"/privacy/copies/{copy.pk}/pdf/")
    assert (pdf["Content-Type"], pdf["Cache-Control"]) == ("application/pdf", "no-store, private")
    assert b"".join(pdf.streaming_content).startswith(b"%PDF")
    data = json.loads(b"".join(staff.get(f"/privacy/copies/{copy.pk}/json/").streaming_content))
    assert data["numbers"] == ["200001"]
    assert staff.get(f"/privacy/copies/{copy.pk}/doc/").status_code == 404


def test_a_copy_that_expired_cannot_be_downloaded(staff: Client, customer: Customer, now: dt.datetime) -> None:
    request_access(customer, by="x", now=now - dt.timedelta(days=300))
    make_waiting_copies(now=now - dt.timedelta(days=300))
    copy = AccessRequest.objects.get()
    copy.expires_at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    copy.save()
    assert staff.get(f"/privacy/copies/{copy.pk}/pdf/").status_code == 404


def test_a_restriction_needs_a_reason_and_keeps_its_history(staff: Client, customer: Customer) -> None:
    assert staff.post(page(customer, "restrict/"), {"reason": " "}).status_code == 422
    assert staff.post(page(customer, "restrict/"), {"reason": "Betwist zijn adres"}).status_code == 302
    customer.refresh_from_db()
    assert customer.restricted_at
    assert staff.post(page(customer, "restrict/"), {"reason": "Nog eens"}).status_code == 422
    assert "Betwist zijn adres" in staff.get(page(customer)).content.decode()
    assert staff.post(page(customer, "unrestrict/"), {"reason": "Opgelost"}).status_code == 302
    assert Customer.objects.get(pk=customer.pk).restricted_at is None
    shown = staff.get(page(customer)).content.decode()
    assert "beperkt – Betwist zijn adres" in shown
    assert "opgeheven – Opgelost" in shown
    assert [change.fields["reason"][1] for change in CustomerChange.objects.all()] == ["Opgelost", "Betwist zijn adres"]


def test_an_objection_takes_derived_labels_at_once(staff: Client, customer: Customer, now: dt.datetime) -> None:
    from labels.system import families

    group_code = next(code for family in families if family.is_profiling for code in family.all_groups)
    group, _created = LabelGroup.objects.get_or_create(code=group_code, defaults={"name": "x"})
    derived = Label.objects.create(code="afgeleid", name="Afgeleid", kind="system", group=group, created_at=now)
    own = Label.objects.create(code="eigen", name="Eigen", kind="own", created_at=now)
    give_label(own, Customer.objects.all(), by="x", now=now - dt.timedelta(days=400))
    Assignment.objects.create(label=derived, customer=customer, since=now - dt.timedelta(days=400), given_by="system")
    staff.post(page(customer, "profiling/"))
    held = Assignment.objects.filter(customer=customer, until=None).values_list("label__code", flat=True)
    assert list(held) == ["eigen"]
    states = customer.consents.filter(purpose__code="profiling").values_list("state", flat=True)
    assert set(states) == {"objected"}
    assert "bezwaar" in staff.get(page(customer)).content.decode().lower()


def test_erasing_shows_what_goes_and_wants_the_number(staff: Client, customer: Customer) -> None:
    FactFactory.create_batch(3, customer=customer)
    VoucherFactory(customer=customer)
    shown = staff.get(page(customer, "erase/")).content.decode()
    assert "Wat u deed: 3" in shown
    assert "Bonnen: 1" in shown
    assert Customer.objects.exists(), "looking changes nothing"
    assert staff.post(page(customer, "erase/"), {"ground": "request", "number": "999"}).status_code == 422
    assert Customer.objects.exists()
    answer = staff.post(page(customer, "erase/"), {"ground": "request", "number": "200001"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/privacy/"
    assert not Customer.objects.exists()
    erasure = Erasure.objects.get()
    assert erasure.erased_by == "marketeer"
    assert "de Boer" not in answer.content.decode()
    assert "200001" not in answer.content.decode()


def test_a_request_waits_on_the_overview_until_it_is_answered(
    staff: Client, customer: Customer, now: dt.datetime
) -> None:
    request = request_erasure(customer, note="Ik ga verhuizen", now=now)
    assert "Ik ga verhuizen" in staff.get("/privacy/").content.decode()
    assert "Ik ga verhuizen" in staff.get(page(customer)).content.decode()
    address = f"/privacy/requests/{request.pk}/refuse/"
    assert staff.post(address, {"answer": ""}).status_code == 422
    assert staff.post(address, {"answer": "U hebt nog een lopende bon."}).status_code == 302
    request.refresh_from_db()
    assert (request.state, request.decided_by) == (ErasureRequest.State.REFUSED, "marketeer")
    assert staff.post(address, {"answer": "Nog eens"}).status_code == 422
    assert "Ik ga verhuizen" not in staff.get("/privacy/").content.decode()


def test_an_erased_address_is_let_in_again(staff: Client, now: dt.datetime) -> None:
    keys.remember([("email", "a@b.nl")], now=now)
    assert staff.post("/privacy/release/", {"value": "c@d.nl"}).status_code == 422
    assert staff.post("/privacy/release/", {"value": " A@B.nl "}).status_code == 302
    assert not ErasedKey.objects.exists()


def test_periods_are_chosen_by_administrators_with_a_preview(boss: Client, staff: Client, now: dt.datetime) -> None:
    CustomerFactory(kind="prospect", created_at=now - dt.timedelta(days=4000), registered_on=None)
    shown = boss.get("/privacy/retention/").content.decode()
    assert "Prospects en Nieuwsbrief-klanten" in shown
    assert boss.post("/privacy/retention/prospects/", {"is_on": "on", "period": "0"}).status_code == 422
    assert boss.post("/privacy/retention/prospects/", {"is_on": "on", "period": "36"}).status_code == 302
    assert (RetentionSetting.objects.get().is_on, RetentionSetting.objects.get().period) == (True, 36)
    assert boss.get("/privacy/retention/import_files/").status_code == 404
    assert staff.get("/privacy/retention/").status_code == 403


def test_the_register_is_drawn_up_and_its_texts_are_ours(boss: Client, staff: Client) -> None:
    texts = dict.fromkeys(["recipients", "transfers", "security"], "")
    texts |= {"controller": "Bibliotheek Waterland", "officer": "Fatima"}
    assert boss.post("/privacy/register/texts/", texts).status_code == 302
    assert RegisterTexts.load().controller == "Bibliotheek Waterland"
    shown = staff.get("/privacy/register/").content.decode()
    told = ("Bibliotheek Waterland", "Fatima", "Aanbiedingen en activiteiten", "Mailserver", "nummer bij de bron")
    for words in told:
        assert words in shown
    assert staff.post("/privacy/register/texts/", texts).status_code == 403


def test_the_page_costs_few_queries(
    staff: Client, customer: Customer, now: dt.datetime, django_assert_max_num_queries: Any
) -> None:
    restrict(customer, reason="Betwist", by="Anna", now=now)
    with django_assert_max_num_queries(22):
        staff.get(page(customer))
    for number in range(6):
        request_erasure(CustomerFactory(), note=str(number), now=now)
        request_access(CustomerFactory(), by="x", now=now)
    with django_assert_max_num_queries(14):
        staff.get("/privacy/")
