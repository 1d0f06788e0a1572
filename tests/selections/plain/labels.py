"""Who has which label, had, got and lost."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.selections.plain.names import GROUPS, HOW, LABELS
from tests.selections.plain.twins import AMSTERDAM, Moment, Params, bounds, few, filled, optional, some, twin, within
from tests.selections.plain.windows import bounds_of, had_happened, windows
from tests.selections.plain.world import Row, World


def intervals(world: World, person: Row, codes: list[str]) -> list[Row]:
    """Return when somebody had one of these labels."""
    names = world.codes("labels")
    return [row for row in world.of("assignments", person) if names[row["label_id"]] in codes]


def held(world: World, person: Row, codes: list[str], at: Moment) -> list[Row]:
    """Return the intervals of these labels in which the moment lies."""
    return [
        row
        for row in intervals(world, person, codes)
        if row["since"] <= at.now and (row["until"] is None or row["until"] > at.now)
    ]


@twin("labels.has", filled(labels=some([*LABELS, "gone"]), match=st.sampled_from(["any", "all"])))
def has(world: World, person: Row, params: Params, at: Moment) -> bool:
    answers = [bool(held(world, person, [code], at)) for code in params["labels"]]
    return any(answers) if params["match"] == "any" else all(answers)


@twin("labels.not_has", filled(labels=some(LABELS)))
def has_not(world: World, person: Row, params: Params, at: Moment) -> bool:
    return not held(world, person, params["labels"], at)


@twin("labels.had_since", filled(windows(), labels=some(LABELS)))
def had(world: World, person: Row, params: Params, at: Moment) -> bool:
    start, end = bounds_of(world, params, at)
    if start is not None and start > end:
        return False
    return any(
        (row["since"] <= at.now if end == at.now else row["since"] < end)
        and (start is None or row["until"] is None or row["until"] > start)
        for row in intervals(world, person, params["labels"])
    )


@twin("labels.held_for", filled(bounds(0, 500), labels=some(LABELS)))
def held_for(world: World, person: Row, params: Params, at: Moment) -> bool:
    return any(
        within((at.today - row["since"].astimezone(AMSTERDAM).date()).days, params)
        for row in held(world, person, params["labels"], at)
    )


def by_what(how: str, by: str) -> str:
    """Return by what a label was given or taken; rows that do not say it are told by who it was."""
    if how:
        return how
    return by if by in ("system", "customer", "merge") else "import" if by.startswith("import ") else "hand"


@twin("labels.got", filled(windows(), optional(how=few(HOW), first=st.booleans()), labels=some(LABELS)))
def got(world: World, person: Row, params: Params, at: Moment) -> bool:
    for row in intervals(world, person, params["labels"]):
        before = [one for one in world.of("assignments", person)
                  if one["label_id"] == row["label_id"] and one["since"] < row["since"]]  # fmt: skip
        wanted = not params.get("how") or by_what(row["given_how"], row["given_by"]) in params["how"]
        if wanted and had_happened(world, row["since"], params, at) and not (params.get("first") and before):
            return True
    return False


@twin("labels.lost", filled(windows(), optional(how=few(HOW)), labels=some(LABELS)))
def lost(world: World, person: Row, params: Params, at: Moment) -> bool:
    return any(
        had_happened(world, row["until"], params, at)
        and (not params.get("how") or by_what(row["taken_how"], row["taken_by"]) in params["how"])
        for row in intervals(world, person, params["labels"])
        if row["until"] is not None and row["until"] > row["since"]
    )


def _of_group(world: World, code: str) -> list[str]:
    groups = world.codes("groups")
    return [row["code"] for row in world["labels"] if groups.get(row["group_id"]) == code]


_GROUP = st.sampled_from(GROUPS)


@twin("labels.of_group", filled(label_group=_GROUP, match=st.sampled_from(["any", "none"])))
def of_group(world: World, person: Row, params: Params, at: Moment) -> bool:
    found = held(world, person, _of_group(world, params["label_group"]), at)
    return bool(found) == (params["match"] == "any")


@twin(
    "labels.moved",
    filled(windows(), optional(from_labels=few(LABELS), to_labels=few(LABELS)), label_group=_GROUP,
           direction=st.sampled_from(["any", "up", "down"])),
)  # fmt: skip
def moved(world: World, person: Row, params: Params, at: Moment) -> bool:
    codes, ranks = world.codes("labels"), {row["id"]: row["rank"] for row in world["labels"]}
    mine = intervals(world, person, _of_group(world, params["label_group"]))
    for came in mine:
        for left in mine:
            step = ranks[came["label_id"]] - ranks[left["label_id"]]
            if (
                left["until"] == came["since"]
                and left["until"] > left["since"]
                and left["label_id"] != came["label_id"]
                and had_happened(world, came["since"], params, at)
                and (not params.get("from_labels") or codes[left["label_id"]] in params["from_labels"])
                and (not params.get("to_labels") or codes[came["label_id"]] in params["to_labels"])
                and {"any": True, "up": step > 0, "down": step < 0}[params["direction"]]
            ):
                return True
    return False
