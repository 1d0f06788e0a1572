"""Addresses on sheets of self-adhesive labels: 3 by 8 on A4, each 70 by 37 mm, as the stationer sells them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import override

from common.paper import print_html
from mailings.fitting import POINTS, Place, Room, fit
from mailings.letters import fetch_own

PER_SHEET = 24

#: Points, the usual one first; the template has a class for each.
SIZES = (9.5, 8, 7, 6)
LABEL = Room(58 * POINTS, 27 * POINTS, SIZES)  # what a label holds between its edges

Address = Sequence[str]


def print_address_labels(addresses: Sequence[Address], *, skip: int = 0) -> bytes:
    """Return the sheets as one PDF; ``skip`` leaves the first places of the first sheet empty, for one begun before."""
    places = [*([Place((), 0)] * (skip % PER_SHEET)), *map(fitted, addresses)]
    with override(settings.LANGUAGE_CODE):
        html = render_to_string("letter/address_labels.html", {"sheets": list(_sheets(places))})
        return print_html(html, fetch=fetch_own, variant=None)


def fitted(address: Address) -> Place:
    """Return an address as it stands on a label."""
    return fit(address, LABEL)


def _sheets(places: Sequence[Place]) -> Iterator[Sequence[Place]]:
    for first in range(0, len(places), PER_SHEET):
        yield places[first : first + PER_SHEET]
