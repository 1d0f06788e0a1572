from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.money import format_cents, parse_cents


@pytest.mark.parametrize(
    ("text", "cents"),
    [("12", 1200), ("12,5", 1250), ("12.50", 1250), ("€ 3,05", 305), ("-2,00", -200), (" 0 ", 0)],
)
def test_amounts_as_people_write_them_are_read(text: str, cents: int) -> None:
    assert parse_cents(text) == cents


@pytest.mark.parametrize("text", ["", "twaalf", "1,234", "1.000,00", "12,", "€", "1e3", "--1"])
def test_what_is_not_an_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        parse_cents(text)


def test_thousands_get_a_point_and_cents_a_comma() -> None:
    assert format_cents(125050) == "€\u00a01.250,50"
    assert format_cents(-5) == "-€\u00a00,05"


@given(st.integers(min_value=-(10**9), max_value=10**9))
def test_every_amount_survives_a_round_trip(cents: int) -> None:
    assert parse_cents(format_cents(cents).replace(".", "").replace("\u00a0", " ")) == cents
