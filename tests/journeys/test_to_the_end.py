"""What begins at a selection, a file, a label or a shift, walked to its end in a real browser: mail in the mailbox,
customers in the campaign, labels on and off the customer's page. Nights are the tasks that the scheduler rings.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader
from pytest_django import Settings

from campaigns.actions import add_step, advance, create_action, create_campaign, start_campaign
from campaigns.models import Action, Campaign, Enrolment, Trigger
from common.time import clock
from customers.actions import change_customer
from customers.models import Customer, Purpose
from customers.tasks import run_waiting_imports
from labels.actions import create_group, create_label, follow_rules, set_rule
from labels.models import Assignment, Label
from labels.tasks import end_labels_nightly, refresh_system_labels_nightly
from mailings.actions import save_content
from mailings.tasks import send_queued
from selections.actions import create_selection
from selections.models import Export, Selection
from tests.factories import CustomerFactory
from tests.selections.test_rules import MEMBERS, rule
from tests.smtp_sink import Sink

DAY = dt.timedelta(days=1)
WORDS = [
    {"type": "heading", "data": {"text": "Dag!"}},
    {"type": "text", "data": {"text": "Wij zijn er weer. Tot ziens in de bibliotheek."}},
]


@pytest.fixture
def people(transactional_db: None) -> list[Customer]:
    """Anna and Bert are members, Cor is none; all have an address and a mailbox."""
    kinds = {"Anna": "member", "Bert": "member", "Cor": "prospect"}
    return [
        CustomerFactory(
            first_name=name, name_prefix="", last_name="Bos", kind=kind, email=f"{name.lower()}@example.nl",
            phone="+31612345678", created_at=clock() - 300 * DAY,
        )
        for name, kind in kinds.items()
    ]  # fmt: skip


@pytest.fixture
def members(people: list[Customer], marketeer: User) -> Selection:
    return create_selection(name="Leden", rule=rule(MEMBERS), by=marketeer, now=clock())


@pytest.fixture
def action(people: list[Customer], marketeer: User) -> Action:
    """A service message, for which no yes is needed."""
    service = Purpose.objects.get(code="service")
    made = create_action(name="Groet", purpose=service, channels="email", subject="Dag", by=marketeer, now=clock())
    save_content(made.content, name="Groet", subject="Wij zijn er weer", blocks=WORDS, by=marketeer, now=clock())
    return made


@pytest.fixture
def campaign(action: Action, marketeer: User) -> Campaign:
    made = create_campaign(name="Welkomstreeks", by=marketeer, now=clock())
    add_step(made, action=action, day=0, by=marketeer, now=clock())
    return start_campaign(made, by=marketeer, now=clock())


@pytest.fixture
def desk(page: Page, sign_in: Callable[[User], None], administrator: User) -> Page:
    sign_in(administrator)
    return page


def says_yes(page: Page) -> None:
    page.locator("[data-confirm-yes]").click()


def does(page: Page, selection: Selection, what: str) -> None:
    """Choose in the menu of a selection what is done with everybody in it."""
    page.goto(f"/selections/{selection.pk}/")
    page.locator("summary", has_text="Doe iets").click()
    page.get_by_role("link", name=what).click()


def labels_of(page: Page, customer: Customer) -> Locator:
    page.goto(f"/customers/{customer.pk}/")
    return page.locator(".card").filter(has=page.get_by_role("heading", name="Klantlabels", exact=True))


def test_from_a_selection_to_the_mailbox_and_into_a_campaign(
    desk: Page, members: Selection, action: Action, campaign: Campaign, smtp_sink: Sink
) -> None:
    main = desk.locator("main")
    does(desk, members, "Een actie versturen")
    desk.locator("#id_action").select_option(label="Groet", force=True)
    desk.get_by_role("button", name="Bekijk wie het zou krijgen").click()
    expect(main).to_contain_text("Van 2 klanten mag je er 2 bereiken.")
    main.get_by_role("button", name=re.compile("^Nu verzenden")).click()
    says_yes(desk)
    expect(desk.locator("body")).to_contain_text("De actie is aangeboden voor verzending.")
    send_queued()
    assert {one.recipients[0] for one in smtp_sink.received} == {"anna@example.nl", "bert@example.nl"}
    desk.reload()
    expect(main.get_by_role("row").filter(has_text="Groet: Leden")).to_contain_text("Klaar")

    does(desk, members, "Laten instromen in een campagne")
    desk.locator("#id_campaign").select_option(label="Welkomstreeks", force=True)
    desk.get_by_role("button", name="Bekijk hoeveel").click()
    expect(main).to_contain_text("Nieuw in deze campagne")
    main.get_by_role("button", name="Laten instromen").click()
    says_yes(desk)
    expect(desk.locator("body")).to_contain_text("Er zijn 2 klanten ingestroomd.")
    desk.goto(f"/campaigns/{campaign.pk}/participants/")
    expect(main.locator("tbody tr")).to_have_count(2)
    expect(main).to_contain_text("Anna Bos")
    advance(now=clock())
    send_queued()
    assert len(smtp_sink.to("anna@example.nl")) == 2


def test_the_menu_of_a_selection_stays_on_a_narrow_screen(desk: Page, members: Selection) -> None:
    desk.set_viewport_size({"width": 390, "height": 844})
    desk.goto(f"/selections/{members.pk}/")
    desk.locator("summary", has_text="Doe iets").click()
    expect(desk.get_by_role("link", name="Adresetiketten")).to_be_in_viewport(ratio=1)


def test_a_call_list_and_address_labels_of_a_selection(desk: Page, members: Selection) -> None:
    service = str(Purpose.objects.get(code="service").pk)
    taken: dict[str, Path] = {}
    for what in ("Bellijst", "Adresetiketten"):
        does(desk, members, what)
        desk.locator("#id_purpose").select_option(service, force=True)
        desk.get_by_role("button", name="Bekijk wie je mag bereiken").click()
        expect(desk.locator("main")).to_contain_text("2 van 2 komen op de lijst.")
        desk.get_by_role("button", name="Downloaden").click()
        with desk.expect_download() as download:
            says_yes(desk)
        taken[what] = Path(download.value.path())
    assert "06-12345678" in taken["Bellijst"].read_text("utf-8-sig")
    assert "Anna Bos" in PdfReader(taken["Adresetiketten"]).pages[0].extract_text()
    assert set(Export.objects.values_list("kind", "row_count")) == {("calls", 2), ("addresses", 2)}


def takes_in(page: Page, path: Path) -> None:
    page.goto("/imports/new/")
    page.get_by_role("radio", name=re.compile("Klantlabels \\(Mosaic")).check()
    page.get_by_label("Bestand", exact=True).set_input_files(path)
    page.locator("main").get_by_role("button", name=re.compile("^Inlezen")).click()
    expect(page.locator("main")).to_contain_text("Wacht op zijn beurt")
    assert run_waiting_imports() == 1
    page.get_by_role("button", name="Deze rijen inlezen").click()
    expect(page.locator("main")).to_contain_text("Wacht op zijn beurt")
    assert run_waiting_imports() == 1


def test_versions_of_mosaic_from_a_file_to_the_page_of_a_customer(
    desk: Page, people: list[Customer], tmp_path: Path, settings: Settings
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    anna, bert, _cor = people
    versions = {"2025": {anna: "A01;Jonge stedelingen", bert: "B02;Landelijk wonen"}, "2026": {anna: "B02;Buitenaf"}}
    for version, given in versions.items():
        file = tmp_path / f"mosaic-{version}.csv"
        lines = [f"{one.number};{label};Mosaic;{version}" for one, label in given.items()]
        file.write_text("\n".join(["klantnummer;label;naam;groep;versie", *lines, ""]), encoding="utf-8")
        takes_in(desk, file)
    card = labels_of(desk, anna)
    expect(card.locator("li").first).to_contain_text("Buitenaf")
    card.locator("summary").click()
    expect(card.locator("details")).to_contain_text("Jonge stedelingen")
    card = labels_of(desk, bert)
    expect(card).to_contain_text("1 eerder label")
    expect(card.locator("details li", has_text="Landelijk wonen")).to_be_hidden()
    desk.goto("/labels/versions/")
    expect(desk.locator("main")).to_contain_text("Mosaic 2026")


def test_a_label_ends_by_its_age_or_its_days_in_the_night(desk: Page, people: list[Customer]) -> None:
    today = clock().date()
    days = {"#id_valid_from": (today - 9 * DAY).isoformat(), "#id_valid_until": (today + 2 * DAY).isoformat()}
    for name, filled in {"Vijf dagen": {"#id_max_age_days": "5"}, "Actieweek": days}.items():
        desk.goto("/labels/new/")
        desk.get_by_label("Naam").fill(name)
        for field, value in filled.items():
            desk.locator(field).fill(value)
        desk.get_by_role("button", name="Label maken").click()
        expect(desk.get_by_role("heading", level=1)).to_have_text(name)
        card = labels_of(desk, people[0])
        card.locator("select[name=label]").select_option(label=name, force=True)
        card.get_by_role("button", name="Geven").click()
        expect(card.locator("li").filter(has_text=name)).to_be_visible()
    # A week goes by.
    Assignment.objects.update(since=clock() - 7 * DAY)
    Label.objects.filter(name="Actieweek").update(valid_until=today - 2 * DAY)
    end_labels_nightly()
    card = labels_of(desk, people[0])
    expect(card).to_contain_text("2 eerdere labels")
    card.locator("summary").click()
    ended = card.locator("details li")
    expect(ended.filter(has_text="Vijf dagen")).to_contain_text("omdat de tijd ervoor om was (na 5 dagen)")
    expect(ended.filter(has_text="Actieweek")).to_contain_text("omdat zijn dagen voorbij waren (geldig tot en met")
    assert not Assignment.objects.open().exists()
    aged = Assignment.objects.get(label__name="Vijf dagen")
    assert aged.until is not None
    assert aged.until - aged.since == 5 * DAY


def test_who_moves_in_the_night_gets_what_was_hung_on_that_shift(
    desk: Page, people: list[Customer], action: Action, campaign: Campaign, smtp_sink: Sink
) -> None:
    group = create_group(name="Betrokkenheid", code="trap", is_exclusive=True)
    low, high = (create_label(name=name, kind="own", group=group, now=clock()) for name in ("Bezoeker", "Vriend"))
    newcomers = {"criterion": "customer.kind", "params": {"kinds": ["prospect"]}}
    Customer.objects.update(kind="prospect")
    for label, asked in ((low, newcomers), (high, MEMBERS)):
        set_rule(label, rule=rule(asked), now=clock() - 150 * DAY)
    follow_rules(now=clock() - 150 * DAY, due_key="then")
    Customer.objects.exclude(pk=people[2].pk).update(kind="member")
    follow_rules(now=clock() - 20 * DAY, due_key="since")  # Anna and Bert move: that no trigger looks back at
    follow_rules(
        now=clock(), due_key="last"
    )  # the rules were written a moment ago: what the first run moves says nothing
    for owner, name in {"Groet": "Bezoeker → Vriend", "Welkomstreeks": "Bezoeker → Vriend (2)"}.items():
        hangs_on_a_shift(desk, owner, name)
    assert Trigger.objects.filter(is_active=True).count() == 2
    change_customer(people[2], kind="member", by=None, now=clock())
    refresh_system_labels_nightly()
    advance(now=clock())
    send_queued()
    assert {one.recipients[0] for one in smtp_sink.received} == {"cor@example.nl"}
    assert Enrolment.objects.get().customer == people[2]
    desk.goto(f"/triggers/{Trigger.objects.get(campaign=campaign).pk}/")
    expect(desk.locator("main tbody tr").first).to_contain_text("1")
    desk.goto(f"/customers/{people[2].pk}/")
    card = desk.locator(".card").filter(has_text="Verschuivingen tussen labels")
    expect(card).to_contain_text("Bezoeker → Vriend")


def hangs_on_a_shift(page: Page, owner: str, name: str) -> None:
    """From a figure of the matrix to a trigger of an action or campaign that is on."""
    page.goto("/shifts/")
    page.get_by_label("Groep van labels").select_option("trap")
    page.get_by_role("link", name="Van Bezoeker naar Vriend").click()
    page.get_by_role("button", name="Actie bij deze verschuiving").click()
    dialog = page.locator("#trigger-cell")
    dialog.get_by_label("Wat moet er gebeuren").select_option(label=owner)
    dialog.get_by_role("button", name="Trigger maken").click()
    main = page.locator("main")
    expect(page.locator("#id_name")).to_have_value(name)
    main.get_by_role("button", name="Trigger maken").click()
    expect(main).to_contain_text("van Bezoeker naar Vriend verschuift")
    main.locator("a, button").filter(has_text=re.compile("^Aanzetten")).first.click()
    if owner == "Groet":  # an action is looked over first
        main.get_by_role("button", name="Aanzetten").click()
    says_yes(page)
    expect(page.locator("body")).to_contain_text("De trigger staat aan")
