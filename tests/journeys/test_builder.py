"""A nested rule built twice: by dragging with the mouse, and by keyboard alone; saved, looked at, and changed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs

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
    target.evaluate("element => element.scrollIntoView({block: 'center', behavior: 'instant'})")
    grab(page, handle)
    carry(page, target, arrived, low=low)


def grab(page: Page, handle: Locator) -> None:
    start = handle.bounding_box()
    assert start is not None
    x, y = start["x"] + start["width"] / 2, start["y"] + start["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 12, steps=4)
    expect(page.locator("body")).to_have_class(re.compile("is-dragging"))


def carry(page: Page, target: Locator, arrived: Locator, *, low: bool = True) -> None:
    for nudge in range(100):  # a hand goes after what moves, and is never quite still
        end = target.bounding_box()
        assert end is not None
        x, y = end["x"] + end["width"] / 3 + nudge % 2, end["y"] + end["height"] * (0.75 if low else 0.2)
        page.mouse.move(x, y, steps=1 if nudge else 12)
        if arrived.count() and "rule-ghost" in (arrived.get_attribute("class") or ""):
            break
        page.wait_for_timeout(50)
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


class Slow:
    """A network on which each change of the rule waits until it is let go; counts are answered at once."""

    def __init__(self, page: Page) -> None:
        self._page, self._kept = page, list[Route]()
        page.route("**/selections/new/", self._take)

    def _take(self, route: Route) -> None:
        if "do" in parse_qs(route.request.post_data or ""):
            self._kept.append(route)
        else:
            route.continue_()

    def let_go(self) -> None:
        """Let the change that is under way be answered; the one that waits for it is under way then."""
        expect(self._page.locator("#builder")).to_have_attribute("aria-busy", "true")
        while not self._kept:
            self._page.wait_for_timeout(10)
        self._kept.pop(0).continue_()

    def is_idle(self) -> None:
        """Expect that nothing is under way any more."""
        expect(self._page.locator("#builder")).not_to_have_attribute("aria-busy", "true")
        assert not self._kept


@pytest.fixture
def slow(builder: Page) -> Iterator[Slow]:
    """The builder with three criteria, of which the first is the age, from here on over a slow network."""
    for word in ("leeftijd", "soort klant", "postcode"):
        add(builder, word)
    expect(builder.locator("#part-r-2[data-did]")).to_be_visible()
    yield Slow(builder)
    builder.unroute_all(behavior="ignoreErrors")  # a count may still be on its way


def test_keys_pressed_before_the_answer_comes_are_done_one_after_another(builder: Page, slow: Slow) -> None:
    page, keys = builder, builder.keyboard
    last = criteria_of(page)[2]
    page.locator("#part-r-2 .rule-handle").focus()
    keys.press("ArrowUp")
    keys.press("ArrowUp")
    slow.let_go()
    slow.let_go()
    expect(page.locator("#part-r-0 .rule-title")).to_have_text(last)
    expect(page.locator("#part-r-0 .rule-handle")).to_be_focused()
    # Two are thrown away at once: the ones that were pressed, not what came in their place.
    page.locator("#part-r-0 [value^='remove:']").click()
    page.locator("#part-r-1 [value^='remove:']").click()
    slow.let_go()
    slow.let_go()
    expect(page.locator("#rule .rule-criterion")).to_have_count(1)
    assert criteria_of(page) == ["Soort klant"]
    # And taken back as quickly: both, and what stood there before.
    keys.press("Control+z")
    keys.press("Control+z")
    slow.let_go()
    slow.let_go()
    expect(page.locator("#rule .rule-criterion")).to_have_count(3)
    expect(page.locator("#part-r-0 .rule-title")).to_have_text(last)
    slow.is_idle()


def test_who_types_on_while_an_answer_comes_loses_nothing(builder: Page, slow: Slow) -> None:
    page, keys = builder, builder.keyboard
    page.locator("#part-r-2 .rule-handle").focus()
    keys.press("ArrowUp")
    keys.press("ArrowUp")
    page.get_by_label("Minstens").focus()
    keys.type("1")
    slow.let_go()
    slow.let_go()
    slow.is_idle()
    expect(page.locator("#part-r-1 .rule-title")).to_have_text("Leeftijd")
    expect(page.get_by_label("Minstens")).to_be_focused()
    keys.type("8")
    expect(page.get_by_label("Minstens")).to_have_value("18")
    # In a field beside the rule too, of which nothing is replaced.
    page.get_by_role("button", name="Groep toevoegen").click()
    page.get_by_label("Naam", exact=True).focus()
    keys.type("Vol")
    slow.let_go()
    expect(page.locator("#part-r-3")).to_be_visible()
    slow.is_idle()
    keys.type("wassen")
    expect(page.get_by_label("Naam", exact=True)).to_have_value("Volwassen")


def test_menus_and_choices_opened_meanwhile_stay_open(builder: Page, slow: Slow) -> None:
    page, keys = builder, builder.keyboard
    page.locator("#part-r-0 .rule-arrow[value^='down:']").click()
    page.locator("#part-r > .rule-add .rule-choose summary").click()
    expect(page.locator("#part-r > .rule-add [data-menu-search]")).to_be_focused()
    keys.type("heeft een label")
    slow.let_go()
    expect(page.locator("#part-r-1 .rule-title")).to_have_text("Leeftijd")
    expect(page.locator("#part-r > .rule-add [data-menu-search]")).to_be_focused()
    keys.type(" niet")
    keys.press("Enter")
    slow.let_go()
    expect(page.locator("#part-r-3 .rule-title")).to_have_text("Heeft een label niet")
    # A choice among many, half chosen.
    page.locator("#part-r-3 .rule-arrow[value^='up:']").click()
    page.locator("#part-r-3 .ts-control").click()
    expect(page.locator("#part-r-3 .ts-control input")).to_be_focused()
    keys.type("Wilhel")
    slow.let_go()
    box = page.locator("#part-r-2 .ts-control input")
    expect(box).to_be_focused()
    expect(box).to_have_value("Wilhel")
    keys.type("mina")
    keys.press("Enter")
    expect(page.locator("#part-r-2 .ts-control .item")).to_contain_text("Wilhelmina")
    # And one that was chosen before the answer came.
    page.keyboard.press("Escape")
    page.locator("#part-r-2 .rule-arrow[value^='up:']").click()
    page.locator("#part-r-2 .ts-control .item .remove").click()
    slow.let_go()
    expect(page.locator("#part-r-1 .rule-title")).to_have_text("Heeft een label niet")
    expect(page.locator("#part-r-1 .ts-control .item")).to_have_count(0)
    slow.is_idle()


def test_saving_waits_for_what_was_pressed_before(builder: Page, slow: Slow) -> None:
    page = builder
    page.get_by_label("Minstens").fill("18")
    page.get_by_label("Naam", exact=True).fill("Volwassenen")
    page.locator("#part-r-2 [value^='remove:']").click()
    page.locator("#part-r-1 [value^='remove:']").click()
    page.get_by_role("button", name="Selectie opslaan").click()
    slow.let_go()
    slow.let_go()
    expect(page.get_by_role("heading", level=1)).to_have_text("Volwassenen")
    rule = Selection.objects.get().rule
    assert [child["criterion"] for child in rule["children"]] == ["customer.age"]


def test_what_failed_leaves_the_page_as_it_was(builder: Page, slow: Slow) -> None:
    page = builder
    page.unroute_all(behavior="ignoreErrors")
    page.route("**/selections/new/", lambda route: route.fulfill(status=429, body=""))
    page.locator("#part-r-2 [value^='remove:']").click()
    expect(page.locator("#toasts .toast-error").first).to_be_visible()  # its count may fail too
    expect(page.locator("#rule .rule-criterion")).to_have_count(3)
    slow.is_idle()
    page.unroute_all(behavior="ignoreErrors")
    page.locator("#part-r-2 [value^='remove:']").click()
    expect(page.locator("#rule .rule-criterion")).to_have_count(2)


def test_a_double_click_means_it_once(builder: Page, slow: Slow) -> None:
    page = builder
    page.get_by_role("button", name="Groep toevoegen").dblclick()
    slow.let_go()
    expect(page.locator("#part-r-3")).to_be_focused()
    slow.is_idle()
    assert page.locator("#rule .rule-group .rule-group").count() == 1
    page.locator("#part-r > .rule-add .rule-choose summary").click()
    page.locator("#part-r > .rule-add .rule-choose").get_by_role(
        "button", name=re.compile("^Geslacht")
    ).first.dblclick()
    slow.let_go()
    expect(page.locator("#rule .rule-criterion")).to_have_count(4)
    page.locator("#part-r-0 .rule-arrow[value^='down:']").dblclick()  # an arrow is pressed as often as one wants
    slow.let_go()
    slow.let_go()
    expect(page.locator("#part-r-2 .rule-title")).to_have_text("Leeftijd")
    slow.is_idle()


def test_nothing_is_dragged_while_an_answer_is_awaited(builder: Page, slow: Slow) -> None:
    page = builder
    page.locator("#part-r-2 .rule-handle").focus()
    page.keyboard.press("ArrowUp")
    box = page.locator("#part-r-0 .rule-handle").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 8, box["y"] + 90, steps=6)
    slow.let_go()
    expect(page.locator("#part-r-2 .rule-title")).to_have_text("Soort klant")
    page.mouse.move(box["x"] + 8, box["y"] + 120, steps=3)
    page.mouse.up()
    slow.is_idle()
    expect(page.locator("body")).not_to_have_class(re.compile("is-dragging"))
    expect(page.locator(".rule-drag, .rule-ghost")).to_have_count(0)
    # And a count that comes in while something is dragged leaves it in the hand.
    empty = page.locator("#part-r-2")
    counts: list[Route] = []

    def hold(route: Route) -> None:
        if "at_least=18" in (route.request.post_data or ""):  # and no count of what was asked before
            counts.append(route)
        else:
            route.fallback()

    page.route("**/selections/new/", hold)
    page.get_by_label("Minstens").fill("18")
    while not counts:
        page.wait_for_timeout(10)
    page.unroute("**/selections/new/", hold)
    grab(page, page.locator("#part-r-0 .rule-handle"))
    with page.expect_response("**/selections/new/"):
        counts[0].continue_()
    carry(page, empty, page.locator("#part-r > .rule-parts > li").last)
    slow.let_go()
    expect(page.locator("#part-r-2 .rule-title")).to_have_text("Leeftijd")
    expect(page.get_by_label("Minstens")).to_have_value("18")


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
    shell = "document.querySelector('.shell').getBoundingClientRect()"
    below = f"document.documentElement.scrollHeight - scrollY - {shell}.bottom"
    assert page.evaluate(below) <= 1, "choices that are out of sight do not make the page longer"
    axe()


def test_a_press_counts_when_an_answer_renews_its_button_before_it_is_let_go(builder: Page) -> None:
    page = builder
    tab = page.get_by_role("button", name="Verdeling")
    old = tab.element_handle()
    tab.hover()
    page.mouse.down()
    page.evaluate("window.htmx.trigger(document.body, 'counted')")
    page.wait_for_function("tab => !tab.isConnected", arg=old)
    expect(tab).to_have_attribute("aria-pressed", "false")
    page.mouse.up()
    expect(page.locator(".rule-split").first).to_be_visible()


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
