"""Where somebody lives, with how many, and how to reach them."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from tests.selections.plain.names import BRANCHES, CITIES, POSTAL_CODES
from tests.selections.plain.texts import plain
from tests.selections.plain.twins import Moment, Params, age, bounds, few, filled, some, twin, within
from tests.selections.plain.world import Row, World


@twin(
    "customer.place",
    filled(cities=some(CITIES, 2).map(", ".join)),
    filled(
        postal_codes=some([*POSTAL_CODES, "1441-1447", "1447 kl"], 2).map(",".join), cities=few(CITIES).map(",".join)
    ),
)
def place(world: World, person: Row, params: Params, at: Moment) -> bool:
    cities = [city.strip().lower() for city in params.get("cities", "").split(",") if city.strip()]
    if plain(person["city"]) in [plain(city) for city in cities]:
        return True
    codes = [code.replace(" ", "").upper() for code in params.get("postal_codes", "").split(",") if code.strip()]
    return any(_lies_in(person["postal_code"], code) for code in codes)


def _lies_in(postal_code: str, wanted: str) -> bool:
    if not postal_code:
        return False
    if "-" in wanted:
        low, high = wanted.split("-")
        return low <= postal_code[:4] <= high
    return postal_code == wanted if len(wanted) == 6 else postal_code[:4] == wanted


@twin("customer.household", bounds(0, 5))
def household(world: World, person: Row, params: Params, at: Moment) -> bool:
    return within(len(at_home(world, person)), params)


def at_home(world: World, person: Row) -> list[Row]:
    """Return who live together with somebody, himself included; those merged into another do not count."""
    home = person["household_id"]
    if home is None:
        return [person]
    return [row for row in world["customers"] if row["household_id"] == home and not row["merged_into_id"]]


@twin("customer.reachable", filled(by=some(["email", "phone", "address"])))
def reachable(world: World, person: Row, params: Params, at: Moment) -> bool:
    ways = {
        "email": primary(world, person, "email") is not None,
        "phone": primary(world, person, "phone") is not None,
        "address": bool(person["street"] and person["postal_code"] and person["city"]),
    }
    return all(ways[way] for way in params["by"])


def primary(world: World, person: Row, channel: str) -> str | None:
    """Return the address at which somebody is reached over a channel."""
    points = [row for row in world.of("contacts", person) if row["channel"] == channel and row["is_primary"]]
    return points[0]["value"] if points else None


@twin("household.children", filled(bounds(0, 3), under=st.integers(1, 30)))
def children(world: World, person: Row, params: Params, at: Moment) -> bool:
    young = [
        row
        for row in at_home(world, person)
        if row["id"] != person["id"]
        and row["birth_date"] is not None
        and row["birth_date"] <= at.today
        and (age(row["birth_date"], at.today) or 0) < params["under"]
        and (row["deceased_on"] is None or row["deceased_on"] > at.today)
    ]
    return within(len(young), params)


def km(one: Row, other: Row) -> float:
    """Return the distance as the crow flies, over a round earth."""
    north, south = math.radians(one["latitude"]), math.radians(other["latitude"])
    east = math.radians(one["longitude"] - other["longitude"])
    angle = math.sin(north) * math.sin(south) + math.cos(north) * math.cos(south) * math.cos(east)
    return 6371.0088 * math.acos(min(1, angle))


def home_of(world: World, person: Row) -> Row | None:
    """Return where somebody lives: of his postal code, or else of its area."""
    places = {row["code"]: row for row in world["places"]}
    code = person["postal_code"]
    return places.get(code) or places.get(code[:4])


_KM = st.sampled_from([0.5, 3, 7.7, 14, 40])


@twin("customer.distance", filled(km=_KM), filled(km=_KM, branch=st.sampled_from(BRANCHES)))
def distance(world: World, person: Row, params: Params, at: Moment) -> bool:
    home, codes = home_of(world, person), world.codes("branches")
    wanted = params.get("branch") or codes.get(person["branch_id"])
    return home is not None and any(
        codes[place["branch_id"]] == wanted and km(home, place) <= params["km"] for place in world["branch_places"]
    )


@twin("customer.nearest_branch", filled(branches=some(BRANCHES)), filled(km=_KM, branches=some(BRANCHES)))
def nearest(world: World, person: Row, params: Params, at: Moment) -> bool:
    home, codes = home_of(world, person), world.codes("branches")
    if home is None:
        return False
    place = min(world["branch_places"], key=lambda place: (km(home, place), place["branch_id"]))
    return codes[place["branch_id"]] in params["branches"] and km(home, place) <= params.get("km", 25)
