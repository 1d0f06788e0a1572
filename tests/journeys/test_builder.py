"""A nested rule built twice: by dragging with the mouse, and by keyboard alone; saved, looked at, and changed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from common.time import clock
from customers.models import Customer
from labels.actions import create_label, give_label
from selections.models import Selection
from tests.factories import BranchFactory, CustomerFactory

Axe = Callable[[], None]
LONG = "Wilhelmina-Antoinette van den Oudenhuijsen-Schimmelpenninck tot Waterland en Omstreken"


@pytest.fixture
def people(transactional_db: None) -> list[Customer]:
    """Three members of 46, one child, two prospects; one of the members has a label with a very long name."""
    purmerend = BranchFactory(code="PUR", name="Purmerend")
    adults: list[Customer] = CustomerFactory.create_batch(3, branch=purmerend)
    CustomerFactory(birth_date=dt.date(2019, 1, 1))
    CustomerFactory.create_batch(2, kind="prospect")
    label = create_label(code="lang", name=LONG[:80], kind="own", now=clock())
    give_label(label, Customer.objects.filter(pk=adults[0].pk), by="test", now=clock())
    return adults


@pytest.fixture
def builder(page: Page, sign_in: Callable[[User], None], marketeer: User, people: list[Customer]) -> Page:
    sign_in(marketeer)
    page.goto("/selections/new/")
    expect(page.locator("#bar-total")).to_contain_text("6 klanten")
    return page


def add(page: Page, word: str, *, group: str = "r") -> None:
    """Add a criterion by keyboard, and wait until the hands are in its first field."""
    menu = page.locator(f"#part-{group} > .rule-add .rule-choose")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(menu.locator("[data-menu-search]")).to_be_focused()
    page.keyboard.type(word)
    expect(menu.locator(".menu-item:visible").filter(has_text=re.compile(word, re.IGNORECASE)).first).to_be_visible()
    count = page.locator("#rule .rule-criterion").count()
    page.keyboard.press("Enter")
    expect(page.locator("#rule .rule-criterion")).to_have_count(count + 1)


def drag(page: Page, handle: Locator, target: Locator, arrived: Locator, *, low: bool = True) -> None:
    """Drag by the handle to the lower (or upper) part of something, as a hand does: in steps, and let go once what is
    dragged has a place there.
    """
    handle.scroll_into_view_if_needed()
    start = handle.bounding_box()
    assert start is not None
    x, y = start["x"] + start["width"] / 2, start["y"] + start["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 12, steps=4)
    expect(page.locator("body")).to_have_class(re.compile("is-dragging"))
    end = target.bounding_box()
    assert end is not None
    page.mouse.move(end["x"] + end["width"] / 3, end["y"] + end["height"] * (0.75 if low else 0.2), steps=12)
    expect(arrived).to_have_class(re.compile("rule-ghost"))
    page.mouse.up()


def criteria_of(page: Page) -> list[str]:
    return page.locator("#rule .rule-title").all_inner_texts()


def test_a_nested_rule_is_built_by_dragging_saved_and_changed(builder: Page, axe: Axe) -> None:
    page = builder
    add(page, "soort klant")
    page.get_by_label("Lid", exact=True).check()
    add(page, "leeftijd")
    page.get_by_label("Minstens").fill("18")
    expect(page.locator("#bar-total")).to_contain_text("3 klanten")
    expect(page.locator("#figures .rule-difference")).to_contain_text("−1 ten opzichte van zojuist")
    page.get_by_role("button", name="Groep toevoegen").click()
    expect(page.locator("#part-r-2")).to_be_focused()
    # Into the empty group, by its handle.
    empty = page.locator("#part-r-2 > .rule-parts")
    drag(page, page.locator("#part-r-1 .rule-handle"), empty, empty.locator("> li"))
    expect(page.locator("#part-r-1-0 .rule-title")).to_have_text("Leeftijd")
    expect(page.locator("#part-r-1-0 .rule-handle")).to_be_focused()
    expect(page.get_by_label("Minstens")).to_have_value("18")
    expect(page.locator("#counted")).to_contain_text("3 klanten")
    # The group to the top.
    first = page.locator("#part-r > .rule-parts > li").first
    drag(page, page.locator("#part-r-1 > .rule-head .rule-handle"), page.locator("#part-r-0"), first, low=False)
    expect(page.locator("#part-r-0 .rule-select").first).to_have_value("any")
    assert criteria_of(page) == ["Leeftijd", "Soort klant"]
    page.get_by_role("button", name="Ongedaan maken").click()
    expect(page.locator("#part-r-0 .rule-title")).to_have_text("Soort klant")
    expect(page.get_by_role("button", name="Ongedaan maken")).to_be_focused()
    page.get_by_role("button", name="Opnieuw", exact=True).click()
    expect(page.locator("#part-r-1 .rule-title")).to_have_text("Soort klant")
    axe()
    page.get_by_label("Naam", exact=True).fill("Volwassen leden")
    page.get_by_role("button", name="Selectie opslaan").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Volwassen leden")
    saved = Selection.objects.get()
    assert [child.get("criterion", child.get("op")) for child in saved.rule["children"]] == ["any", "customer.kind"]
    page.get_by_role("link", name="Wijzigen").click()
    page.locator("#part-r-0-0 [value^='remove:']").click()
    expect(page.locator("#part-r-0 .rule-empty")).to_be_visible()
    page.locator("#part-r-0 > .rule-head [value^='remove:']").click()
    expect(page.locator("#bar-total")).to_contain_text("4 klanten")
    page.get_by_role("button", name="Wijzigingen opslaan").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Volwassen leden")
    saved.refresh_from_db()
    assert [child["criterion"] for child in saved.rule["children"]] == ["customer.kind"]


def test_a_nested_rule_is_built_by_keyboard_alone(builder: Page, axe: Axe, tab_to: Callable[[Locator], None]) -> None:
    page, keys = builder, builder.keyboard
    add(page, "leeftijd")
    expect(page.get_by_label("Minstens")).to_be_focused()
    keys.type("18")
    add(page, "soort klant")
    tab_to(page.get_by_label("Lid", exact=True))
    keys.press("Space")
    expect(page.locator("#bar-total")).to_contain_text("3 klanten")
    tab_to(page.locator("#part-r > .rule-add > button"))
    keys.press("Enter")
    expect(page.locator("#part-r-2")).to_be_focused()
    page.locator("#part-r-1 .rule-handle").focus()
    keys.press("ArrowRight")
    expect(page.locator("#part-r-1-0 .rule-handle")).to_be_focused()
    expect(page.locator("#said")).to_contain_text("Soort klant: nu nummer 1 van 1 in Groep “minstens één van deze”.")
    expect(page.locator("#bar-total")).to_contain_text("3 klanten")
    keys.press("ArrowLeft")
    expect(page.locator("#part-r-2 .rule-handle")).to_be_focused()
    keys.press("ArrowUp")
    expect(page.locator("#part-r-1-0 .rule-handle")).to_be_focused()
    keys.press("ArrowUp")
    expect(page.locator("#part-r-1 > .rule-head > .rule-title")).to_have_text("Soort klant")
    expect(page.locator("#part-r-1 .rule-handle")).to_be_focused()
    keys.press("Control+z")
    expect(page.locator("#part-r-1-0 .rule-title")).to_have_text("Soort klant")
    axe()
    keys.press("Tab")
    page.get_by_label("Naam", exact=True).focus()
    keys.type("Met toetsen")
    tab_to(page.get_by_role("button", name="Selectie opslaan"))
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Met toetsen")
    rule = Selection.objects.get().rule
    assert rule["children"][1]["children"][0]["criterion"] == "customer.kind"


def test_what_is_pressed_and_typed_before_the_answer_comes_is_not_lost(builder: Page) -> None:
    page, keys = builder, builder.keyboard
    for word in ("leeftijd", "soort klant", "postcode"):
        add(page, word)
    last = criteria_of(page)[2]
    expect(page.locator("#part-r-2 [data-did], #part-r-2[data-did]").first).to_be_visible()

    def slowly(route: Route) -> None:
        page.wait_for_timeout(300)
        route.continue_()

    page.route("**/selections/new/", slowly)
    page.locator("#part-r-2 .rule-handle").focus()
    keys.press("ArrowUp")
    keys.press("ArrowUp")
    page.get_by_label("Minstens").fill("18")
    expect(page.locator("#part-r-0 .rule-title")).to_have_text(last)
    expect(page.locator("#part-r-0 .rule-handle")).to_be_focused()
    expect(page.get_by_label("Minstens")).to_have_value("18")
    # Two are thrown away at once: the ones that were pressed, not what came in their place.
    page.locator("#part-r-0 [value^='remove:']").click()
    page.locator("#part-r-1 [value^='remove:']").click()
    expect(page.locator("#rule .rule-criterion")).to_have_count(1)
    assert criteria_of(page) == ["Soort klant"]
    page.unroute_all(behavior="ignoreErrors")  # a count may still be on its way


def test_not_everybody_who_they_are_and_a_past_day(builder: Page, axe: Axe) -> None:
    page = builder
    page.get_by_text("Bijna-vertrekkers").click()
    expect(page.locator(".rule-criterion")).to_have_count(4)
    page.keyboard.press("Control+z")
    expect(page.locator(".rule-criterion")).to_have_count(0)
    add(page, "soort klant")
    page.get_by_label("Lid", exact=True).check()
    expect(page.locator("#bar-total")).to_contain_text("4 klanten")
    page.locator("#part-r > .rule-add").get_by_text("Niet iedereen").click()
    page.get_by_role("button", name="Een aantal willekeurige klanten").click()
    expect(page.get_by_label("Hoeveel")).to_be_focused()
    page.get_by_label("Hoeveel").fill("2")
    expect(page.locator(".rule-pick-note")).to_have_text("2 van 4")
    expect(page.locator("#bar-total")).to_contain_text("2 klanten")
    expect(page.locator(".rule-sample li")).to_have_count(2)
    page.get_by_role("button", name="Verdeling").click()
    expect(page.locator(".rule-split")).to_have_count(4)
    axe()
    page.get_by_role("button", name="Bereik").click()
    expect(page.get_by_label("Bereiken voor", exact=True)).to_be_visible()
    axe()
    page.get_by_label("Zoals het was op").fill((clock() - dt.timedelta(days=9)).date().isoformat())
    expect(page.locator("#figures")).to_contain_text("Dit is van die dag niet meer bekend")
    axe()
    page.get_by_label("Neem hiervoor wat nu geldt").check()
    expect(page.locator("#figures")).to_contain_text("zoals het was op")


def test_the_builder_fits_a_phone_and_long_names(builder: Page, axe: Axe) -> None:
    page = builder
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#part-r > .rule-add > button").click()
    expect(page.locator("#part-r-0")).to_be_focused()
    add(page, "heeft een label niet", group="r-0")
    page.locator("#part-r-0-0 .ts-control").click()
    page.keyboard.type("Wilhelmina")
    page.keyboard.press("Enter")
    expect(page.locator("#bar-total")).to_contain_text("5 klanten")
    page.get_by_role("button", name="Verdeling").click()
    expect(page.locator(".rule-split").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    axe()


def test_without_scripts_every_button_posts_the_page(
    page: Page, sign_in: Callable[[User], None], marketeer: User, people: list[Customer], live_server: LiveServer
) -> None:
    sign_in(marketeer)
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(
        java_script_enabled=False, storage_state=page.context.storage_state(), base_url=live_server.url
    )
    plain = context.new_page()
    plain.goto("/selections/new/")
    plain.locator("#part-r > .rule-add .rule-choose summary").click()
    plain.get_by_role("button", name="Toon alle criteria").click()
    plain.get_by_role("button", name="Leeftijd In hele jaren").click()
    plain.get_by_label("Minstens").fill("18")
    plain.get_by_role("button", name="Opnieuw tellen").first.click()
    expect(plain.locator("#figures")).to_contain_text("5 van 6 klanten")
    plain.get_by_role("button", name="Verdeling").click()
    expect(plain.locator(".rule-split")).to_have_count(4)
    plain.get_by_role("button", name="Ongedaan maken").click()
    context.close()


def test_a_hundred_parts_stay_workable(builder: Page, marketeer: User) -> None:
    page = builder
    ages = [{"criterion": "customer.age", "params": {"at_least": n % 90}} for n in range(16)]
    children = [{"op": "any", "children": ages} for _number in range(5)]
    rule = {"version": 2, "op": "all", "children": [*children, *ages[:14]]}
    selection = Selection.objects.create(name="Honderd", rule=rule, created_at=clock(), updated_at=clock())
    page.goto(f"/selections/{selection.pk}/change/")
    expect(page.locator(".rule-criterion")).to_have_count(94)
    expect(page.locator("#note-r-18")).to_contain_text("blijft over")
    page.locator("#part-r-18 .rule-arrow[value^='up:']").click()
    expect(page.locator("#part-r-17 .rule-arrow[value^='up:']")).to_be_focused()
