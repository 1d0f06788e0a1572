"""Letters as they come out of the printer: readable by those who hear them (PDF/UA), and by those with an odd name."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils.translation import override
from pypdf import PdfReader
from pypdf.generic import ContentStream

from customers.models import Customer, Purpose
from mailings.actions import print_letters
from mailings.compiling import compile_content
from mailings.households import address_of, values_of_all
from mailings.letters import WINDOW, Letter, Reader, letters_html, print_pdf
from mailings.models import Content, Mailing, SendingSettings
from tests.factories import CustomerFactory, DefinitionFactory, HouseholdFactory
from tests.mailings.conftest import BUTTON, TEXT
from tests.mailings.test_proofs_hostile import TEXTS, acts, bare, seen

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]
ARTICLE = {"type": "article", "data": {"title": "Lezing", "text": "<p>Kom.</p>", "link": "", "link_text": ""}}
HEADING = {"type": "heading", "data": {"text": "Nieuws"}}
SHOWN = (b"Tj", b"TJ", b"'", b'"', b"Do", b"f", b"f*", b"S", b"s", b"B", b"b", b"B*", b"b*", b"sh")


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def paper(start: Start, make_content: Callable[..., Content], now: dt.datetime) -> PdfReader:
    """A shared letter of two pages, and one more, with headings, pictures of codes and an address."""
    home = {"email": "", "postal_code": "1111AA", "house_number": "3", "household": HouseholdFactory()}
    CustomerFactory(**home), CustomerFactory(**home), CustomerFactory(email="")
    voucher = {"type": "voucher", "data": {"definition": DefinitionFactory().pk}}
    content = make_content(ARTICLE, TEXT, HEADING, ARTICLE, BUTTON, voucher)
    with print_letters(start(channels="letter", letters_to="names", content=content), now=now).file.open("rb") as file:
        return PdfReader(io.BytesIO(file.read()))


def structure(paper: PdfReader) -> list[Any]:
    """Return the elements of the structure in the order in which they are read out."""
    root: Any = paper.trailer["/Root"]
    return list(walk(root["/StructTreeRoot"]["/K"]))


def walk(node: Any) -> Iterator[Any]:
    """Yield the elements of the structure in the order in which they are read out."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for one in node:
            yield from walk(one)
    elif hasattr(node, "get"):
        if "/S" in node:
            yield node
        yield from walk(node.get("/K", []))


def test_a_letter_says_what_it_is_and_in_which_language(paper: PdfReader) -> None:
    root: Any = paper.trailer["/Root"]
    told = root["/Metadata"].get_object().get_data().decode()
    assert 'pdfuaid:part="1"' in told
    assert root["/Lang"] == "nl"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert paper.metadata.title.endswith("Bibliotheek Waterland")


def test_every_sign_on_every_page_is_read_out_or_marked_as_decoration(paper: PdfReader) -> None:
    pages: Any = paper.pages
    assert len(pages) >= 3
    for page in pages:
        assert page["/Tabs"] == "/S"
        assert "/StructParents" in page
        depth, signs = 0, 0
        for _operands, operator in ContentStream(page.get_contents(), paper).operations:
            depth += (operator in (b"BDC", b"BMC")) - (operator == b"EMC")
            if operator in SHOWN:
                signs += 1
                assert depth, operator
        assert signs > 10


def test_headings_skip_no_level_and_pictures_have_words(paper: PdfReader) -> None:
    found = structure(paper)
    levels = [int(one["/S"][2:]) for one in found if one["/S"] in ("/H1", "/H2", "/H3", "/H4")]
    assert levels.count(1) == 2  # one for each letter
    assert {2, 3} <= set(levels)
    assert all(after <= before + 1 for before, after in zip([0, *levels], levels, strict=False))
    pictures = [one for one in found if one["/S"] == "/Figure"]
    assert len(pictures) == 2 + 2 * 3  # the code of each letter, and two codes of each voucher
    assert all(str(one.get("/Alt", "")) for one in pictures)


def test_code_and_address_are_read_out_before_the_text(paper: PdfReader) -> None:
    kinds = [one["/S"] for one in structure(paper)]
    before = kinds[: kinds.index("/H2")]
    assert before.index("/H1") < before.index("/Figure")
    assert before[before.index("/Figure") :].count("/P") >= 3  # names, street, place


def hostile(texts: list[str]) -> list[list[Customer]]:
    """Return households in which each text is once each part of a name and address."""
    names = {"first_name": 80, "last_name": 100, "city": 80, "street": 100, "name_prefix": 20, "initials": 20}
    people = []
    for number in range(len(texts)):
        fields = {
            name: texts[(number + shift) % len(texts)][:length] for shift, (name, length) in enumerate(names.items())
        }
        people.append(Customer(postal_code="1441AB", house_number="1", **fields))
    return [people[first : first + 2] for first in range(0, len(people), 2)]


def letters_of(homes: list[list[Customer]], letters_to: str) -> list[Letter]:
    made = []
    for people in homes:
        own = [
            Reader(one.full_name, frozenset(), {"first_name": one.first_name, "voucher:1:code": one.last_name})
            for one in people
        ]
        values = values_of_all(people, [one.values for one in own], letters_to)
        made.append(Letter(address_of(people, letters_to), frozenset(), values, None, "P1-1-49", own))
    return made


@pytest.mark.parametrize("letters_to", ["names", "family", "residents"])
def test_whoever_is_called_whatever_gets_a_letter_with_those_words_and_nothing_else(
    make_content: Callable[..., Content], marketing: Purpose, now: dt.datetime, letters_to: str
) -> None:
    house = SendingSettings.load()
    compiled = compile_content(make_content(TEXT), purpose=marketing, identity=house)
    compiled["letter"].append(["", ["<p>", ["voucher:1:code", None], "</p>"]])
    usual = None
    with override("nl"):
        for letter in letters_of(hostile(TEXTS), letters_to):
            html = letters_html([letter], compiled=compiled, identity=house, now=now)
            usual = usual or acts(html)
            assert acts(html) == usual, letter.address_lines
            text = seen(html)
            for reader in letter.readers:
                assert bare(f"Voor {reader.name}") in text
                assert bare(reader.values["voucher:1:code"]) in text
            if letters_to == "names":
                assert bare(f"Dag {letter.values['first_name']}, er is") in text
            if sum(map(len, letter.address_lines)) < 100:
                assert all(bare(line) in text for line in letter.address_lines)
            assert "1441AB" in text


def test_odd_names_can_be_read_on_paper(
    make_content: Callable[..., Content], marketing: Purpose, now: dt.datetime
) -> None:
    names = [
        "Łukasz", "Zoë", "Çağlar", "Nguyễn", "Ķīlis", "d'Arcy", "O’Neill", "<b>Bas</b>", "Robert'); DROP TABLE",
        "&amp;", "{{ first_name }}", "%s%n", "../../etc", "null", "100%", "javascript:alert(1)", "a\u200bb",
    ]  # fmt: skip
    house = SendingSettings.load()
    compiled = compile_content(make_content(TEXT), purpose=marketing, identity=house)
    letters = [Letter([name, "Kerkpad 3", "1441 AB  Edam"], frozenset(), {"first_name": name}) for name in names]
    pdf = print_pdf(letters, compiled=compiled, identity=house, now=now)
    for name, page in zip(names, PdfReader(io.BytesIO(pdf)).pages, strict=True):
        text = bare(page.extract_text()).replace("\u200b", "")
        told = bare(name).replace("\u200b", "")
        assert f"{told}Kerkpad3" in text, name
        assert f"Dag{told},eris" in text, name


def test_a_name_that_turns_the_direction_of_writing_turns_its_own_line_only(
    make_content: Callable[..., Content], marketing: Purpose, now: dt.datetime
) -> None:
    house = SendingSettings.load()
    compiled = compile_content(make_content(TEXT), purpose=marketing, identity=house)
    letter = Letter(["\u202eanna", "Kerkpad 3", "1441 AB  Edam"], frozenset(), {"first_name": "Anna"})
    [page] = PdfReader(io.BytesIO(print_pdf([letter], compiled=compiled, identity=house, now=now))).pages
    assert "Kerkpad 3" in page.extract_text()
    assert "1441 AB" in page.extract_text()


def test_the_window_shows_postal_code_and_place_whatever_stands_above() -> None:
    from mailings.fitting import fit

    for text in TEXTS:
        place = fit([text * 3, text, "1441 AB  Edam"], WINDOW)
        assert place.lines[-1] == "1441 AB  Edam"
