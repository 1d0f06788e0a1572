"""Addresses on sheets of self-adhesive labels: 3 by 8 on A4, each 70 by 37 mm, as the stationer sells them.

A long address is printed smaller, and at the smallest its first lines are cut: postal code and city always stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import override

from common.paper import print_html
from mailings.letters import fetch_own

PER_SHEET = 24

#: Points, the usual one first; the template has a class for each.
SIZES = (9.5, 8, 7, 6)
LINE_HEIGHT = 1.25  # of the size
_POINTS = 72 / 25.4  # in a millimetre
WIDTH, HEIGHT = 58 * _POINTS, 27 * _POINTS  # of what a label holds between its edges

Address = Sequence[str]


@dataclass(frozen=True)
class Place:
    """What stands on one label, and in which of the sizes."""

    lines: tuple[str, ...]
    size: int


def print_address_labels(addresses: Sequence[Address], *, skip: int = 0) -> bytes:
    """Return the sheets as one PDF; ``skip`` leaves the first places of the first sheet empty, for one begun before."""
    places = [*([Place((), 0)] * (skip % PER_SHEET)), *map(fitted, addresses)]
    with override(settings.LANGUAGE_CODE):
        html = render_to_string("letter/address_labels.html", {"sheets": list(_sheets(places))})
        return print_html(html, fetch=fetch_own, variant=None)


def fitted(address: Address) -> Place:
    """Return an address in the largest size in which all of it fits; of one that never does the longest lines are cut,
    the last one, with postal code and city, last of all.
    """
    lines = list(address)
    for number, size in enumerate(SIZES):
        if _rows(lines, size) <= _room(size):
            return Place(tuple(lines), number)
    while _rows(lines, SIZES[-1]) > _room(SIZES[-1]):
        at = max(range(len(lines)), key=lambda place: (place < len(lines) - 1) * len(lines[place]) or 1)
        lines[at] = lines[at][:-2].rstrip(" …") + "…"
    return Place(tuple(lines), len(SIZES) - 1)


def _room(size: float) -> int:
    return int(HEIGHT / (size * LINE_HEIGHT))


def _rows(lines: Sequence[str], size: float) -> int:
    """Return how many rows the lines take at most, each going on in the next row where it is too long."""
    return sum(_rows_of(line, WIDTH / size) for line in lines)


def _rows_of(line: str, width: float) -> int:
    """Return the rows of one line in a width in ems: words stay whole, unless one is wider than a row."""
    rows, used = 1, 0.0
    for word in line.split():
        wide = sum(map(_width, word))
        if used and used + wide > width:
            rows, used = rows + 1, 0.0
        rows, used = rows + int(wide / width), used + wide % width + _width(" ")
    return rows


def _width(sign: str) -> float:
    """Return about how wide a sign is, in ems, rather too much than too little."""
    if sign in "MWmw@":
        return 1.0
    if sign in " iljtfIr.,'’-()":
        return 0.42
    return 0.78 if sign.isupper() or ord(sign) > 0x24F else 0.64


def _sheets(places: Sequence[Place]) -> Iterator[Sequence[Place]]:
    for first in range(0, len(places), PER_SHEET):
        yield places[first : first + PER_SHEET]
