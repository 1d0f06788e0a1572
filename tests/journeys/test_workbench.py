"""A marketeer's day: a file comes in, a selection is made, and a birthday wish with a voucher goes out to who may get
it. Real forms, a real database, a real mail server.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect
from pytest_django import Settings

from campaigns.models import Trigger
from customers.imports import FORMATS
from customers.models import Customer
from customers.tasks import run_waiting_imports
from labels.actions import create_label
from labels.models import Label
from mailings.models import Mailing
from mailings.tasks import send_queued
from selections.models import Selection
from tests.factories import BranchFactory
from tests.smtp_sink import Sink
from vouchers.actions import activate, define_voucher
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db(transaction=True)

HEADER = ";".join(name for name in FORMATS["customers"].names if name != "pasnummer")
ANJA = "1000001;lid;A.;Anja;de;Wit;1979-03-14;v;anja@example.nl;0612340001;Laan;12;;1441AB;Purmerend;PUR;2024-02-01;;"
BRAM = "1000002;lid;B.;Bram;;Visser;1985-07-02;m;bram@example.nl;;Lindenlaan;14;;1441AB;Purmerend;PUR;2024-02-01;;"
CATO = "1000003;lid;C.;Cato;;Smit;2018-05-05;v;;;Lindenlaan;16;;1441AB;Purmerend;PUR;2024-02-01;;"
NO_SUCH_DAY = "1000004;lid;D.;Dirk;;Bos;31-02-1990;m;;;Lindenlaan;18;;1441AB;Purmerend;PUR;2024-02-01;;"


@dataclass
class Marketeer:
    """One marketeer at one screen; the chapters of the day are methods."""

    page: Page
    axe: Callable[[], None]
    tab_to: Callable[[Locator], None]

    @property
    def main(self) -> Locator:
        return self.page.get_by_role("main")

    def go(self, entry: str) -> None:
        """Choose in the menu."""
        self.page.get_by_role("navigation", name="Hoofdmenu").get_by_role("link", name=entry, exact=True).click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(entry)

    def sees(self, words: str) -> None:
        expect(self.page.get_by_text(words).first).to_be_visible()

    def presses(self, name: str) -> None:
        self.main.get_by_role("button", name=re.compile(f"^{name}")).click()

    def follows(self, name: str) -> None:
        self.main.get_by_role("link", name=name, exact=True).first.click()

    def says_yes(self) -> None:
        self.page.locator("[data-confirm-yes]").click()

    def takes_a_file_in(self, file: Path) -> None:
        self.go("Imports")
        self.follows("Bestand inlezen")
        self.main.get_by_role("radio", name="Klanten").check()
        self.main.get_by_label("Bestand", exact=True).set_input_files(file)
        self.axe()
        self.presses("Inlezen")
        self.sees("Wacht op zijn beurt")
        self.axe()
        assert run_waiting_imports() == 1
        self.sees("Er is nog niets weggeschreven")
        self.axe()
        self.presses("Deze rijen inlezen")
        self.sees("Wacht op zijn beurt")
        assert run_waiting_imports() == 1
        # The page notices by itself that the run is over.
        self.sees("Geweigerde rijen")
        for name, count in {"Rijen": 4, "Nieuw": 3, "Geweigerd": 1}.items():
            expect(self.page.locator(".stat", has=self.page.get_by_text(name, exact=True))).to_contain_text(str(count))
        row = self.page.get_by_role("row", name="geboortedatum")
        expect(row).to_contain_text("31-02-1990")
        expect(row).to_contain_text("Deze datum bestaat niet")
        self.axe()

    def notes_what_a_customer_said(self) -> None:
        self.go("Klanten")
        self.main.get_by_label("Naam, nummer, pas").fill("wit")
        self.follows("Anja de Wit")
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("Anja de Wit")
        self.axe()
        self.follows("Toestemming vastleggen")
        self.main.get_by_label("Waarover?").select_option("Aanbiedingen en activiteiten")
        self.main.get_by_label("Via welk kanaal?").select_option("E-mail")
        self.main.get_by_label("Ja: dit is welkom").check()
        self.presses("Vastleggen")
        self.sees("Dit is vastgelegd en geldt vanaf nu.")

    def selects_by_keyboard(self) -> None:
        keyboard = self.page.keyboard
        self.go("Selecties")
        self.follows("Nieuwe selectie")
        self.tab_to(self.main.get_by_label("Naam", exact=True))
        keyboard.type("Volwassenen")
        total = self.page.locator("#bar-total")
        expect(total).to_contain_text("3 klanten")
        self.tab_to(self.page.locator("summary", has_text="Criterium toevoegen"))
        keyboard.press("Enter")
        expect(self.main.get_by_label("Criteria zoeken")).to_be_focused()
        keyboard.type("leeftijd")
        keyboard.press("Enter")
        expect(self.main.get_by_label("Minstens")).to_be_focused()
        keyboard.type("18")
        expect(total).to_contain_text("2 klanten")
        self.axe()
        self.tab_to(self.page.get_by_role("button", name="Selectie opslaan"))
        keyboard.press("Enter")
        self.sees("De selectie is opgeslagen.")
        self.sees("Klanten die minstens 18 jaar oud zijn")

    def labels_the_selection(self) -> None:
        self.main.locator("summary", has_text="Doe iets").click()
        self.axe()
        self.presses("Iedereen labelen")
        dialog = self.page.get_by_role("dialog", name="Iedereen labelen")
        dialog.get_by_label("Label", exact=True).select_option("Volwassen lezer")
        self.axe()
        dialog.get_by_role("button", name="Verder").click()
        self.says_yes()
        self.sees("2 klanten kregen “Volwassen lezer”.")
        assert Label.objects.get(name="Volwassen lezer").assignments.filter(until=None).count() == 2

    def writes_an_action(self) -> None:
        self.go("Acties")
        self.follows("Nieuwe actie")
        self.main.get_by_label("Naam").fill("Gefeliciteerd")
        self.main.get_by_label("Doel").select_option("Aanbiedingen en activiteiten")
        self.axe()
        self.presses("Actie maken")
        self.sees("heeft nog geen inhoud")
        self.follows("Inhoud bewerken")
        self.main.get_by_label("Onderwerp").fill("Gefeliciteerd, {{ first_name }}")
        self.presses("Opslaan")
        self.sees("Bewaard.")
        form = self._new_block("Kop")
        form.get_by_label("Tekst").fill("Hoera, {{ first_name }}!")
        self._add(form)
        form = self._new_block("Tekst")
        form.locator("trix-editor[contenteditable]").click()
        self.page.keyboard.type("Vandaag is het feest.")
        self.axe()
        self._add(form)
        form = self._new_block("Bon")
        form.get_by_label("Bon").select_option("Verjaardagsbon theater")
        self._add(form)
        mail = self.page.frame_locator("iframe.mail-frame")
        expect(mail.get_by_text("Vandaag is het feest.")).to_be_visible()
        expect(mail.get_by_text("Verjaardagsbon theater")).to_be_visible()
        self.axe()

    def _new_block(self, kind: str) -> Locator:
        self.page.locator("summary", has_text="Blok toevoegen").click()
        self.page.locator(".menu-item", has_text=re.compile(rf"^\s*{kind}\s*$")).click()
        return self.page.locator("#new-block form")

    def _add(self, form: Locator) -> None:
        form.get_by_role("button", name="Toevoegen").click()
        expect(form).to_have_count(0)

    def attaches_a_birthday_trigger(self) -> None:
        self.go("Acties")
        self.follows("Gefeliciteerd")
        self.follows("Nieuwe trigger")
        self.main.get_by_label("Naam").fill("Jarig")
        self.axe()
        self.presses("Trigger maken")
        self.sees("Hij staat nog uit")
        self.main.get_by_role("link", name=re.compile("^Aanzetten")).click()
        self.axe()
        self.presses("Aanzetten")
        self.says_yes()
        self.sees("De trigger staat aan, vanaf vandaag.")
        self.axe()

    def runs_it_now(self) -> None:
        self.go("Acties")
        self.follows("Gefeliciteerd")
        self.follows("Nu uitvoeren")
        self.page.locator("#id_selection").select_option("Volwassenen", force=True)
        self.presses("Bekijk wie het zou krijgen")
        # The funnel first: of two adults only one has said yes. Nothing has been made yet.
        self.sees("Van 2 klanten mag je er 1 bereiken.")
        self.sees("Geen toestemming voor dit doel")
        self.axe()
        assert not Mailing.objects.exists()
        self.presses("Nu verzenden")
        self.says_yes()
        self.sees("De actie is aangeboden voor verzending.")

    def reads_the_report(self) -> None:
        self.go("Mailings")
        self.follows("Gefeliciteerd: Volwassenen")
        for name, count in {"Kandidaten": 2, "Berichten": 1, "Verzonden": 1}.items():
            expect(self.page.locator(".stat", has=self.page.get_by_text(name, exact=True))).to_contain_text(str(count))
        expect(self.page.get_by_role("link", name="Geen toestemming voor dit doel")).to_be_visible()
        self.axe()


@pytest.fixture
def file(tmp_path: Path, settings: Settings) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    path = tmp_path / "klanten.csv"
    lines = [HEADER, ANJA, BRAM, CATO, NO_SUCH_DAY]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def _things_at_hand(now: dt.datetime) -> None:
    BranchFactory(code="PUR", name="Purmerend")
    create_label(name="Volwassen lezer", kind=Label.Kind.OWN, by=None, now=now)
    definition = define_voucher(
        name="Verjaardagsbon theater", benefit="fixed", amount_cents=500, product="theaterkaart", holder="customer",
        valid_days=30, by=None, now=now,
    )  # fmt: skip
    activate(definition)


@pytest.mark.usefixtures("_things_at_hand")
def test_from_a_file_to_a_birthday_wish_in_the_right_mailbox(
    page: Page,
    axe: Callable[[], None],
    tab_to: Callable[[Locator], None],
    sign_in_by_form: Callable[[User], None],
    marketeer: User,
    file: Path,
    smtp_sink: Sink,
) -> None:
    someone = Marketeer(page, axe, tab_to)
    page.goto("/")
    sign_in_by_form(marketeer)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    axe()

    someone.takes_a_file_in(file)
    someone.notes_what_a_customer_said()
    someone.selects_by_keyboard()
    someone.labels_the_selection()
    someone.writes_an_action()
    someone.attaches_a_birthday_trigger()
    someone.runs_it_now()
    send_queued()
    someone.reads_the_report()

    anja = Customer.objects.get(number="1000001")
    (mail,) = smtp_sink.received
    assert mail.recipients == ["anja@example.nl"]
    assert mail.message["Subject"] == "Gefeliciteerd, Anja"
    plain = mail.message.get_body(["plain"])
    assert plain
    assert Voucher.objects.get(customer=anja).grouped_code in plain.get_content()
    assert Trigger.objects.get().is_active
    assert Selection.objects.get().owner == marketeer
