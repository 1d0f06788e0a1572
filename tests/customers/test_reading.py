"""Files of every make: what can be read is read, what cannot is refused with words that help."""

from __future__ import annotations

import io
import random
import tracemalloc
from pathlib import Path

import pytest
from django.utils import translation

from common.errors import Refused
from customers.imports.formats import FORMATS
from customers.imports.reading import LONGEST_LINE, Dialect, Problem, examine, read_pieces, read_rows

BRANCHES = FORMATS["branches"]
HEADER = "code;naam;plaats"


def read(content: str | bytes) -> tuple[list[tuple[int, list[str]]], list[tuple[int, str]]]:
    """Return (rows, damaged rows with their code)."""
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    problems: list[Problem] = []
    dialect = examine(file, BRANCHES)
    rows = list(read_rows(file, dialect, problems.append))
    return rows, [(problem.row_number, problem.code) for problem in problems]


def refusal(content: str | bytes) -> str:
    with pytest.raises(Refused) as refused, translation.override("en"):
        read(content)
    assert refused.value.field == "file"
    with translation.override("en"):
        return str(refused.value)


GOOD = [(2, ["PUR", "Purmerend", "Purmerend"]), (3, ["EDA", "Café Édam", "Edam"])]
LINES = [HEADER, "PUR;Purmerend;Purmerend", "EDA;Café Édam;Edam", ""]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_encoding_and_line_ending_gives_the_same_rows(encoding: str, ending: str) -> None:
    assert read(ending.join(LINES).encode(encoding)) == (GOOD, [])


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_every_delimiter_gives_the_same_rows(delimiter: str) -> None:
    assert read("\n".join(LINES).replace(";", delimiter)) == (GOOD, [])


def test_mixed_line_endings_give_the_same_rows() -> None:
    assert read(f"{HEADER}\r\nPUR;Purmerend;Purmerend\rEDA;Café Édam;Edam\n") == (GOOD, [])


def test_a_last_line_without_ending_counts() -> None:
    assert read("\n".join(LINES).rstrip()) == (GOOD, [])


def test_columns_may_stand_in_any_order_and_in_capitals() -> None:
    rows, problems = read("Plaats ; NAAM;code\nEdam;Café;EDA\n")
    assert rows == [(2, ["EDA", "Café", "Edam"])]
    assert problems == []


def test_quotes_may_hold_delimiters_quotes_and_line_breaks() -> None:
    rows, problems = read(f'{HEADER}\n"A";"Aan de ""Dijk""";"Edam; oost"\nB;"twee\nregels";Edam\nC;c;c\n')
    assert rows == [
        (2, ["A", 'Aan de "Dijk"', "Edam; oost"]),
        (3, ["B", "twee\nregels", "Edam"]),
        (4, ["C", "c", "c"]),
    ]
    assert problems == []


def test_a_quote_within_a_cell_is_a_character_like_any_other() -> None:
    assert read(f'{HEADER}\nA;scherm 5" breed;Edam\n') == ([(2, ["A", 'scherm 5" breed', "Edam"])], [])


def test_a_lone_quote_costs_one_row_and_not_the_rest() -> None:
    rows, problems = read(f'{HEADER}\nA;"open;Edam\nB;b;b\nC;c;c\n')
    assert problems == [(2, "quote")]
    assert rows == [(3, ["B", "b", "b"]), (4, ["C", "c", "c"])]


def test_two_lone_quotes_do_not_swallow_what_is_between_them() -> None:
    rows, problems = read(f'{HEADER}\nA;"open;Edam\nB;b;b\nC;"c;c\nD;d;d\n')
    assert problems == [(2, "quote"), (4, "quote")]
    assert [number for number, _cells in rows] == [3, 5]


def test_text_behind_a_closing_quote_costs_that_row() -> None:
    assert read(f'{HEADER}\nA;"b" c;d\nB;b;b\n') == ([(3, ["B", "b", "b"])], [(2, "quote")])


def test_a_row_with_another_number_of_cells_is_refused() -> None:
    rows, problems = read(f"{HEADER}\nA;a\nB;b;b;b\nC;c;c\n")
    assert problems == [(2, "cells"), (3, "cells")]
    assert rows == [(4, ["C", "c", "c"])]


def test_separators_behind_the_last_cell_do_no_harm() -> None:
    assert read("code;naam;plaats;;\nA;a;a;;\nB;b;b\n") == ([(2, ["A", "a", "a"]), (3, ["B", "b", "b"])], [])


def test_empty_rows_are_passed_over_but_numbered() -> None:
    rows, problems = read(f"\n{HEADER}\n\nA;a;a\n;;\n   \nB;b;b\n")
    assert rows == [(4, ["A", "a", "a"]), (7, ["B", "b", "b"])]
    assert problems == []


def test_spaces_around_cells_fall_away() -> None:
    assert read(f"{HEADER}\n A ;\u00a0a ; a\t\n") == ([(2, ["A", "a", "a"])], [])


def test_a_nul_costs_one_row() -> None:
    assert read(f"{HEADER}\nA;a\0;a\nB;b;b\n") == ([(3, ["B", "b", "b"])], [(2, "nul")])


def test_one_badly_encoded_row_among_good_ones_costs_one_row() -> None:
    content = "\n".join([*LINES[:3], "MON;Mönch;Edam", "BRO;"]).encode() + "Brök;x\n".encode("cp1252")
    rows, problems = read(content)
    assert problems == [(5, "encoding")]
    assert [number for number, _cells in rows] == [2, 3, 4]


def test_a_row_of_megabytes_is_refused_and_the_next_one_read() -> None:
    assert read(f"{HEADER}\nA;{'x' * (LONGEST_LINE * 30)};a\nB;b;b\n") == ([(3, ["B", "b", "b"])], [(2, "long")])


def test_the_first_line_that_excel_writes_is_passed_over() -> None:
    assert read(f"sep=;\n{HEADER}\nA;a;a\n") == ([(3, ["A", "a", "a"])], [])


@pytest.mark.parametrize("content", ["", "\n\n  \n", "\ufeff"])
def test_an_empty_file_is_refused(content: str) -> None:
    assert "empty" in refusal(content)


def test_a_missing_column_is_named_with_what_is_accepted() -> None:
    words = refusal("code;plaats\nA;a\n")
    assert "missing: naam." in words
    assert ", ".join(BRANCHES.names) in words


def test_a_file_of_another_format_is_recognised() -> None:
    assert "looks like a file of: Customers." in refusal("klantnummer;soort;achternaam\n1;lid;x\n")
    assert "looks like" not in refusal("code;plaats\nA;a\n")


def test_an_unknown_column_is_named() -> None:
    assert "not known: opmerking." in refusal("code;naam;opmerking\nA;a;a\n")


def test_a_column_that_stands_there_twice_is_named() -> None:
    assert "twice: naam." in refusal("code;naam;naam\nA;a;a\n")


@pytest.mark.parametrize("content", ["hallo wereld\ndag\n", "1|2|3\nA|a|a\n", "<html><body>inlog</body></html>"])
def test_a_text_without_our_header_is_refused(content: str) -> None:
    assert "not the header" in refusal(content)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"PK\x03\x04\x14\0\x06\0[Content_Types].xml", "Excel file"),  # a workbook that breaks off
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel file"),
        (b"%PDF-1.7\n", "not a text file"),
        (bytes(range(256)) * 10, "not a text file"),
    ],
)
def test_what_is_no_text_is_refused(head: bytes, words: str) -> None:
    assert words in refusal(head)


def test_quoted_quotes_and_line_breaks_are_read_to_the_letter(tmp_path: Path) -> None:
    file = tmp_path / "vestigingen.csv"
    file.write_bytes('\ufeff"code","naam","plaats"\r\n"A","""Aan""\n""Zee""","x,y"\r\n"B","",""\r\n'.encode())
    with file.open("rb") as opened:
        dialect = examine(opened, BRANCHES)
        rows = list(read_rows(opened, dialect, lambda problem: pytest.fail(problem.code)))
    assert rows == [(2, ["A", '"Aan"\n"Zee"', "x,y"]), (3, ["B", "", ""])]


def test_a_long_file_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    file = tmp_path / "vestigingen.csv"
    with file.open("w") as lines:
        lines.write(f"{HEADER}\n")
        lines.writelines(f"V{number};{'naam ' * 20};Edam\n" for number in range(40_000))
    problems: list[Problem] = []
    tracemalloc.start()
    with file.open("rb") as opened:
        count = sum(1 for _row in read_rows(opened, examine(opened, BRANCHES), problems.append))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 40_000
    assert file.stat().st_size > 4_000_000
    assert peak < 1_000_000


Piece = tuple[int, dict[str, str]]


def by_block_and_by_row(text: str, dialect: Dialect) -> tuple[list[Piece], list[Piece], list[list[Problem]], int]:
    """Read a text both ways; return the rows of both, the problems of both, and how many rows came in blocks."""
    found: list[list[Piece]] = []
    problems: list[list[Problem]] = [[], []]
    blocked = 0
    for in_blocks in (True, False):
        rows: list[Piece] = []
        told = problems[not in_blocks].append
        for piece in read_pieces(io.BytesIO(text.encode()), dialect, told, in_blocks=in_blocks):
            if isinstance(piece, str):
                lines = [line.split("\t") for line in piece.splitlines()]
                rows += [(int(line[0]), dict(zip(dialect.in_order, line[1:], strict=True))) for line in lines]
                blocked += len(lines)
            else:
                cells = dict(zip(dialect.positions, piece[1], strict=True))
                words = {name: dialect.words.get(name, {}) for name in cells}
                rows.append((piece[0], {name: words[name].get(text.lower(), text) for name, text in cells.items()}))
        found.append(rows)
    return found[0], found[1], problems, blocked


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize(
    ("positions", "words"),
    [
        ({"code": 0, "naam": 1, "plaats": 2}, {}),
        ({"naam": 2, "code": 0}, {}),
        ({"code": 1, "naam": 0, "plaats": 2}, {"naam": {"a": "Anja", "": "niets"}}),
    ],
)
def test_reading_in_blocks_and_row_by_row_is_the_same(
    monkeypatch: pytest.MonkeyPatch, delimiter: str, positions: dict[str, int], words: dict[str, dict[str, str]]
) -> None:
    monkeypatch.setattr("customers.imports.reading.records.BLOCK", 64)  # so that short files have edges of blocks
    chance = random.Random(7)
    cells = ["a", "Bo", "é", "", "1 2", '"a"', '"a;b"', '"a,b"', '"x""y"', '""', '" a"', '"a\tb"', '"Jan"']
    odd = [
        '" a"',
        '"a\tb"',
        '"',
        'a"b',
        ' "a"',
        '"a" ',
        '"a"b',
        "a ",
        "\\N",
        '"a\nb"',
        "\0",
        "\ufffd",
        "\u200b",
        '"a\n\nb;c"',
        "\x1f",
    ]
    in_blocks = 0
    for _file in range(300):
        lines = ["x" + delimiter * 2]
        for _row in range(chance.randrange(1, 40)):
            row = [chance.choice(odd if chance.random() < 0.01 else cells) for _cell in range(3)]
            lines.append(chance.choice(("", "a", delimiter)) if chance.random() < 0.01 else delimiter.join(row))
        dialect = Dialect("utf-8-sig", delimiter, 3, positions, 1, {}, words)
        text = "\n".join(lines) + chance.choice(("", "\n"))
        blocks, rows, problems, blocked = by_block_and_by_row(text, dialect)
        assert blocks == rows, text
        assert problems[0] == problems[1], text
        in_blocks += blocked
    assert in_blocks > 200
