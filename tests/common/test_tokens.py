from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.tokens import BadToken, make_token, read_token


def test_a_token_gives_back_what_was_put_in() -> None:
    assert read_token("mijnmenu", make_token("mijnmenu", [12, 3]), max_age_days=30) == [12, 3]


def test_a_token_of_one_purpose_opens_nothing_else() -> None:
    with pytest.raises(BadToken):
        read_token("unsubscribe", make_token("mijnmenu", [12, 3]))


@given(st.text(max_size=60))
def test_whatever_is_typed_instead_of_a_token_is_refused(text: str) -> None:
    with pytest.raises(BadToken):
        read_token("mijnmenu", text)


def test_a_changed_token_is_refused() -> None:
    token = make_token("mijnmenu", [12, 3])
    swapped = make_token("mijnmenu", [13, 3]).split(":")[0] + token[token.index(":") :]
    with pytest.raises(BadToken):
        read_token("mijnmenu", swapped)
