"""A customer with a mail from the library: from the link at its foot to preferences, and out by the link to
unsubscribe."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape

import pytest
from playwright.sync_api import Page, expect

from campaigns.actions import create_action, run_action
from customers.models import Consent, Customer, Purpose
from labels.actions import create_label
from labels.models import Label
from mailings.actions import save_content
from mailings.models import Mailing
from mailings.tasks import send_queued
from newsletter.actions import create_newsletter
from newsletter.models import Newsletter
from tests.factories import CustomerFactory, SubscriptionFactory
from tests.smtp_sink import Sink
from vouchers.actions import activate, define_voucher
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "sanne@example.nl"


@dataclass(frozen=True)
class Letterbox:
    """What Sanne finds in her mailbox: the addresses behind two links of one mail."""

    preferences: str
    unsubscribe: str


@pytest.fixture
def customer() -> Customer:
    """A paying member, who did not choose anything yet."""
    made: Customer = CustomerFactory(number="200001", first_name="Sanne", last_name="de Boer", email=ADDRESS)
    SubscriptionFactory(customer=made)
    return made


@pytest.fixture
def newsletter(now: dt.datetime) -> Newsletter:
    return create_newsletter(name="Uit in Waterland", description="Elke maand de agenda.", by=None, now=now)


@pytest.fixture
def interest(now: dt.datetime) -> Label:
    return create_label(name="Schrijversavonden", kind=Label.Kind.CUSTOMER, by=None, now=now)


@pytest.fixture
def letterbox(customer: Customer, smtp_sink: Sink, now: dt.datetime) -> Letterbox:
    """Send a birthday wish with a voucher, for real, and read it."""
    definition = define_voucher(
        name="Verjaardagsbon theater", benefit="fixed", amount_cents=500, product="theaterkaart", holder="customer",
        conditions="Geldig op één kaartje.", valid_days=30, by=None, now=now,
    )  # fmt: skip
    activate(definition)
    action = create_action(
        name="Gefeliciteerd", purpose=Purpose.objects.get(code="marketing"), channels=Mailing.Channels.EMAIL,
        by=None, now=now,
    )  # fmt: skip
    blocks = [
        {"type": "heading", "data": {"text": 'Gefeliciteerd, {{ first_name | default: "lezer" }}!'}},
        {"type": "voucher", "data": {"definition": definition.pk}},
    ]
    save_content(action.content, name=action.name, subject="Een cadeautje", blocks=blocks, now=now)
    run_action(action, Customer.objects.all(), due_key="test", by=None, now=now)
    send_queued()
    (mail,) = smtp_sink.to(ADDRESS)
    body = mail.get_body(["html"])
    assert body is not None
    return Letterbox(
        preferences=link_named("Mijn voorkeuren", body.get_content()),
        unsubscribe=link_named("Afmelden", body.get_content()),
    )


def link_named(words: str, html: str) -> str:
    found = re.search(rf'href="([^"]+)"[^>]*>\s*{words}\s*</a>', html)
    assert found, f"the mail has no link “{words}”"
    return unescape(found[1])


def test_a_customer_chooses_what_to_receive(
    page: Page,
    axe: Callable[[], None],
    letterbox: Letterbox,
    customer: Customer,
    newsletter: Newsletter,
    interest: Label,
) -> None:
    # In by the link, which leaves no key behind in the address bar.
    page.goto(letterbox.preferences)
    expect(page).to_have_url(re.compile(r"/mijn/$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Welkom, Sanne")
    token = letterbox.preferences.rstrip("/").rpartition("/")[2]
    assert token not in page.content()
    axe()

    # No tips by e-mail any more.
    parts = page.get_by_role("navigation", name="Onderdelen van uw pagina")
    parts.get_by_role("link", name="Voorkeuren").click()
    tips = page.get_by_role("group", name="Aanbiedingen en activiteiten").get_by_label("per e-mail")
    expect(tips).to_be_checked()
    axe()
    tips.uncheck()
    page.get_by_role("button", name="Bewaar mijn voorkeuren").click()
    expect(page.get_by_text("Bewaard: 1 wijziging.")).to_be_visible()
    expect(tips).not_to_be_checked()
    said = Consent.objects.get(customer=customer, purpose__code="marketing", channel="email")
    assert (said.state, said.source.code, said.actor) == ("withdrawn", "mijnmenu", "customer")

    # A newsletter.
    parts.get_by_role("link", name="Nieuwsbrieven").click()
    axe()
    page.get_by_label("Uit in Waterland").check()
    page.get_by_role("button", name="Bewaar mijn nieuwsbrieven").click()
    expect(page.get_by_text("Bewaard: 1 wijziging.")).to_be_visible()
    said = Consent.objects.get(customer=customer, purpose=newsletter.purpose)
    assert (said.state, said.channel, said.source.code) == ("granted", "email", "mijnmenu")
    assert customer in newsletter.subscribers(now=said.event_at)

    # An interest.
    parts.get_by_role("link", name="Interesses").click()
    axe()
    page.get_by_label("Schrijversavonden").check()
    page.get_by_role("button", name="Bewaar mijn interesses").click()
    expect(page.get_by_text(re.compile("interesses zijn bewaard"))).to_be_visible()
    expect(page.get_by_label("Schrijversavonden")).to_be_checked()
    assert customer.label_assignments.get(until=None).label == interest

    # The voucher of the mail, with a code that a scanner reads.
    parts.get_by_role("link", name="Bonnen").click()
    voucher = Voucher.objects.get()
    expect(page.get_by_text(voucher.grouped_code)).to_be_visible()
    drawing = page.get_by_role("img", name=re.compile("^QR"))
    expect(drawing).to_be_visible()
    axe()
    page.get_by_role("link", name="Groot tonen").click()
    expect(drawing).to_be_visible()
    axe()

    # Away, and the door is shut behind her.
    page.get_by_role("button", name="Uitloggen").click()
    expect(page).to_have_url(re.compile(r"/mijn/link/$"))
    page.goto("/mijn/bonnen/")
    expect(page).to_have_url(re.compile(r"/mijn/link/$"))
    axe()


def test_looking_at_the_page_to_unsubscribe_changes_nothing_and_its_button_does(
    page: Page, axe: Callable[[], None], letterbox: Letterbox, customer: Customer
) -> None:
    page.goto(letterbox.unsubscribe)
    expect(page.get_by_role("heading", level=1)).to_have_text("Afmelden")
    expect(page.get_by_text("s•••••@example.nl")).to_be_visible()
    axe()
    page.reload()
    assert not Consent.objects.exists()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Unsubscribe")
    page.get_by_role("button", name="Nederlands").click()

    page.get_by_role("button", name="Afmelden").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("U bent afgemeld")
    axe()
    said = Consent.objects.get()
    assert (said.customer, said.purpose.code, said.channel) == (customer, "marketing", "email")
    assert (said.state, said.source.code, said.evidence["method"]) == ("withdrawn", "mailings", "page")
