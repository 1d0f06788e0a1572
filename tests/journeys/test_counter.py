"""The counter, by someone with a scanner and a keyboard and no mouse."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from customers.models import Customer
from tests.factories import BranchFactory, CustomerFactory
from vouchers import codes
from vouchers.actions import activate, define_voucher, issue_vouchers
from vouchers.models import Attempt, Redemption, Voucher

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def voucher(now: dt.datetime) -> Voucher:
    """Sanne's five euros off a theatre ticket."""
    BranchFactory(code="edam", name="Edam")
    BranchFactory(code="purmerend", name="Purmerend")
    definition = define_voucher(
        name="Verjaardagsbon theater", benefit="fixed", amount_cents=500, product="theaterkaart", holder="customer",
        conditions="Geldig op één kaartje.", valid_days=30, by=None, now=now,
    )  # fmt: skip
    activate(definition)
    CustomerFactory(number="200001", first_name="Sanne", last_name="de Boer")
    issue_vouchers(definition, Customer.objects.all(), origin="by hand:1", now=now)
    return Voucher.objects.get()


def test_a_voucher_is_taken_in_once_by_keyboard_alone(
    page: Page,
    axe: Callable[[], None],
    counter_staff: User,
    voucher: Voucher,
    sign_in_by_form: Callable[[User], None],
    tab_to: Callable[[Locator], None],
) -> None:
    page.goto("/balie/")
    sign_in_by_form(counter_staff)

    # The branch is asked once.
    expect(page.get_by_role("heading", level=1)).to_have_text("Waar sta je?")
    axe()
    tab_to(page.get_by_role("button", name="Purmerend"))
    page.keyboard.press("Enter")

    # Step 1: the field has the focus; a scanner types the code and presses Enter.
    expect(page.get_by_label("Code op de bon")).to_be_focused()
    axe()
    scan(page, codes.group(voucher.code).lower())

    # Step 2: nothing has happened yet.
    expect(page.locator("[data-outcome=offer]")).to_contain_text("Sanne de Boer")
    expect(page.get_by_text("Vraag of de klant Sanne de Boer is.")).to_be_visible()
    axe()
    assert not Redemption.objects.exists()
    expect(page.get_by_label("Bedrag van de aankoop")).to_be_focused()
    page.keyboard.type("veel")
    page.keyboard.press("Enter")
    amount = page.get_by_label("Bedrag van de aankoop")
    expect(amount).to_have_accessible_description(re.compile("Schrijf het bedrag zo: 12,50"))
    axe()
    tab_to(amount)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("24,00")
    page.keyboard.press("Enter")

    # The receipt, ready for the next customer. Only who may take back is offered that.
    receipt = page.locator("[data-outcome=redeemed]")
    expect(receipt).to_contain_text("€ 5,00 korting")
    expect(receipt).to_contain_text("Nog te betalen: € 19,00 van € 24,00")
    expect(page.get_by_role("link", name="Terugdraaien")).to_have_count(0)
    expect(page.get_by_text("Een beheerder kan een bon terugdraaien")).to_be_visible()
    expect(page.get_by_role("row", name=voucher.grouped_code)).to_be_visible()
    axe()
    redemption = Redemption.objects.get()
    assert (redemption.branch.code, redemption.staff, redemption.discount_cents) == ("purmerend", counter_staff, 500)
    expect(page.get_by_label("Code op de bon")).to_be_focused()

    # The same voucher again: no, in words to read out, and the next one can be scanned at once.
    scan(page, voucher.code)
    refusal = page.get_by_role("alert").filter(has_text="Niet geaccepteerd")
    expect(refusal).to_contain_text("Deze bon is al gebruikt")
    expect(refusal).to_contain_text("Purmerend")
    axe()
    expect(page.get_by_label("Code op de bon")).to_be_focused()
    assert Redemption.objects.count() == 1
    assert Attempt.objects.get().reason == "used"


def scan(page: Page, code: str) -> None:
    page.keyboard.type(code)
    page.keyboard.press("Enter")
