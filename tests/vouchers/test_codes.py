from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vouchers import codes

canonical = st.integers(0, 2**32).map(lambda _: next(codes.generate(1)))
symbols = st.sampled_from(codes.ALPHABET)


def test_codes_have_eleven_random_symbols_and_a_check_symbol() -> None:
    made = list(codes.generate(1000))
    assert {len(code) for code in made} == {12}
    assert all(code[-1] == codes.check_symbol(code[:-1]) for code in made)
    assert all(codes.is_well_formed(code) for code in made)


def test_as_many_codes_come_out_as_were_asked_and_all_differ() -> None:
    made = list(codes.generate(45_001, chunk=20_000))
    assert len(made) == len(set(made)) == 45_001


def test_no_codes_come_out_when_none_are_asked() -> None:
    assert list(codes.generate(0)) == []


def test_the_alphabet_has_no_symbol_that_is_read_as_another() -> None:
    assert len(set(codes.ALPHABET)) == len(codes.ALPHABET) == 31
    assert not set("ILOSU") & set(codes.ALPHABET)


def test_each_symbol_is_as_likely_as_any_other() -> None:
    counts = Counter("".join(code[:11] for code in codes.generate(60_000)))
    expected = 60_000 * 11 / 31
    squares = sum((counts[symbol] - expected) ** 2 / expected for symbol in codes.ALPHABET)
    assert squares < 100  # chi-square, 30 degrees of freedom: exceeded by chance once in a thousand million runs


def test_bytes_that_would_favour_the_first_symbols_are_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", lambda count: bytes(range(256)) * (count // 256 + 1))
    (code,) = codes._generate_chunk(1)
    assert code[:11] == "0123456789A"
    assert Counter(codes._random_values(248)) == dict.fromkeys(range(31), 8)


@settings(max_examples=200)
@given(code=canonical, place=st.integers(0, 11), symbol=symbols)
def test_one_wrong_symbol_is_always_noticed(code: str, place: int, symbol: str) -> None:
    changed = code[:place] + symbol + code[place + 1 :]
    assert codes.is_well_formed(changed) == (changed == code)


@settings(max_examples=200)
@given(code=canonical, one=st.integers(0, 11), other=st.integers(0, 11))
def test_two_swapped_symbols_are_always_noticed(code: str, one: int, other: int) -> None:
    swapped = list(code)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    assert codes.is_well_formed("".join(swapped)) == ("".join(swapped) == code)


@given(code=canonical)
def test_a_code_is_read_back_from_how_it_is_printed(code: str) -> None:
    assert codes.normalise(codes.group(code)) == code
    assert codes.normalise(f"  {codes.group(code).lower()}\n") == code


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("abcd 2345 efg6", "ABCD2345EFG6"),
        ("ABCD–2345—EFG6", "ABCD2345EFG6"),
        ("oO0iIlL1sS5uUv", "00011111555VVV"),
        ("AB\x00CD\tEF\u00a0", "ABCDEF"),
        ("", ""),
    ],
)
def test_separators_case_and_look_alikes_do_not_matter(typed: str, meant: str) -> None:
    assert codes.normalise(typed) == meant


@pytest.mark.parametrize("text", ["", "A", "ABCD2345EFG", "ABCD2345EFG67", "ABCD2345ÉFG6", "????????????"])
def test_anything_else_is_not_well_formed(text: str) -> None:
    assert not codes.is_well_formed(text)


@given(st.text(max_size=60))
def test_any_text_can_be_normalised_and_judged(text: str) -> None:
    codes.is_well_formed(codes.normalise(text))
