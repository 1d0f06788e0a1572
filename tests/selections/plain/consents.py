"""What somebody allows, by the ledger and the grounds that there are while it is silent."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from tests.selections.plain.names import CHANNELS, PURPOSES
from tests.selections.plain.subscriptions import running
from tests.selections.plain.twins import AMSTERDAM, Moment, Params, age, filled, twin
from tests.selections.plain.windows import bounds_of, windows
from tests.selections.plain.world import Row, World


@twin("consents.allowed", filled(purpose=st.sampled_from(PURPOSES), channel=st.sampled_from(CHANNELS)))
def allowed(world: World, person: Row, params: Params, at: Moment) -> bool:
    if person["deceased_on"] is not None and person["deceased_on"] <= at.today:
        return False
    purpose = world.find("purposes", params["purpose"], "code")
    ground = ground_of(world, purpose, params["channel"])
    said = answer(world, person, purpose, params["channel"], at)
    if ground == "none":
        return False
    if ground == "service" and person["kind"] == "member":
        return True
    if said is not None:
        return said == "granted"
    return {
        "consent": False,
        "service": person["kind"] != "prospect",
        "legitimate_interest": person["kind"] in ("member", "former"),
        "customer_relation": person["kind"] == "member"
        and any(row["price_cents"] > 0 for row in running(world, person, at.today)),
    }[ground]


def ground_of(world: World, purpose: Row, channel: str) -> str:
    """Return on what ground a purpose uses a channel; a customer relation only counts once it is confirmed."""
    for row in world["grounds"]:
        if row["purpose_id"] == purpose["id"] and row["channel"] == channel:
            confirmed = all(row[name] for name in ("same_entity", "was_informed", "could_refuse", "own_similar"))
            return "consent" if row["basis"] == "customer_relation" and not confirmed else row["basis"]
    return "consent"


@twin(
    "consents.said",
    filled(
        windows(),
        purpose=st.sampled_from(PURPOSES),
        channel=st.sampled_from(CHANNELS),
        answer=st.sampled_from(["yes", "no", "nothing"]),
    ),
)
def said(world: World, person: Row, params: Params, at: Moment) -> bool:
    purpose = world.find("purposes", params["purpose"], "code")
    found = last_answer(world, person, purpose, params["channel"], at)
    if found is None or params["answer"] == "nothing":
        return found is None and params["answer"] == "nothing"
    start, end = bounds_of(world, params, at)
    in_time = (start is None or found["event_at"] >= start) and (end >= at.now or found["event_at"] < end)
    return in_time and (found["state"] == "granted") == (params["answer"] == "yes")


def answer(world: World, person: Row, purpose: Row, channel: str, at: Moment) -> str | None:
    """Return what was said last by then."""
    found = last_answer(world, person, purpose, channel, at)
    return None if found is None else found["state"]


def last_answer(world: World, person: Row, purpose: Row, channel: str, at: Moment) -> Row | None:
    """Return the last answer by then, of those that were not taken back and were not said by a child alone."""
    rows = [row for row in world["consents"] if row["event_at"] <= at.now]
    taken_back = {row["retracts_id"] for row in rows if row["state"] == "retracted"}
    counted = [
        row
        for row in rows
        if row["customer_id"] == person["id"]
        and row["purpose_id"] == purpose["id"]
        and (row["channel"] == channel or purpose["code"] in ("profiling", "open_tracking"))
        and row["state"] != "retracted"
        and row["id"] not in taken_back
        and not _by_child(row, person, purpose, channel)
    ]
    strictest = {"objected": 2, "withdrawn": 1, "granted": 0}
    return max(counted, key=lambda row: (row["event_at"], strictest[row["state"]]), default=None)


def _by_child(row: Row, person: Row, purpose: Row, channel: str) -> bool:
    """A yes of somebody under 16 is worth nothing where a parent must give it: all but service and paper."""
    if purpose["rule"] == "service" or channel == "post" or row["state"] != "granted" or row["guardian_id"]:
        return False
    day: dt.date = row["event_at"].astimezone(AMSTERDAM).date()
    years = age(person["birth_date"], day)
    return years is not None and years < 16
