"""The pages about purposes, publications, sign-ups and children: they fit, and everybody can use them."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from common.roles import ensure_roles
from common.time import clock
from common.tokens import make_token
from customers.actions import ensure_base_data
from customers.actions.purposes import confirm_relation, save_wording
from customers.consents import record_consent
from customers.models import Guardianship, LedgerCheck, Purpose, Source
from mailings.actions import change_sending_settings, run_publication, save_publication
from newsletter.actions import create_newsletter
from tests.factories import ConsentFactory, CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)
SHOTS = os.environ.get("SHOTS", "")


@pytest.fixture
def addresses(settings: Any, tmp_path: Any) -> dict[str, str]:
    """An organisation with something on each page; name -> address."""
    settings.PUBLICATION_FOLDER = tmp_path
    ensure_base_data()
    ensure_roles()
    change_sending_settings(
        organisation="Bibliotheek Waterland", postal_address="Postbus 12", sender_name="Bibliotheek",
        sender_email="post@waterland.example",
    )  # fmt: skip
    now, marketing = clock(), Purpose.objects.get(code="marketing")
    save_wording(marketing, version="2024-3", text="Ja, mail mij tips en aanbiedingen.", valid_from=now, by=None)
    parent, child = CustomerFactory(first_name="Jan"), CustomerFactory(first_name="Bo", birth_date=dt.date(2018, 5, 1))
    library = Source.objects.get(code="library")
    Guardianship.objects.create(child=child, guardian=parent, source=library, created_at=now)
    record_consent(
        child, purpose=Purpose.objects.get(code="newsletter"), channel="email", state="granted", source_code="mijnmenu",
        actor="guardian", event_at=now, guardian=parent,
    )  # fmt: skip
    ConsentFactory(customer=parent, event_at=now)
    letter = create_newsletter(name="Uit in Waterland", description="Elke maand een agenda.", by=None, now=now)
    publication = save_publication(
        None, name="Mailtool theater", purpose=marketing, channel="email", columns=["number", "email"], has_file=True,
        webhook_url="", daily_at=dt.time(5, 0), is_active=True, by=None, now=now,
    )  # fmt: skip
    run_publication(publication, now=now)
    LedgerCheck.objects.create(started_at=now, finished_at=now, row_count=2)
    return {
        "purposes": "/purposes/",
        "purpose": f"/purposes/{marketing.pk}/",
        "channel": f"/purposes/{marketing.pk}/email/",
        "newsletter": f"/purposes/{letter.purpose_id}/",
        "publications": "/publications/",
        "publication": f"/publications/{publication.pk}/",
        "publication form": "/publications/add/",
        "consents of a child": f"/customers/{child.pk}/consents/",
        "handover": "/handover/",
        "enter": f"/mijn/enter/{make_token('mijnmenu', [parent.pk, parent.link_version])}/",
        "children": "/mijn/kinderen/",
        "preferences": "/mijn/voorkeuren/",
        "sign-ups": "/mijn/aanmelden/",
        "sign-up": f"/mijn/aanmelden/{letter.purpose.code}/",
    }


@pytest.mark.parametrize("width", [1440, 390])
def test_the_pages_fit_and_are_accessible(
    page: Page, live_server: Any, sign_in: Callable[[User], None], axe: Callable[[], None],
    addresses: dict[str, str], make_user: Callable[..., User], width: int,
) -> None:  # fmt: skip
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(make_user("administrator"))
    for name, address in addresses.items():
        page.goto(live_server.url + address)
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        if name != "enter":
            axe()


def test_the_conditions_show_only_with_the_ground_they_belong_to(
    page: Page, live_server: Any, sign_in: Callable[[User], None], addresses: dict[str, str],
    make_user: Callable[..., User],
) -> None:  # fmt: skip
    confirm_relation(Purpose.objects.get(code="marketing"), "email", by=None, now=clock())
    sign_in(make_user("administrator"))
    page.goto(live_server.url + addresses["channel"])
    condition = page.get_by_label("De organisatie die schrijft, is de organisatie die zij betalen")
    expect(condition).to_be_checked()
    page.locator("input[name=basis][value=consent]").check()
    expect(condition).to_be_hidden()
