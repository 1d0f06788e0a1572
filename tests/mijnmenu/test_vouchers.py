from __future__ import annotations

import datetime as dt
import io

import pypdf
import pytest
from django.test import Client

from common.time import clock, local_date
from customers.models import Customer
from tests.factories import BranchFactory, CustomerFactory, DefinitionFactory, VoucherFactory
from vouchers.actions import block_voucher
from vouchers.models import Voucher


@pytest.fixture
def voucher(customer: Customer) -> Voucher:
    definition = DefinitionFactory(name="Verjaardagsbon", conditions="Niet op zondag")
    made: Voucher = VoucherFactory(definition=definition, customer=customer)
    return made


@pytest.fixture
def of_another() -> Voucher:
    made: Voucher = VoucherFactory(customer=CustomerFactory())
    return made


def test_the_list_shows_code_worth_validity_and_a_drawing(mine: Client, voucher: Voucher) -> None:
    Voucher.objects.update(valid_until=local_date(clock()) + dt.timedelta(days=3))
    page = mine.get("/mijn/bonnen/").content.decode()
    for words in (voucher.grouped_code, "25% korting", "Verjaardagsbon", "Niet op zondag", "Geldig tot en met", "<svg"):
        assert words in page


def test_one_voucher_is_shown_large_with_where_it_can_be_used(mine: Client, voucher: Voucher) -> None:
    voucher.definition.branches.add(BranchFactory(name="Edam"))
    page = mine.get(f"/mijn/bonnen/{voucher.pk}/").content.decode()
    assert voucher.grouped_code in page
    assert "Edam" in page
    assert 'class="barcode"' in page


def test_a_voucher_is_printed(mine: Client, voucher: Voucher) -> None:
    answer = mine.get(f"/mijn/bonnen/{voucher.pk}/pdf/")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert voucher.grouped_code in pypdf.PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()


def test_the_voucher_of_another_customer_is_not_to_be_found(mine: Client, of_another: Voucher) -> None:
    assert mine.get(f"/mijn/bonnen/{of_another.pk}/").status_code == 404
    assert mine.get(f"/mijn/bonnen/{of_another.pk}/pdf/").status_code == 404
    page = mine.get("/mijn/bonnen/").content.decode()
    assert of_another.grouped_code not in page


def test_a_voucher_in_nobodys_name_is_not_to_be_found(mine: Client) -> None:
    assert mine.get(f"/mijn/bonnen/{VoucherFactory(customer=None).pk}/").status_code == 404


def test_without_a_session_no_voucher_is_shown(client: Client, voucher: Voucher) -> None:
    for page in ("", "pdf/"):
        answer = client.get(f"/mijn/bonnen/{voucher.pk}/{page}")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/mijn/link/")


def test_used_expired_and_blocked_vouchers_stand_apart_without_a_drawing(mine: Client, customer: Customer) -> None:
    definition = DefinitionFactory()
    VoucherFactory(definition=definition, customer=customer, origin="1", uses=1, state="redeemed")
    VoucherFactory(definition=definition, customer=customer, origin="2", valid_until=dt.date(2026, 6, 14))
    blocked = VoucherFactory(definition=definition, customer=customer, origin="3")
    block_voucher(blocked, reason="x", by=None, now=clock())
    closed = VoucherFactory(definition=DefinitionFactory(state="closed"), customer=customer)
    page = mine.get("/mijn/bonnen/").content.decode()
    for words in ("Gebruikt", "Verlopen", "Niet meer geldig", "De actie is afgelopen"):
        assert words in page
    assert 'class="qr"' not in page
    assert 'class="qr"' not in mine.get(f"/mijn/bonnen/{closed.pk}/").content.decode()


def test_a_paused_voucher_is_kept_in_sight(mine: Client, customer: Customer) -> None:
    VoucherFactory(definition=DefinitionFactory(state="paused"), customer=customer)
    assert "Nu even niet te gebruiken" in mine.get("/mijn/bonnen/").content.decode()
