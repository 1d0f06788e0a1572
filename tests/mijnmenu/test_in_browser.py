"""Every page of MijnMenu in a real browser: it fits on a telephone, everybody can use it, and nothing is pre-ticked."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from common.roles import ensure_roles
from common.time import clock
from common.tokens import make_token
from customers.actions import ensure_base_data
from customers.actions.purposes import save_wording
from customers.consents import record_consent
from customers.models import Customer, Guardianship, Purpose, Source
from labels.actions import create_group, create_label
from mailings.actions import change_sending_settings
from newsletter.actions import create_newsletter
from tests.factories import CustomerFactory, SubscriptionFactory, VoucherFactory

pytestmark = pytest.mark.django_db(transaction=True)
SHOTS = os.environ.get("SHOTS", "")
PAGES = {
    "index": "", "preferences": "voorkeuren/", "said": "voorkeuren/eerder/", "newsletters": "nieuwsbrieven/",
    "children": "kinderen/", "interests": "interesses/", "objection": "afmelden/", "vouchers": "bonnen/",
    "details": "gegevens/", "rectify": "gegevens/wijzigen/", "privacy": "privacy/", "link": "link/",
    "sign-ups": "aanmelden/",
}  # fmt: skip


@pytest.fixture
def parent() -> Customer:
    """A member who has something on each page."""
    ensure_base_data()
    ensure_roles()
    change_sending_settings(
        organisation="Bibliotheek Waterland", postal_address="Postbus 12", sender_name="Bibliotheek",
        sender_email="post@waterland.example",
    )  # fmt: skip
    now = clock()
    parent: Customer = CustomerFactory(
        number="200001", first_name="Sanne", name_prefix="van der", last_name="Berg-Hoogeveen",
        email="sanne.van.der.berg-hoogeveen@voorbeeldprovider.example", phone="+31612345678",
        birth_date=dt.date(1956, 3, 14), street="Burgemeester Kooimanweg", house_number="14", postal_code="1441 AB",
        city="Purmerend",
    )  # fmt: skip
    SubscriptionFactory(customer=parent, name="Volwassenen", price_cents=5800, payment_method="direct_debit")
    child = CustomerFactory(first_name="Pippa", birth_date=dt.date(2016, 5, 1))
    Guardianship.objects.create(child=child, guardian=parent, source=Source.objects.get(code="library"), created_at=now)
    letter = create_newsletter(name="Waterlandse Lezer", description="Elke maand leestips.", by=None, now=now)
    words = "Ja, kijk naar de soorten boeken die ik leen, om mij tips op maat te geven. Titels bewaart u niet."
    profiling = Purpose.objects.get(code="profiling")
    save_wording(profiling, version="2026-1", text=words, valid_from=now, by=None)
    group = create_group(name="Waar leest u graag?", is_exclusive=True)
    create_label(code="thuis", name="Thuis", kind="customer", group=group, by=None, now=now)
    create_label(code="koken", name="Koken", kind="customer", by=None, now=now)
    VoucherFactory(customer=parent)
    for number, state in enumerate(("granted", "withdrawn", "objected")):
        record_consent(
            parent, purpose=letter.purpose, channel="email", state=state, source_code="mijnmenu", actor="customer",
            event_at=now - dt.timedelta(days=3 - number),
        )  # fmt: skip
    return parent


@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_fits_and_is_accessible(
    page: Page, live_server: Any, axe: Callable[[], None], parent: Customer, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{live_server.url}/mijn/enter/{make_token('mijnmenu', [parent.pk, parent.link_version])}/")
    for name, address in PAGES.items():
        page.goto(f"{live_server.url}/mijn/{address}")
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        axe()


def test_nothing_is_ticked_before_somebody_said_so(page: Page, live_server: Any, parent: Customer) -> None:
    Customer.objects.update(kind="prospect")  # on paper members are reached until they object: that is no tick of ours
    page.goto(f"{live_server.url}/mijn/enter/{make_token('mijnmenu', [parent.pk, parent.link_version])}/")
    for address in ("voorkeuren/", "nieuwsbrieven/", "kinderen/"):
        page.goto(f"{live_server.url}/mijn/{address}")
        boxes = page.locator("input[type=checkbox]")
        assert boxes.count() > 0
        assert page.locator("input[type=checkbox]:checked").count() == 0, address


def test_stopping_is_one_tick_and_one_button_as_beginning_is(page: Page, live_server: Any, parent: Customer) -> None:
    page.goto(f"{live_server.url}/mijn/enter/{make_token('mijnmenu', [parent.pk, parent.link_version])}/")
    for is_on in (True, False):
        page.goto(f"{live_server.url}/mijn/voorkeuren/")
        page.locator("input[value='profiling:email'][type=checkbox]").set_checked(is_on)
        page.get_by_role("button", name="Bewaar mijn voorkeuren").click()
        page.get_by_text("Bewaard: 1 wijziging").wait_for()
        assert page.locator("input[value='profiling:email'][type=checkbox]").is_checked() == is_on
