from __future__ import annotations

import datetime as dt
import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from xml.etree import ElementTree as ET

from common.workbooks import workbook_chunks

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def opened(rows: list[list[object]], *, sheet: str = "Lijst", is_huge: bool = False) -> tuple[ET.Element, str]:
    data = b"".join(workbook_chunks(rows, sheet=sheet, is_huge=is_huge))
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert package.testzip() is None
        for name in package.namelist():
            ET.fromstring(package.read(name))  # noqa: S314 - made by ourselves
        workbook = package.read("xl/workbook.xml").decode()
        return ET.fromstring(package.read("xl/worksheets/sheet1.xml")), workbook  # noqa: S314


def cells(rows: list[list[object]]) -> list[tuple[str | None, str | None, str]]:
    """Kind, style and text of each cell of the second row."""
    sheet, _workbook = opened([["kop"], *rows])
    row = list(sheet.iter(f"{SHEET}row"))[1]
    return [(cell.get("t"), cell.get("s"), "".join(cell.itertext())) for cell in row]


def test_each_kind_of_value_becomes_the_cell_it_is() -> None:
    values: list[object] = ["=1+1", 7, Decimal("12.50"), dt.date(1980, 3, 14), None, "", True]
    assert cells([values]) == [
        ("inlineStr", None, "=1+1"),
        (None, None, "7"),
        (None, None, "12.50"),
        (None, "2", "29294"),
        (None, None, ""),
        (None, None, ""),
        ("inlineStr", None, "True"),
    ]


def test_text_that_xml_cannot_hold_is_left_out_and_the_rest_kept() -> None:
    assert cells([["  a\x00\x0b<b>&\ufffe\U0001f4da "]]) == [("inlineStr", None, "  a<b>&\U0001f4da ")]


def test_a_day_that_excel_does_not_know_is_text() -> None:
    assert cells([[dt.date(1899, 5, 1)]]) == [("inlineStr", None, "1899-05-01")]


def test_a_name_that_a_sheet_may_not_have_is_made_one() -> None:
    _sheet, workbook = opened([["kop"]], sheet="In “Leden” & [meer]: " + "x" * 40)
    name = ET.fromstring(workbook).find(f".//{SHEET}sheet")  # noqa: S314
    assert name is not None
    assert name.get("name", "").startswith("In “Leden” &  meer")
    assert len(name.get("name", "")) <= 31
    assert 'name="1"' in opened([["kop"]], sheet="??")[1]


def test_a_huge_sheet_is_a_whole_file_too() -> None:
    sheet, _workbook = opened([["kop"], ["een"]], is_huge=True)
    assert len(list(sheet.iter(f"{SHEET}row"))) == 2


def test_many_rows_cost_no_memory() -> None:
    def rows() -> Iterator[list[object]]:
        for number in range(60_000):
            yield [number, "Wilhelmina-Antoinette van den Oudenhuijsen", "1131AB"]

    tracemalloc.start()
    written = sum(len(chunk) for chunk in workbook_chunks(rows(), sheet="Lijst"))
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert written > 100_000
    assert most < 3_000_000
