from __future__ import annotations

import pytest

from common.templatetags.ui import breakable, phone


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+31612345678", "06 12 34 56 78"),
        ("+31299550100", "0299550100"),
        ("+3212345678", "+3212345678"),
        ("0612", "0612"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_telephone_number_is_shown_as_people_write_it(number: str | None, shown: str) -> None:
    assert phone(number) == shown


def test_an_address_breaks_before_its_at_sign_and_stays_text() -> None:
    assert breakable("anna@example.nl") == "anna<wbr>@example.nl"
    assert breakable("<b>@example.nl") == "&lt;b&gt;<wbr>@example.nl"
