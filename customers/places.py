"""How far it is: from postal codes to branches, by places in degrees."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, Exists, F, Field, FloatField, Func, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Left, Length
from django.db.models.lookups import In

from customers.models import Branch, BranchPlace, Customer, PostalPlace
from customers.names import normalise_postal_code

DIAMETER_KM = 12742.0176  # of the earth, as customers_km has it
KM_PER_DEGREE = math.pi * DIAMETER_KM / 360
AREA = 4  # digits of a postal code that stand for an area


@dataclass(frozen=True)
class Place:
    """A place in degrees (WGS 84); ``is_own`` when staff set it, and it does not follow from a postal code."""

    latitude: float
    longitude: float
    is_own: bool = False

    def km_to(self, other: Place) -> float:
        """Return the kilometres as the crow flies (haversine), as the database works them out."""
        lat_a, lat_b = math.radians(self.latitude), math.radians(other.latitude)
        east = math.radians(other.longitude - self.longitude)
        part = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(east / 2) ** 2
        return DIAMETER_KM * math.asin(min(1.0, math.sqrt(part)))


class Km(Func):
    """The kilometres between two places: latitude and longitude of the one, and of the other."""

    function = "customers_km"
    output_field = FloatField()


class InBox(Func):
    """A row with ``latitude`` and ``longitude`` lies in a box of degrees: west, south, east, north."""

    template = "(%(expressions)s)"
    arg_joiner = " <@ "
    output_field = BooleanField()

    def __init__(self, west: float, south: float, east: float, north: float) -> None:
        box = Func(
            _point(Value(west), Value(south)), _point(Value(east), Value(north)), function="box", output_field=Field()
        )
        super().__init__(_point(F("longitude"), F("latitude")), box, output_field=BooleanField())


def _point(longitude: Any, latitude: Any) -> Func:
    return Func(longitude, latitude, function="point", output_field=Field())


def km_from(place: Place) -> Km:
    """Return the distance of a row with ``latitude`` and ``longitude`` to a place."""
    return Km(F("latitude"), F("longitude"), Value(place.latitude), Value(place.longitude))


def branch_places() -> dict[int, Place]:
    """Return where branches lie, by id: as staff set it, else by the postal code; unknown ones are left out."""
    set_by_staff = {row.branch_id: Place(row.latitude, row.longitude, is_own=True) for row in BranchPlace.objects.all()}
    codes = {pk: normalise_postal_code(code) for pk, code in Branch.objects.values_list("pk", "postal_code")}
    by_code = places_of(code for pk, code in codes.items() if pk not in set_by_staff)
    found = {pk: by_code.get(code) or by_code.get(code[:AREA]) for pk, code in codes.items()}
    return {pk: place for pk, place in (found | set_by_staff).items() if place is not None}


def places_of(codes: Iterable[str]) -> dict[str, Place]:
    """Return the places of postal codes and of the areas they lie in, by code."""
    wanted = {part for code in codes if code for part in (code, code[:AREA])}
    rows = PostalPlace.objects.filter(code__in=wanted).values_list("code", "latitude", "longitude")
    return {code: Place(latitude, longitude) for code, latitude, longitude in rows}


def place_of(customer: Customer) -> Place | None:
    """Return where somebody lives, by the postal code or else its area; None when neither is known."""
    found = places_of([customer.postal_code])
    return found.get(customer.postal_code) or found.get(customer.postal_code[:AREA])


def codes_within(place: Place, km: float) -> QuerySet[PostalPlace]:
    """Return the postal codes of which the middle lies within so many kilometres; a box on the index comes first."""
    up = km / KM_PER_DEGREE
    aside = up / max(math.cos(math.radians(min(abs(place.latitude) + up, 89))), 0.01)
    box = InBox(place.longitude - aside, place.latitude - up, place.longitude + aside, place.latitude + up)
    return PostalPlace.objects.filter(box).alias(km=km_from(place)).filter(km__lte=km).order_by()


def has_areas() -> bool:
    """Say whether there are places of areas (1441), and not only of whole postal codes."""
    return PostalPlace.objects.alias(size=Length("code")).filter(size=AREA).exists()


def living_at(places: QuerySet[PostalPlace], *, areas: bool) -> Q:
    """Return the condition that somebody lives at one of these postal codes; with ``areas`` also in one of these areas,
    when the postal code itself has no known place.
    """
    exact = Q(postal_code__in=places.values("code"))
    if not areas:
        return exact
    unknown = ~Exists(PostalPlace.objects.filter(code=OuterRef("postal_code")))
    in_area = Q(In(Left("postal_code", AREA), places.alias(size=Length("code")).filter(size=AREA).values("code")))
    return exact | (Q(unknown) & in_area)
