from __future__ import annotations

import pytest

from customers.names import national_phone, normalise_phone


@pytest.mark.parametrize(
    ("number", "dialled"),
    [
        ("+31612345678", "06-12345678"),
        ("+31201234567", "020-1234567"),
        ("+31299123456", "0299-123456"),
        ("+31881234567", "088-1234567"),
        ("+31701234567", "070-1234567"),
        ("+3222345678", "+3222345678"),
        ("+31", "+31"),
        ("", ""),
        ("geen", "geen"),
    ],
)
def test_a_number_is_told_as_the_dutch_dial_it(number: str, dialled: str) -> None:
    assert national_phone(number) == dialled


@pytest.mark.parametrize("number", ["+31612345678", "+31201234567", "+31299123456"])
def test_what_is_dialled_leads_back_to_the_number(number: str) -> None:
    assert normalise_phone(national_phone(number)) == number
