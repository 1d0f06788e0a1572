"""A sequence is built in a real browser: the fields of a step appear with its kind, and the number follows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from common.time import clock
from customers.actions import record_fact
from customers.models import Customer
from selections.models import Selection
from tests.factories import CustomerFactory, begin

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def buyers() -> None:
    """Both spent 60 euros; one visited the website twice since, the other before."""
    begin()
    for name, visits in (("Sanne", (20, 10)), ("Piet", (60, 50))):
        customer: Customer = CustomerFactory(first_name=name)
        for kind, days in (("ticket", 40), *(("visit", day) for day in visits)):
            record_fact(
                customer, kind=kind, occurred_at=clock() - dt.timedelta(days=days), source_code="library",
                external_id=f"{name} {days}", amount_cents=6000 if kind == "ticket" else 0,
            )  # fmt: skip


def test_spent_so_much_and_came_twice_since(
    page: Page, sign_in: Callable[[User], None], marketeer: User, buyers: None, axe: Callable[[], None]
) -> None:
    sign_in(marketeer)
    page.goto("/selections/new/")
    menu = page.locator("#part-r > .rule-add .rule-choose")
    menu.locator("summary").click()
    expect(menu.locator("[data-menu-search]")).to_be_focused()
    page.keyboard.type("daarna iets anders")
    page.keyboard.press("Enter")
    part = page.locator("#part-r-0")
    expect(part.get_by_label("Of voor minstens … euro in totaal")).to_be_visible()
    expect(page.locator("#id_r-0-times2")).to_be_hidden()
    expect(part.get_by_text("En dáárna")).to_have_count(2)
    expect(part.locator(".field:visible").filter(has_text="En dáárna")).to_have_count(0)
    page.locator("#id_r-0-kind").select_option("ticket")
    page.locator("#id_r-0-at_least_total_cents").fill("50")
    page.locator("#id_r-0-kind2").select_option("visit")
    expect(page.locator("#id_r-0-times2")).to_be_visible()
    expect(part.locator(".field:visible").filter(has_text="En dáárna")).to_have_count(1)
    page.locator("#id_r-0-times2").fill("2")
    page.locator("#id_r-0-times2").press("Tab")
    expect(page.locator("#figures")).to_contain_text("1 van 2 klanten")
    expect(page.locator("#figures")).to_contain_text("en daarna minstens 2 keer de website bezocht")
    axe()
    page.locator("#id_name").fill("Kwamen terug")
    page.get_by_role("button", name="Selectie opslaan").click()
    expect(page.locator("h1")).to_have_text("Kwamen terug")
    assert Selection.objects.get().rule["children"][0]["params"]["then"][0]["times"] == 2
