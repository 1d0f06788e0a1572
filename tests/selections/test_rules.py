from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from common.errors import Refused
from selections.rules import (
    EVERYBODY,
    MAX_DEPTH,
    MAX_NODES,
    Condition,
    Group,
    Op,
    RuleRefused,
    parse_rule,
    walk,
)

MEMBERS: dict[str, Any] = {"criterion": "customer.kind", "params": {"op": "any", "kinds": ["member"]}}


def rule(*children: Any, op: str = "all") -> dict[str, Any]:
    return {"version": 2, "op": op, "children": list(children)}


@pytest.mark.parametrize(
    ("pointer", "message"),
    [
        ("", "Fout."),
        ("/op", "Fout."),
        ("/children/1/params/times", "Fout. (in onderdeel 2 van de regel)"),
        ("/children/1/children/0/params/children/5", "Fout. (in onderdeel 2.1 van de regel)"),
    ],
)
def test_a_refusal_says_where_as_people_count(pointer: str, message: str) -> None:
    with translation.override("nl"):
        refused = RuleRefused("code", "Fout.", pointer)
    assert (str(refused), refused.problem, refused.field) == (message, "Fout.", pointer)


@pytest.mark.parametrize("day", ["2026-13-99", "gisteren", "2026-02-30", ["2026"], "2026-01-01T10:00:00"])
def test_a_day_that_is_none_is_told_in_our_own_words(day: Any) -> None:
    asked = {"criterion": "customer.birth_date", "params": {"period": "between", "since": day}}
    with (
        translation.override("nl"),
        pytest.raises(RuleRefused, match="Hier hoort een datum, zoals 2026-12-31") as refused,
    ):
        parse_rule(rule(asked))
    assert refused.value.field == "/children/0/params/since"


def nested(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"op": "any", "children": []}
    for _level in range(depth - 1):
        node = {"op": "any", "children": [node]}
    return {"version": 2, **node}


def test_a_rule_is_read_and_written_back_as_it_was() -> None:
    data = rule(MEMBERS, {"op": "none", "children": [MEMBERS, {"op": "any", "children": []}]})
    group = parse_rule(data)
    assert group.to_json() == data
    assert parse_rule(group) is group


def test_walk_gives_every_node_with_its_path() -> None:
    group = parse_rule(rule(MEMBERS, {"op": "any", "children": [MEMBERS]}))
    paths = [path for path, _node in walk(group)]
    assert paths == [(), (0,), (1,), (1, 0)]


def test_everybody_is_a_rule_without_conditions() -> None:
    assert parse_rule({"version": 2, "op": "all"}) == EVERYBODY == Group(op=Op.ALL)


@pytest.mark.parametrize(
    ("data", "code", "pointer"),
    [
        (None, "not_an_object", ""),
        ([], "not_an_object", ""),
        ("{}", "not_an_object", ""),
        ({}, "version", "/version"),
        ({"version": 3, "op": "all", "children": []}, "version", "/version"),
        ({"version": 2}, "unknown_op", "/op"),
        ({"version": 2, "criterion": "customer.kind", "params": {"kinds": ["member"]}}, "not_a_group", ""),
        (rule(op="xor"), "unknown_op", "/op"),
        (rule(op=["all"]), "unknown_op", "/op"),  # type: ignore[arg-type]
        ({"version": 2, "op": "all", "children": MEMBERS}, "not_a_list", "/children"),
        ({"version": 2, "op": "all", "children": [], "sql": "1=1"}, "unknown_field", "/sql"),
        (rule(MEMBERS, 5), "not_an_object", "/children/1"),
        (rule({**MEMBERS, "op": "all"}), "unknown_field", "/children/0/op"),
        (rule({"criterion": "nothing.here", "params": {}}), "unknown_criterion", "/children/0/criterion"),
        (rule({"criterion": ["customer.kind"]}), "unknown_criterion", "/children/0/criterion"),
        (rule({"criterion": "customer.kind", "params": []}), "not_an_object", "/children/0/params"),
        (rule({"criterion": "customer.kind"}), "bad_value", "/children/0/params/kinds"),
        (
            rule({"criterion": "customer.kind", "params": {"kinds": ["member"], "x": 1}}),
            "bad_value",
            "/children/0/params/x",
        ),
        (
            rule(MEMBERS, {"op": "any", "children": [{"criterion": "customer.kind", "params": {"kinds": [7]}}]}),
            "bad_value",
            "/children/1/children/0/params/kinds/0",
        ),
        (
            rule({"criterion": "labels.has", "params": {"labels": ["a\0b"]}}),
            "text",
            "/children/0/params/labels/0",
        ),
        (
            rule({"criterion": "labels.has", "params": {"labels": ["x" * 501]}}),
            "text",
            "/children/0/params/labels/0",
        ),
        (
            rule({"criterion": "labels.has", "params": {"labels": ["x"] * 1001}}),
            "too_many",
            "/children/0/params/labels",
        ),
        (
            rule({"criterion": "customer.age", "params": {"at_least": 10**30}}),
            "number",
            "/children/0/params/at_least",
        ),
        (
            rule({"criterion": "customer.age", "params": {"at_least": float("nan")}}),
            "number",
            "/children/0/params/at_least",
        ),
        (nested(MAX_DEPTH + 1), "too_deep", "/children/0" * MAX_DEPTH),
        (rule(*[MEMBERS] * MAX_NODES), "too_many", f"/children/{MAX_NODES - 1}"),
    ],
)
def test_a_faulty_rule_is_refused_with_the_place_of_the_fault(data: Any, code: str, pointer: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        parse_rule(data)
    assert (refused.value.code, refused.value.field) == (code, pointer)
    assert isinstance(refused.value, Refused)
    assert str(refused.value).startswith(refused.value.problem)


def test_a_rule_at_the_limits_is_accepted() -> None:
    assert len(list(walk(parse_rule(nested(MAX_DEPTH))))) == MAX_DEPTH
    assert len(list(walk(parse_rule(rule(*[MEMBERS] * (MAX_NODES - 1)))))) == MAX_NODES


def test_a_tree_far_deeper_than_the_stack_is_refused_and_not_a_crash() -> None:
    with pytest.raises(RuleRefused) as refused:
        parse_rule(nested(100_000))
    assert refused.value.code == "too_deep"


def test_what_is_read_cannot_be_changed_afterwards() -> None:
    condition = parse_rule(rule(MEMBERS)).children[0]
    assert isinstance(condition, Condition)
    with pytest.raises(ValueError, match="frozen"):
        condition.criterion = "other"  # type: ignore[misc]


def test_a_rule_of_the_first_version_is_read_and_written_in_the_present_one() -> None:
    old = {"version": 1, "op": "all", "children": [MEMBERS]}
    assert parse_rule(old).to_json() == {**old, "version": 2}


@pytest.mark.parametrize(
    ("picks", "code", "pointer"),
    [
        ("all", "not_a_list", "/picks"),
        ([7], "not_an_object", "/picks/0"),
        ([{"pick": "sample"}], "bad_value", "/picks/0/size"),
        ([{"pick": "sample", "size": 0}], "bad_value", "/picks/0/size"),
        ([{"pick": "share", "percent": 101}], "bad_value", "/picks/0/percent"),
        ([{"pick": "share", "percent": 50, "sql": "1"}], "bad_value", "/picks/0/sql"),
        ([{"pick": "top", "size": 10, "by": "number; DROP TABLE"}], "unknown_value", "/picks/0/by"),
        ([{"pick": "lottery"}], "bad_value", "/picks/0/pick"),
        ([{"size": 5}], "bad_value", "/picks/0/pick"),
        ([{"pick": "household"}] * 5, "too_many", "/picks"),
    ],
)
@pytest.mark.django_db
def test_a_faulty_pick_is_refused_with_its_place(picks: Any, code: str, pointer: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        parse_rule({"version": 2, "op": "all", "children": [], "picks": picks})
    assert (refused.value.code, refused.value.field) == (code, pointer)
