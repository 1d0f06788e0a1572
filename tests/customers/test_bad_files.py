"""Files as they come: each has a clear outcome, and none a crash. What is refused says what to do about it."""

from __future__ import annotations

import io
import time
import zipfile
from typing import Any

import pytest
from django.utils import translation

from common.errors import Refused
from customers.actions import run_import, upload_import
from customers.imports import reading
from customers.imports.reading import glimpse
from customers.models import Branch, Customer, Fact, ImportRun
from tests.customers.conftest import errors
from tests.factories import NOW, BranchFactory, CustomerFactory, SourceFactory

pytestmark = pytest.mark.django_db

HEAD = "code;naam;plaats\n"


def take(content: str | bytes, kind: str = "branches", name: str = "x.csv") -> ImportRun:
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    run = upload_import(format=kind, source_code="library", file=file, file_name=name, by=None, now=NOW)
    return run_import(run, now=NOW)


def workbook(*rows: tuple[str, ...], sheet: str = "", extra: bytes = b"", name: str = "xl/workbook.xml") -> bytes:
    """A small .xlsx made by hand; a cell that begins with ``<`` is XML of its own."""

    def cell(place: int, row: int, value: str) -> str:
        at = f"{chr(65 + place)}{row}"
        if value.startswith("<"):
            return value.replace("AT", at)
        return f'<c r="{at}" t="inlineStr"><is><t>{value}</t></is></c>'

    told = sheet or "".join(
        f'<row r="{number}">{"".join(cell(place, number, value) for place, value in enumerate(row))}</row>'
        for number, row in enumerate(rows, 1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    link = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" '
            'ContentType="application/xml"/></Types>',
        )
        book.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r1" Type="{link}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        book.writestr(
            name,
            f'<workbook xmlns="{main}" xmlns:r="{link}"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets>'
            "</workbook>",
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r1" Type="{link}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        book.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{told}</sheetData></worksheet>'
        )
        if extra:
            book.writestr("xl/extra.xml", extra)
    return packed.getvalue()


# --- the cases of csv-spectrum: read to the letter --------------------------------------------------------------------

SPECTRUM: dict[str, tuple[str, list[str], list[list[str]]]] = {
    "comma_in_quotes": (
        'first,last,address,city,zip\nJohn,Doe,120 any st.,"Anytown, WW",08123\n',
        ["first", "last", "address", "city", "zip"],
        [["John", "Doe", "120 any st.", "Anytown, WW", "08123"]],
    ),
    "empty": ('a,b,c\n1,"",""\n2,3,4\n', ["a", "b", "c"], [["1", "", ""], ["2", "3", "4"]]),
    "empty_crlf": ('a,b,c\r\n1,"",""\r\n2,3,4\r\n', ["a", "b", "c"], [["1", "", ""], ["2", "3", "4"]]),
    "escaped_quotes": ('a,b\n1,"ha ""ha"" ha"\n3,4\n', ["a", "b"], [["1", 'ha "ha" ha'], ["3", "4"]]),
    "json": (
        'key,val\n1,"{""type"": ""Point"", ""coordinates"": [102.0, 0.5]}"\n',
        ["key", "val"],
        [["1", '{"type": "Point", "coordinates": [102.0, 0.5]}']],
    ),
    "location_coordinates": (
        'Contact Phone Number,Location Coordinates\n02079460000,"37.36,-122.03"\n',
        ["Contact Phone Number", "Location Coordinates"],
        [["02079460000", "37.36,-122.03"]],
    ),
    "newlines": ('a,b,c\n1,2,3\n"Once upon \na time",5,6\n7,8,9\n', ["a", "b", "c"],
                 [["1", "2", "3"], ["Once upon \na time", "5", "6"], ["7", "8", "9"]]),
    "newlines_crlf": ('a,b,c\r\n1,2,3\r\n"Once upon \r\na time",5,6\r\n7,8,9\r\n', ["a", "b", "c"],
                      [["1", "2", "3"], ["Once upon \na time", "5", "6"], ["7", "8", "9"]]),
    "quotes_and_newlines": ('a,b\n1,"ha \n""ha"" \nha"\n3,4\n', ["a", "b"], [["1", 'ha \n"ha" \nha'], ["3", "4"]]),
    "simple": ("a,b,c\n1,2,3\n", ["a", "b", "c"], [["1", "2", "3"]]),
    "simple_crlf": ("a,b,c\r\n1,2,3\r\n", ["a", "b", "c"], [["1", "2", "3"]]),
    "utf8": ("a,b,c\n1,2,3\n4,5,ʤ\n", ["a", "b", "c"], [["1", "2", "3"], ["4", "5", "ʤ"]]),
}  # fmt: skip


@pytest.mark.parametrize("case", SPECTRUM)
def test_the_cases_of_csv_spectrum_are_read_to_the_letter(case: str) -> None:
    content, header, rows = SPECTRUM[case]
    seen = glimpse(io.BytesIO(content.encode()))
    assert (seen.header, seen.rows) == (header, rows)


# --- rows: what comes in, and what is refused with which word ---------------------------------------------------------

CASES: list[tuple[str, str | bytes, int, list[tuple[int, str]]]] = [
    ("a header alone", HEAD, 0, []),
    ("no line break at the end", HEAD + "A;a;x", 1, []),
    ("empty rows", HEAD + "\n;;\nA;a;x\n\n", 1, []),
    ("a NUL in a row", HEAD + "A;a\0;x\nB;b;x\n", 1, [(2, "nul")]),
    ("a row of NULs", HEAD + "\0\0\0\nB;" + "b" * 90 + ";x\n", 1, [(2, "nul")]),
    ("a lone quote at the start of a cell", HEAD + 'A;"a;x\nB;b;x\n', 1, [(2, "quote")]),
    ("a lone quote within a cell", HEAD + 'A;a"b;x\n', 1, []),
    ("a lone quote at the end of a cell", HEAD + 'A;a";x\n', 1, []),
    ("a quote that never closes, in the last row", HEAD + 'A;a;x\nB;"b;x\n', 1, [(3, "quote")]),
    ("text behind a closing quote", HEAD + 'A;"a"b;x\nB;b;x\n', 1, [(2, "quote")]),
    ("a cell of two lines", HEAD + 'A;"a\nb";x\n', 1, []),
    ("too few cells", HEAD + "A;a\nB;b;x\n", 1, [(2, "cells")]),
    ("too many cells", HEAD + "A;a;x;y\nB;b;x\n", 1, [(2, "cells")]),
    ("separators behind the last cell", HEAD + "A;a;x;;\n", 1, []),
    ("spaces around cells", HEAD + "  A ; a ;x  \n", 1, []),
    ("a hard space around a cell", HEAD + "\u00a0A\u00a0;a;x\n", 1, []),
    ("Windows line endings", HEAD.replace("\n", "\r\n") + "A;a;x\r\nB;b;x\r\n", 2, []),
    ("old Mac line endings", (HEAD + "A;a;x\nB;b;x\n").replace("\n", "\r"), 2, []),
    ("mixed line endings", "code;naam;plaats\r\nA;a;x\nB;b;x\rC;c;x\r\n", 3, []),
    ("a mark before UTF-8", ("\ufeff" + HEAD + "A;a;x\n").encode(), 1, []),
    ("UTF-16 with a mark", (HEAD + "A;é;x\n").encode("utf-16"), 1, []),
    ("UTF-16 without a mark", (HEAD + "A;é;x\n" * 3).encode("utf-16-le"), 1, [(3, "duplicate"), (4, "duplicate")]),
    ("UTF-16 the other way round", (HEAD + "A;a;x\n").encode("utf-16-be"), 1, []),
    ("Windows-1252", (HEAD + "A;caf\u00e9 \u20ac;x\n").encode("cp1252"), 1, []),
    ("one row of Windows-1252 in UTF-8", HEAD.encode() + "A;é;x\nC;ë;x\n".encode() + "B;é;x\n".encode("cp1252"), 2,
     [(4, "encoding")]),
    ("the sign of a broken conversion", HEAD + "A;caf\ufffd;x\nB;b;x\n", 1, [(2, "encoding")]),
    ("a line of a megabyte", HEAD + "A;" + "a" * 1_000_000 + ";x\nB;b;x\n", 1, [(2, "long")]),
    ("a cell longer than its column", HEAD + f"A;{'a' * 101};x\n", 0, [(2, "too_long")]),
    ("an empty key", HEAD + ";a;x\n", 0, [(2, "empty")]),
    ("a key of spaces", HEAD + "   ;a;x\n", 0, [(2, "empty")]),
    ("a key twice", HEAD + "A;a;x\nA;b;x\nA;c;x\n", 1, [(3, "duplicate"), (4, "duplicate")]),
    ("a key that is no code", HEAD + "A B;a;x\n", 0, [(2, "code")]),
    ("an injection of SQL", HEAD + "A';DROP;x\nB;'); DROP TABLE customers_branch; --;x\n", 0,
     [(2, "code"), (3, "cells")]),
    ("a formula", HEAD + "A;=1+1;x\nB;@SUM(A1);x\n", 2, []),
    ("a formula as key", HEAD + "=1+1;a;x\n", 0, [(2, "code")]),
    ("emoji", HEAD + "A;📚;x\n", 1, []),
    ("a backslash", HEAD + "A;a\\;x\n", 1, []),
    ("a backslash and N", HEAD + "A;\\N;x\nB;\\.;x\n", 2, []),
    ("a tab in a cell", HEAD + "A;a\tb;x\n", 1, []),
    ("tabs between cells", "code\tnaam\nA\ta\n", 1, []),
    ("bars between cells", "code|naam\nA|a\n", 1, []),
    ("quotes around everything", '"code";"naam"\n"A";"a"\n', 1, []),
    ("columns in another order", "naam;code\na;A\n", 1, []),
    ("capitals in the header", "CODE;Naam\nA;a\n", 1, []),
    ("Excel's first line", "sep=;\ncode;naam\nA;a\n", 1, []),
    ("empty lines before the header", "\n\ncode;naam\nA;a\n", 1, []),
    ("a mark for the end of a DOS file", HEAD + "A;a;x\n\x1a", 1, [(3, "cells")]),
    ("a form feed between rows", HEAD + "A;a;x\n\x0cB;b;x\n", 2, []),
]  # fmt: skip


@pytest.mark.parametrize(("content", "good", "refused"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_every_row_comes_in_or_says_why_not(content: str | bytes, good: int, refused: list[tuple[int, str]]) -> None:
    run = take(content)
    assert run.state == ImportRun.State.DONE, run.refusal
    assert (Branch.objects.count(), [(row, code) for row, _column, _value, code in errors(run)]) == (good, refused)
    assert run.refused_count == len({row for row, _code in refused})
    assert all(run.errors.values_list("remedy", flat=True))


# --- files that are refused as a whole --------------------------------------------------------------------------------

REFUSED: list[tuple[str, str | bytes, str]] = [
    ("nothing at all", b"", "empty"),
    ("only line breaks", b"\n\r\n\n", "empty"),
    ("only a mark", b"\xef\xbb\xbf", "empty"),
    ("only spaces", b"   \n \n", "empty"),
    ("a PDF", b"%PDF-1.7\n1 0 obj", "not a text file"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(100), "not a text file"),
    ("bytes by chance", bytes(range(256)) * 20, "not a text file"),
    ("something compressed", b"\x1f\x8b\x08" + bytes(100), "not a text file"),
    ("an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "Excel"),
    ("a workbook that breaks off", workbook(("code", "naam"))[:200], "Excel"),
    ("another kind of package", workbook(("code", "naam"), name="word/document.xml"), "Excel"),
    ("a workbook with damaged XML", workbook(sheet="<row r='1'><c"), "damaged or protected"),
    ("a workbook without rows", workbook(), "empty"),
    ("a page of a website", "<html><body>Log in</body></html>", "not the header"),
    ("no header", "A;a;x\nB;b;x\n", "not the header"),
    ("a column that is missing", "code;plaats\nA;x\n", "missing: naam"),
    ("a column that is not known", "code;naam;kleur\nA;a;rood\n", "not known: kleur"),
    ("a column twice", "code;naam;naam\nA;a;b\n", "twice: naam"),
    ("the file of another format", "klantnummer;soort;achternaam\n1;lid;Wit\n", "looks like a file of: Customers"),
]


@pytest.mark.parametrize(("content", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_file_that_is_no_file_of_ours_says_what_to_do(content: str | bytes, words: str) -> None:
    with translation.override("en"), pytest.raises(Refused, match=words):
        take(content)
    assert not ImportRun.objects.exists()


# --- customers and facts ----------------------------------------------------------------------------------------------

PEOPLE = "klantnummer;soort;achternaam;geboortedatum;email;overleden\n"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("1;lid;Wit;31-02-1980;;", "date"),
        ("1;lid;Wit;29-02-2023;;", "date"),
        ("1;lid;Wit;1980-00-10;;", "date"),
        ("1;lid;Wit;80-01-02;;", "date"),
        ("1;lid;Wit;1980-1-2;;", "date"),
        ("1;lid;Wit;2 januari 1980;;", "date"),
        ("1;lid;Wit;29221;;", "date"),
        ("1;lid;Wit;2080-01-02;;", "birth_date"),
        ("1;lid;Wit;0980-01-02;;", "birth_date"),
        ("1;lid;Wit;;;2030-01-01", "future"),
        ("1;lid;Wit;;geen;", "email"),
        ("1;lid;Wit;;a@b@c.nl;", "email"),
        (f"1;lid;Wit;;{'a' * 300}@b.nl;", "email"),
        ("1;?;Wit;;;", "kind"),
        ("1;lid;;;;", "name"),
        (f"{'9' * 41};lid;Wit;;;", "too_long"),
    ],
)
def test_a_wrong_person_is_refused_with_the_reason(row: str, code: str) -> None:
    assert [found for *_rest, found in errors(take(f"{PEOPLE}{row}\n", "customers"))] == [code]
    assert not Customer.objects.exists()


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u200b", "\u200f", "\x07", "\x1b", "\x85", "\u00ad", "\ufeff"])
def test_signs_that_nobody_sees_are_taken_out_of_names(sign: str) -> None:
    take(f"{PEOPLE}1;lid;Wi{sign}t;;;\n2;lid;Bos;;;\n", "customers")
    assert sorted(Customer.objects.values_list("last_name", flat=True)) == ["Bos", "Wit"]


def test_a_cell_of_ten_megabytes_with_an_open_quote_costs_seconds() -> None:
    content = HEAD + 'A;"' + "lang verhaal; met regels\n" * 400_000
    started = time.monotonic()
    run = take(content)
    assert time.monotonic() - started < 20
    assert run.state == ImportRun.State.REFUSED
    assert not Branch.objects.exists()
    with translation.override("en"):
        assert "10000" in str(reading._too_damaged(5))


def test_quotes_on_every_line_cost_no_more_than_the_lines() -> None:
    started = time.monotonic()
    run = take(HEAD + f'A;"{"b" * 900};x\n' * 8_000)
    assert time.monotonic() - started < 20
    assert run.refused_count == 8_000


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("U1;1;uitlening;31-02-2026 10:00;;;;;;;", "moment"),
        ("U1;1;uitlening;2026-05-01 25:00;;;;;;;", "moment"),
        ("U1;1;uitlening;2027-05-01;;;;;;;", "future"),
        ("U1;1;wandeling;2026-05-01;;;;;;;", "kind"),
        ("U1;2;uitlening;2026-05-01;;;;;;;", "customer"),
        ("U1;1;uitlening;2026-05-01;XX;;;;;;", "branch"),
        ("U1;1;uitlening;2026-05-01;;;;;twee;;", "whole"),
        ("U1;1;uitlening;2026-05-01;;;;;99999999999;;", "whole"),
        ("U1;1;uitlening;2026-05-01;;;;;;1.2.3;", "amount"),
        ("U1;1;uitlening;2026-05-01;;;;;;;-5", "whole"),
    ],
)
def test_a_wrong_fact_is_refused_with_the_reason(row: str, code: str) -> None:
    CustomerFactory(number="1")
    head = "id;klantnummer;soort;tijdstip;vestiging;sector;wereld;genre;aantal;bedrag;duur\n"
    assert [found for *_rest, found in errors(take(head + row + "\n", "facts"))] == [code]
    assert not Fact.objects.exists()


# --- workbooks --------------------------------------------------------------------------------------------------------


def test_a_workbook_comes_in_as_its_rows() -> None:
    BranchFactory(code="PUR")
    content = workbook(
        ("klantnummer", "soort", "achternaam", "geboortedatum", "vestiging"),
        ('<c r="AT"><v>1000001</v></c>', "lid", "Wit", "14-03-1979", "PUR"),
        ("", "", ""),
        ("2", "lid", "Bos", '<c r="AT" t="d"><v>1980-01-02</v></c>'),
    )
    run = take(content, "customers", "leners.xlsx")
    assert (run.state, errors(run)) == (ImportRun.State.DONE, [])
    people = Customer.objects.order_by("last_name").values_list("number", "birth_date__year")
    assert list(people) == [("2", 1980), ("1000001", 1979)]
    assert run.file.name.endswith(".xlsx")


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ('<c r="AT" t="e"><v>#N/A</v></c>', ""),
        ('<c r="AT" t="b"><v>1</v></c>', "true"),
        ('<c r="AT"><v>12.50</v></c>', "12.5"),
        ('<c r="AT"><f>1+1</f><v>2</v></c>', "2"),
        ('<c r="AT"><v>1e3</v></c>', "1000"),
    ],
)
def test_cells_of_a_workbook_are_text_as_in_a_file(cell: str, found: str) -> None:
    seen = glimpse(io.BytesIO(workbook(("a", "b"), ("x", cell))))
    assert seen.rows == [["x", found]]


@pytest.mark.django_db
def test_a_nul_in_a_workbook_costs_one_row() -> None:
    SourceFactory(code="library")
    file = io.BytesIO(workbook(("code", "naam"), ("A", "a_x0000_b"), ("B", "b")))
    run = upload_import(format="branches", source_code="library", file=file, file_name="x.xlsx", by=None, now=NOW)
    run = run_import(run, now=NOW)
    assert (run.state, run.new_count, run.refused_count) == ("done", 1, 1)
    assert run.errors.values_list("row_number", "code").get() == (2, "nul")


def test_rows_of_a_workbook_count_as_excel_shows_them() -> None:
    run = take(workbook((), ("code", "naam"), ("A", "a"), ("?", "b")), name="x.xlsx")
    assert [(row, code) for row, _column, _value, code in errors(run)] == [(4, "code")]


def test_a_workbook_that_unpacks_to_too_much_is_refused() -> None:
    bomb = workbook(("code", "naam"), extra=bytes(60 * 1024 * 1024))
    assert len(bomb) < 1024 * 1024
    with translation.override("en"), pytest.raises(Refused, match="too large"):
        take(bomb)


def test_no_case_of_this_file_was_forgotten() -> None:
    assert len(SPECTRUM) >= 12
    assert len(CASES) + len(REFUSED) >= 60
    known: set[Any] = {case[0] for case in CASES}
    assert len(known) == len(CASES)
