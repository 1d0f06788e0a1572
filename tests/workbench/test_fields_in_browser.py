"""Questions about fields, holidays and places in a real browser."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from customers.models import BranchPlace, CalendarSettings, PostalPlace, SchoolHoliday
from selections.models import Selection
from tests.factories import BranchFactory, CustomerFactory, begin
from tests.workbench.test_builder_in_browser import add_by_keyboard

pytestmark = pytest.mark.django_db(transaction=True)


def picture(page: Page, name: str) -> None:
    """Keep a picture of the page, wide and narrow, when somebody wants to look at it."""
    if folder := os.environ.get("PICTURES"):
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
        page.set_viewport_size({"width": 1440, "height": 900})


@pytest.fixture(autouse=True)
def _people() -> None:
    begin()
    edam = BranchFactory(code="EDA", name="Edam", postal_code="1135AB")
    PostalPlace.objects.create(code="1135AB", latitude=52.5126, longitude=5.0490)
    PostalPlace.objects.create(code="1621AB", latitude=52.6424, longitude=5.0602)
    CustomerFactory(number="1", city="Edam", postal_code="1135AB", branch=edam)
    CustomerFactory(number="2", city="Hoorn", postal_code="1621AB", branch=edam)
    CustomerFactory(number="3", city="", postal_code="", birth_date=dt.date(1990, 1, 1))


def test_fields_show_what_their_question_needs_and_are_saved(
    page: Page, sign_in: Callable[[User], None], marketeer: User, axe: Callable[[], None]
) -> None:
    sign_in(marketeer)
    page.goto("/selections/new/")
    page.fill("#id_name", "Edammers dichtbij")
    add_by_keyboard(page, "Plaats")
    text, texts = page.locator("#id_r-0-value"), page.locator("#id_r-0-values")
    expect(text).to_be_visible()
    expect(texts).to_be_hidden()
    page.locator("#id_r-0-op").select_option("in")
    expect(text).to_be_hidden()
    texts.fill("edam\nhoorn")
    expect(page.locator("#note-r-0")).to_contain_text("blijft over 2")
    add_by_keyboard(page, "Geboortedatum")
    expect(page.locator("#id_r-1-since")).to_be_hidden()
    page.locator("#id_r-1-op").select_option("filled")
    expect(page.locator("#note-r-1")).to_contain_text("blijft over 2")
    add_by_keyboard(page, "Afstand")
    page.fill("#id_r-2-km", "7,5")
    expect(page.locator("#note-r-2")).to_contain_text("blijft over 1")
    add_by_keyboard(page, "Waarde")
    page.fill("#id_r-3-number", "18")
    expect(page.locator("#figures")).to_contain_text("binnen 7,5 km van de eigen vestiging wonen")
    picture(page, "builder")
    axe()
    page.locator(".rule-bar button").click()
    expect(page.locator("h1")).to_have_text("Edammers dichtbij")
    rule = Selection.objects.get().rule
    assert rule["children"][0]["params"]["values"] == ["edam", "hoorn"]
    assert rule["children"][2]["params"]["km"] == 7.5


def test_a_pattern_that_is_too_heavy_says_why_beside_it(
    page: Page, sign_in: Callable[[User], None], marketeer: User
) -> None:
    sign_in(marketeer)
    page.goto("/selections/new/")
    add_by_keyboard(page, "Straat")
    page.locator("#id_r-0-op").select_option("matches")
    page.fill("#id_r-0-value", "(a+)\\1")
    expect(page.locator("#note-r-0")).to_contain_text("terugverwijzen kan niet")


def test_an_administrator_corrects_a_holiday_and_sets_the_region(
    page: Page, sign_in: Callable[[User], None], administrator: User, axe: Callable[[], None]
) -> None:
    sign_in(administrator)
    page.goto("/")
    page.get_by_role("link", name="Schoolvakanties").click()
    picture(page, "holidays")
    axe()
    kerst = SchoolHoliday.objects.get(region="noord", name="kerst", school_year=2026)
    page.locator(f"a[href='/school-holidays/{kerst.pk}/change/']").click()
    page.fill("#id_last_day", "2027-01-10")
    page.get_by_role("button", name="Opslaan").click()
    expect(page.locator("body")).to_contain_text("19 dec – 10 jan 2027")
    page.get_by_role("link", name="Regio wijzigen").click()
    page.get_by_label("Zuid").check()
    page.get_by_role("button", name="Opslaan").click()
    expect(page.locator("strong", has_text="Zuid")).to_be_visible()
    assert CalendarSettings.load().region == "zuid"


def test_an_administrator_says_where_a_branch_lies(
    page: Page, sign_in: Callable[[User], None], administrator: User, axe: Callable[[], None]
) -> None:
    sign_in(administrator)
    page.goto("/")
    page.get_by_role("link", name="Plaatsen en afstand").click()
    expect(page.locator("table")).to_contain_text("de postcode")
    picture(page, "places")
    axe()
    page.get_by_role("link", name="Edam").click()
    page.fill("#id_latitude", "52,6")
    page.fill("#id_longitude", "5,05")
    picture(page, "place")
    page.get_by_role("button", name="Opslaan").click()
    expect(page.locator("table")).to_contain_text("ingevuld")
    assert BranchPlace.objects.get().latitude == 52.6
