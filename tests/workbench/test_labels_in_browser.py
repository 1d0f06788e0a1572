"""Labels in a real browser: by rule from making to following, in order by keyboard, worked out and taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from common.time import clock
from customers.models import Customer
from labels.actions import create_group, create_label, end_labels, follow_rules, give_label, run_backfills, set_rule
from labels.models import Label, LabelGroup
from selections.actions import create_selection
from selections.models import Selection
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)

EVERYBODY = {"version": 2, "op": "all", "children": []}
MEMBERS = {"version": 2, "op": "all", "children": [{"criterion": "customer.kind", "params": {"kinds": ["member"]}}]}


@pytest.fixture
def people() -> list[Customer]:
    CustomerFactory(kind="prospect")
    members: list[Customer] = CustomerFactory.create_batch(14, kind="member")
    return members


@pytest.fixture
def desk(page: Page, sign_in: Callable[[User], None], marketeer: User, people: list[Customer]) -> Page:
    sign_in(marketeer)
    return page


@pytest.fixture
def group() -> LabelGroup:
    made = create_group(name="Band met ons", is_exclusive=True, description="Van laag naar hoog.")
    for name in ("Kent ons", "Komt terug", "Bevlogen"):
        create_label(name=name, kind="own", description=f"{name}, zeggen wij.", group=made, now=clock())
    return made


def test_a_label_by_rule_from_making_to_following(desk: Page, group: LabelGroup, axe: Callable[[], None]) -> None:
    create_selection(name="Leden", rule=MEMBERS, now=clock())
    desk.goto("/labels/new/")
    axe()
    desk.get_by_label("Naam").fill("Vast lid")
    desk.get_by_label("Een regel, elke nacht").check()
    desk.get_by_role("button", name="Label maken").click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Wie krijgt “Vast lid”?")
    axe()
    desk.get_by_label("Selectie").select_option(label="Leden")
    desk.get_by_role("button", name="Bekijk wat het doet").click()
    expect(desk.locator(".stats")).to_contain_text("14")
    axe()
    desk.get_by_role("button", name="Regel bewaren").click()
    expect(desk.get_by_text("De regel is nog niet gevolgd")).to_be_visible()
    follow_rules(now=clock(), due_key="1")
    desk.reload()
    expect(desk.get_by_text("14 gegeven, 0 weggehaald")).to_be_visible()
    axe()
    desk.get_by_label("Zoek op naam, nummer of e-mail").fill("zzz-niemand")
    desk.keyboard.press("Enter")
    expect(desk.locator("#results")).to_contain_text("Niemand met die naam")


def test_a_rule_of_its_own_is_built_here(desk: Page, axe: Callable[[], None]) -> None:
    label = create_label(name="Vast lid", kind="own", now=clock())
    desk.goto(f"/labels/{label.pk}/rule/build/")
    menu = desk.locator("#part-r > .rule-add .rule-choose")
    menu.locator("summary").focus()
    desk.keyboard.press("Enter")
    expect(menu.locator("[data-menu-search]")).to_be_focused()
    desk.keyboard.type("soort klant")
    desk.keyboard.press("Enter")
    desk.locator("#id_r-0-kinds_0").check()
    expect(desk.locator("#note-r-0")).to_contain_text("blijft over 14")
    axe()
    desk.get_by_role("button", name="Bekijk wat het doet").click()
    expect(desk.get_by_text("Klanten die lid zijn.")).to_be_visible()
    desk.get_by_role("button", name="Regel bewaren").click()
    expect(desk.get_by_text("Het label volgt vanaf nu deze regel.")).to_be_visible()
    label.refresh_from_db()
    assert label.rule is not None


def test_labels_of_a_group_are_ordered_by_keyboard(desk: Page, group: LabelGroup, axe: Callable[[], None]) -> None:
    desk.goto(f"/labels/groups/{group.pk}/")
    items = desk.locator("ol.sortable > li")
    expect(items).to_have_count(3)
    axe()
    with desk.expect_response(lambda answer: "/order/" in answer.url):
        items.nth(2).locator('[data-step="-1"]').press("Enter")
    assert list(group.labels.order_by("rank").values_list("name", flat=True)) == ["Kent ons", "Bevlogen", "Komt terug"]


def test_a_history_is_asked_for_and_taken_back(desk: Page, group: LabelGroup, axe: Callable[[], None]) -> None:
    label = set_rule(Label.objects.get(name="Kent ons"), rule=EVERYBODY, now=clock())
    follow_rules(now=clock(), due_key="1")
    desk.goto(f"/labels/{label.pk}/history/")
    axe()
    desk.get_by_label("Vanaf welke dag").fill((clock() - dt.timedelta(days=100)).date().isoformat())
    desk.get_by_role("button", name="Geschiedenis uitrekenen").click()
    expect(desk.locator("#results")).to_contain_text("wacht")
    run_backfills(clock=clock)
    expect(desk.locator("#results")).to_contain_text("15 perioden aangevuld")
    axe()
    desk.get_by_role("button", name="Terugdraaien").click()
    desk.get_by_role("button", name="Ja, ga door").click()
    expect(desk.locator("#results")).to_contain_text("teruggedraaid op")


def test_the_list_and_who_has_a_label(desk: Page, group: LabelGroup, axe: Callable[[], None]) -> None:
    label = Label.objects.get(name="Komt terug")
    give_label(label, Customer.objects.filter(kind="member"), by="Petra", reason="beurs", now=clock())
    Selection.objects.all().delete()
    end_labels(now=clock())
    desk.goto("/labels/")
    axe()
    desk.get_by_label("Zoek op naam of betekenis").fill("terug")
    desk.keyboard.press("Enter")
    expect(desk.locator("#results")).not_to_contain_text("Bevlogen")
    desk.get_by_role("link", name="Komt terug").click()
    desk.get_by_role("button", name="Aan klanten geven").click()
    expect(desk.get_by_label("Of iedereen in een selectie")).to_be_visible()
    axe()
