"""How the shift matrix is told: the names of places, the signs of directions, the lines of its chart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labels.shifts import NEW, NONE, Matrix, Move, Scale
from labels.shifts.scale import Direction

#: Direction -> its sign and what it means; colours come with the class of the same name.
SIGNS: Mapping[Direction, tuple[str, Any]] = {
    "up": ("▲", gettext_lazy("up")),
    "down": ("▼", gettext_lazy("down")),
    "aside": ("◆", gettext_lazy("to another label")),
    "in": ("+", gettext_lazy("got a label")),
    "out": ("−", gettext_lazy("has no label any more")),
    "same": ("", gettext_lazy("unchanged")),
}
LINES = 6  # lines in the chart of the course; more cannot be told apart

Course = Mapping[tuple[int, int], Mapping[dt.date, int]]


@dataclass(frozen=True)
class Way:
    """A direction as pages show it."""

    direction: Direction

    @property
    def sign(self) -> str:
        return SIGNS[self.direction][0]

    @property
    def words(self) -> str:
        return str(SIGNS[self.direction][1])


@dataclass(frozen=True)
class Cell:
    """A cell as the page shows it; ``share`` of its row in per cent, ``query`` names it in an address."""

    was: str
    became: str
    many: int
    share: float
    way: Way
    query: str


def name_of(scale: Scale, place: int) -> str:
    """Return a place by name, in the active language."""
    return str(scale.label(place) or {NONE: _("no label"), NEW: _("no customer yet")}[place])


def lines_of(found: Matrix) -> list[dict[str, Any]]:
    """Return the rows of the matrix, each with its cells, its total and its share of all."""
    return [
        {
            "name": name_of(found.scale, was),
            "label": found.scale.label(was),
            "cells": [cell_of(found, was, became) for became in found.columns],
            "many": found.of_row(was),
            "share": _share(found.of_row(was), found.total),
        }
        for was in found.rows
    ]


def feet_of(found: Matrix) -> list[dict[str, Any]]:
    """Return the totals of the columns, with their share of all and how they differ from the first day."""
    return [
        {
            "many": found.of_column(place),
            "share": _share(found.of_column(place), found.total),
            "change": found.of_column(place) - found.of_row(place),
        }
        for place in found.columns
    ]


def cell_of(found: Matrix, was: int, became: int) -> Cell:
    """Return one cell with its names."""
    scale, many = found.scale, found.many(was, became)
    return Cell(
        name_of(scale, was),
        name_of(scale, became),
        many,
        _share(many, found.of_row(was)),
        Way(scale.direction(was, became)),
        f"was={scale.code(was)}&became={scale.code(became)}",
    )


def told(move: Move) -> dict[str, Any]:
    """Return a move as pages show it."""
    return {
        "at": move.at,
        "was": name_of(move.scale, move.was),
        "became": name_of(move.scale, move.became),
        "way": Way(move.direction),
        "words": move.words,
    }


def chart_of(scale: Scale, course: Course, *, first: dt.date, last: dt.date) -> dict[str, Any]:
    """Return the moves per week as data of a chart: a line for each of the cells with most of them."""
    monday = first + dt.timedelta(days=1)
    monday -= dt.timedelta(days=monday.weekday())
    weeks = [monday + dt.timedelta(weeks=number) for number in range((last - monday).days // 7 + 1)]
    most = sorted(course, key=lambda cell: (-sum(course[cell].values()), cell))[:LINES]
    return {
        "labels": [date_format(week, "j b Y") for week in weeks],
        "datasets": [
            {"label": move_words(scale, cell), "data": [course[cell].get(week, 0) for week in weeks]} for cell in most
        ],
    }


def move_words(scale: Scale, cell: tuple[int, int]) -> str:
    """Return a move in one line: "Prospect → One-time"."""
    return f"{name_of(scale, cell[0])} → {name_of(scale, cell[1])}"


def _share(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
