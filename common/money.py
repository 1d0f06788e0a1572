"""Money is integer euro cents everywhere; these two functions are the only way in and out."""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"^(?P<sign>-?)(?:€\s*)?(?P<euros>\d{1,9})(?:[.,](?P<cents>\d{1,2}))?$")


def format_cents(cents: int) -> str:
    """Return cents as Dutch euros: ``125050`` becomes ``€ 1.250,50``."""
    sign, cents = ("-" if cents < 0 else ""), abs(cents)
    euros = f"{cents // 100:,}".replace(",", ".")
    return f"{sign}€\u00a0{euros},{cents % 100:02d}"


def parse_cents(text: str) -> int:
    """Read ``12``, ``12,5``, ``12.50`` or ``€ 12,50`` as cents; raises ValueError on anything else."""
    match = _AMOUNT.match(text.strip())
    if not match:
        raise ValueError(text)
    cents = int(match["euros"]) * 100 + int((match["cents"] or "0").ljust(2, "0"))
    return -cents if match["sign"] else cents
