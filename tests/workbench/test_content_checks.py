"""The page of the checks, looking links up from it, and what stops or asks before something is sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from rest_framework.test import APIClient

from campaigns.actions import add_step, create_action, create_campaign, create_trigger, run_action, start_campaign
from campaigns.models import Action, Campaign, Trigger
from common.actions import add_integration
from common.errors import Refused
from customers.models import Customer, Purpose
from mailings.actions import check_links, save_content
from mailings.delivery import Answer
from mailings.models import Content, LinkCheck, Mailing, SentTest
from newsletter.actions import create_edition, create_newsletter, save_item
from newsletter.models import Edition
from selections.actions import create_selection
from selections.models import Selection
from tests.factories import CustomerFactory
from tests.mailings.conftest import BUTTON, TEXT, base_data, house, make_content, marketing, reader, readers, service
from tests.smtp_sink import Sink

__all__ = ["base_data", "house", "make_content", "marketing", "reader", "readers", "service"]

pytestmark = pytest.mark.django_db
LOUD = "LAATSTE KANS VANDAAG"


@pytest.fixture
def client(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


@pytest.fixture
def everybody(marketeer: User, now: dt.datetime) -> Selection:
    rule = {"version": 2, "op": "all", "children": [{"criterion": "customer.kind", "params": {"kinds": ["member"]}}]}
    return create_selection(name="Leden", rule=rule, by=marketeer, now=now)


@pytest.fixture
def make_action(house: Any, marketing: Purpose, now: dt.datetime) -> Callable[..., Action]:
    def make(subject: str = "Nieuws") -> Action:
        action = create_action(name="Voorjaar", purpose=marketing, channels="email", by=None, now=now)
        save_content(action.content, name="Voorjaar", subject=subject, blocks=[TEXT, BUTTON], now=now)
        action.content.refresh_from_db()
        return action

    return make


def url(name: str, *args: Any) -> str:
    return reverse(f"workbench:{name}", args=args)


def test_the_page_tells_what_is_wrong_where_and_what_to_do(client: Client, make_content: Any) -> None:
    CustomerFactory(city="")
    text = {"type": "text", "data": {"text": "<p>Uit {{ city }}</p>"}}
    content = make_content(text, subject=LOUD)
    page = client.get(url("content_checks", content.pk)).content.decode()
    assert "is leeg bij 1 klant" in page
    assert f"/content/{content.pk}/#block-{content.blocks[0]['id']}" in page
    assert "hoofdletters" in page
    assert "Kleiner dan 100 KB" in page  # in order


def test_looking_at_the_checks_writes_nothing(client: Client, make_content: Any) -> None:
    content = make_content()
    client.get(url("content_checks", content.pk))
    assert not LinkCheck.objects.exists()


def test_the_number_is_that_of_the_chosen_selection(client: Client, make_content: Any, everybody: Selection) -> None:
    CustomerFactory(city=""), CustomerFactory(city="", kind="prospect")
    content = make_content({"type": "text", "data": {"text": "<p>Uit {{ city }}</p>"}})
    address = url("content_checks", content.pk)
    assert "is leeg bij 2 klanten" in client.get(address).content.decode()
    assert "is leeg bij 1 klant," in client.get(address, {"selection": everybody.pk}).content.decode()


def test_links_are_looked_up_when_asked(client: Client, make_content: Any, now: dt.datetime) -> None:
    content = make_content()
    address = url("content_checks", content.pk)
    assert "Vandaag niet nagekeken" in client.get(address).content.decode()
    client.post(url("content_links", content.pk))
    assert LinkCheck.objects.waiting().count() == 1
    waiting = client.get(address).content.decode()
    assert "Wordt nagekeken…" in waiting
    assert "hx-trigger" in waiting
    check = LinkCheck.objects.get()
    check_links(ask=lambda _url: Answer(404, "404 Not Found"), now=check.asked_at)
    page = client.get(address).content.decode()
    assert "Geen pagina daar" in page
    assert "Er is geen pagina op https://www.example.nl/agenda" in page
    assert 'hx-trigger="load' not in page


def test_an_action_with_warnings_goes_out_when_they_were_seen(
    client: Client, make_action: Any, reader: Any, everybody: Selection
) -> None:
    reader()
    action = make_action(LOUD)
    address = url("action_run", action.pk)
    page = client.get(address, {"selection": everybody.pk})
    assert "Ik heb de waarschuwingen gezien" in page.content.decode()
    asked = {"selection": everybody.pk, "key": "a"}
    refused = client.post(address, asked)
    assert refused.status_code == 422
    assert "vink aan dat je ze gezien hebt" in refused.content.decode()
    assert not Mailing.objects.exists()
    seen = page.context["findings"].report.fingerprint
    assert client.post(address, {**asked, "confirmed": seen}).status_code == 302
    assert Mailing.objects.get().messages.count() == 1


def test_an_action_with_an_error_cannot_be_sent_by_hand(
    client: Client, make_action: Any, reader: Any, everybody: Selection, now: dt.datetime
) -> None:
    reader()
    action = make_action()
    client.post(url("content_links", action.content_id))
    check_links(ask=lambda _url: Answer(410, "410 Gone"), now=LinkCheck.objects.get().asked_at)
    address = url("action_run", action.pk)
    page = client.get(address, {"selection": everybody.pk}).content.decode()
    assert "Er is geen pagina op" in page
    assert "Nu verzenden" not in page
    assert client.post(address, {"selection": everybody.pk, "key": "a"}).status_code == 422
    assert not Mailing.objects.exists()
    with pytest.raises(Refused, match="Er is geen pagina op"):  # nor does it go out by itself
        run_action(action, Customer.objects.all(), due_key="nightly", by=None, now=now)
    assert not Mailing.objects.exists()


def test_an_action_in_order_asks_nothing_more(
    client: Client, make_action: Any, reader: Any, everybody: Selection
) -> None:
    reader()
    action = make_action()
    assert client.post(url("action_run", action.pk), {"selection": everybody.pk, "key": "a"}).status_code == 302
    assert Mailing.objects.exists()


@pytest.fixture
def edition(house: Any, now: dt.datetime) -> Edition:
    newsletter = create_newsletter(name="Nieuws", description="", by=None, now=now)
    edition = create_edition(newsletter, subject=LOUD, by=None, now=now)
    save_item(edition, title="Agenda", body="<p>Uit {{ city }}</p>", by=None, now=now)
    return edition


def test_an_edition_shows_its_warnings_and_asks_to_have_them_seen(client: Client, edition: Edition) -> None:
    page = client.get(url("edition_check", edition.pk))
    assert "hoofdletters" in page.content.decode()
    client.post(url("edition_send", edition.pk))
    edition.refresh_from_db()
    assert edition.state == Edition.State.DRAFT
    plan = {"send_at": "2099-01-01T09:00"}
    assert client.post(url("edition_check", edition.pk), plan).status_code == 422
    seen = {"confirmed": page.context["findings"].report.fingerprint}
    assert client.post(url("edition_check", edition.pk), {**plan, **seen}).status_code == 302
    client.post(url("edition_send", edition.pk), seen)
    edition.refresh_from_db()
    assert edition.state == Edition.State.SENT


def test_all_checks_of_an_edition_lead_to_its_items(client: Client, edition: Edition, reader: Any) -> None:
    item = edition.items.get()
    answer = client.post(url("edition_checks", edition.pk))
    edition.refresh_from_db()
    assert answer["Location"] == url("content_checks", edition.content_id)
    edition.content.blocks[0]["type"] = "hologram"
    edition.content.save()
    page = client.get(answer["Location"]).content.decode()
    assert url("item_change", item.pk) in page
    assert url("edition_change", edition.pk) in page


def test_a_campaign_starts_when_the_warnings_of_its_steps_were_seen(
    client: Client, make_action: Any, now: dt.datetime
) -> None:
    campaign = create_campaign(
        name="Lente", goal="", kind="free", starts_on=now.date(), ends_on=None, leave_when=None, may_reenter=False,
        by=None, now=now,
    )  # fmt: skip
    add_step(campaign, action=make_action(LOUD), day=0, by=None, now=now)
    page = client.get(url("campaign_check", campaign.pk))
    assert "hoofdletters" in page.content.decode()
    client.post(url("campaign_start", campaign.pk))
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.DRAFT
    client.post(url("campaign_start", campaign.pk), {"confirmed": page.context["fingerprints"]})
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.RUNNING


def test_a_trigger_is_turned_on_from_the_page_that_shows_its_warnings(
    client: Client, make_action: Any, now: dt.datetime
) -> None:
    action = make_action(LOUD)
    trigger = create_trigger(
        name="Jarig", kind="birthday", params={"days_before": 0}, action=action, by=None, now=now
    )  # fmt: skip
    check = url("trigger_check", trigger.pk)
    assert check in client.get(url("trigger_detail", trigger.pk)).content.decode()
    page = client.get(check)
    assert "hoofdletters" in page.content.decode()
    client.post(url("trigger_activate", trigger.pk))
    assert not Trigger.objects.get().is_active
    client.post(url("trigger_activate", trigger.pk), {"confirmed": page.context["findings"].report.fingerprint})
    assert Trigger.objects.get().is_active
    assert url("trigger_activate", trigger.pk) not in client.get(check).content.decode()


def test_a_step_of_a_running_campaign_shows_its_warnings_before_it_joins(
    client: Client, make_action: Any, now: dt.datetime
) -> None:
    campaign = create_campaign(name="Lente", by=None, now=now)
    action = make_action(LOUD)
    add_step(campaign, action=action, day=0, by=None, now=now)
    start_campaign(campaign, by=None, now=now)
    address, asked = url("step_add", campaign.pk), {"action": action.pk, "day": 7}
    page = client.post(address, asked)
    assert page.status_code == 422
    assert "hoofdletters" in page.content.decode()
    seen = page.context["findings"].report.fingerprint
    assert f'value="{seen}"' in page.content.decode()
    assert client.post(address, {**asked, "confirmed": seen}).status_code == 302
    assert campaign.steps.count() == 2


def test_a_mailing_shows_which_warnings_were_confirmed_and_by_whom(
    client: Client, make_action: Any, reader: Any, everybody: Selection, marketeer: User
) -> None:
    reader()
    action = make_action(LOUD)
    address = url("action_run", action.pk)
    seen = client.get(address, {"selection": everybody.pk}).context["findings"].report.fingerprint
    client.post(address, {"selection": everybody.pk, "key": "a", "confirmed": seen})
    page = client.get(url("mailing_detail", Mailing.objects.get().pk)).content.decode()
    told = page[page.index("Waarschuwingen die bevestigd zijn") :]
    assert (marketeer.get_full_name() or marketeer.username) in told
    assert "hoofdletters" in told


def test_the_api_tells_what_the_page_tells(
    make_content: Any, administrator: User, everybody: Selection, service: Purpose
) -> None:
    CustomerFactory(city="")
    content = make_content({"type": "text", "data": {"text": "<p>Uit {{ city }}</p>"}}, subject=LOUD)
    _user, token = add_integration(name="website", by=administrator)
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    address = f"/api/v1/contents/{content.pk}/checks/"
    report = api.get(address, {"selection": everybody.pk}).data
    found = {one["code"]: one for one in report["findings"]}
    assert found["fields.empty"]["count"] == 1
    assert found["fields.empty"]["place"] == content.blocks[0]["id"]
    assert found["subject.capitals"]["severity"] == "warning"
    assert "size" in report["passed"]
    assert "subject.capitals" not in str(api.get(address, {"channels": "letter"}).data)
    assert api.get(address, {"channels": "duif"}).status_code == 400
    assert api.get(f"/api/v1/contents/{content.pk}/").data["subject"] == LOUD


def test_the_preview_shows_all_looks_and_the_dark_one_is_dark(client: Client, make_content: Any) -> None:
    content = make_content()
    page = client.get(url("content_preview", content.pk)).content.decode()
    assert page.count("<iframe") == 3
    assert "Er is iets te doen" in page or "er is iets te doen" in page  # the plain text
    for part in ("html", "phone", "dark", "text", "letter"):
        assert client.get(url("content_preview", content.pk), {"part": part}).status_code == 200
    light = client.get(url("content_frame", content.pk)).content.decode()
    dark = client.get(url("content_frame", content.pk), {"dark": 1}).content.decode()
    assert "#1f2933" in light
    assert "#1f2933" not in dark


def test_a_test_goes_to_chosen_colleagues_and_is_kept(
    client: Client, make_content: Any, make_user: Any, marketeer: User, smtp_sink: Sink
) -> None:
    riet, quit_ = make_user("marketeer", "riet"), make_user("marketeer", "weg", is_active=False)
    content = make_content()
    customer = CustomerFactory(first_name="Anja")
    address = url("content_test", content.pk)
    client.post(address, {"recipients": [marketeer.pk, riet.pk], "customer": customer.number})
    assert [smtp_sink.to(one.email)[0]["Subject"] for one in (marketeer, riet)] == ["[Test] Nieuws voor Anja"] * 2
    kept = SentTest.objects.order_by("pk")
    assert [(one.recipient, one.sent_by, one.state, one.as_customer) for one in kept] == [
        (marketeer, marketeer, "sent", True),
        (riet, marketeer, "sent", True),
    ]
    assert {one.subject for one in kept} == {content.subject}  # nobody's name is kept
    assert "riet" in client.get(url("content_preview", content.pk)).content.decode()
    client.post(address, {"recipients": [quit_.pk]})
    assert SentTest.objects.count() == 2


def test_a_test_that_was_refused_is_kept_with_the_reason(
    client: Client, make_content: Any, marketeer: User, smtp_sink: Sink
) -> None:
    smtp_sink.at_recipient[marketeer.email] = ["550 5.1.1 no such user"]
    content = make_content()
    client.post(url("content_test", content.pk))
    kept = SentTest.objects.get()
    assert (kept.state, "no such user" in kept.reply) == ("failed", True)
    assert "no such user" in client.get(url("content_preview", content.pk)).content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_checks_and_the_preview_in_a_browser(
    page: Page, sign_in: Any, axe: Any, marketeer: User, make_content: Any, smtp_sink: Sink, settings: Any,
    live_server: Any,
) -> None:  # fmt: skip
    settings.BASE_URL = live_server.url
    CustomerFactory(city="")
    content: Content = make_content({"type": "heading", "data": {"text": "Uit {{ city }}"}}, TEXT, BUTTON, subject=LOUD)
    sign_in(marketeer)
    page.goto(url("content_checks", content.pk))
    expect(page.get_by_text("is leeg bij 1 klant").first).to_be_visible()
    axe()
    page.get_by_role("link", name="Voorbeeld", exact=True).click()
    expect(page.frame_locator("[title='De e-mail in donkere modus']").get_by_text("Kom kijken")).to_be_visible()
    axe()
    page.get_by_role("button", name="Stuur een test").click()
    axe()
    page.get_by_role("dialog").get_by_role("button", name="Versturen").click()
    expect(page.get_by_role("table", name="Verstuurde tests")).to_contain_text("marketeer")
    assert smtp_sink.to(marketeer.email)
