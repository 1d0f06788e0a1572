"""The whole task of a marketeer in one go: say who, see how many and how to reach them, keep them, take them out,
label them, let a label follow, and see who moved; in a real browser, with what the product itself does at night.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Download, Page, expect

from common.time import clock
from customers.actions import record_fact
from customers.models import Customer, PurposeChannel
from labels.actions import create_group, create_label, follow_rules, give_label, set_rule
from labels.models import Label
from labels.tasks import follow_rule_now
from selections.actions import save_folder
from selections.compiler import members
from selections.models import ResultSet, Selection
from tests.factories import BranchFactory, CustomerFactory
from tests.journeys.test_builder import add
from tests.selections.test_rules import rule
from tests.workbench.test_audiences import SHEET

DAY = dt.timedelta(days=1)
QUIET = 6  # of nine of Purmerend: two borrowed lately, and one was called already
WANTED = 4


def borrows(customer: Customer, *, days_ago: int) -> None:
    record_fact(
        customer, kind="loan", occurred_at=clock() - days_ago * DAY, source_code="library",
        external_id=f"{customer.number}-{days_ago}",
    )  # fmt: skip


@pytest.fixture
def town(transactional_db: None) -> list[Customer]:
    """Nine of Purmerend, who all came often; of one of the two who borrowed it was said by hand that he is quiet."""
    PurposeChannel.objects.filter(purpose__code="profiling").update(basis=PurposeChannel.Basis.INTEREST)
    known = {"created_at": clock() - 300 * DAY}
    purmerend = BranchFactory(code="PUR", name="Purmerend")
    people: list[Customer] = CustomerFactory.create_batch(9, branch=purmerend, **known)
    CustomerFactory.create_batch(2, branch=BranchFactory(code="EDA", name="Edam"), **known)
    for days_ago, customer in ((10, people[0]), (20, people[1]), (200, people[3])):
        borrows(customer, days_ago=days_ago)
    bond = create_group(name="Band met ons", code="band", is_exclusive=True)
    often, quiet = (create_label(name=name, kind="own", group=bond, now=clock()) for name in ("Komt vaak", "Stil"))
    called, _thanked = (create_label(name=name, kind="own", now=clock()) for name in ("Al gebeld", "Winteractie"))
    then = clock() - 150 * DAY
    set_rule(often, rule=rule({"criterion": "customer.branch", "params": {"branches": ["PUR"]}}), now=then)
    follow_rules(now=then, due_key="then")
    give(quiet, people[:1], 120)
    give(called, people[2:3], 5)
    save_folder(None, name="Winter", now=clock())
    return people


def give(label: Label, people: list[Customer], days_ago: int) -> None:
    who = Customer.objects.filter(pk__in=[customer.pk for customer in people])
    give_label(label, who, by="Petra", now=clock() - days_ago * DAY)


def test_from_a_question_to_who_moved(
    page: Page, sign_in: Callable[[User], None], administrator: User, town: list[Customer]
) -> None:
    sign_in(administrator)
    selection = builds_the_selection(page)
    kept = keeps_who_are_in_it(page, selection)
    takes_them_out(page, kept)
    labels_them(page, kept)
    lets_a_label_follow(page, selection, town)
    sees_who_moved(page, selection)


def builds_the_selection(page: Page) -> Selection:
    page.goto("/")
    page.locator("#sidebar").get_by_role("link", name="Selecties").click()
    page.get_by_role("link", name="Nieuwe selectie").first.click()
    total, notes = page.locator("#bar-total"), page.locator("#rule .rule-note")
    expect(total).to_contain_text("11 klanten")

    add(page, "vestiging")
    page.locator("#part-r-0").get_by_label("Purmerend").check()
    expect(notes.nth(0)).to_contain_text("blijft over 9")
    expect(notes.nth(0)).to_contain_text("haalt er 2 weg")

    add(page, "deden iets niet")
    page.locator("#id_r-1-kind").select_option("loan")
    page.locator("#id_r-1-period").select_option("last")
    page.locator("#id_r-1-number").fill("30")
    expect(notes.nth(1)).to_contain_text("blijft over 7")
    expect(notes.nth(1)).to_contain_text("haalt er 2 weg")

    add(page, "heeft een label niet")
    page.locator("#part-r-2 .ts-control").click()
    page.keyboard.type("Al gebeld")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(notes.nth(2)).to_contain_text("haalt er 1 weg")
    expect(notes.nth(2)).to_contain_text("10 op zichzelf")
    expect(total).to_contain_text(f"{QUIET} klanten")
    expect(page.locator("#figures .rule-difference")).to_contain_text("−1 ten opzichte van zojuist")

    page.get_by_role("button", name="Bereik").click()
    reach = page.locator("#panels .rule-split")
    expect(reach).to_contain_text("E-mail")
    expect(reach).to_contain_text(str(QUIET))

    page.locator("#part-r > .rule-add").get_by_text("Niet iedereen").click()
    page.get_by_role("button", name="Een aantal willekeurige klanten").click()
    page.locator("#id_r__pick-0-size").fill(str(WANTED))
    expect(page.locator(".rule-pick-note")).to_have_text(f"{WANTED} van {QUIET}")
    expect(total).to_contain_text(f"{WANTED} klanten")

    page.get_by_label("Naam", exact=True).fill("Stil in Purmerend")
    page.get_by_label("Map").select_option(label="Winter")
    page.get_by_role("button", name="Selectie opslaan").click()
    expect(page.locator("h1")).to_have_text("Stil in Purmerend")
    expect(page.locator(".page-head")).to_contain_text("Winter")
    expect(page.locator("main .lead").last).to_contain_text("niet geleend")
    expect(page.locator("#figures .stat").first).to_contain_text(str(WANTED))
    return Selection.objects.get()


def keeps_who_are_in_it(page: Page, selection: Selection) -> ResultSet:
    page.locator("summary", has_text="Doe iets").click()
    page.get_by_role("button", name="Bewaren als resultaatset").click()
    page.get_by_label("Naam van de resultaatset").fill("Voor de winter")
    page.locator("#keep").get_by_role("button", name="Bewaren").click()
    expect(page.locator("h1")).to_have_text("Voor de winter")
    kept = ResultSet.objects.get()
    frozen = numbers_of(kept)
    assert len(frozen) == WANTED
    # Somebody of them borrows: he is out of the selection, and still in what was kept.
    borrows(Customer.objects.get(number=min(frozen)), days_ago=1)
    assert min(frozen) not in set(members(selection, now=clock()).values_list("number", flat=True))
    page.reload()
    expect(page.locator(".stat").first).to_contain_text(str(WANTED))
    expect(page.locator("main tbody tr")).to_have_count(WANTED)
    assert numbers_of(kept) == frozen
    return kept


def numbers_of(kept: ResultSet) -> set[str]:
    inside = kept.memberships.values("customer_id")
    return set(Customer.objects.filter(pk__in=inside).values_list("number", flat=True))


def takes_them_out(page: Page, kept: ResultSet) -> None:
    page.locator("summary", has_text="Doe iets").click()
    page.get_by_role("link", name="Exporteren").click()
    taken = downloaded(page, "Excel-werkmap")
    assert re.fullmatch(r"voor-de-winter-\d{8}\.xlsx", taken.suggested_filename)
    header, *rows = rows_of(Path(taken.path()))
    assert header[0] == "Klantnummer"
    assert sorted(row[0] for row in rows) == sorted(numbers_of(kept))

    taken = downloaded(page, "CSV")
    lines = list(csv.reader(io.StringIO(Path(taken.path()).read_text("utf-8-sig")), delimiter=";"))
    assert sorted(line[0] for line in lines[1:]) == sorted(numbers_of(kept))


def downloaded(page: Page, form: str) -> Download:
    page.get_by_label(form).check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Downloaden").click()
    return download.value


def rows_of(workbook: Path) -> list[list[str]]:
    with zipfile.ZipFile(workbook) as package:
        sheet = ET.fromstring(package.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - made by ourselves
    return [["".join(cell.itertext()) for cell in row.findall(f"{SHEET}c")] for row in sheet.iter(f"{SHEET}row")]


def labels_them(page: Page, kept: ResultSet) -> None:
    page.goto(f"/result-sets/{kept.pk}/")
    page.locator("summary", has_text="Doe iets").click()
    page.get_by_role("button", name="Iedereen labelen").click()
    dialog = page.locator("#bulk-label")
    dialog.get_by_label("Label", exact=True).select_option(label="Winteractie")
    dialog.get_by_role("button", name="Verder").click()
    page.get_by_role("button", name="Ja, ga door").click()
    expect(page.locator("body")).to_contain_text(f"{WANTED} klanten kregen “Winteractie”")
    holders = Label.objects.get(name="Winteractie").assignments.values_list("customer__number", flat=True)
    assert set(holders) == numbers_of(kept)


def lets_a_label_follow(page: Page, selection: Selection, town: list[Customer]) -> None:
    label = Label.objects.get(name="Stil")
    page.goto(f"/labels/{label.pk}/")
    page.locator("summary[aria-label='Meer']").click()
    page.get_by_role("link", name="Een regel laten volgen").click()
    page.get_by_label("Selectie", exact=True).select_option(label=selection.name)
    page.get_by_role("button", name="Bekijk wat het doet").click()
    stats = page.locator(".stats")
    expect(stats.locator(".stat").nth(0)).to_contain_text(str(WANTED))
    expect(stats.locator(".stat").nth(1)).to_contain_text("0")
    expect(stats.locator(".stat").nth(2)).to_contain_text("1")
    expect(page.locator("main")).to_contain_text(str(town[0]))
    page.get_by_role("button", name="Regel bewaren").click()
    expect(page.locator("body")).to_contain_text("Het label volgt vanaf nu deze regel.")
    page.get_by_role("button", name="Nu volgen").click()
    expect(page.locator("body")).to_contain_text("Het label wordt bijgewerkt")
    follow_rule_now(label.pk)  # what the button asked a worker for
    page.reload()
    expect(page.locator("main")).to_contain_text(f"{WANTED} gegeven, 1 weggehaald")


def sees_who_moved(page: Page, selection: Selection) -> None:
    page.locator("#sidebar").get_by_role("link", name="Verschuivingen").click()
    page.get_by_label("Groep van labels").select_option("band")
    went = page.get_by_role("link", name="Van Komt vaak naar Stil")
    expect(went).to_have_text(str(WANTED))
    went.click()
    expect(page.locator("h1")).to_contain_text("Komt vaak → Stil")
    rows = page.locator("#results tbody tr")
    expect(rows).to_have_count(WANTED)
    who = rows.first.get_by_role("link").first
    name = who.inner_text()
    assert name in {str(one) for one in members(selection, now=clock())}
    who.click()
    expect(page.locator("h1")).to_contain_text(name)
    expect(page.locator(".card").filter(has_text="Verschuivingen tussen labels")).to_contain_text("Komt vaak → Stil")
