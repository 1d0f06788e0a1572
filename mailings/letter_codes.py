"""The code on a letter, by which an envelope that comes back is known: ``P12-345-07``. Pure: no query, no clock.

Pile, number in the pile, and two check digits (as of an IBAN), so that a slip of the keyboard is nobody else's letter.
One that was printed again to another address says which time that was: ``P12-345-R2-41``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_CODE = re.compile(r"P([0-9]{1,9})[^0-9A-Z]+([0-9]{1,5})(?:[^0-9A-Z]+R([0-9]{1,4}))?[^0-9A-Z]+([0-9]{2})")


class LetterCode(NamedTuple):
    """Pile, envelope in it, and the time it was printed again; 0 for the first, and for all to the same address."""

    batch: int
    number: int
    again: int = 0


def letter_code(batch_id: int, number: int, again: int = 0) -> str:
    """Return the code of an envelope."""
    code = LetterCode(batch_id, number, again)
    return f"P{batch_id}-{number}-{f'R{again}-' if again else ''}{_check(code):02d}"


def read_letter_code(text: str) -> LetterCode | None:
    """Return what a code says as it was typed or scanned, whatever stands between; None when it is none."""
    match = _CODE.fullmatch(text.strip().upper())
    if match is None:
        return None
    code = LetterCode(int(match[1]), int(match[2]), int(match[3] or 0))
    return code if int(match[4]) == _check(code) else None


def _check(code: LetterCode) -> int:
    value = code.batch * 100_000 + code.number
    return 98 - (value * 10_000 + code.again if code.again else value) * 100 % 97
