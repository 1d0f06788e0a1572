"""Groups and what thins them out, worked out by hand; and random trees of all criteria that have a twin."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from hypothesis import strategies as st

from common.criteria import criteria
from tests.selections.plain.twins import TWINS, Moment, was_known
from tests.selections.plain.values import VALUES, number_of
from tests.selections.plain.world import Row, World

Tree = dict[str, Any]


def members(world: World, node: Tree, at: Moment) -> set[int]:
    """Return the ids of who is meant by a node of a rule; nobody whose data are restricted."""
    everybody = {person["id"] for person in world.people}
    if "criterion" in node:
        twin = TWINS[node["criterion"]]
        return {person["id"] for person in world.people if twin.answer(world, person, node.get("params", {}), at)}
    answers = [members(world, child, at) for child in node.get("children", [])]
    found = {
        "all": everybody.intersection(*answers),
        "any": set().union(*answers),
        "one": {pk for pk in everybody if sum(pk in answer for answer in answers) == 1},
        "none": everybody.difference(*answers),
    }[node["op"]]
    for pick in node.get("picks", []):
        found = _picked(world, found, pick, at)
    return found


def _picked(world: World, found: set[int], pick: Tree, at: Moment) -> set[int]:
    people = [person for person in world.people if person["id"] in found and was_known(person, at)]
    if pick["pick"] == "top":
        worth = [(number_of(world, person, pick["by"], at), person["id"]) for person in people]
        sign = 1 if pick.get("lowest") else -1
        best = sorted((sign * number, pk) for number, pk in worth if number is not None)
        return {pk for _number, pk in best[: pick["size"]]}
    if pick["pick"] == "sample":
        drawn = sorted(people, key=lambda person: (_digest("sample", pick, person), person["id"]))
        return {person["id"] for person in drawn[: pick["size"]]}
    if pick["pick"] == "share":
        first = pick.get("start", 0) / 100
        last = min(first + pick["percent"] / 100, 1)
        return {p["id"] for p in people if first <= int(_digest("share", pick, p)[:7], 16) / 2**28 < last}
    homes: dict[Any, list[Row]] = {}
    for person in people:
        homes.setdefault(person["household_id"] or ("alone", person["id"]), []).append(person)
    return {min(home, key=lambda person: _turn(pick, person))["id"] for home in homes.values()}


def _digest(use: str, pick: Tree, person: Row) -> str:
    return hashlib.md5(f"{use}:{pick.get('seed', 0)}:{person['id']}".encode()).hexdigest()  # noqa: S324 - chance, no secret


def _turn(pick: Tree, person: Row) -> tuple[bool, int, int]:
    keep = pick.get("keep", "oldest")
    day: dt.date | None = person["registered_on" if keep == "longest" else "birth_date"]
    number = 0 if day is None else day.toordinal()
    return day is None, -number if keep == "youngest" else number, person["id"]


def conditions() -> st.SearchStrategy[Tree]:
    """Return any criterion that is registered and has a twin, with what may be filled in."""
    return st.one_of(
        [
            st.fixed_dictionaries({"criterion": st.just(code), "params": twin.params})
            for code, twin in sorted(TWINS.items())
            if code in criteria
        ]
    )


_PICKS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"pick": st.just("sample"), "size": st.integers(1, 25), "seed": st.integers(0, 3)}),
        st.fixed_dictionaries(
            {"pick": st.just("share"), "percent": st.sampled_from([5, 25, 33.3, 50, 100]),
             "start": st.sampled_from([0, 33.3, 50, 75]), "seed": st.integers(0, 3)}
        ),
        st.fixed_dictionaries(
            {"pick": st.just("top"), "size": st.integers(1, 20), "by": st.sampled_from(VALUES), "lowest": st.booleans()}
        ),
        st.fixed_dictionaries(
            {"pick": st.just("household"), "keep": st.sampled_from(["oldest", "youngest", "longest"])}
        ),
    ),
    max_size=2,
)  # fmt: skip


def _groups(children: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    plain = {"op": st.sampled_from(["all", "any", "one", "none"]), "children": st.lists(children, max_size=4)}
    return st.one_of(*[st.fixed_dictionaries(plain)] * 4, st.fixed_dictionaries({**plain, "picks": _PICKS}))


def trees() -> st.SearchStrategy[Tree]:
    """Return rules with groups up to four deep."""
    below = conditions()
    for _depth in range(3):
        below = st.one_of(conditions(), conditions(), _groups(below))
    return _groups(below).map(lambda tree: {"version": 2, **tree})
