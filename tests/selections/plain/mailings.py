"""What was sent to somebody or kept from him, and what he did with it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.selections.plain.homes import primary
from tests.selections.plain.names import MAILINGS, PURPOSES
from tests.selections.plain.quality import living
from tests.selections.plain.twins import Moment, Params, few, filled, optional, twin
from tests.selections.plain.windows import had_happened, windows
from tests.selections.plain.world import Row, World

_IDS = st.sampled_from(MAILINGS) | st.lists(st.sampled_from(MAILINGS), max_size=2, unique=True)
_ORIGINS = ["action", "step", "edition"]
_MEANT = optional(
    mailing=_IDS, purpose=few(PURPOSES), origin=few(_ORIGINS), channel=st.sampled_from(["", "email", "post", "sms"])
)
_ASKED = filled(windows(), _MEANT)


def as_list(given: Any) -> list[Any]:
    """Return one value, as rules of old have it, as a list of one."""
    return given if isinstance(given, list) else [] if given in (None, "") else [given]


def is_meant(world: World, params: Params, mailing: Row) -> bool:
    """Whether a mailing is one of those that are asked about."""
    ids, purposes, origins = (as_list(params.get(name)) for name in ("mailing", "purpose", "origin"))
    return (
        (not ids or mailing["id"] in ids)
        and (not purposes or world.codes("purposes")[mailing["purpose_id"]] in purposes)
        and (not origins or mailing["origin"].split(":")[0] in origins)
    )


def about(world: World, table: str, person: Row, params: Params) -> list[Row]:
    """Return somebody's messages, or decisions about him, of the mailings that are asked about."""
    return [
        row
        for row in world.of(table, person)
        if is_meant(world, params, world.find("mailings", row["mailing_id"]))
        and params.get("channel", "") in ("", row["channel"])
    ]


def sent(world: World, person: Row, params: Params, at: Moment) -> list[Row]:
    """Return the messages to somebody that left in the window."""
    return [
        row
        for row in about(world, "messages", person, params)
        if row["state"] == "sent" and had_happened(world, row["sent_at"], params, at)
    ]


@twin(
    "mailings.received",
    filled(_ASKED, optional(times=st.integers(1, 3), clicked=st.sampled_from(["", "yes", "no"]))),
)
def received(world: World, person: Row, params: Params, at: Moment) -> bool:
    followed = {row["message_id"] for row in world["clicks"] if row["clicked_at"] <= at.now}
    wanted = {"": (True, False), "yes": (True,), "no": (False,)}[params.get("clicked", "")]
    found = [row for row in sent(world, person, params, at) if (row["id"] in followed) in wanted]
    return len(found) >= params.get("times", 1)


@twin("mailings.not_received", _ASKED)
def not_received(world: World, person: Row, params: Params, at: Moment) -> bool:
    return not sent(world, person, params, at)


@twin("mailings.opened", _ASKED)
def opened(world: World, person: Row, params: Params, at: Moment) -> bool:
    ours = next(row["id"] for row in world["sources"] if row["code"] == "mailings")
    opens = {
        row["external_id"]
        for row in world.of("facts", person)
        if row["kind"] == "open" and row["source_id"] == ours and had_happened(world, row["occurred_at"], params, at)
    }
    return any(f"open:{row['id']}" in opens for row in about(world, "messages", person, params))


@twin("mailings.clicked", filled(_ASKED, optional(link=st.sampled_from(["", "EXAMPLE", "/b", "%"]))))
def clicked(world: World, person: Row, params: Params, at: Moment) -> bool:
    mine = {row["id"] for row in about(world, "messages", person, params)}
    urls = {row["id"]: row["url"].lower() for row in world["links"]}
    return any(
        row["message_id"] in mine
        and params.get("link", "").lower() in urls[row["link_id"]]
        and had_happened(world, row["clicked_at"], params, at)
        for row in world["clicks"]
    )


@twin("mailings.failed", filled(_ASKED, optional(how=few(["failed", "withdrawn"]))))
def failed(world: World, person: Row, params: Params, at: Moment) -> bool:
    states = params.get("how") or ["failed", "withdrawn"]
    return any(
        row["state"] in states and had_happened(world, row["state_at"], params, at)
        for row in about(world, "messages", person, params)
    )


_REASONS = ["no_permission", "withdrawn", "hold_out", "no_address"]


@twin("mailings.held_back", filled(_ASKED, optional(reasons=few(_REASONS))))
def held_back(world: World, person: Row, params: Params, at: Moment) -> bool:
    return any(
        had_happened(world, row["decided_at"], params, at)
        and (row["outcome"] in params["reasons"] if params.get("reasons") else row["outcome"] != "accepted")
        for row in about(world, "decisions", person, params)
    )


@twin("mailings.hold_out", _ASKED)
def hold_out(world: World, person: Row, params: Params, at: Moment) -> bool:
    return held_back(world, person, {**params, "reasons": ["hold_out"]}, at)


@twin("mailings.unsubscribed", _ASKED)
def unsubscribed(world: World, person: Row, params: Params, at: Moment) -> bool:
    ours = next(row["id"] for row in world["sources"] if row["code"] == "mailings")
    asks = any(as_list(params.get(name)) for name in ("mailing", "purpose", "origin"))
    meant = {str(row["id"]) for row in world["mailings"] if is_meant(world, params, row)}
    return any(
        row["source_id"] == ours
        and row["state"] in ("withdrawn", "objected")
        and "mailing" in world.json(row["evidence"])
        and had_happened(world, row["event_at"], params, at)
        and (not params.get("channel") or row["channel"] == params["channel"])
        and (not asks or str(world.json(row["evidence"])["mailing"]) in meant)
        for row in world.of("consents", person)
    )


@twin("mailings.blocked", filled(reasons=few(["bounce", "complaint", "manual"])))
def blocked(world: World, person: Row, params: Params, at: Moment) -> bool:
    address = primary(world, person, "email")
    return living(person, at) and any(
        row["address"] == address
        and row["released_at"] is None
        and (not params["reasons"] or row["reason"] in params["reasons"])
        for row in world["suppressions"]
    )
