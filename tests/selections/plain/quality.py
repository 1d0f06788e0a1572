"""What is wrong with the data of somebody."""

from __future__ import annotations

import datetime as dt
import re

from hypothesis import strategies as st

from tests.selections.plain.homes import primary
from tests.selections.plain.names import SOURCES
from tests.selections.plain.subscriptions import running
from tests.selections.plain.twins import Moment, Params, age, few, filled, optional, some, twin, years_back
from tests.selections.plain.world import Row, World


def living(person: Row, at: Moment) -> bool:
    """Whether something could still be done about him then."""
    return person["deceased_on"] is None or person["deceased_on"] > at.today


@twin(
    "quality.missing",
    filled(fields=some(["email", "phone", "birth_date", "address", "postal_code", "branch", "name"])),
)
def missing(world: World, person: Row, params: Params, at: Moment) -> bool:
    lacks = {
        "email": primary(world, person, "email") is None,
        "phone": primary(world, person, "phone") is None,
        "birth_date": person["birth_date"] is None,
        "address": not (person["street"] and person["house_number"] and person["city"]),
        "postal_code": person["postal_code"] == "",
        "branch": person["branch_id"] is None,
        "name": person["last_name"] == "",
    }
    return living(person, at) and any(lacks[field] for field in params["fields"])


@twin("quality.invalid", filled(fields=some(["email", "phone", "postal_code", "birth_date"])))
def invalid(world: World, person: Row, params: Params, at: Moment) -> bool:
    email, phone = primary(world, person, "email"), primary(world, person, "phone")
    code, born = person["postal_code"], person["birth_date"]
    wrong = {
        "email": email is not None and not re.fullmatch(r"[a-z0-9._+-]+@([a-z0-9-]+\.)+[a-z]{2,}", email),
        "phone": phone is not None and not re.fullmatch(r"\+31[1-9]\d{8}", phone),
        "postal_code": code != "" and not re.fullmatch(r"[1-9]\d{3}(?!SA|SD|SS)[A-Z]{2}", code),
        "birth_date": born is not None and (born > at.today or born < years_back(at.today, 110)),
    }
    return living(person, at) and any(wrong[field] for field in params["fields"])


@twin("quality.double", filled(what=st.sampled_from(["pair", "email", "phone"])))
def double(world: World, person: Row, params: Params, at: Moment) -> bool:
    if not living(person, at):
        return False
    present = {row["id"] for row in world["customers"] if not row["merged_into_id"]}
    if params["what"] == "pair":
        pairs = [(row["first_id"], row["second_id"]) for row in world["pairs"] if row["state"] == "open"]
        return any(person["id"] in pair and present.issuperset(pair) for pair in pairs)
    points = [row for row in world["contacts"] if row["channel"] == params["what"] and row["customer_id"] in present]
    mine = {row["value"] for row in points if row["customer_id"] == person["id"]}
    return any(row["value"] in mine for row in points if row["customer_id"] != person["id"])


@twin("quality.stale", filled(years=st.integers(1, 5)))
def stale(world: World, person: Row, params: Params, at: Moment) -> bool:
    day = years_back(at.today, params["years"])
    clock = at.now.timetz().replace(tzinfo=None)
    since = dt.datetime.combine(day, clock, tzinfo=at.now.tzinfo)
    heard = (
        any(since <= row["occurred_at"] < at.now for row in world.of("facts", person))
        or bool(running(world, person, at.today))
        or any(since <= row["event_at"] <= at.now for row in world.of("consents", person))
        or any(since <= row["changed_at"] <= at.now for row in world.of("changes", person))
    )
    registered = person["registered_on"]
    older = person["created_at"] < since if registered is None else registered < day
    return living(person, at) and older and not heard


@twin("quality.deceased")
def deceased(world: World, person: Row, params: Params, at: Moment) -> bool:
    return person["deceased_on"] is not None and person["deceased_on"] <= at.today


@twin("quality.post", filled(states=some(["moved", "returned"])))
def post(world: World, person: Row, params: Params, at: Moment) -> bool:
    return living(person, at) and person["address_state"] in params["states"]


@twin("quality.unguarded")
def unguarded(world: World, person: Row, params: Params, at: Moment) -> bool:
    years = age(person["birth_date"], at.today)
    merged = {row["id"] for row in world["customers"] if row["merged_into_id"]}
    parents = [
        row
        for row in world["guardianships"]
        if row["child_id"] == person["id"] and row["guardian_id"] not in merged and row["created_at"] <= at.now
    ]
    return living(person, at) and years is not None and years < 16 and not parents


@twin("quality.wordless")
def wordless(world: World, person: Row, params: Params, at: Moment) -> bool:
    rows = [row for row in world["consents"] if row["event_at"] <= at.now]
    taken_back = {row["retracts_id"] for row in rows if row["retracts_id"]}
    return living(person, at) and any(
        row["customer_id"] == person["id"]
        and row["state"] == "granted"
        and row["wording_version"] == ""
        and row["id"] not in taken_back
        for row in rows
    )


@twin("quality.absent", filled(sources=few(SOURCES)))
def absent(world: World, person: Row, params: Params, at: Moment) -> bool:
    codes = world.codes("sources")
    since = {row["record_id"]: row["since"] for row in world["absences"]}
    return living(person, at) and any(
        record["id"] in since
        and since[record["id"]] <= at.now
        and (not params["sources"] or codes[record["source_id"]] in params["sources"])
        for record in world.of("records", person)
    )


@twin("customer.source", filled(optional(op=st.sampled_from(["any", "none"])), sources=some(SOURCES)))
def known_by(world: World, person: Row, params: Params, at: Moment) -> bool:
    codes = world.codes("sources")
    found = any(
        codes[record["source_id"]] in params["sources"] and record["created_at"] <= at.now
        for record in world.of("records", person)
    )
    return found == (params.get("op", "any") == "any")
