"""Coordinates of postal codes, from any provider: to say who lives near which branch."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from customers.imports.formats.base import FORMATS, Check, Column, Format
from customers.imports.writers.coordinates import DEGREES, undo_coordinates, write_coordinates


def degrees(column: str, low: int, high: int) -> Check:
    """Return the check that a cell holds degrees between two, which also finds latitude and longitude swapped."""
    number = f"replace(r.{column}, ',', '.')::float8"
    return Check(
        "degrees",
        f"r.{column} <> '' AND CASE WHEN r.{column} ~ '{DEGREES}' THEN {number} NOT BETWEEN {low} AND {high}"
        " ELSE true END",
    )


COORDINATES = Format(
    code="coordinates",
    name=_("Coordinates of postal codes"),
    columns=[
        Column(
            "postcode",
            _("Dutch postal code, or only its four digits for all of that area."),
            "1441 AB",
            required=True,
            filled=True,
            checks=[
                Check(
                    "postal_area",
                    "r.postcode !~ '^[1-9][0-9]{3}$' AND customers_read_postal_code(r.postcode) IS NULL",
                )
            ],
        ),
        Column(
            "lat", _("Latitude in degrees."), "52.5054", required=True, filled=True, checks=[degrees("lat", 50, 54)]
        ),
        Column("lon", _("Longitude in degrees."), "4.9597", required=True, filled=True, checks=[degrees("lon", 3, 8)]),
    ],
    notes=[
        _("A postal code that stands in several rows lies in the middle of them; a file with all addresses will do."),
        _("Postal codes that are not in the file stay as they are."),
    ],
    write=write_coordinates,
    undo=undo_coordinates,
)
FORMATS.register(COORDINATES)
