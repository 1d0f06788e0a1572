"""The report of a mailing in a real browser: from the mailing to its figures, who is behind one, and the click map."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from common.time import clock
from mailings.gate import HoldOut
from mailings.models import Click, Mailing, Message
from tests.factories import BranchFactory, FactFactory
from tests.mailings.conftest import base_data, house, make_content, marketing, reader, service, start

__all__ = ["base_data", "house", "make_content", "marketing", "reader", "service", "start"]

pytestmark = pytest.mark.django_db(transaction=True)

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
SHOTS = os.environ.get("SHOTS", "")


@pytest.fixture
def mailing(start: Callable[..., Mailing], reader: Any) -> Mailing:
    """Sent five days ago to some sixty people of two branches; a part clicked, borrowed or is in doubt."""
    branches = [BranchFactory(name="Edam"), BranchFactory(name="Monnickendam aan de Gouwzee")]
    for number in range(70):
        reader(
            branch=branches[number % 2], email=f"lezer{number}@{('gmail.example', 'ziggo.example')[number % 3 == 0]}"
        )
    mailing = start(name="Zomeractie voor het hele gezin", hold_out=HoldOut(15, "action:1"), now=clock() - 5 * DAY)
    link = mailing.links.get(position=0)
    for number, message in enumerate(mailing.messages.order_by("pk")):
        sent_at = clock() - 5 * DAY + number * dt.timedelta(minutes=3)
        Message.objects.filter(pk=message.pk).update(state="sent", sent_at=sent_at, state_at=sent_at)
        if number % 4 == 0:
            Click.objects.create(message=message, link=link, clicked_at=sent_at + (number + 1) * HOUR)
        if number % 3 == 0:
            FactFactory(customer=message.customer, occurred_at=sent_at + (number + 2) * HOUR)
            FactFactory(customer=message.customer, kind="ticket", amount_cents=1750, occurred_at=sent_at + DAY)
    doubtful = mailing.messages.order_by("pk")[:2]
    mailing.messages.filter(pk__in=[one.pk for one in doubtful]).update(
        state="in_doubt", sent_at=None, reply="[Errno 104] Connection reset by peer"
    )
    return mailing


def shoot(page: Page, name: str) -> None:
    """Photograph the page at both widths, when asked for by SHOTS."""
    for width in (390, 1440) if SHOTS else ():
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(500)
        page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)


def test_from_a_mailing_to_who_is_behind_a_figure(
    page: Page, mailing: Mailing, marketeer: User, sign_in: Callable[[User], None]
) -> None:
    sign_in(marketeer)
    page.goto(f"/mailings/{mailing.pk}/")
    shoot(page, "mailing")
    page.get_by_role("link", name="Rapport", exact=True).click()
    expect(page.get_by_role("heading", name="Van kandidaten naar wat ze deden")).to_be_visible()
    shoot(page, "report")
    page.get_by_label("Activiteit", exact=True).select_option("ticket")
    expect(page.get_by_role("columnheader", name="Kaartverkoop").first).to_be_visible()
    page.get_by_role("list", name="Stappen").get_by_role("link", name="Klikten").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Klikten")
    shoot(page, "people")
    expect(page.get_by_role("row").nth(5)).to_be_visible()

    page.goto(f"/mailings/{mailing.pk}/clicks/")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("· 100,0%").first).to_be_visible()
    shoot(page, "clicks")


def test_a_doubt_is_settled_after_a_question(
    page: Page, mailing: Mailing, marketeer: User, sign_in: Callable[[User], None]
) -> None:
    sign_in(marketeer)
    page.goto(f"/mailings/{mailing.pk}/")
    page.get_by_role("link", name="2 berichten").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Onzekere berichten")
    shoot(page, "doubts")
    page.get_by_role("button", name="Is verzonden").first.click()
    expect(page.get_by_text("1 bericht opgelost.")).to_be_visible()
    shoot(page, "settled")
    assert Message.objects.in_doubt().count() == 1
