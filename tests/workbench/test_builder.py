"""The state of the builder: read from fields, changed by commands, turned into a rule."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import translation

from common.errors import Refused
from selections.rules import MAX_DEPTH, MAX_NODES, Condition, Group, Node, parse_rule
from tests.factories import BranchFactory
from tests.selections.test_rules import MEMBERS, rule
from workbench.forms.builder import Builder, examples, menu
from workbench.forms.builder.fields import MOST_BOXES

pytestmark = pytest.mark.django_db

AGE = "customer.age"
KIND = "customer.kind"


def _texts(value: Any) -> list[str]:
    return value if isinstance(value, list) else [str(value)]


def fields(**named: Any) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in named.items():
        data.setlist(name, _texts(value))
    return data


def shape(node: Node) -> Any:
    """A tree as nested lists: ["all", "age", ["any", "kind"]]."""
    if isinstance(node, Condition):
        return node.criterion.partition(".")[2]
    return [str(node.op), *(shape(child) for child in node.children)]


def outline(builder: Builder) -> Any:
    """The tree with what is not filled in yet as well."""

    def of(part: Any) -> Any:
        if part.criterion is not None:
            return part.criterion.code.partition(".")[2]
        return [str(part.op), *(of(child) for child in part.children)]

    return of(builder.root)


# An age, kinds, and a group of which the last part is itself a group.
EXAMPLE: dict[str, Any] = {
    "r__op": "all",
    "r-0__criterion": AGE,
    "r-0-at_least": "18",
    "r-1__criterion": KIND,
    "r-1-kinds": ["member", "prospect"],
    "r-2__op": "any",
    "r-2-0__criterion": AGE,
    "r-2-0-at_most": "12",
    "r-2-1__op": "none",
    "r-2-1-0__criterion": KIND,
    "r-2-1-0-kinds": "former",
}


@pytest.fixture
def example() -> Builder:
    return Builder.from_post(fields(**EXAMPLE))


def test_fields_make_a_rule(example: Builder) -> None:
    assert example.is_valid()
    assert example.to_rule() == parse_rule(
        rule(
            {"criterion": AGE, "params": {"at_least": 18}},
            {"criterion": KIND, "params": {"kinds": ["member", "prospect"]}},
            {
                "op": "any",
                "children": [
                    {"criterion": AGE, "params": {"at_most": 12}},
                    {"op": "none", "children": [{"criterion": KIND, "params": {"kinds": ["former"]}}]},
                ],
            },
        )
    )


def test_a_saved_rule_shows_in_the_forms_and_comes_back_the_same(example: Builder) -> None:
    example.is_valid()
    saved = example.to_rule()
    shown = Builder.from_rule(saved)
    assert shown.to_rule() == saved
    first = next(part for part in shown.parts() if part.path == "r-0")
    assert first.form is not None
    assert first.form["at_least"].value() == 18
    assert 'name="r-0-at_least"' in str(first.form["at_least"])


def test_a_field_of_a_criterion_may_be_called_op() -> None:
    builder = Builder.from_post(
        fields(
            **{"r__op": "all", "r-0__criterion": "facts.count", "r-0-kind": "loan", "r-0-op": "exactly",
               "r-0-times": "3", "r-0-within_days": "30"}
        )
    )  # fmt: skip
    assert builder.is_valid()
    [condition] = builder.to_rule().children
    assert isinstance(condition, Condition)
    assert condition.params.model_dump()["op"] == "exactly"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"r__criterion": KIND, "r-kinds": "member"},
        {"x__op": "all"},
        {"r-0__criterion": KIND, "r-0-kinds": "member"},
        {"r__op": "xor", "r-5-5__criterion": KIND},
        {"r__op": "all", "r-0__criterion": "no.such", "r-0-0__criterion": KIND},
        {"r__op": "all", "r--1__criterion": KIND, "r-a__criterion": KIND, "r-9999__criterion": KIND},
    ],
)
def test_fields_that_make_no_tree_make_an_empty_rule(data: dict[str, str]) -> None:
    builder = Builder.from_post(fields(**data))
    assert builder.is_valid()
    assert builder.to_rule() == Group(op="all")


def test_gaps_in_the_numbers_close_in_order() -> None:
    data = {"r__op": "any", "r-10__criterion": AGE, "r-2__criterion": KIND, "r-7__op": "none"}
    builder = Builder.from_post(fields(**data))
    assert outline(builder) == ["any", "kind", ["none"], "age"]
    assert [part.path for part in builder.parts()] == ["r", "r-0", "r-1", "r-2"]


@pytest.mark.parametrize(
    ("command", "expected", "focus"),
    [
        ("add:r:customer.age", ["all", "age", "kind", ["any", "age", ["none", "kind"]], "age"], "r-3"),
        ("add:r-2-1:customer.age", ["all", "age", "kind", ["any", "age", ["none", "kind", "age"]]], "r-2-1-1"),
        ("group:r", ["all", "age", "kind", ["any", "age", ["none", "kind"]], ["any"]], "r-3"),
        ("group:r-2", ["all", "age", "kind", ["any", "age", ["none", "kind"], ["all"]]], "r-2-2"),
        ("group:r:none", ["all", "age", "kind", ["any", "age", ["none", "kind"]], ["none"]], "r-3"),
        ("remove:r-1", ["all", "age", ["any", "age", ["none", "kind"]]], "r"),
        ("remove:r-2", ["all", "age", "kind"], "r"),
        ("duplicate:r-0", ["all", "age", "age", "kind", ["any", "age", ["none", "kind"]]], "r-1"),
        (
            "duplicate:r-2",
            ["all", "age", "kind", ["any", "age", ["none", "kind"]], ["any", "age", ["none", "kind"]]],
            "r-3",
        ),
        ("wrap:r-0", ["all", ["any", "age"], "kind", ["any", "age", ["none", "kind"]]], "r-0"),
        ("wrap:r-2-0", ["all", "age", "kind", ["any", ["all", "age"], ["none", "kind"]]], "r-2-0"),
        ("unwrap:r-2", ["all", "age", "kind", "age", ["none", "kind"]], "r-2"),
        ("up:r-1", ["all", "kind", "age", ["any", "age", ["none", "kind"]]], "r-0"),
        ("up:r-0", ["all", "age", "kind", ["any", "age", ["none", "kind"]]], "r-0"),
        ("up:r-2", ["all", "age", ["any", "age", ["none", "kind"]], "kind"], "r-1"),
        ("up:r-2-0", ["all", "age", "kind", "age", ["any", ["none", "kind"]]], "r-2"),
        ("up:r-2-1-0", ["all", "age", "kind", ["any", "age", "kind", ["none"]]], "r-2-1"),
        ("down:r-1", ["all", "age", ["any", "kind", "age", ["none", "kind"]]], "r-1-0"),
        ("down:r-2", ["all", "age", "kind", ["any", "age", ["none", "kind"]]], "r-2"),
        ("down:r-2-0", ["all", "age", "kind", ["any", ["none", "age", "kind"]]], "r-2-0-0"),
        ("down:r-2-1", ["all", "age", "kind", ["any", "age"], ["none", "kind"]], "r-3"),
        ("down:r-2-1-0", ["all", "age", "kind", ["any", "age", ["none"], "kind"]], "r-2-2"),
    ],
)
def test_a_command_changes_the_tree(example: Builder, command: str, expected: Any, focus: str) -> None:
    example.do(command)
    assert (outline(example), example.focus) == (expected, focus)


@pytest.mark.parametrize(
    ("command", "expected", "focus"),
    [
        ("move:r-0:r-2:1", ["all", "kind", ["any", "age", "age", ["none", "kind"]]], "r-1-1"),
        ("move:r-2-1-0:r:0", ["all", "kind", "age", "kind", ["any", "age", ["none"]]], "r-0"),
        ("move:r-2-1:r:3", ["all", "age", "kind", ["any", "age"], ["none", "kind"]], "r-3"),
        ("move:r-1:r:0", ["all", "kind", "age", ["any", "age", ["none", "kind"]]], "r-0"),
        ("move:r-1:r:99", ["all", "age", ["any", "age", ["none", "kind"]], "kind"], "r-2"),
        ("into:r-1", ["all", "age", ["any", "kind", "age", ["none", "kind"]]], "r-1-0"),
        ("into:r-2-0", ["all", "age", "kind", ["any", ["none", "age", "kind"]]], "r-2-0-0"),
        ("into:r-0", ["all", "age", "kind", ["any", "age", ["none", "kind"]]], "r-0"),
        ("out:r-2-1", ["all", "age", "kind", ["any", "age"], ["none", "kind"]], "r-3"),
        ("out:r-2-1-0", ["all", "age", "kind", ["any", "age", ["none"], "kind"]], "r-2-2"),
        ("out:r-0", ["all", "age", "kind", ["any", "age", ["none", "kind"]]], "r-0"),
    ],
)
def test_a_part_is_put_elsewhere(example: Builder, command: str, expected: Any, focus: str) -> None:
    example.do(command)
    assert (outline(example), example.focus) == (expected, focus)
    assert example.said


def test_it_is_told_where_a_part_stands_now(example: Builder) -> None:
    example.do("move:r-0:r-2:1")
    assert example.said == "Leeftijd: nu nummer 2 van 3 in Groep “minstens één van deze”."
    example.do("out:r-1-1")
    assert example.said == "Leeftijd: nu nummer 3 van 3 in de hele selectie."


def test_a_part_keeps_its_key_wherever_it_goes(example: Builder) -> None:
    before = {part.key for part in example.parts()}
    moved = example.by_path("r-0")
    assert moved is not None
    key = moved.key
    example.do("move:r-0:r-2:0")
    assert example.by_path("r-1-0") is moved
    assert moved.key == key
    example.do("duplicate:r-0")
    assert len({part.key for part in example.parts()}) == len(before) + 1


PICKED: dict[str, Any] = {
    "r__op": "all",
    "r__pick-0": "household",
    "r__pick-0-keep": "youngest",
    "r__pick-1": "sample",
    "r__pick-1-size": "500",
    "r__pick-1-seed": "7",
    "r-0__op": "any",
    "r-0__pick-0": "share",
    "r-0__pick-0-percent": "20",
    "r-0__pick-0-start": "12.5",
}


def test_what_thins_a_group_out_is_read_from_fields_and_shown_again() -> None:
    builder = Builder.from_post(fields(**PICKED))
    assert builder.is_valid()
    made = builder.to_rule()
    assert made.to_json()["picks"] == [
        {"pick": "household", "keep": "youngest"},
        {"pick": "sample", "size": 500, "seed": 7},
    ]
    assert made.to_json()["children"][0]["picks"] == [{"pick": "share", "percent": 20.0, "start": 12.5, "seed": 0}]
    assert Builder.from_rule(made).to_rule() == made


def test_picks_are_added_put_in_another_order_drawn_anew_and_removed() -> None:
    builder = Builder.from_post(fields(**PICKED))
    builder.do("pickup:r:1")
    assert [pick.kind for pick in builder.root.picks] == ["sample", "household"]
    builder.do("redraw:r:0")
    [drawn, _household] = builder.to_rule().picks
    assert drawn.model_dump()["seed"] != 7
    builder.do("unpick:r:0")
    builder.do("pick:r:share")
    builder.do("unpick:r:7")
    assert [pick.kind for pick in builder.root.picks] == ["household", "share"]
    builder.is_valid()
    assert builder.to_rule().to_json()["picks"][1]["percent"] == 20


def test_a_pick_that_is_not_right_is_told_and_left_out() -> None:
    builder = Builder.from_post(fields(**{**PICKED, "r__pick-1-size": "0"}))
    assert not builder.is_valid()
    assert [pick.pick for pick in builder.to_rule().picks] == ["household"]
    assert builder.root.picks[1].form is not None
    assert "size" in builder.root.picks[1].form.errors


def test_a_group_is_thinned_out_four_times_at_most() -> None:
    builder = Builder.from_post(fields(**PICKED))
    for _number in range(2):
        builder.do("pick:r:sample")
    with pytest.raises(Refused) as refused:
        builder.do("pick:r:sample")
    assert refused.value.code == "too_many"


def test_every_example_makes_a_rule_but_for_what_the_library_must_choose() -> None:
    assert len(examples()) >= 8
    for example in examples():
        builder = Builder.from_rule(parse_rule(rule()))
        builder.do(f"start:r:{example.code}")
        builder.is_valid()
        made = builder.to_rule()
        assert made.children
        assert parse_rule(made.to_json()) == made
        assert len(builder.unfinished) <= 1


@pytest.mark.parametrize(
    "command",
    [
        "",
        "add",
        "add:r",
        "add:r:no.such",
        "add:r-0:customer.age",
        "add:r-9:customer.age",
        "group:r-0",
        "remove:r",
        "wrap:r",
        "duplicate:r",
        "unwrap:r-0",
        "unwrap:r",
        "up:r",
        "_shift:r-0:1",
        "parts:r",
        "count:r",
        "move:r-2:r-2-1:0",
        "move:r:r-2:0",
        "move:r-0:r-9:0",
        "move:r-0:r-1:0",
        "move:r-0:r:x",
        "pick:r-0:sample",
        "pick:r:no",
        "unpick:r:0",
        "pickup:r:0",
        "redraw:r:²",
        "start:r:no",
        "start:r-2:leaving",
    ],
)
def test_a_command_that_makes_no_sense_changes_nothing(example: Builder, command: str) -> None:
    before = outline(example)
    example.do(command)
    assert outline(example) == before


def test_what_was_filled_in_moves_along(example: Builder) -> None:
    example.do("down:r-0")
    example.do("wrap:r-1")
    example.do("duplicate:r-1")
    assert example.is_valid()
    ages = [part.form["at_least"].value() for part in example.parts() if part.path in ("r-1-0", "r-2-0") and part.form]
    assert ages == ["18", "18"]


def test_what_is_not_filled_in_is_left_out_of_the_rule_and_the_rest_finds_its_place() -> None:
    data = {
        "r__op": "all",
        "r-0__criterion": KIND,
        "r-1__op": "any",
        "r-1-0__criterion": KIND,
        "r-2__criterion": AGE,
        "r-2-at_least": "18",
    }
    builder = Builder.from_post(fields(**data))
    assert not builder.is_valid()
    assert [part.path for part in builder.unfinished] == ["r-0", "r-1-0"]
    assert shape(builder.to_rule()) == ["all", "age"]
    found = builder.at((0,))
    assert found is not None
    assert found.path == "r-2"
    assert all(part.is_untouched for part in builder.unfinished)


def test_params_that_do_not_fit_together_are_told_at_the_form() -> None:
    data = {"r__op": "all", "r-0__criterion": AGE, "r-0-at_least": "40", "r-0-at_most": "20"}
    builder = Builder.from_post(fields(**data))
    assert not builder.is_valid()
    assert not builder.is_valid()
    [part] = builder.unfinished
    assert part.form is not None
    assert len(part.form.non_field_errors()) == 1
    assert not part.is_untouched


def test_a_new_criterion_whose_defaults_say_enough_counts_at_once() -> None:
    builder = Builder.from_rule(parse_rule(rule()))
    builder.do("add:r:customer.birthday")
    builder.do("add:r:customer.age")
    builder.is_valid()
    assert [part.criterion.code for part in builder.unfinished if part.criterion] == [AGE]


def test_the_limits_hold_while_building() -> None:
    many = fields(**{"r__op": "all", **{f"r-{n}__criterion": AGE for n in range(MAX_NODES - 1)}})
    with pytest.raises(Refused) as refused:
        Builder.from_post(many).do("add:r:customer.age")
    assert refused.value.code == "too_many"
    many["r-200__criterion"] = AGE
    with pytest.raises(Refused):
        Builder.from_post(many)
    deep = fields(**{"r" + "-0" * depth + "__op": "all" for depth in range(MAX_DEPTH)})
    with pytest.raises(Refused) as refused:
        Builder.from_post(deep).do("group:r" + "-0" * (MAX_DEPTH - 1))
    assert refused.value.code == "too_deep"


def test_the_menu_names_every_criterion_once_by_group() -> None:
    codes = [choice.code for _group, choices in menu() for choice in choices]
    assert len(codes) == len(set(codes)) > 15
    assert {"customer.kind", "labels.has", "selections.in", "facts.count"} <= set(codes)


def test_every_criterion_can_be_added_and_shown() -> None:
    for _group, choices in menu():
        builder = Builder.from_rule(parse_rule(rule(MEMBERS)))
        for choice in choices:
            builder.do(f"add:r:{choice.code}")
        for part in builder.parts():
            for shown in [*part.fields, *part.extra_fields]:  # "has died" asks nothing further
                assert part.path in str(shown.field)


def test_every_criterion_is_explained_in_the_menu() -> None:
    assert [choice.code for _group, choices in menu() for choice in choices if not choice.explanation] == []


def test_fields_of_another_period_are_away() -> None:
    builder = Builder.from_post(fields(**{"r__op": "all", "r-0__criterion": "facts.none", "r-0-kind": "loan",
                                          "r-0-period": "last", "r-0-number": "90", "r-0-unit": "day"}))  # fmt: skip
    [part] = builder.root.children
    away = {shown.field.name for shown in part.fields if shown.is_off}
    assert {"since", "until"} <= away
    assert not {"number", "unit", "period"} & away


def test_many_choices_are_searched_and_few_are_ticked() -> None:
    branch = BranchFactory()
    few = Builder.from_post(fields(**{"r__op": "all", "r-0__criterion": "customer.branch"}))
    assert 'type="checkbox"' in str(few.root.children[0].form)
    for _number in range(MOST_BOXES):
        BranchFactory()
    data = fields(**{"r__op": "all", "r-0__criterion": "customer.branch", "r-0-branches": branch.code})
    shown = next(one for one in Builder.from_post(data).root.children[0].fields if one.field.name == "branches")
    assert shown.is_searchable
    assert "<select" in str(shown.field)


@pytest.mark.parametrize(
    ("code", "typed", "field"),
    [
        ("customer.distance", {"km": "0"}, "km"),
        ("customer.nearest_branch", {"branches": ["PUR"], "km": "0"}, "km"),
        ("customer.value", {"value": "customer.age", "op": "top", "percent": "0"}, "percent"),
        ("customer.value", {"value": "customer.age", "op": "top", "percent": "100"}, "percent"),
        ("customer.value", {"value": "customer.age", "op": "at_least", "number": "2000000000"}, "number"),
        ("customer.value", {"value": "facts.fee.amount", "op": "at_least", "number": "20000000"}, "number"),
        ("facts.then", {"kind": "loan", "times": "10001", "kind2": "visit"}, "times"),
        ("customer.city", {"op": "in", "values": "\n".join(map(str, range(1001)))}, "values"),
    ],
)
def test_what_settings_cannot_hold_is_said_in_dutch_at_its_field(code: str, typed: dict[str, Any], field: str) -> None:
    BranchFactory(code="PUR")
    data = QueryDict(mutable=True)
    data["r__op"], data["r-0__criterion"] = "all", code
    for name, value in typed.items():
        data.setlist(f"r-0-{name}", value if isinstance(value, list) else [value])
    with translation.override("nl"):
        builder = Builder.from_post(data)
        assert not builder.is_valid()
        form = builder.root.children[0].form
        assert form is not None
        assert list(form.errors) == [field]
        assert re.search(r"\b(hoogstens|minstens|groter|kleiner|meer|Zorg|cijfers)\b", str(form.errors))
        assert not re.search(r"\b(should|less|greater|Ensure|digits)\b", str(form.errors))


def test_what_a_rule_has_and_is_gone_stays_in_sight_and_cannot_be_saved() -> None:
    BranchFactory(code="EDA", name="Edam")
    gone = {"criterion": "customer.branch", "params": {"branches": ["EDA", "WEG"]}}
    purpose = {"criterion": "consents.allowed", "params": {"purpose": "afgeschaft", "channel": "email"}}
    with translation.override("nl"):
        opened = Builder.from_rule(parse_rule(rule(gone, purpose)))
        branches, purposes = (str(part.form) for part in opened.parts() if part.form is not None)
        assert "WEG (bestaat niet meer)" in branches
        assert '<option value="afgeschaft" selected>afgeschaft (bestaat niet meer)</option>' in purposes
        sent = {**EXAMPLE, "r-1__criterion": "customer.branch", "r-1-branches": ["EDA", "WEG"]}
        builder = Builder.from_post(fields(**sent))
        assert not builder.is_valid()
        [part] = [part for part in builder.parts() if part.path == "r-1"]
        assert part.form is not None
        assert "WEG" in str(part.form.errors["branches"])
        assert "WEG (bestaat niet meer)" in str(part.form["branches"])


def test_what_a_new_form_begins_with_is_not_put_into_a_rule_without_it() -> None:
    childless = {"criterion": "household.children", "params": {"at_most": 0, "under": 12}}
    [part] = Builder.from_rule(parse_rule(rule(childless))).root.children
    assert part.form is not None
    assert (part.form["at_least"].value(), part.form["at_most"].value()) == (None, 0)
    assert part.criterion is not None
    assert part.criterion.form()["at_least"].value() == 1
