"""A selection after it was built: why somebody is out, who came since a day, laid over another, kept, remarked upon;
in a real browser, at both widths.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from common.time import clock
from customers.models import Customer
from labels.actions import create_label, give_label
from selections.actions import create_selection, save_folder
from selections.models import ResultSet, Selection
from tests.factories import CustomerFactory
from tests.selections.test_rules import MEMBERS, rule

Axe = Callable[[], None]
DAY = dt.timedelta(days=1)
READERS = {"criterion": "labels.has", "params": {"labels": ["lezer"]}}


@pytest.fixture
def readers(transactional_db: None, marketeer: User) -> Selection:
    """Readers: Anna is one, Bert is a member and no reader."""
    for name in ("Anna", "Bert"):
        CustomerFactory(first_name=name, name_prefix="", last_name="Appelboom", created_at=clock() - 90 * DAY)
    label = create_label(code="lezer", name="Lezer", kind="own", now=clock() - 90 * DAY)
    give_label(label, Customer.objects.filter(first_name="Anna"), by="x", now=clock() - 10 * DAY)
    create_selection(name="Leden", rule=rule(MEMBERS), by=marketeer, now=clock())
    save_folder(None, name="Jeugd", now=clock())
    return create_selection(name="Lezers", rule=rule(MEMBERS, READERS), by=marketeer, now=clock())


@pytest.fixture
def selection(page: Page, sign_in: Callable[[User], None], marketeer: User, readers: Selection) -> Page:
    sign_in(marketeer)
    page.goto(f"/selections/{readers.pk}/")
    expect(page.locator("#figures .stat").first).to_contain_text("1")
    return page


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Onderdelen van deze selectie").get_by_role("link", name=name).click()


def at_both_widths(page: Page, axe: Axe) -> None:
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
        axe()
    page.set_viewport_size({"width": 1440, "height": 900})


def test_why_somebody_is_out_is_found_by_name_and_on_an_earlier_day(selection: Page, axe: Axe) -> None:
    tab(selection, "Waarom wel, waarom niet")
    field = selection.get_by_label("Naam, nummer, e-mail of postcode")
    field.fill("Appelboom")
    field.press("Enter")
    row = selection.locator(".find-list li")
    expect(row.filter(has_text="Anna")).to_contain_text("zit erin")
    expect(row.filter(has_text="Bert")).to_contain_text("zit er niet in")
    row.filter(has_text="Bert").get_by_role("link").click()
    expect(selection.get_by_role("heading", level=2).first).to_have_text("Bert Appelboom zit niet in “Lezers”")
    expect(selection.locator(".why-reasons li")).to_have_count(1)
    expect(selection.locator(".why-line.decides")).to_contain_text("Klopt niet")
    at_both_widths(selection, axe)
    selection.get_by_label("Zoals het was op").fill((clock() - 30 * DAY).date().isoformat())
    selection.get_by_role("button", name="Bekijken").click()
    expect(selection.get_by_role("heading", level=2).first).to_have_text("Bert Appelboom zat niet in “Lezers”")
    expect(selection.locator(".alert-warning")).to_contain_text("Het oordeel staat toch vast")
    at_both_widths(selection, axe)


def test_who_came_since_a_day_is_seen_and_a_part_of_a_comparison_becomes_a_selection(selection: Page, axe: Axe) -> None:
    tab(selection, "Terugkijken")
    selection.get_by_label("Wie zaten erin op").fill((clock() - 30 * DAY).date().isoformat())
    selection.get_by_label("Vergeleken met").fill(clock().date().isoformat())
    selection.get_by_role("button", name="Bekijken").click()
    expect(selection.locator(".alert-warning")).to_contain_text("Daarom gokken we niet.")
    selection.get_by_label("Neem hiervoor wat nu geldt").check()
    selection.get_by_role("button", name="Bekijken").click()
    expect(selection.locator("#people")).to_contain_text("Anna Appelboom")
    at_both_widths(selection, axe)
    tab(selection, "Vergelijken")
    selection.locator("#id_two").evaluate(
        "(field, name) => { const option = [...field.options].find(one => one.text === name);"
        " (field.tomselect ?? field).setValue?.(option.value) ?? (field.value = option.value); }",
        "Leden",
    )
    selection.get_by_role("button", name="Vergelijken").click()
    parts = selection.locator(".parts > li")
    expect(parts).to_have_count(3)
    expect(parts.nth(2)).to_contain_text("In “Leden”, niet in “Lezers”")
    expect(parts.nth(2).locator("strong")).to_have_text("1")
    at_both_widths(selection, axe)
    parts.nth(2).get_by_role("link", name="Bewaren als selectie").click()
    expect(selection.locator("#bar-total")).to_contain_text("1 klant")
    selection.get_by_role("button", name="Selectie opslaan").click()
    expect(selection.locator("h1")).to_have_text("In “Leden”, niet in “Lezers”")


def test_what_is_in_it_is_kept_remarked_upon_and_filed(selection: Page, readers: Selection, axe: Axe) -> None:
    selection.locator("summary", has_text="Doe iets").click()
    selection.get_by_role("button", name="Bewaren als resultaatset").click()
    selection.get_by_label("Naam van de resultaatset").fill("Lezers van nu")
    at_both_widths(selection, axe)
    selection.locator("#keep").get_by_role("button", name="Bewaren").click()
    expect(selection.locator("h1")).to_have_text("Lezers van nu")
    expect(selection.locator("main")).to_contain_text("Anna Appelboom")
    at_both_widths(selection, axe)
    assert ResultSet.objects.get().member_count == 1
    selection.goto(f"/selections/{readers.pk}/")
    selection.get_by_label("Je opmerking").fill("Graag ook Edam.")
    selection.get_by_role("button", name="Opmerking toevoegen").click()
    expect(selection.locator("#comments")).to_contain_text("Graag ook Edam.")
    selection.locator("summary[aria-label='Meer']").click()
    selection.get_by_role("button", name="Naar een map verplaatsen").click()
    selection.locator("#move select").select_option(label="Jeugd")
    selection.locator("#move").get_by_role("button", name="Verplaatsen").click()
    expect(selection.locator(".page-head")).to_contain_text("Jeugd")
    at_both_widths(selection, axe)


def test_a_file_of_everybody_is_chosen_and_downloaded(selection: Page, axe: Axe) -> None:
    selection.locator("summary", has_text="Doe iets").click()
    selection.get_by_role("link", name="Exporteren").click()
    at_both_widths(selection, axe)
    selection.get_by_label("Excel-werkmap").check()
    with selection.expect_download() as download:
        selection.get_by_role("button", name="Downloaden").click()
    assert re.fullmatch(r"lezers-\d{8}\.xlsx", download.value.suggested_filename)
