"""Contacts that staff wrote down."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.selections.plain.twins import Moment, Params, filled, twin
from tests.selections.plain.windows import happened, windows
from tests.selections.plain.world import Row, World


@twin("customer.note", filled(windows(), kind=st.sampled_from(["", "call", "visit"])))
def note(world: World, person: Row, params: Params, at: Moment) -> bool:
    return any(
        params["kind"] in ("", row["kind"]) and happened(world, row["happened_at"], params, at)
        for row in world.of("notes", person)
    )
