"""The shift matrix in a real browser: from the menu to a figure, who that is, what they got, and a trigger on it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from campaigns.actions import create_action
from common.time import clock
from customers.models import Customer, Purpose
from labels.actions import create_group, create_label, give_label
from labels.models import Label
from mailings.models import Mailing, Message
from tests.factories import CustomerFactory
from tests.mailings.conftest import base_data, house, make_content, marketing, service, start

__all__ = ["base_data", "house", "make_content", "marketing", "service", "start"]

pytestmark = pytest.mark.django_db(transaction=True)

DAY = dt.timedelta(days=1)
SHOTS = os.environ.get("SHOTS", "")


@pytest.fixture
def ladder(base_data: None) -> list[Label]:
    group = create_group(name="Betrokkenheid", code="trap", is_exclusive=True)
    names = ("Toeschouwer", "Bezoeker", "Vriend", "Ambassadeur van het huis")
    made = [create_label(name=name, kind="own", group=group, now=clock()) for name in names]
    steps = [(0, 0, 60), (0, 1, 40), (1, 2, 25), (2, 1, 20), (1, 3, 9), (0, 2, 5), (3, 2, 4), (1, 1, 30)]
    for number in range(24):
        was, became, ago = steps[number % len(steps)]
        customer = CustomerFactory(created_at=clock() - 300 * DAY)
        give(made[was], customer, 150)
        give(made[became], customer, ago)
    give(made[0], CustomerFactory(created_at=clock() - 9 * DAY, registered_on=None), 8)
    return made


def give(label: Label, customer: Customer, ago: int) -> None:
    give_label(label, Customer.objects.filter(pk=customer.pk), by="Petra", now=clock() - ago * DAY)


def shoot(page: Page, name: str) -> None:
    """Keep pictures at two widths, for who wants to look at them."""
    if SHOTS:
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(300)
            page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)
        page.set_viewport_size({"width": 1440, "height": 900})


def test_from_the_menu_to_a_trigger_on_a_shift(
    page: Page,
    sign_in: Callable[[User], None],
    marketeer: User,
    ladder: list[Label],
    axe: Callable[[], None],
    start: Callable[..., Mailing],
    service: Purpose,
) -> None:
    start(*Customer.objects.order_by("pk")[::3], name="Kom eens langs", purpose=service)
    Message.objects.update(state="sent", sent_at=clock() - 45 * DAY)
    create_action(
        name="Welkom hogerop", purpose=service, channels=Mailing.Channels.EMAIL, subject="Dag", by=None, now=clock()
    )
    sign_in(marketeer)
    page.goto("/")
    page.locator("#sidebar").get_by_role("link", name="Verschuivingen").click()
    expect(page.locator("h1")).to_have_text("Verschuivingen")
    page.get_by_label("Groep").select_option("trap")
    expect(page.locator("#course canvas")).to_be_visible()
    expect(page.locator("tfoot td").last).to_have_text("25")
    axe()
    shoot(page, "matrix")

    page.get_by_role("link", name="Van Toeschouwer naar Bezoeker").click()
    expect(page.locator("h1")).to_contain_text("Toeschouwer → Bezoeker")
    expect(page.locator("#results tbody tr")).to_have_count(3)
    expect(page.locator("#received")).to_contain_text("Kom eens langs")
    axe()
    shoot(page, "cell")

    page.get_by_role("button", name="Actie bij deze verschuiving").click()
    dialog = page.locator("#trigger-cell")
    dialog.get_by_label("Wat moet er gebeuren").select_option(label="Welkom hogerop")
    dialog.get_by_role("button", name="Trigger maken").click()
    expect(page.locator("#id_params_from_label")).to_have_value("toeschouwer")
    expect(page.locator("#id_params_to_label")).to_have_value("bezoeker")
    expect(page.locator("#id_name")).to_have_value("Toeschouwer → Bezoeker")
    axe()
    shoot(page, "trigger")
    page.locator("main").get_by_role("button", name="Trigger maken").click()
    expect(page.locator("main")).to_contain_text("van Toeschouwer naar Bezoeker verschuift")


def test_a_customer_shows_how_he_moved(
    page: Page, sign_in: Callable[[User], None], marketeer: User, ladder: list[Label]
) -> None:
    sign_in(marketeer)
    mover = Customer.objects.order_by("pk")[4]
    page.goto(f"/customers/{mover.pk}/")
    card = page.locator(".card").filter(has_text="Verschuivingen tussen labels")
    expect(card).to_contain_text("Bezoeker → Ambassadeur van het huis")
    shoot(page, "customer")
