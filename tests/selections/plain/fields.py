"""Fields of the customer, the address, contact points, branch and subscriptions."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.selections.plain.homes import primary
from tests.selections.plain.names import CITIES, PAYMENTS, SOURCES, TYPES
from tests.selections.plain.subscriptions import runs
from tests.selections.plain.texts import plain
from tests.selections.plain.twins import Moment, Params, filled, some, twin
from tests.selections.plain.windows import happened, lies_on, windows
from tests.selections.plain.world import Row, World

Held = Callable[[World, Row], Any]


def _branch(world: World, person: Row) -> Row | None:
    return next((row for row in world["branches"] if row["id"] == person["branch_id"]), None)


def _digits(text: str) -> int | None:
    found = re.match(r"\d+", text)
    return int(found[0]) if found else None


TEXT_OPS = ["is", "contains", "starts", "ends", "matches"]
OPPOSITES = {"not": "is", "not_in": "in", **{f"not_{op}": op for op in TEXT_OPS[1:]}, "empty": "filled"}


@st.composite
def _texts(draw: st.DrawFn, words: list[str]) -> Params:
    op = draw(st.sampled_from([*TEXT_OPS, *OPPOSITES, "in", "filled"]))
    if op in ("empty", "filled"):
        return {"op": op}
    if op in ("in", "not_in"):
        return {"op": op, "values": draw(some(words))}
    if op in ("matches", "not_matches"):
        return {"op": op, "value": draw(st.sampled_from(["^[a-k]", "[0-9]{2}", "n$", "a|e.", "^.?o+"]))}
    word = draw(st.sampled_from(words))
    cut = {"contains": word[1:3] or word, "starts": word[:3], "ends": word[-2:]}.get(op.removeprefix("not_"), word)
    return {"op": op, "value": cut}


def _fits(op: str, text: str, params: Params, normal: Callable[[str], str]) -> bool:
    if op == "filled":
        return text != ""
    if op == "matches":
        return re.search(params["value"], text, re.IGNORECASE) is not None
    text = text if normal is not plain else plain(text)
    if op == "in":
        return text in [normal(value) for value in params["values"]]
    value = normal(params["value"])
    return {"is": text == value, "contains": value in text, "starts": text.startswith(value),
            "ends": text.endswith(value)}[op]  # fmt: skip


def _text(code: str, words: list[str], held: Held, normal: Callable[[str], str] = plain) -> None:
    """A text that one has at most one of: a negative question is the opposite of the positive one."""

    @twin(code, _texts(words))
    def answer(world: World, person: Row, params: Params, at: Moment) -> bool:
        text, op = held(world, person), params["op"]
        positive = text is not None and _fits(OPPOSITES.get(op, op), text, params, normal)
        return not positive if op in OPPOSITES else positive


def _column(name: str) -> Held:
    return lambda _world, person: person[name]


def _of_branch(name: str) -> Held:
    return lambda world, person: (_branch(world, person) or {}).get(name)


def _domain(world: World, person: Row) -> str | None:
    email = primary(world, person, "email")
    return None if email is None else [*email.split("@"), ""][1]


_text("customer.number", ["K3", "K14", "K25"], _column("number"), str)
_text("customer.card_number", ["2900", "29001", "29007"], _column("card_number"), str)
_text("customer.initials", ["A.", "B.C.", "É."], _column("initials"))
_text("customer.first_name", ["Anna", "Zoë", "Renée"], _column("first_name"))
_text("customer.name_prefix", ["de", "van der"], _column("name_prefix"))
_text("customer.last_name", ["Jansen", "Müller", "Vos"], _column("last_name"))
_text("customer.street", ["Lindenlaan", "Kade", "Één straat"], _column("street"))
_text("customer.house_number_addition", ["a", "bis"], _column("house_number_addition"))
_text("customer.postal_code", ["1441AB", "1447KL", "1131AA"], _column("postal_code"),
      lambda text: text.replace(" ", "").upper())  # fmt: skip
_text("customer.city", [*CITIES, "Monníckendam"], _column("city"))
_text("customer.email", ["k3@example.nl", "samen@example.nl", "k9@other.org"],
      lambda world, person: primary(world, person, "email"), str.lower)  # fmt: skip
_text("customer.email_domain", ["example.nl", "other.org"], _domain, str.lower)
_text("branch.name", ["Purmerend", "Edam"], _of_branch("name"))
_text("branch.city", ["Purmerend", "Edam"], _of_branch("city"))


@twin(
    "customer.phone",
    filled(op=st.sampled_from(["starts", "not_starts"]), value=st.sampled_from(["+316", "+3161", "+3120"])),
    filled(op=st.sampled_from(["empty", "filled"])),
)
def phone(world: World, person: Row, params: Params, at: Moment) -> bool:
    number = primary(world, person, "phone") or ""
    starts = number.startswith(params.get("value", "")) and number != ""
    return {"starts": starts, "not_starts": not starts, "empty": number == "", "filled": number != ""}[params["op"]]


# --- of subscriptions one may have several: is there one that fits? ---------------------------------------------------

_WHICH = st.sampled_from(["running", "any"])


def _of_subscription(code: str, params: st.SearchStrategy[Params], fits: Callable[..., bool]) -> None:
    @twin(code, st.builds(lambda which, more: {"which": which, **more}, _WHICH, params))
    def answer(world: World, person: Row, params: Params, at: Moment) -> bool:
        return any(
            fits(world, row, params, at)
            for row in world.of("subscriptions", person)
            if params["which"] == "any" or runs(row, at.today)
        )


def _sub_text(column: str, normal: Callable[[str], str]) -> Callable[..., bool]:
    def fits(world: World, row: Row, params: Params, at: Moment) -> bool:
        op = params["op"]
        positive = _fits(OPPOSITES.get(op, op), row[column], params, normal)
        return not positive if op in OPPOSITES else positive

    return fits


_of_subscription("subscription.number", _texts(["A1", "A12", "A100"]), _sub_text("number", str))
_of_subscription("subscription.name", _texts(["Volwassenen", "Jeugd"]), _sub_text("name", plain))


@st.composite
def _numbers(draw: st.DrawFn, most: int) -> Params:
    op = draw(st.sampled_from(
        ["exactly", "not", "less", "at_most", "more", "at_least", "between", "outside", "empty", "filled"]
    ))  # fmt: skip
    if op in ("empty", "filled"):
        return {"op": op}
    low = draw(st.integers(0, most))
    return {"op": op, "number": low} | (
        {"number_to": draw(st.integers(low, most))} if op in ("between", "outside") else {}
    )


def compares(number: float | None, params: Params) -> bool:
    """Whether a number meets a comparison; an unknown one only that of being empty."""
    op, low, high = params["op"], params.get("number", 0), params.get("number_to", 0)
    if number is None or op in ("empty", "filled"):
        return op == ("empty" if number is None else "filled")
    return {
        "exactly": number == low, "not": number != low, "less": number < low, "at_most": number <= low,
        "more": number > low, "at_least": number >= low, "between": low <= number <= high,
        "outside": not low <= number <= high,
    }[op]  # fmt: skip


@twin("customer.house_number", _numbers(40))
def house_number(world: World, person: Row, params: Params, at: Moment) -> bool:
    return compares(_digits(person["house_number"]), params)


_of_subscription(
    "subscription.price", _numbers(9000), lambda _world, row, params, _at: compares(row["price_cents"], params)
)

# --- dates ------------------------------------------------------------------------------------------------------------

_DATES = filled(op=st.sampled_from(["empty", "filled"])) | st.builds(
    lambda op, window: {"op": op, **window},
    st.sampled_from(["within", "outside"]),
    windows().filter(lambda window: window.get("period") != "ever"),
)


def _dated(day: Any, is_within: bool, params: Params) -> bool:
    op = params["op"]
    if op in ("empty", "filled"):
        return (day is None) == (op == "empty")
    return day is not None and is_within == (op == "within")


def _date(code: str, column: str, *, past_only: bool = False) -> None:
    @twin(code, _DATES)
    def answer(world: World, person: Row, params: Params, at: Moment) -> bool:
        day: dt.date | None = person[column]
        if past_only and day is not None and day > at.today:
            day = None
        return _dated(day, lies_on(world, day, params, at), params)


def _moment(code: str, column: str) -> None:
    @twin(code, _DATES)
    def answer(world: World, person: Row, params: Params, at: Moment) -> bool:
        moment: dt.datetime | None = person[column] if person[column] <= at.now else None
        return _dated(moment, happened(world, moment, params, at), params)


_date("customer.birth_date", "birth_date")
_date("customer.registered_on", "registered_on")
_date("customer.deceased_on", "deceased_on", past_only=True)
_moment("customer.created_at", "created_at")
_moment("customer.updated_at", "updated_at")
for _code, _name in (("subscription.started_on", "started_on"), ("subscription.ended_on", "ended_on")):
    _of_subscription(
        _code,
        _DATES,
        lambda world, row, params, at, _name=_name: _dated(row[_name], lies_on(world, row[_name], params, at), params),
    )

# --- one out of a list ------------------------------------------------------------------------------------------------


def _choices(codes: list[str]) -> st.SearchStrategy[Params]:
    return filled(op=st.sampled_from(["any", "none"]), choices=some(codes))


@twin("customer.brought_by", _choices(SOURCES))
def brought_by(world: World, person: Row, params: Params, at: Moment) -> bool:
    return (world.codes("sources")[person["source_id"]] in params["choices"]) == (params["op"] == "any")


for _code, _name, _known in (
    ("subscription.type", "type", TYPES),
    ("subscription.payment_method", "payment_method", PAYMENTS),
):
    _of_subscription(
        _code,
        _choices(_known),
        lambda _world, row, params, _at, _name=_name: (row[_name] in params["choices"]) == (params["op"] == "any"),
    )
