"""Whatever tree somebody builds, at whatever moment, SQL finds the same people as a plain reading of the rule.

All registered criteria take part. TREES says how many trees are tried: 200 usually, 2,000 in `make test-long`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.criteria import criteria
from customers.models import Customer
from selections.compiler import compile_rule
from selections.figures import measure
from selections.past import as_of
from selections.rules import parse_rule, walk
from selections.schema import rule_schema
from selections.verdicts import Verdict, why
from tests.factories import NOW
from tests.selections.plain import TWINS
from tests.selections.plain.population import Population
from tests.selections.plain.trees import conditions, members, trees
from tests.selections.plain.twins import AMSTERDAM, Moment, was_known
from tests.selections.plain.world import World
from tests.selections.test_compiler import count_inside
from tests.tries import TREES

POPULATIONS = 4

#: Criteria that have no plain twin yet. It may only become shorter.
NOT_YET: frozenset[str] = frozenset()

usually = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)

_BEFORE = [0.0, 0.0, 0.0, 0.5, 1, 7, 30.01, 78, 233, 365, 501.7]  # days before the present
_CLOCKS = [(10, 0), (0, 0), (23, 59), (2, 30)]


@st.composite
def moments(draw: st.DrawFn) -> Moment:
    """Return the present, or a moment in the past: at midnight too, and in the nights that the clock changes."""
    if draw(st.integers(0, 9)) == 0:
        day = draw(st.sampled_from([dt.date(2026, 3, 29), dt.date(2025, 10, 26), dt.date(2024, 2, 29)]))
        hour, minute = draw(st.sampled_from(_CLOCKS))
        return Moment(dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=AMSTERDAM))
    days = draw(st.sampled_from(_BEFORE))
    if days == 0:
        return Moment(NOW)
    then = NOW - dt.timedelta(days=days)
    hour, minute = draw(st.sampled_from(_CLOCKS))
    return Moment(then.replace(hour=hour, minute=minute))


@pytest.fixture
def world(db: None, request: pytest.FixtureRequest) -> World:
    Population(getattr(request, "param", 1))
    return World()


Fault = Callable[[Any], str]


@pytest.fixture
def fault(world: World) -> Fault:
    """Return why something does not fit the published schema, which names the values there are; empty when it does."""
    published = rule_schema()
    jsonschema.Draft202012Validator.check_schema(published)
    validator = jsonschema.Draft202012Validator(published, format_checker=jsonschema.FormatChecker())

    def told(data: Any) -> str:
        worst = jsonschema.exceptions.best_match(validator.iter_errors(data))
        return f"{worst.json_path}: {worst.message[:500]}" if worst else ""

    return told


populations = pytest.mark.parametrize("world", range(1, POPULATIONS + 1), indirect=True)


def test_every_criterion_has_a_plain_twin() -> None:
    registered = {criterion.code for criterion in criteria}
    assert registered - set(TWINS) == NOT_YET & registered
    assert set(TWINS) <= registered


@populations
@settings(usually, max_examples=TREES // POPULATIONS)
@given(tree=trees(), at=moments())
def test_a_random_tree_finds_whom_a_plain_reading_finds(world: World, tree: dict[str, Any], at: Moment) -> None:
    expected = members(world, tree, at)
    found = compile_rule(tree, now=at.now)
    assert set(found.values_list("pk", flat=True)) == expected
    assert found.count() == len(expected)
    assert count_inside(found) == len(expected)


@populations
@settings(usually, max_examples=TREES // POPULATIONS // 2)
@given(condition=conditions(), at=moments())
def test_one_criterion_and_its_opposite_divide_everybody(world: World, condition: dict[str, Any], at: Moment) -> None:
    one = {"version": 2, "op": "all", "children": [condition]}
    opposite = {"version": 2, "op": "none", "children": [condition]}
    inside, outside = (set(compile_rule(rule, now=at.now).values_list("pk", flat=True)) for rule in (one, opposite))
    assert inside == members(world, one, at)
    assert inside | outside == {person["id"] for person in world.people}
    assert not inside & outside


@settings(usually, max_examples=TREES // 10)
@given(tree=trees(), at=moments())
def test_the_counts_in_the_builder_are_those_of_a_plain_reading(world: World, tree: dict[str, Any], at: Moment) -> None:
    figures = measure(parse_rule(tree), now=at.now)
    assert figures.total == len(members(world, tree, at))
    for path, _node in walk(parse_rule(tree)):
        if path:
            parent = _node_at(tree, path[:-1])
            up_to_here = {"op": parent["op"], "children": parent["children"][: path[-1] + 1]}
            assert figures.nodes[path].alone == len(members(world, _node_at(tree, path), at))
            assert figures.nodes[path].up_to_here == len(members(world, up_to_here, at))


@settings(usually, max_examples=TREES // 10)
@given(tree=trees(), at=moments(), which=st.lists(st.integers(0, 10**6), min_size=4, max_size=4))
def test_why_gives_the_verdict_of_the_selection_and_of_each_part(
    world: World, tree: dict[str, Any], at: Moment, which: list[int]
) -> None:
    everybody = list(Customer.everyone.order_by("pk"))
    rule = parse_rule(tree)
    expected = {path: members(world, _node_at(tree, path), at) for path, _node in walk(rule)}
    known = {person["id"] for person in world.people if was_known(person, at)}
    found = as_of(rule, now=at.now, present=NOW, assume_present=True)
    assert set(found.values_list("pk", flat=True)) == expected[()] & known
    for number in which:
        customer = everybody[number % len(everybody)]
        verdict = why(rule, customer, now=at.now, present=NOW)
        assert verdict.holds == (customer.pk in expected[()] & known)
        assert bool(verdict.barred) == (customer.pk not in known)
        if customer.pk in known:
            for part in _parts(verdict):
                assert part.holds == (customer.pk in expected[part.path]), part.path


def _parts(verdict: Verdict) -> list[Verdict]:
    return [verdict, *(part for child in verdict.children for part in _parts(child))]


def _node_at(tree: dict[str, Any], path: tuple[int, ...]) -> dict[str, Any]:
    for index in path:
        tree = tree["children"][index]
    return tree


@settings(usually, max_examples=TREES // 2)
@given(tree=trees())
def test_what_is_stored_of_a_rule_fits_the_published_schema(fault: Fault, tree: dict[str, Any]) -> None:
    stored = parse_rule(tree).to_json()
    assert fault(stored) == ""
    assert parse_rule(stored) == parse_rule(tree)


@pytest.mark.parametrize(
    "wrong",
    [
        {"op": "all"},
        {"version": 2, "op": "xor"},
        {"version": 2, "op": "all", "sql": "1"},
        {"version": 2, "op": "all", "children": [{"criterion": "nothing.here", "params": {}}]},
        {"version": 2, "op": "all", "children": [{"criterion": "customer.kind"}]},
        {"version": 2, "op": "all", "children": [{"criterion": "customer.kind", "params": {"kinds": ["koning"]}}]},
        {"version": 2, "op": "all", "picks": [{"size": 5}]},
        {"version": 2, "op": "all", "picks": [{"pick": "sample", "size": 0}]},
    ],
)
def test_the_schema_refuses_what_is_no_rule(fault: Fault, wrong: dict[str, Any]) -> None:
    assert fault(wrong)
