from __future__ import annotations

import io

import pypdf
import pytest

from tests.factories import CustomerFactory, DefinitionFactory, VoucherFactory
from vouchers.letters import print_vouchers
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db


def test_vouchers_are_printed_six_to_a_page_with_code_benefit_and_name() -> None:
    definition = DefinitionFactory(conditions="Alleen met <b>pas</b>.")
    for number in range(7):
        VoucherFactory(definition=definition, customer=CustomerFactory(first_name=f"Kees{number}"), origin=str(number))
    reader = pypdf.PdfReader(io.BytesIO(print_vouchers(Voucher.objects.for_pages())))
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert len(reader.pages) == 2
    assert all(voucher.grouped_code in text for voucher in Voucher.objects.all())
    assert "25% korting" in text
    assert "Kees3" in text
    assert "<b>pas</b>" in text
