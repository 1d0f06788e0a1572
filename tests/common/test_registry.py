from __future__ import annotations

from dataclasses import dataclass

import pytest

from common.registry import Registry


@dataclass
class Thing:
    code: str


def test_a_code_can_be_taken_once() -> None:
    things: Registry[Thing] = Registry("thing")
    first = things.register(Thing("a"))
    assert things.register(first) is first
    with pytest.raises(ValueError, match="'a' is registered twice"):
        things.register(Thing("a"))
    assert list(things) == [first]
    assert things.get("b") is None
