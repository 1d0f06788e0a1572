"""The audience language: a tree of groups (ALL / ANY / ONE / NONE) over criteria, kept as versioned JSON.

``{"version": 2, "op": "all", "children": [{"criterion": "customer.kind", "params": {"kinds": ["member"]}},
…]}``

Empty groups mean what logic says: ALL of nothing and NONE of nothing is everybody, ANY or ONE of nothing is nobody.
A group may be thinned out by picks, one after the other: ``"picks": [{"pick": "sample", "size": 500, "seed": 7}]``.
This module is pure: it runs no query and reads no clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, cast

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, TypeAdapter, ValidationError

from common.criteria import Params, criteria
from common.errors import Refused
from common.faults import words_of
from common.values import values

VERSION = 2
READ = (1, 2)  # version 1 had no picks, and is otherwise the same
MAX_DEPTH = 6  # groups inside groups; deeper trees nobody can read back
MAX_NODES = 100
MAX_VALUES = 1000  # in one list
MAX_PICKS = 4  # on one group
MAX_TEXT = 500
MAX_NUMBER = 10**9  # fits every integer column, and ten million euros in cents

Path = tuple[int, ...]


class Op(TextChoices):
    """How a group combines its children."""

    ALL = "all", gettext_lazy("all of these")
    ANY = "any", gettext_lazy("at least one of these")
    ONE = "one", gettext_lazy("exactly one of these")
    NONE = "none", gettext_lazy("none of these")

    @property
    def is_of_some(self) -> bool:
        """Whether something has to hold: of nothing it is nobody."""
        return self in (Op.ANY, Op.ONE)


class Sample(BaseModel):
    """So many at random; the same ones for the same seed, as long as they are in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pick: Literal["sample"] = "sample"
    size: int = Field(ge=1, le=10_000_000)
    seed: int = Field(default=0, ge=0, le=MAX_NUMBER)


class Share(BaseModel):
    """A fixed share: everybody has a place from 0 to 100 by chance, which stays; who lies from ``start`` for
    ``percent`` is in, so two shares of one seed that do not overlap share nobody.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pick: Literal["share"] = "share"
    percent: float = Field(gt=0, le=100)
    start: float = Field(default=0, ge=0, lt=100)
    seed: int = Field(default=0, ge=0, le=MAX_NUMBER)


class Top(BaseModel):
    """The so many with the highest (or lowest) value, one of ``common.values``; of whom it is unknown never.
    Among equals the customer known longest goes first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pick: Literal["top"] = "top"
    size: int = Field(ge=1, le=10_000_000)
    by: str = Field(max_length=60)
    lowest: bool = False


class OnePerHousehold(BaseModel):
    """One of each household: the oldest, the youngest (by birth date, unknown last) or the one known longest. Who has
    no household is his own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pick: Literal["household"] = "household"
    keep: Literal["oldest", "youngest", "longest"] = "oldest"


Pick = Annotated[Sample | Share | Top | OnePerHousehold, Field(discriminator="pick")]
_PICK: TypeAdapter[Pick] = TypeAdapter(Pick)


class Condition(BaseModel):
    """One criterion with what was filled in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    criterion: str
    params: SerializeAsAny[Params]


class Group(BaseModel):
    """Children combined by ``op``, then thinned out by ``picks`` in their order; the root of a rule is a group."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    op: Op
    children: tuple[Condition | Group, ...] = ()
    picks: tuple[Pick, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the rule as it is stored, version first."""
        return {"version": VERSION, **_without_empty_picks(self.model_dump(mode="json", exclude_none=True))}


def _without_empty_picks(node: dict[str, Any]) -> dict[str, Any]:
    """Leave out the lists of picks that are empty, as nearly all are."""
    if "children" in node:
        node["children"] = [_without_empty_picks(child) for child in node["children"]]
        if not node["picks"]:
            del node["picks"]
    return node


Node = Condition | Group
EVERYBODY = Group(op=Op.ALL)


class RuleRefused(Refused):
    """A rule is not well-formed; ``field`` is the JSON pointer of the faulty node
    (``/children/1/params/times``), which the message says as people count: "part 2".
    """

    def __init__(self, code: str, problem: str, pointer: str) -> None:
        number = ".".join(str(int(index) + 1) for index in _INDEX.findall(pointer))
        message = _("%(problem)s (in part %(number)s of the rule)") % {"problem": problem, "number": number}
        super().__init__(code, message if number else problem, field=pointer)
        self.problem = problem


_INDEX = re.compile(r"(?:^|(?<=\d))/children/(\d+)")


def parse_rule(data: object) -> Group:
    """Read a rule from JSON; raises RuleRefused, naming the faulty node, on anything that is not one.

    Sizes are checked on the way down, so a hostile tree costs no more than its first hundred nodes.
    """
    if isinstance(data, Group):
        return data
    if not isinstance(data, dict):
        raise RuleRefused("not_an_object", _("A rule must be an object."), "")
    data = dict(data)
    version = data.pop("version", None)
    if isinstance(version, bool) or version not in READ:
        raise RuleRefused("version", _("Only version %(version)d is known.") % {"version": VERSION}, "/version")
    node = _Reader().node(data, "", depth=1)
    if not isinstance(node, Group):
        raise RuleRefused("not_a_group", _("The outermost node must be a group."), "")
    return node


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Yield every node with its path (indexes of children from the root), parents first."""
    yield path, node
    if isinstance(node, Group):
        for index, child in enumerate(node.children):
            yield from walk(child, (*path, index))


def pointer_of(path: Path) -> str:
    """Return the JSON pointer of a node."""
    return "".join(f"/children/{index}" for index in path)


class _Reader:
    """Reads one tree, counting its nodes."""

    def __init__(self) -> None:
        self.count = 0

    def node(self, data: object, at: str, *, depth: int) -> Node:
        self.count += 1
        if self.count > MAX_NODES:
            raise RuleRefused("too_many", _("A rule has at most %(n)d parts.") % {"n": MAX_NODES}, at)
        if not isinstance(data, dict):
            raise RuleRefused("not_an_object", _("Here a group or a criterion is expected."), at)
        return self.condition(data, at) if "criterion" in data else self.group(data, at, depth=depth)

    def group(self, data: dict[Any, Any], at: str, *, depth: int) -> Group:
        if depth > MAX_DEPTH:
            raise RuleRefused("too_deep", _("Groups go at most %(n)d deep.") % {"n": MAX_DEPTH}, at)
        _refuse_unknown_keys(data, {"op", "children", "picks"}, at)
        op, children = data.get("op"), data.get("children", [])
        if not isinstance(op, str) or op not in Op.values:
            raise RuleRefused("unknown_op", _("A group combines by all, any, one or none."), f"{at}/op")
        if not isinstance(children, list | tuple):
            raise RuleRefused("not_a_list", _("The children of a group are a list."), f"{at}/children")
        read = (self.node(child, f"{at}/children/{i}", depth=depth + 1) for i, child in enumerate(children))
        return Group(op=Op(op), children=tuple(read), picks=_picks(data.get("picks", []), f"{at}/picks"))

    def condition(self, data: dict[Any, Any], at: str) -> Condition:
        _refuse_unknown_keys(data, {"criterion", "params"}, at)
        code, params = data["criterion"], data.get("params", {})
        criterion = criteria.get(code) if isinstance(code, str) else None
        if criterion is None:
            problem = _("There is no criterion “%(code)s”.") % {"code": _shown(code)}
            raise RuleRefused("unknown_criterion", problem, f"{at}/criterion")
        if not isinstance(params, dict):
            raise RuleRefused("not_an_object", _("The settings of a criterion are an object."), f"{at}/params")
        _refuse_oversize(params, f"{at}/params", depth=0)
        try:
            read = criterion.params.model_validate(params)
        except ValidationError as error:
            raise _unfit(error, f"{at}/params", params) from None
        _refuse_oversize(read.model_dump(), f"{at}/params", depth=0)  # a text may have become a number
        return Condition(criterion=criterion.code, params=read)


def _picks(data: object, at: str) -> tuple[Pick, ...]:
    """Read the picks of a group."""
    if not isinstance(data, list | tuple):
        raise RuleRefused("not_a_list", _("The picks of a group are a list."), at)
    if len(data) > MAX_PICKS:
        raise RuleRefused("too_many", _("A group is thinned out at most %(n)d times.") % {"n": MAX_PICKS}, at)
    return tuple(_pick(one, f"{at}/{index}") for index, one in enumerate(data))


def _pick(data: object, at: str) -> Pick:
    if not isinstance(data, dict):
        raise RuleRefused("not_an_object", _("The settings of a criterion are an object."), at)
    _refuse_oversize(data, at, depth=0)
    try:
        pick = _PICK.validate_python(data)
    except ValidationError as error:
        raise _unfit(error, at, data) from None
    _refuse_oversize(pick.model_dump(), at, depth=0)  # a text may have become a number, or NaN
    if isinstance(pick, Top) and pick.by not in values:
        raise RuleRefused("unknown_value", _("There is no value “%s”.") % _shown(pick.by), f"{at}/by")
    return pick


def _unfit(error: ValidationError, at: str, data: object) -> RuleRefused:
    """Return the refusal of the first value that does not fit, at its place in ``data``."""
    first = error.errors(include_url=False)[0]
    place = _place(first["loc"], data)
    if first["type"].startswith("union_tag"):  # it names the union, not the field that tells which one it is
        place += "/pick"
    return RuleRefused("bad_value", _("This value does not fit. %s") % words_of(first), f"{at}{place}")


def _place(loc: Sequence[object], data: object) -> str:
    """Return the JSON pointer of where pydantic found a fault; it also names kinds of a union, which are no places."""
    where = ""
    for number, part in enumerate(loc):
        if isinstance(data, dict) and (part in data or number == len(loc) - 1):
            where, data = f"{where}/{_shown(part)}", data.get(part)
        elif isinstance(data, list | tuple) and isinstance(part, int) and part < len(data):
            where, data = f"{where}/{part}", data[part]
    return where


def _shown(given: object) -> str:
    """Return what somebody sent as text that fits in an answer: short, and of characters that can be written."""
    return str(given)[:60].encode("utf-8", "replace").decode().replace("\0", "?")


def _refuse_unknown_keys(data: dict[Any, Any], known: set[str], at: str) -> None:
    for key in data:
        if key not in known:
            raise RuleRefused("unknown_field", _("There is no field “%s”.") % _shown(key), f"{at}/{_shown(key)}")


def _refuse_oversize(value: object, at: str, *, depth: int) -> None:
    """Refuse text, numbers and lists that no criterion needs, before anything works on them."""
    if isinstance(value, str) and (len(value) > MAX_TEXT or "\0" in value or not _can_be_written(value)):
        raise RuleRefused("text", _("Text has at most %d characters, and no NUL.") % MAX_TEXT, at)
    if isinstance(value, int | float) and not -MAX_NUMBER <= value <= MAX_NUMBER:  # NaN is not between either
        raise RuleRefused("number", _("This number is too large."), at)
    if not isinstance(value, dict | list | tuple):
        return
    if len(value) > MAX_VALUES or depth > 3:
        raise RuleRefused("too_many", _("A list has at most %d values.") % MAX_VALUES, at)
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in cast("Iterator[tuple[Any, Any]]", items):
        _refuse_oversize(item, f"{at}/{_shown(key)}", depth=depth + 1)


def _can_be_written(text: str) -> bool:
    """Whether text is whole: JSON may hold half of a character, which no database takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
