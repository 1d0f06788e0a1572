"""Which vouchers somebody got, holds and used."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.selections.plain.mailings import as_list
from tests.selections.plain.names import BRANCHES, DEFINITIONS
from tests.selections.plain.twins import Moment, Params, few, filled, optional, twin
from tests.selections.plain.windows import had_happened, lies_on, windows
from tests.selections.plain.world import Row, World

_IDS = st.sampled_from(DEFINITIONS) | st.lists(st.sampled_from(DEFINITIONS), max_size=2, unique=True)
_MEANT = optional(definition=_IDS)
_ASKED = filled(windows(), _MEANT)


def mine(world: World, person: Row, params: Params) -> list[Row]:
    """Return somebody's vouchers of the definitions that are asked about."""
    ids = as_list(params.get("definition"))
    return [row for row in world.of("vouchers", person) if not ids or row["definition_id"] in ids]


def standing(world: World, at: Moment) -> list[Row]:
    """Return the redemptions that stood then: not taken back by then."""
    taken_back = {row["redemption_id"] for row in world["reversals"] if row["reversed_at"] <= at.now}
    return [row for row in world["redemptions"] if row["redeemed_at"] <= at.now and row["id"] not in taken_back]


def is_open(world: World, voucher: Row, at: Moment) -> bool:
    """Whether a voucher could be used then."""
    uses = sum(row["voucher_id"] == voucher["id"] for row in standing(world, at))
    return (
        voucher["issued_at"] <= at.now
        and voucher["valid_from"] <= at.today
        and (voucher["valid_until"] is None or voucher["valid_until"] >= at.today)
        and (voucher["blocked_at"] is None or voucher["blocked_at"] > at.now)
        and uses < world.find("definitions", voucher["definition_id"])["uses_per_code"]
    )


@twin("vouchers.open", _MEANT)
def holds(world: World, person: Row, params: Params, at: Moment) -> bool:
    return any(is_open(world, row, at) for row in mine(world, person, params))


@twin("vouchers.expires", _ASKED)
def expires(world: World, person: Row, params: Params, at: Moment) -> bool:
    return any(
        is_open(world, row, at) and lies_on(world, row["valid_until"], params, at)
        for row in mine(world, person, params)
    )


def received(world: World, person: Row, params: Params, at: Moment) -> list[Row]:
    """Return the vouchers that somebody was given in the window."""
    return [row for row in mine(world, person, params) if had_happened(world, row["issued_at"], params, at)]


@twin("vouchers.received", _ASKED)
def was_given(world: World, person: Row, params: Params, at: Moment) -> bool:
    return bool(received(world, person, params, at))


@twin("vouchers.unused", _ASKED)
def unused(world: World, person: Row, params: Params, at: Moment) -> bool:
    given = {row["id"] for row in received(world, person, params, at)}
    return bool(given) and not any(row["voucher_id"] in given for row in standing(world, at))


def used(world: World, person: Row, params: Params, at: Moment) -> list[Row]:
    """Return what somebody redeemed in the window."""
    ids = as_list(params.get("definition"))
    of = {row["id"]: row["definition_id"] for row in world["vouchers"]}
    return [
        row
        for row in standing(world, at)
        if row["customer_id"] == person["id"]
        and (not ids or of[row["voucher_id"]] in ids)
        and had_happened(world, row["redeemed_at"], params, at)
    ]


@twin(
    "vouchers.redeemed",
    filled(
        _ASKED,
        optional(times=st.integers(1, 2), branch=few(BRANCHES), at_least_cents=st.sampled_from([1, 250, 500])),
    ),
)
def redeemed(world: World, person: Row, params: Params, at: Moment) -> bool:
    codes = world.codes("branches")
    found = [
        row
        for row in used(world, person, params, at)
        if row["discount_cents"] >= params.get("at_least_cents", 0)
        and (not params.get("branch") or codes.get(row["branch_id"]) in params["branch"])
    ]
    return len(found) >= params.get("times", 1)


@twin("vouchers.never_redeemed", _ASKED)
def never_redeemed(world: World, person: Row, params: Params, at: Moment) -> bool:
    return not used(world, person, params, at)


@twin("vouchers.refused", filled(_ASKED, optional(reasons=few(["used", "expired"]))))
def refused(world: World, person: Row, params: Params, at: Moment) -> bool:
    ids = {row["id"] for row in mine(world, person, params)}
    return any(
        row["voucher_id"] in ids
        and had_happened(world, row["tried_at"], params, at)
        and (not params.get("reasons") or row["reason"] in params["reasons"])
        for row in world["attempts"]
    )
