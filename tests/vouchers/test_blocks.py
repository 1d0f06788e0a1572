from __future__ import annotations

import datetime as dt
import re

import pytest
from django.utils import translation

from common.blocks import SLOT, Medium, blocks, slot
from common.errors import Refused
from common.sql import as_subquery
from customers.models import Customer
from tests.factories import CustomerFactory, DefinitionFactory
from vouchers import codes
from vouchers.models import Definition, Voucher

pytestmark = pytest.mark.django_db

BLOCK = blocks["voucher"]


@pytest.fixture
def special() -> Definition:
    made: Definition = DefinitionFactory(
        name="Kop & schotel <gratis>", conditions="Eén per dag.\nNiet op zondag.", valid_days=30
    )
    return made


def test_the_form_offers_what_is_not_closed(special: Definition) -> None:
    closed = DefinitionFactory(state="closed")
    assert not BLOCK.form({"definition": closed.pk}).is_valid()
    form = BLOCK.form({"definition": special.pk})
    assert form.is_valid()
    assert BLOCK.to_data(form.cleaned_data) == {"definition": special.pk}


def test_every_medium_shows_benefit_code_validity_and_conditions(special: Definition) -> None:
    data = {"definition": special.pk}
    with translation.override("en"):
        for text in (BLOCK.mjml(data), BLOCK.text(data), BLOCK.letter(data)):
            assert "25% off" in text
            assert slot(f"voucher:{special.pk}:code") in text
            assert slot(f"voucher:{special.pk}:validity") in text
            assert "Eén per dag." in text
        assert "Kop &amp; schotel &lt;gratis&gt;" in BLOCK.mjml(data)
        assert "Kop & schotel <gratis>" in BLOCK.text(data)
        assert BLOCK.summary(data) == "Kop & schotel <gratis>: 25% off"


def test_all_slots_that_are_used_are_declared_and_filled(
    special: Definition, customer: Customer, now: dt.datetime
) -> None:
    data = {"definition": special.pk}
    BLOCK.prepare(data, customers_sql="SELECT id FROM customers_customer", origin="mailing:1", now=now)
    shown: list[tuple[Medium, list[str]]] = [
        ("email", [BLOCK.mjml(data), BLOCK.text(data)]),
        ("post", [BLOCK.letter(data)]),
    ]
    for medium, texts in shown:
        used = {match[1] for text in texts for match in re.finditer(SLOT, text)}
        assert used <= set(BLOCK.slots(data))
        filled = BLOCK.values(data, customer_ids=[customer.pk], origin="mailing:1", medium=medium)[customer.pk]
        assert used <= set(filled)
        assert used <= set(BLOCK.samples(data, medium=medium))


def test_preparing_issues_to_the_readers_once(special: Definition, customer: Customer, now: dt.datetime) -> None:
    CustomerFactory(number="elsewhere")
    readers = as_subquery(Customer.objects.filter(pk=customer.pk).values("pk"))
    for _time in range(2):
        BLOCK.prepare({"definition": special.pk}, customers_sql=readers, origin="mailing:1", now=now)
    assert Voucher.objects.get().customer == customer


def test_a_paused_voucher_stops_the_mailing(special: Definition, customer: Customer, now: dt.datetime) -> None:
    Definition.objects.update(state="paused")
    with pytest.raises(Refused):
        BLOCK.prepare(
            {"definition": special.pk}, customers_sql="SELECT id FROM customers_customer", origin="x", now=now
        )


def test_each_reader_gets_his_own_values_in_one_query(
    special: Definition, now: dt.datetime, django_assert_num_queries: object
) -> None:
    customers = CustomerFactory.create_batch(3)
    data = {"definition": special.pk}
    BLOCK.prepare(data, customers_sql="SELECT id FROM customers_customer", origin="mailing:1", now=now)
    with translation.override("nl"), django_assert_num_queries(1):  # type: ignore[operator]
        values = BLOCK.values(data, customer_ids=[c.pk for c in customers[:2]], origin="mailing:1", medium="email")
    assert set(values) == {customer.pk for customer in customers[:2]}
    code = Voucher.objects.get(customer=customers[0]).code
    mine = values[customers[0].pk]
    assert mine[f"voucher:{special.pk}:code"] == codes.group(code)
    assert mine[f"voucher:{special.pk}:validity"] == "Geldig tot en met 15 juli 2026"
    assert mine[f"voucher:{special.pk}:qr"].startswith("http")


def test_paper_gets_drawings_instead_of_addresses(special: Definition, customer: Customer, now: dt.datetime) -> None:
    data = {"definition": special.pk}
    BLOCK.prepare(data, customers_sql="SELECT id FROM customers_customer", origin="mailing:1", now=now)
    values = BLOCK.values(data, customer_ids=[customer.pk], origin="mailing:1", medium="post")[customer.pk]
    assert values[f"voucher:{special.pk}:qr!"].startswith("<svg")
    assert values[f"voucher:{special.pk}:barcode!"].startswith("<svg")


def test_a_sample_is_no_real_code(special: Definition) -> None:
    samples = BLOCK.samples({"definition": special.pk}, medium="email")
    shown = samples[f"voucher:{special.pk}:code"]
    assert not codes.is_well_formed(codes.normalise(shown))
    assert not Voucher.objects.exists()
