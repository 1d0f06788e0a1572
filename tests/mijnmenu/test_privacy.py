from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from common.tokens import make_token
from customers.actions.privacy import make_waiting_copies, refuse_request
from customers.golden import provenance
from customers.models import AccessRequest, Customer, CustomerChange, FieldRank, Purpose, Source, SourceRecord
from customers.models.privacy import ErasureRequest
from mijnmenu.actions import ask_for_address, confirm_address, tell_old_addresses
from mijnmenu.models import AddressChange
from tests.factories import ConsentFactory, CustomerFactory
from tests.smtp_sink import Sink


@pytest.fixture(autouse=True)
def _own_media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


DETAILS = {
    "first_name": "Sanne", "last_name": "Bakker", "postal_code": "1135 ab", "house_number": "1", "street": "Dam",
    "city": "Edam", "phone": "06-11223344",
}  # fmt: skip


def not_fresh(client: Client) -> None:
    session = client.session
    session["mijnmenu"] = session["mijnmenu"] | {"fresh": False}
    session.save()


def test_customers_change_their_own_details(mine: Client, customer: Customer) -> None:
    assert "Mijn gegevens wijzigen" in mine.get("/mijn/gegevens/wijzigen/").content.decode()
    assert mine.post("/mijn/gegevens/wijzigen/", DETAILS).status_code == 302
    customer.refresh_from_db()
    assert (customer.last_name, customer.postal_code, customer.city) == ("Bakker", "1135AB", "Edam")
    assert customer.contact_points.get(channel="phone", is_primary=True).value == "+31611223344"
    assert provenance(customer)["city"].source.code == "mijnmenu"
    change = CustomerChange.objects.order_by("-pk").first()
    assert change is not None
    assert (change.changed_by, change.fields["last_name"]) == ("customer", ["de Boer", "Bakker"])


def test_details_stand_as_people_write_them_and_saving_them_so_changes_nothing(
    mine: Client, customer: Customer
) -> None:
    mine.post("/mijn/gegevens/wijzigen/", DETAILS)
    CustomerChange.objects.all().delete()
    shown = mine.get("/mijn/gegevens/wijzigen/").context["form"].initial
    assert (shown["phone"], shown["postal_code"]) == ("06 11 22 33 44", "1135 AB")
    assert mine.post("/mijn/gegevens/wijzigen/", shown).status_code == 302
    assert not CustomerChange.objects.exists()


def test_what_is_wrong_comes_back_with_words(mine: Client, customer: Customer) -> None:
    answer = mine.post("/mijn/gegevens/wijzigen/", DETAILS | {"postal_code": "12"})
    assert answer.status_code == 409
    assert mine.post("/mijn/gegevens/wijzigen/", DETAILS | {"city": ""}).status_code == 422
    customer.refresh_from_db()
    assert customer.last_name == "de Boer"


def test_a_field_of_which_another_source_has_the_last_word_is_closed(
    mine: Client, customer: Customer, now: dt.datetime
) -> None:
    library = Source.objects.get(code="library")
    FieldRank.objects.create(source=library, field="last_name", rank=1)
    SourceRecord.objects.create(
        source=library, key="200001", customer=customer, values={"last_name": "de Boer"}, created_at=now, updated_at=now
    )
    assert "geef het door bij de balie" in mine.get("/mijn/gegevens/wijzigen/").content.decode()
    mine.post("/mijn/gegevens/wijzigen/", DETAILS)
    customer.refresh_from_db()
    assert (customer.last_name, customer.city) == ("de Boer", "Edam")
    said = SourceRecord.objects.get(source__code="mijnmenu").values
    assert "last_name" not in said


def test_an_old_link_changes_and_downloads_nothing(mine: Client, customer: Customer) -> None:
    not_fresh(mine)
    for address in ("/mijn/gegevens/wijzigen/", "/mijn/privacy/kopie/", "/mijn/privacy/verwijderen/"):
        assert mine.post(address, DETAILS).headers["Location"] == "/mijn/privacy/"
    customer.refresh_from_db()
    assert customer.last_name == "de Boer"
    assert not AccessRequest.objects.exists()
    assert not ErasureRequest.objects.exists()


def test_a_copy_is_asked_made_and_downloaded(mine: Client, customer: Customer, now: dt.datetime) -> None:
    mine.post("/mijn/privacy/kopie/")
    assert "wordt gemaakt" in mine.get("/mijn/privacy/").content.decode()
    assert make_waiting_copies(now=now) == 1
    AccessRequest.objects.update(expires_at=dt.datetime(2126, 1, 1, tzinfo=dt.UTC))
    copy = AccessRequest.objects.get()
    assert copy.asked_by == "customer"
    assert "Pdf ophalen" in mine.get("/mijn/privacy/").content.decode()
    pdf = mine.get(f"/mijn/privacy/kopie/{copy.pk}/pdf/")
    assert b"".join(pdf.streaming_content).startswith(b"%PDF")
    assert pdf.headers["Cache-Control"] == "no-store, private"


def test_nobody_downloads_the_copy_of_another(mine: Client, now: dt.datetime) -> None:
    other = AccessRequest.objects.create(customer=CustomerFactory(), asked_by="customer", asked_at=now)
    make_waiting_copies(now=now)
    assert mine.get(f"/mijn/privacy/kopie/{other.pk}/pdf/").status_code == 404


def test_an_objection_to_profiling_holds_at_once(mine: Client, customer: Customer) -> None:
    mine.post("/mijn/privacy/bezwaar/")
    assert customer.consents.get(purpose__code="profiling").state == "objected"
    assert "u maakte bezwaar" in mine.get("/mijn/privacy/").content.decode()


def test_a_request_to_be_erased_is_asked_once_refused_in_words_or_withdrawn(
    mine: Client, customer: Customer, now: dt.datetime
) -> None:
    for _time in range(2):
        mine.post("/mijn/privacy/verwijderen/", {"note": "Ik ga verhuizen"})
    request = ErasureRequest.objects.get()
    assert (request.note, request.state) == ("Ik ga verhuizen", "open")
    refuse_request(request, answer="U hebt nog een lopende bon.", by="Anna", now=now)
    assert "U hebt nog een lopende bon." in mine.get("/mijn/privacy/").content.decode()
    mine.post("/mijn/privacy/verwijderen/", {"note": ""})
    mine.post("/mijn/privacy/verwijderen/intrekken/")
    assert sorted(ErasureRequest.objects.values_list("state", flat=True)) == ["refused", "withdrawn"]
    assert Customer.objects.filter(pk=customer.pk).exists(), "only staff erase"


def test_the_old_address_hears_that_it_was_replaced(customer: Customer, smtp_sink: Sink, now: dt.datetime) -> None:
    change = ask_for_address(customer, address="nieuw@example.nl", now=now)
    assert tell_old_addresses(now=now) == 0
    confirm_address(change, link_version=customer.link_version, now=now)
    assert tell_old_addresses(now=now) == 1
    mail = smtp_sink.to("sanne@example.nl")[0]
    text = mail.get_content()
    assert "ander e-mailadres" in text
    assert "nieuw@example.nl" not in text
    assert tell_old_addresses(now=now) == 0
    assert AddressChange.objects.get().told_at == now


def test_who_had_no_address_hears_nothing(smtp_sink: Sink, now: dt.datetime) -> None:
    customer = CustomerFactory(email="")
    change = ask_for_address(customer, address="nieuw@example.nl", now=now)
    confirm_address(change, link_version=customer.link_version, now=now)
    assert tell_old_addresses(now=now) == 0


def test_a_stranger_sees_nothing(client: Client, link: Callable[[Customer], str]) -> None:
    for address in ("privacy/", "gegevens/wijzigen/", "privacy/kopie/1/pdf/"):
        assert client.get(f"/mijn/{address}").headers["Location"] == "/mijn/link/"
    assert make_token("mijnmenu", [0, 0])


def test_a_customer_has_his_details_left_unused_and_used_again(mine: Client, customer: Customer) -> None:
    assert mine.get("/mijn/privacy/beperken/").status_code == 405
    page = mine.post("/mijn/privacy/beperken/", follow=True).content.decode()
    assert "U mag mijn gegevens weer gebruiken" in page
    assert Customer.objects.filter(restricted_at__isnull=False).get() == customer
    mine.post("/mijn/privacy/beperken/opheffen/")
    assert not Customer.objects.filter(restricted_at__isnull=False).exists()
    assert {change.changed_by for change in customer.changes.all()} == {"customer"}


def test_leaving_details_unused_needs_a_link_of_today(mine: Client, customer: Customer) -> None:
    not_fresh(mine)
    mine.post("/mijn/privacy/beperken/")
    customer.refresh_from_db()
    assert customer.restricted_at is None


def test_who_never_said_yes_to_tips_is_not_told_that_we_look(mine: Client) -> None:
    page = mine.get("/mijn/privacy/").content.decode()
    assert "Bij u doen wij dit niet: u zei daar geen ja op." in page
    assert "Daar maak ik bezwaar tegen" not in page


def test_who_said_no_is_not_told_that_he_objected(mine: Client, customer: Customer) -> None:
    ConsentFactory(customer=customer, purpose=Purpose.objects.get(code="profiling"), state="withdrawn")
    page = mine.get("/mijn/privacy/").content.decode()
    assert "u zei nee" in page
    assert "u maakte bezwaar" not in page
