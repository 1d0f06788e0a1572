"""What the journeys start from: a library that may send, whose links lead to the live server, and a keyboard."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from common.time import clock
from labels.actions import ensure_system_labels
from mailings.actions import change_sending_settings
from tests.factories import begin

PASSWORD = "geheim-wachtwoord"  # what make_user gives everybody


@pytest.fixture
def now() -> dt.datetime:
    """The pages read the clock, so here the data is of today too."""
    return clock()


@pytest.fixture(autouse=True)
def _house(transactional_db: None, live_server: LiveServer, settings: Settings) -> None:
    settings.BASE_URL = live_server.url
    begin()
    ensure_system_labels(now=clock())
    change_sending_settings(
        organisation="Bibliotheek Waterland",
        postal_address="Waterlandlaan 40, 1441 MP Purmerend",
        sender_name="Bibliotheek Waterland",
        sender_email="bibliotheek@waterland.example",
        privacy_url="https://www.waterland.example/privacy",
        send_from_hour=0,
        send_until_hour=24,
    )


@pytest.fixture
def tab_to(page: Page) -> Callable[[Locator], None]:
    """Walk on with the Tab key until something has the focus, as who has no mouse does."""

    def walk(target: Locator) -> None:
        expect(target).to_be_visible()
        for _step in range(80):
            if target.evaluate("element => element === document.activeElement"):
                return
            page.keyboard.press("Tab")
        pytest.fail(f"the Tab key does not reach {target}")

    return walk


@pytest.fixture
def sign_in_by_form(page: Page) -> Callable[[User], None]:
    """Fill in the form of the page that is open, by keyboard: the name has the focus already."""

    def sign_in(user: User) -> None:
        expect(page.get_by_label("Gebruikersnaam")).to_be_focused()
        page.keyboard.type(user.username)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/accounts/login/" not in url)

    return sign_in
