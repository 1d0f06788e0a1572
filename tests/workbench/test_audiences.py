from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from common.time import clock
from customers.models import Customer
from labels.actions import create_label, give_label
from mailings import reaching
from mailings.address_labels import PER_SHEET, SIZES, fitted, print_address_labels
from mailings.models import SendingSettings
from selections.actions import create_selection, keep_selection
from selections.models import Export, ResultSet, Selection
from tests.factories import ConsentFactory, CustomerFactory, HouseholdFactory, PurposeFactory
from tests.selections.test_rules import MEMBERS, rule

pytestmark = pytest.mark.django_db

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def client(client_of: Callable[[User], Client], marketeer: User) -> Client:
    return client_of(marketeer)


@pytest.fixture
def members() -> Selection:
    return create_selection(name="Leden", rule=rule(MEMBERS), now=clock())


def url(name: str, thing: Selection | ResultSet) -> str:
    kind = "selection" if isinstance(thing, Selection) else "result_set"
    return reverse(f"workbench:{kind}_{name}", args=[thing.pk])


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def lines_of(response: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body_of(response).decode("utf-8-sig")), delimiter=";"))


def cells_of(response: Any) -> list[list[str]]:
    """The rows of a workbook: texts as they are, numbers as they are written."""
    with zipfile.ZipFile(io.BytesIO(body_of(response))) as package:
        assert package.testzip() is None
        for name in package.namelist():
            ET.fromstring(package.read(name))  # each part is XML  # noqa: S314 - made by ourselves
        sheet = ET.fromstring(package.read("xl/worksheets/sheet1.xml"))  # noqa: S314
    return [["".join(cell.itertext()) for cell in row.findall(f"{SHEET}c")] for row in sheet.iter(f"{SHEET}row")]


# --- files ---


def test_a_file_tells_labels_and_values_besides_the_columns(client: Client, members: Selection) -> None:
    one, _two = CustomerFactory(number="1"), CustomerFactory(number="2", birth_date=None)
    label = create_label(code="rood", name="Rood", kind="own", now=clock())
    give_label(label, Customer.objects.filter(pk=one.pk), by="x", now=clock())
    sent = {"columns": ["number"], "labels": [label.pk], "values": ["customer.age"]}
    found = lines_of(client.post(url("export", members), sent))
    assert found[0][:2] == ["Klantnummer", "Rood"]
    assert [row[:2] for row in found[1:]] == [["1", "ja"], ["2", ""]]
    assert found[1][2].isdecimal()
    assert found[2][2] == ""
    assert Export.objects.get().columns == ["number", "label:rood", "value:customer.age"]


def test_a_workbook_holds_the_same_and_computes_nothing(client: Client, members: Selection) -> None:
    CustomerFactory(number="1", last_name="=1+1 & <b>\x01")
    sent = {"columns": ["number", "last_name", "birth_date"], "format": "xlsx"}
    response = client.post(url("export", members), sent)
    assert response["Content-Type"] == XLSX
    head, row = cells_of(response)
    assert head == ["Klantnummer", "Achternaam", "Geboortedatum"]
    assert row == ["1", "'=1+1 & <b>", "29294"], "text made harmless, and the date as Excel counts days"


def test_a_result_set_is_exported_and_labelled_as_it_was_kept(client: Client, members: Selection) -> None:
    CustomerFactory(number="1")
    kept = keep_selection(members, name="Toen", now=clock())
    CustomerFactory(number="2")
    assert [row[0] for row in lines_of(client.post(url("export", kept), {"columns": ["number"]}))[1:]] == ["1"]
    label = create_label(code="rood", name="Rood", kind="own", now=clock())
    client.post(url("label", kept), {"do": "give", "label": label.pk})
    [given] = label.assignments.open()
    assert (given.customer.number, given.reason) == ("1", "resultaatset “Toen”")
    export = Export.objects.get()
    assert (export.result_set, export.selection, export.row_count) == (kept, members, 1)
    assert "bestand, 1" in client.get(url("detail", kept)).content.decode()


def test_a_label_for_a_selection_remembers_the_selection(client: Client, members: Selection) -> None:
    CustomerFactory()
    label = create_label(code="rood", name="Rood", kind="own", now=clock())
    client.post(url("label", members), {"do": "give", "label": label.pk})
    given = label.assignments.open().get()
    assert given.reason == "selectie “Leden”"
    assert str(given.how_given) == "selection"


def test_the_page_to_choose_columns_says_how_many_it_concerns(client: Client, members: Selection) -> None:
    CustomerFactory.create_batch(2)
    page = client.get(url("take_out", members)).content.decode()
    assert "2 klanten." in page
    assert f'action="{url("export", members)}"' in page


# --- calls ---


@pytest.fixture
def callers() -> dict[str, Customer]:
    """Of four members, only Anna may be called for marketing: one said no, one has no number, one is a child."""
    marketing = PurposeFactory(code="marketing")
    phones = {"Anna": "+31612345678", "Bert": "+31299123456", "Cor": "", "Kind": "+31201234567"}
    made = {
        name: CustomerFactory(first_name=name, name_prefix="", last_name="Bos", phone=phone)
        for name, phone in phones.items()
    }
    Customer.objects.filter(pk=made["Kind"].pk).update(birth_date=clock().date() - dt.timedelta(days=3000))
    for name, one in made.items():
        state = "withdrawn" if name == "Bert" else "granted"
        ConsentFactory(customer=one, purpose=marketing, channel="phone", state=state)
    SendingSettings.load()
    return made


def test_a_call_list_holds_only_who_may_be_called_with_a_number_to_dial(
    client: Client, members: Selection, callers: dict[str, Customer]
) -> None:
    marketing = PurposeFactory(code="marketing").pk
    page = client.get(url("calls", members), {"purpose": marketing})
    assert (page.context["reached"].usable, page.context["reached"].total) == (1, 4)
    assert "1 van 4 komt op de lijst." in page.content.decode()
    assert not Export.objects.exists()
    answer = client.post(url("calls", members), {"purpose": marketing})
    head, row = lines_of(answer)
    assert head == ["Klantnummer", "Naam", "Telefoon", "Plaats", "Vestiging", "Gebeld op", "Wat er gezegd is"]
    assert row == [callers["Anna"].number, "Anna Bos", "06-12345678", "Purmerend", "", "", ""]
    export = Export.objects.get()
    assert (export.kind, export.row_count, export.columns) == ("calls", 1, ["purpose:marketing"])
    assert "Bellijst gemaakt" in client.get(url("detail", members)).content.decode()


def test_without_a_purpose_nobody_is_called(client: Client, members: Selection, callers: dict[str, Customer]) -> None:
    assert client.post(url("calls", members), {}).status_code == 422
    assert not Export.objects.exists()


# --- address labels ---


@pytest.fixture
def writers() -> Any:
    """A family of three at one address, and two alone, of whom one said no to post."""
    marketing = PurposeFactory(code="marketing")
    home = HouseholdFactory()
    shared = {"household": home, "postal_code": "1131AB", "house_number": "7"}
    names = [("Opa", 1950, shared), ("Zoon", 1980, shared), ("Dochter", 1985, shared)]
    alone = {"postal_code": "1141AB"}
    names += [("Anna", 1980, alone), ("Bert", 1980, alone)]
    for name, year, more in names:
        one = CustomerFactory(first_name=name, last_name="Bos", birth_date=dt.date(year, 1, 1), **more)
        state = "withdrawn" if name == "Bert" else "granted"
        ConsentFactory(customer=one, purpose=marketing, channel="post", state=state)
    return marketing.pk


def printed(response: Any) -> PdfReader:
    assert response["Content-Type"] == "application/pdf"
    return PdfReader(io.BytesIO(response.content))


def test_address_labels_are_of_who_may_be_written_by_postal_code(
    client: Client, members: Selection, writers: int
) -> None:
    pdf = printed(client.post(url("addresses", members), {"purpose": writers}))
    [page] = pdf.pages
    words = page.extract_text()
    assert [words.index(name) for name in ("Opa", "Zoon", "Dochter", "Anna")] == sorted(
        words.index(name) for name in ("Opa", "Zoon", "Dochter", "Anna")
    )
    assert "Bert" not in words
    assert "1131 AB" in words
    assert (round(float(page.mediabox.width)), round(float(page.mediabox.height))) == (595, 842)
    export = Export.objects.get()
    assert (export.kind, export.row_count) == ("addresses", 4)


def test_one_per_household_is_the_oldest(client: Client, members: Selection, writers: int) -> None:
    sent = {"purpose": writers, "one_per_household": "on"}
    assert client.get(url("addresses", members), sent).context["reached"].usable == 2
    words = printed(client.post(url("addresses", members), sent)).pages[0].extract_text()
    assert "Opa" in words
    assert "Zoon" not in words


def test_places_used_before_stay_empty(client: Client, members: Selection, writers: int) -> None:
    sent = {"purpose": writers, "skip": str(PER_SHEET - 1)}
    pdf = printed(client.post(url("addresses", members), sent))
    assert len(pdf.pages) == 2
    assert "Opa" in pdf.pages[0].extract_text()
    assert "Anna" in pdf.pages[1].extract_text()


def test_a_sheet_holds_three_by_eight_addresses_each_in_its_place() -> None:
    places = [[f"Naam-{number}.", "Lange Kerkstraat 12", "1131 AB  Volendam"] for number in range(PER_SHEET + 1)]
    one, two = PdfReader(io.BytesIO(print_address_labels(places))).pages
    found: dict[str, tuple[float, float]] = {}

    def see(text: str, _cm: Any, matrix: Any, _font: Any, _size: Any) -> None:
        for name in re.findall(r"Naam-\d+\.", text):
            found[name] = (round(matrix[4]), round(matrix[5]))

    one.extract_text(visitor_text=see)
    assert len(found) == PER_SHEET
    assert len({x for x, _y in found.values()}) == 3
    assert len({y for _x, y in found.values()}) == 8
    assert f"Naam-{PER_SHEET}." in two.extract_text()


LONG = [
    [
        "Alexandrina Wilhelmina Maria van der " + "Boetzelaer-Hamersveld " * 3,
        "Lange Kerkstraat 12",
        "1131 AB  Volendam",
    ],
    ["Anna Bos", "Burgemeester Mr. Dr. Van Haersma Buma-" * 3 + "laan 1000-HS", "1131 AB  Noordbeemster " * 2],
    ["W" * 200, "M" * 130, "1131 AB  " + "Westerwijtwerd" * 5],
    ["A. Bos " * 28, "Straat " * 18, "1131 AB  " + "'s-Gravenhage " * 5],
]


def test_of_an_address_that_is_too_long_postal_code_and_city_stand_within_their_label() -> None:
    [page] = PdfReader(io.BytesIO(print_address_labels([*LONG, ["Kort", "Kerkstraat 1", "1131 AB  Edam"]]))).pages
    wide, high, margin = (millimetres * 96 / 25.4 for millimetres in (70, 37, 0.5))  # pixels, from the top left
    lowest: dict[int, float] = {}
    drawn: dict[int, str] = {}

    def see(text: str, _cm: Any, matrix: Any, _font: Any, _size: Any) -> None:
        if text.strip():
            place = int(matrix[4] // wide) + 3 * int((matrix[5] - margin) // high)
            lowest[place] = max(lowest.get(place, 0.0), matrix[5])
            drawn[place] = drawn.get(place, "") + "".join(text.split())

    page.extract_text(visitor_text=see)
    assert set(drawn) == set(range(len(LONG) + 1))
    for place, address in enumerate(LONG):
        assert lowest[place] < margin + (place // 3 + 1) * high - 10, address  # a printer may miss the edge
        assert drawn[place].endswith("".join(address[-1].split())), address


def test_an_address_is_printed_as_large_as_it_fits() -> None:
    usual = ["Anna Bos", "Kerkstraat 1", "1131 AB  Edam"]
    assert [fitted(address).size for address in (usual, *LONG)] == [0, 0, 1, 3, 3]
    assert SIZES[fitted(LONG[0]).size] == 9.5
    assert fitted(LONG[2]).lines[0].endswith("…")
    assert fitted(LONG[2]).lines[-1] == LONG[2][-1]


def test_places_used_stay_as_they_were_said_and_are_none_when_nothing_was_said(
    client: Client, members: Selection, writers: int
) -> None:
    for sent, shown in (({}, "0"), ({"skip": ""}, "0"), ({"skip": "5"}, "5")):
        page = client.get(url("addresses", members), {"purpose": writers, **sent})
        assert page.context["form"]["skip"].value() == shown
        assert "reached" in page.context


def test_many_labels_come_in_parts(
    client: Client, members: Selection, writers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailings.reaching.LABELS_AT_ONCE", 3)  # a lower limit: three sheets of fifty would be slow
    page = client.get(url("addresses", members), {"purpose": writers})
    assert page.context["parts"] == [{"number": 1, "first": 1, "last": 3}, {"number": 2, "first": 4, "last": 4}]
    words = printed(client.post(url("addresses", members), {"purpose": writers, "part": "2"})).pages[0].extract_text()
    assert "Anna" in words
    assert "Opa" not in words
    assert client.post(url("addresses", members), {"purpose": writers, "part": "9"}).status_code == 302
    assert reaching.LABELS_AT_ONCE == 3


# --- to campaigns and actions, and who may ---


def test_the_way_to_an_action_and_a_campaign_carries_the_selection(client: Client, members: Selection) -> None:
    for name in ("send", "enrol"):
        page = client.get(url(name, members))
        assert page.status_code == 200
        assert client.post(url(name, members), {}).status_code == 422


@pytest.mark.parametrize("role", ["counter", "integrator"])
def test_who_may_not_is_turned_away(
    make_user: Callable[..., User], client_of: Callable[[User], Client], members: Selection, role: str
) -> None:
    CustomerFactory()
    kept = keep_selection(members, name="Toen", now=clock())
    client = client_of(make_user(role))
    for thing in (members, kept):
        for name in ("label", "export", "calls", "addresses"):
            assert client.post(url(name, thing)).status_code == 403
    assert not Export.objects.exists()
