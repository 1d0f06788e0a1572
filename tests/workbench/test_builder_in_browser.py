"""The builder in a real browser, by keyboard alone and on a small screen."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from customers.models import Customer
from labels.actions import create_label, give_label
from selections.models import Selection
from tests.factories import NOW, CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people() -> list[Customer]:
    adults: list[Customer] = CustomerFactory.create_batch(3)
    CustomerFactory(birth_date=dt.date(2019, 1, 1))
    CustomerFactory(kind="prospect")
    label = create_label(code="rood", name="Rood", kind="own", now=NOW)
    give_label(label, Customer.objects.filter(pk=adults[0].pk), by="test", now=NOW)
    return adults


@pytest.fixture
def builder(page: Page, sign_in: Callable[[User], None], marketeer: User, people: list[Customer]) -> Page:
    sign_in(marketeer)
    page.goto("/selections/new/")
    expect(page.locator("#figures")).to_contain_text("5 van 5 klanten")
    return page


def add_by_keyboard(page: Page, word: str, *, group: str = "r") -> None:
    menu = page.locator(f"#part-{group} > .rule-add .rule-choose")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(menu.locator("[data-menu-search]")).to_be_focused()
    page.keyboard.type(word)
    expect(menu.locator(".menu-item:visible").filter(has_text=re.compile(word, re.IGNORECASE)).first).to_be_visible()
    page.keyboard.press("Enter")


def test_a_selection_is_built_and_saved_by_keyboard(builder: Page, axe: Callable[[], None]) -> None:
    page = builder
    page.locator("#id_name").focus()
    page.keyboard.type("Volwassen leden")
    add_by_keyboard(page, "soort klant")
    expect(page.locator("#id_r-0-op")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#id_r-0-kinds_0")).to_be_focused()
    expect(page.locator("#note-r-0")).to_contain_text("Nog in te vullen")
    page.keyboard.press("Space")
    expect(page.locator("#note-r-0")).to_contain_text("blijft over 4")
    add_by_keyboard(page, "leeftijd")
    expect(page.locator("#id_r-1-at_least")).to_be_focused()
    page.keyboard.type("18")
    expect(page.locator("#note-r-1")).to_contain_text("blijft over 3")
    expect(page.locator("#figures")).to_contain_text("Klanten die lid zijn en minstens 18 jaar oud zijn.")
    axe()
    up = page.locator("#part-r-1 .rule-arrow[value^='up:']")
    up.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#part-r-0 .rule-arrow[value^='up:']")).to_be_focused()
    expect(page.locator("#id_r-0-at_least")).to_have_value("18")
    page.locator(".rule-bar button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Volwassen leden")
    expect(page.locator(".stats")).to_contain_text("Klanten nu")
    axe()
    selection = Selection.objects.get()
    assert [child["criterion"] for child in selection.rule["children"]] == ["customer.age", "customer.kind"]
    assert selection.last_count == 3


def test_groups_are_made_moved_and_removed(builder: Page) -> None:
    page = builder
    page.locator("#part-r > .rule-add > button").click()
    expect(page.locator("#part-r-0 .rule-empty")).to_have_text("Leeg: dit betekent niemand.")
    expect(page.locator("#part-r-0")).to_be_focused()
    expect(page.locator("#figures")).to_contain_text("0 van 5 klanten")
    add_by_keyboard(page, "heeft een label niet", group="r-0")
    page.locator("#part-r-0-0 .ts-control").click()
    page.keyboard.type("Rood")
    page.keyboard.press("Enter")
    expect(page.locator("#figures")).to_contain_text("4 van 5 klanten")
    page.locator("[name=r-0__op]").select_option("none")
    expect(page.locator("#figures")).to_contain_text("1 van 5 klanten")
    page.locator("#part-r-0-0 .rule-tools summary").click()
    page.locator("[value='duplicate:r-0-0']").click()
    expect(page.locator("#part-r-0-1 .item")).to_have_text("Rood×")
    page.locator("#part-r-0-1 .rule-arrow[value^='down:']").click()
    expect(page.locator("#part-r-1 .item")).to_have_text("Rood×")
    expect(page.locator("#figures")).to_contain_text("0 van 5 klanten")
    page.locator("[value='remove:r-0']").click()
    expect(page.locator("#part-r-0 .rule-title")).to_have_text("Heeft een label niet")
    expect(page.locator("#figures")).to_contain_text("4 van 5 klanten")


def test_a_mistake_is_told_beside_its_field_and_forgotten_when_mended(builder: Page, axe: Callable[[], None]) -> None:
    page = builder
    add_by_keyboard(page, "leeftijd")
    page.fill("#id_r-0-at_least", "40")
    page.fill("#id_r-0-at_most", "20")
    expect(page.locator("#note-r-0")).to_contain_text("laagste getal")
    page.fill("#id_name", "Kan niet")
    page.locator(".rule-bar button").click()
    expect(page.locator(".error-summary")).to_contain_text("Niet elk criterium is goed ingevuld")
    expect(page.locator("#part-r-0 .field-error")).to_be_visible()
    axe()
    page.fill("#id_r-0-at_most", "60")
    expect(page.locator("#part-r-0 .field-error")).to_have_count(0)
    expect(page.locator("#note-r-0")).to_contain_text("blijft over 4")


def test_enter_in_a_field_counts_and_removes_nothing(builder: Page) -> None:
    page = builder
    add_by_keyboard(page, "leeftijd")
    expect(page.locator("#id_r-0-at_least")).to_be_focused()
    page.keyboard.type("99")
    page.keyboard.press("Enter")
    expect(page.locator("#figures")).to_contain_text("0 van 5 klanten")
    expect(page.locator(".rule-criterion")).to_have_count(1)
    assert Selection.objects.count() == 0


def test_the_builder_fits_a_phone(builder: Page, axe: Callable[[], None]) -> None:
    page = builder
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#part-r > .rule-add > button").click()
    expect(page.locator("#part-r-0")).to_be_focused()
    add_by_keyboard(page, "hoe vaak", group="r-0")
    expect(page.locator("#part-r-0-0")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    # how far the page was scrolled is chance, and what the bar at the bottom then covers half is no fault
    page.set_viewport_size({"width": 390, "height": 3000})
    axe()
