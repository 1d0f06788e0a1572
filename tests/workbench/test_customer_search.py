"""Finding a customer from the top of every page, as one types: for who sees, who hears, and who has no scripts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect

from customers.models import Customer
from tests.factories import BranchFactory, CustomerFactory

FIND = "/customers/find/"


@pytest.fixture
def people(transactional_db: None) -> Customer:
    anna: Customer = CustomerFactory(
        number="1000001", first_name="Anna", name_prefix="de", last_name="Wit", email="anna@example.nl", city="Edam",
        branch=BranchFactory(code="EDA", name="Edam"), birth_date=dt.date(1980, 3, 14), card_number="290077",
    )  # fmt: skip
    CustomerFactory(number="1000002", first_name="Anna", last_name="Witteveen", email="")
    CustomerFactory(number="1000003", first_name="Piet", last_name="Jansen", email="")
    return anna


@pytest.fixture
def desk(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


def test_an_option_tells_who_it_is_and_why(desk: Client, people: Customer) -> None:
    page = desk.get(FIND, {"q": "290077"}).content.decode()
    for words in ("Anna de Wit", "1000001", "14-03-1980", "Edam", "Lid", "pas: 290077", f"/customers/{people.pk}/"):
        assert words in page
    assert "1 klant gevonden" in page
    assert page.count('role="option"') == 1


def test_too_little_finds_nobody_and_says_so(desk: Client, people: Customer) -> None:
    assert "minstens twee tekens" in desk.get(FIND, {"q": "a"}).content.decode()
    assert "Niemand gevonden" in desk.get(FIND, {"q": "xqxq"}).content.decode()


def test_more_than_fit_lead_to_the_list(desk: Client, people: Customer) -> None:
    CustomerFactory.create_batch(12, last_name="Wit", first_name="Bo")
    page = desk.get(FIND, {"q": "wit & co"}).content.decode()
    assert "Niemand gevonden" in page
    page = desk.get(FIND, {"q": "wit"}).content.decode()
    assert page.count('role="option"') == 8
    assert "Meer dan 8 klanten gevonden" in page
    assert 'href="/customers/?q=wit"' in page


def test_names_in_options_are_text_and_never_markup(desk: Client, people: Customer) -> None:
    CustomerFactory(last_name="<script>alert(1)</script>", first_name="Kwaad")
    page = desk.get(FIND, {"q": "kwaad"}).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_who_may_not_see_customers_has_no_field_and_no_answer(
    make_user: Callable[..., User], client_of: Callable[[User], Client], people: Customer
) -> None:
    from django.contrib.auth.models import Permission

    from common.roles import ensure_roles

    ensure_roles()
    user = make_user(None, "kijker")
    user.user_permissions.add(Permission.objects.get(codename="view_workbench"))
    client = client_of(user)
    assert client.get(FIND, {"q": "anna"}).status_code == 403
    assert "data-find" not in client.get("/").content.decode()


def test_a_find_takes_few_queries(desk: Client, people: Customer, django_assert_max_num_queries: Any) -> None:
    CustomerFactory.create_batch(30, last_name="Wit", branch=people.branch)
    with django_assert_max_num_queries(20):
        desk.get(FIND, {"q": "wit"})


def test_the_list_says_why_and_searches_within_its_filters(desk: Client, people: Customer) -> None:
    page = desk.get("/customers/", {"q": "290077"}).content.decode()
    assert "Gevonden op" in page
    assert "pas" in page
    found = desk.get("/customers/", {"q": "anna", "branch": people.branch_id}).context["table"]
    assert [row.record.number for row in found.rows] == ["1000001"]
    assert "Gevonden op" not in desk.get("/customers/").content.decode()


def test_a_customer_is_found_and_opened_by_keyboard(
    page: Page, sign_in: Callable[[User], None], marketeer: User, people: Customer, axe: Callable[[], None]
) -> None:
    sign_in(marketeer)
    page.goto("/labels/")
    page.keyboard.press("/")
    field = page.get_by_role("combobox", name="Zoek een klant")
    expect(field).to_be_focused()
    page.keyboard.type("anna wit")
    options = page.locator("#find-results").get_by_role("option")
    expect(options).to_have_count(2)
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#find-said")).to_have_text("2 klanten gevonden")
    axe()
    page.keyboard.press("ArrowDown")
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", "found-1")
    page.keyboard.press("ArrowUp")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Anna de Wit")


def test_escape_and_leaving_close_the_options(
    page: Page, sign_in: Callable[[User], None], marketeer: User, people: Customer
) -> None:
    sign_in(marketeer)
    page.goto("/labels/")
    field = page.get_by_role("combobox", name="Zoek een klant")
    field.click()
    page.keyboard.type("wit")
    expect(page.locator("#find-results").get_by_role("option").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#find-results")).to_be_hidden()
    expect(field).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#find-results").get_by_role("option").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("#find-results")).to_be_hidden()


def test_enter_without_a_choice_leads_to_the_list(
    page: Page, sign_in: Callable[[User], None], marketeer: User, people: Customer
) -> None:
    sign_in(marketeer)
    page.goto("/labels/")
    page.get_by_role("combobox", name="Zoek een klant").click()
    page.keyboard.type("jansen")
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers/?q=jansen")
    expect(page.get_by_role("link", name="Piet Jansen")).to_be_visible()


def test_a_finger_opens_a_customer_on_a_telephone(
    page: Page, sign_in: Callable[[User], None], marketeer: User, people: Customer
) -> None:
    sign_in(marketeer)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/labels/")
    page.get_by_role("combobox", name="Zoek een klant").click()
    page.keyboard.type("1000001")
    option = page.locator("#find-results").get_by_role("option")
    expect(option).to_have_count(1)  # and no answer to a part of the number
    option.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Anna de Wit")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
