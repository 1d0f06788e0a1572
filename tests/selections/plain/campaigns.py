"""Who takes part in what, is how far, and got which action."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from tests.selections.plain.mailings import as_list
from tests.selections.plain.names import ACTIONS, CAMPAIGNS, STEPS
from tests.selections.plain.twins import AMSTERDAM, Moment, Params, few, filled, optional, some, twin
from tests.selections.plain.windows import bounds_of, had_happened, windows
from tests.selections.plain.world import Row, World

_IDS = st.sampled_from(CAMPAIGNS) | st.lists(st.sampled_from(CAMPAIGNS), max_size=2, unique=True)
_MEANT = optional(campaign=_IDS)
_ASKED = filled(windows(), _MEANT)


def stays(world: World, person: Row, params: Params) -> list[Row]:
    """Return somebody's stays in the campaigns that are asked about."""
    ids = as_list(params.get("campaign"))
    return [row for row in world.of("enrolments", person) if not ids or row["campaign_id"] in ids]


@twin("campaigns.takes_part", _MEANT)
def takes_part(world: World, person: Row, params: Params, at: Moment) -> bool:
    return any(
        row["entered_on"] <= at.today and (row["left_at"] is None or row["left_at"] > at.now)
        for row in stays(world, person, params)
    )


@twin("campaigns.took_part", _ASKED)
def took_part(world: World, person: Row, params: Params, at: Moment) -> bool:
    start, end = bounds_of(world, params, at)
    if start is not None and start >= end:
        return False
    last = (end if end == at.now else end - dt.timedelta(microseconds=1)).astimezone(AMSTERDAM).date()
    return any(
        row["entered_on"] <= last and (start is None or row["left_at"] is None or row["left_at"] > start)
        for row in stays(world, person, params)
    )


@twin("campaigns.completed", _ASKED)
def completed(world: World, person: Row, params: Params, at: Moment) -> bool:
    return any(
        row["state"] == "completed" and had_happened(world, row["left_at"], params, at)
        for row in stays(world, person, params)
    )


@twin("campaigns.left", filled(_ASKED, optional(reasons=few(["customer", "staff"]))))
def left(world: World, person: Row, params: Params, at: Moment) -> bool:
    return any(
        row["state"] == "left"
        and had_happened(world, row["left_at"], params, at)
        and (not params.get("reasons") or row["left_reason"] in params["reasons"])
        for row in stays(world, person, params)
    )


_STEP = st.lists(st.sampled_from(STEPS), min_size=1, max_size=2, unique=True)


@twin("campaigns.step", filled(windows(), step=_STEP, where=st.sampled_from(["done", "next"])))
def at_step(world: World, person: Row, params: Params, at: Moment) -> bool:
    if params["where"] == "next":
        return any(
            row["next_step_id"] in params["step"] and row["state"] == "active" for row in world.of("enrolments", person)
        )
    ran = {row["id"]: row["ran_at"] for row in world["step_runs"]}
    return any(
        row["step_id"] in params["step"] and had_happened(world, ran[row["run_id"]], params, at)
        for row in world.of("steps_done", person)
    )


@twin("campaigns.received", filled(windows(), action=st.sampled_from(ACTIONS) | some(ACTIONS, 2)))
def received(world: World, person: Row, params: Params, at: Moment) -> bool:
    contents = {row["content_id"] for row in world["actions"] if row["id"] in as_list(params["action"])}
    ours = {row["id"] for row in world["mailings"] if row["content_id"] in contents}
    return any(
        row["mailing_id"] in ours and row["state"] == "sent" and had_happened(world, row["sent_at"], params, at)
        for row in world.of("messages", person)
    )
