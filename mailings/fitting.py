"""Addresses in the room there is for them: a label, the window of an envelope. Pure: no query, no clock.

A long address is printed smaller, and at the smallest its longest lines are cut: postal code and city always stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LINE_HEIGHT = 1.25  # of the size
POINTS = 72 / 25.4  # in a millimetre


@dataclass(frozen=True)
class Room:
    """How wide and high it is, in points, and the sizes of letters to choose from, the usual one first."""

    width: float
    height: float
    sizes: tuple[float, ...]


@dataclass(frozen=True)
class Place:
    """What stands there, and in which of the sizes."""

    lines: tuple[str, ...]
    size: int


def fit(address: Sequence[str], room: Room) -> Place:
    """Return an address in the largest size in which all of it fits; of one that never does the longest lines are cut,
    the last one, with postal code and city, last of all.
    """
    lines = list(address)
    for number, size in enumerate(room.sizes):
        if _rows(lines, size, room) <= _most(size, room):
            return Place(tuple(lines), number)
    while _rows(lines, room.sizes[-1], room) > _most(room.sizes[-1], room):
        at = max(range(len(lines)), key=lambda place: (place < len(lines) - 1) * len(lines[place]) or 1)
        lines[at] = lines[at][:-2].rstrip(" …") + "…"
    return Place(tuple(lines), len(room.sizes) - 1)


def _most(size: float, room: Room) -> int:
    return int(room.height / (size * LINE_HEIGHT))


def _rows(lines: Sequence[str], size: float, room: Room) -> int:
    """Return how many rows the lines take at most, each going on in the next row where it is too long."""
    return sum(_rows_of(line, room.width / size) for line in lines)


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
