"""The components in a real browser: what the scripts do, what axe finds, and whether it fits."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django import Settings

from tests.factories import BranchFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.workbench.pages")]


@pytest.fixture
def kit(page: Page, sign_in: Callable[[User], None], marketeer: User, settings: Settings) -> Page:
    templates = copy.deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"].append(Path(__file__).parent / "templates")
    settings.TEMPLATES = templates
    sign_in(marketeer)
    page.goto("/t/kit/")
    return page


@pytest.mark.parametrize("width", [1440, 390])
def test_all_components_together_fit_and_are_accessible(kit: Page, axe: Callable[[], None], width: int) -> None:
    kit.set_viewport_size({"width": width, "height": 900})
    kit.reload()
    expect(kit.locator(".ts-wrapper")).to_be_visible()
    assert kit.evaluate("document.documentElement.scrollWidth") <= width
    axe()


def test_markup_in_a_value_stays_text(kit: Page) -> None:
    assert "evil" not in kit.title()
    assert kit.locator("[data-evil]").get_attribute("data-evil") == "\"><script>document.title = 'evil'</script>"


def test_a_question_comes_first_and_no_means_no(kit: Page) -> None:
    kit.get_by_role("button", name="Weg ermee").click()
    expect(kit.get_by_text("Zeker weten?")).to_be_visible()
    kit.locator("[data-confirm-no]").click()
    expect(kit.get_by_text("Zeker weten?")).to_be_hidden()
    expect(kit.get_by_text("Weg is weg")).to_have_count(0)


def test_after_yes_the_form_is_sent_and_its_message_can_be_closed(kit: Page) -> None:
    kit.get_by_role("button", name="Weg ermee").click()
    kit.locator("[data-confirm-yes]").click()
    note = kit.locator("[data-toast]", has_text="Weg is weg")
    expect(note).to_be_visible()
    note.get_by_role("button").click()
    expect(note).to_have_count(0)


def test_yes_still_means_it_when_its_button_was_renewed_meanwhile(kit: Page) -> None:
    kit.get_by_role("button", name="Weg ermee").click()
    kit.locator("form[data-confirm]").evaluate("form => form.replaceWith(form.cloneNode(true))")
    kit.locator("[data-confirm-yes]").click()
    expect(kit.locator("[data-toast]", has_text="Weg is weg")).to_be_visible()


def test_what_the_page_asks_by_itself_leaves_the_focus_where_it_was(kit: Page) -> None:
    kit.route("**/again/", lambda route: route.fulfill(body="<button>Stop</button><button>Stop</button>"))
    kit.evaluate("""() => {
        const part = document.createElement("div");
        part.innerHTML = "<button>Stop</button><button>Stop</button>";
        part.id = "part";
        part.setAttribute("hx-get", "/again/");
        part.setAttribute("hx-trigger", "every 1s");
        document.getElementById("main").append(part);
        htmx.process(part);
        part.lastElementChild.className = "old";
        part.lastElementChild.focus();
    }""")
    expect(kit.locator("#part button").last).to_be_focused()
    expect(kit.locator("#part .old")).to_have_count(0)
    expect(kit.locator("#part button").last).to_be_focused()


def test_escape_closes_a_dialog_and_gives_the_focus_back(kit: Page) -> None:
    opener = kit.get_by_role("button", name="Open het venster")
    opener.click()
    expect(kit.get_by_role("dialog", name="Een venster")).to_be_visible()
    kit.keyboard.press("Escape")
    expect(kit.get_by_role("dialog", name="Een venster")).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_wrong_form_comes_back_with_the_focus_on_what_is_wrong(kit: Page, axe: Callable[[], None]) -> None:
    kit.locator("form.form [type=submit]").click()
    summary = kit.locator(".error-summary")
    expect(summary).to_be_focused()
    summary.get_by_role("link", name="Naam").click()
    expect(kit.get_by_label("Naam")).to_be_focused()
    axe()


def test_a_list_is_put_in_order_by_keyboard_and_the_order_is_sent(kit: Page) -> None:
    down = kit.locator("[data-sortable] > li", has_text="Een").locator("[data-step='1']")
    with kit.expect_response("**/t/kit/order/") as sent:
        down.press("Enter")
    assert sent.value.request.post_data == "order=2&order=1&order=3"
    assert sent.value.status == 302  # the CSRF token was along
    expect(down).to_be_focused()


def test_a_searchable_select_keeps_its_label_and_is_chosen_by_keyboard(kit: Page) -> None:
    box = kit.locator(".ts-control input")
    assert "Labels" in (box.get_attribute("aria-label") or "")
    box.press_sequentially("kijk")
    box.press("Enter")
    assert kit.locator("#id_labels").evaluate("select => [...select.selectedOptions].map(o => o.text)") == ["Kijker"]


def test_a_menu_opens_and_closes_by_keyboard(kit: Page) -> None:
    summary = kit.locator("summary[aria-label='Meer']")
    summary.press("Enter")
    expect(kit.get_by_role("link", name="Bekijk")).to_be_visible()
    kit.keyboard.press("Escape")
    expect(kit.get_by_role("link", name="Bekijk")).to_be_hidden()
    expect(summary).to_be_focused()


def test_the_figures_of_a_chart_can_be_read_as_a_table(kit: Page) -> None:
    kit.locator(".graph-figures summary").click()
    expect(kit.get_by_role("row", name="di 2.000")).to_be_visible()


def test_a_line_of_one_day_is_drawn_as_a_point(kit: Page) -> None:
    kit.evaluate(
        """() => {
            const canvas = document.querySelector("canvas[data-chart]"), place = canvas.parentElement;
            const data = {labels: ["24 nov"], datasets: [{label: "Verzonden", data: [2]}]};
            canvas.dataset.chartType = "line";
            document.getElementById(canvas.dataset.chart).textContent = JSON.stringify(data);
            place.dispatchEvent(new CustomEvent("htmx:load", {bubbles: true, detail: {elt: place}}));
        }"""
    )
    point = "Chart.getChart(document.querySelector('canvas[data-chart]')).getDatasetMeta(0).data[0].options.radius"
    kit.wait_for_function(f"window.Chart && {point} > 0")


def test_on_a_phone_the_menu_opens_with_a_button_and_cells_name_their_column(kit: Page) -> None:
    kit.set_viewport_size({"width": 390, "height": 800})
    kit.locator("[data-sidebar-toggle]").click()
    expect(kit.locator("#sidebar .side-link").first).to_be_visible()
    kit.locator("[data-sidebar-toggle]").click()
    assert kit.locator("td.num").first.get_attribute("data-label") == "Waarde"


def test_a_list_filters_while_typing_and_sorts_without_a_new_page(kit: Page) -> None:
    for name in ("Edam", "Ilpendam", "Marken"):
        BranchFactory(name=name)
    kit.goto("/t/branches/")
    kit.evaluate("window.stayed = true")
    kit.get_by_label("Naam bevat").press_sequentially("dam")
    expect(kit.locator("#results tbody tr")).to_have_count(2)
    kit.get_by_role("link", name="Naam", exact=True).click()
    expect(kit.locator("#results tbody tr").first).to_contain_text("Ilpendam")
    assert kit.evaluate("window.stayed")
    expect(kit).to_have_url(re.compile(r"name=dam"))
    expect(kit).to_have_url(re.compile(r"sort=-name"))
    kit.go_back()
    expect(kit.locator("h1")).to_have_text("Vestigingen")


def test_an_answer_of_htmx_brings_its_message(kit: Page) -> None:
    kit.evaluate(
        "document.dispatchEvent(new CustomEvent('toasts', {detail: {items: [{text: 'Gelukt <b>', tone: 'success'}]}}))"
    )
    expect(kit.locator(".toast-success", has_text="Gelukt <b>")).to_be_visible()


def test_whoever_was_signed_out_meanwhile_gets_the_sign_in_page(kit: Page) -> None:
    BranchFactory(name="Edam")
    kit.goto("/t/branches/")
    kit.context.clear_cookies()
    kit.get_by_role("link", name="Naam", exact=True).click()
    kit.wait_for_url("**/accounts/login/?next=%2Ft%2Fbranches%2F")
