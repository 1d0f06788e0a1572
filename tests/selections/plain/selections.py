"""Who is in another selection."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.selections.plain.names import SELECTIONS
from tests.selections.plain.twins import Moment, Params, filled, twin
from tests.selections.plain.world import Row, World


@twin("selections.in", filled(selection=st.sampled_from(SELECTIONS)))
def is_in(world: World, person: Row, params: Params, at: Moment) -> bool:
    from tests.selections.plain.trees import members

    key = params["selection"], at
    if key not in world.memo:
        rule = world.find("selections", params["selection"])["rule"]
        world.memo[key] = members(world, world.json(rule), at)
    return person["id"] in world.memo[key]


@twin("selections.in_set", filled(result_set=st.sampled_from(SELECTIONS[:2])))
def was_in(world: World, person: Row, params: Params, at: Moment) -> bool:
    return any(row["result_set_id"] == params["result_set"] for row in world.of("kept", person))
