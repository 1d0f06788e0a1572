"""Whatever tree somebody builds, the statement finds the same people as a plain reading of the rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer
from labels.actions import create_label, give_label, take_label
from selections.compiler import compile_rule
from selections.figures import measure
from selections.rules import parse_rule, walk
from tests.factories import NOW, BranchFactory, CustomerFactory
from tests.selections.test_compiler import count_inside

LABELS = ["rood", "groen", "blauw"]
BRANCHES = ["PUR", "EDA"]
KINDS = ["member", "prospect", "former"]
Person = dict[str, Any]
DAY = dt.timedelta(days=1)


@pytest.fixture
def population(db: None) -> list[Person]:
    chance = Random(4)
    branches = [None, *(BranchFactory(code=code) for code in BRANCHES)]
    people: list[Person] = []
    for _number in range(50):
        branch = chance.choice(branches)
        customer = CustomerFactory(
            kind=chance.choice(KINDS),
            gender=chance.choice(["", "f", "m"]),
            birth_date=chance.choice([None, dt.date(chance.randint(1930, 2024), 6, chance.randint(14, 16))]),
            registered_on=chance.choice([None, NOW.date() - DAY * chance.randint(0, 60)]),
            branch=branch,
            email=chance.choice(["", None]),
        )
        people.append({"customer": customer, "branch": branch and branch.code, "labels": set(), "had": set()})
    for code in LABELS:
        _hand_out(code, people, chance)
    return people


def _hand_out(code: str, people: list[Person], chance: Random) -> None:
    """Some have the label, some had it until 10 days ago."""
    label = create_label(code=code, name=code, kind="own", now=NOW - 40 * DAY)
    had = chance.sample(people, 25)
    keep = had[:15]
    everyone = Customer.objects.filter(pk__in=[person["customer"].pk for person in had])
    give_label(label, everyone, by="test", now=NOW - 30 * DAY)
    gone = Customer.objects.filter(pk__in=[person["customer"].pk for person in had[15:]])
    take_label(label, gone, by="test", now=NOW - 10 * DAY)
    for person in had:
        person["had"].add(code)
    for person in keep:
        person["labels"].add(code)


def _has_age(person: Person, params: dict[str, Any]) -> bool:
    age = person["customer"].age_on(NOW.date())
    low, high = params.get("at_least"), params.get("at_most")
    return age is not None and (low is None or age >= low) and (high is None or age <= high)


def _registered(person: Person, params: dict[str, Any]) -> bool:
    day = person["customer"].registered_on
    return day is not None and NOW.date() - DAY * params["within_days"] <= day <= NOW.date()


def _has(person: Person, params: dict[str, Any]) -> bool:
    wanted = set(params["labels"])
    return bool(wanted & person["labels"]) if params["match"] == "any" else wanted <= person["labels"]


PLAIN: dict[str, Callable[[Person, dict[str, Any]], bool]] = {
    "customer.kind": lambda person, params: person["customer"].kind in params["kinds"],
    "customer.gender": lambda person, params: person["customer"].gender in params["genders"],
    "customer.branch": lambda person, params: person["branch"] in params["branches"],
    "customer.age": _has_age,
    "customer.registered": _registered,
    "labels.has": _has,
    "labels.not_has": lambda person, params: not set(params["labels"]) & person["labels"],
    "labels.had_since": lambda person, params: bool(
        set(params["labels"]) & (person["had"] if params["within_days"] > 10 else person["labels"])
    ),
}


def holds(node: dict[str, Any], person: Person) -> bool:
    if "criterion" in node:
        return PLAIN[node["criterion"]](person, node["params"])
    answers = [holds(child, person) for child in node["children"]]
    return {"all": all(answers), "any": any(answers), "none": not any(answers)}[node["op"]]


def some(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


def condition(code: str, **params: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"criterion": st.just(code), "params": st.fixed_dictionaries(params)})


conditions = st.one_of(
    condition("customer.kind", kinds=some(KINDS)),
    condition("customer.gender", genders=some(["", "f", "m"])),
    condition("customer.branch", branches=some(BRANCHES)),
    condition("customer.age", at_least=st.integers(0, 50), at_most=st.integers(50, 96)),
    condition("customer.age", at_most=st.integers(0, 90)),
    condition("customer.registered", within_days=st.integers(0, 60)),
    condition("labels.has", labels=some(LABELS), match=st.sampled_from(["any", "all"])),
    condition("labels.not_has", labels=some(LABELS)),
    condition("labels.had_since", labels=some(LABELS), within_days=st.sampled_from([5, 20])),
)


def groups(children: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"op": st.sampled_from(["all", "any", "none"]), "children": st.lists(children, max_size=4)}
    )


trees = groups(st.one_of(conditions, groups(st.one_of(conditions, groups(conditions)))))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees)
def test_a_random_tree_finds_whom_a_plain_reading_finds(population: list[Person], tree: dict[str, Any]) -> None:
    data = {"version": 2, **tree}
    expected = {person["customer"].pk for person in population if holds(tree, person)}
    members = compile_rule(data, now=NOW)
    assert set(members.values_list("pk", flat=True)) == expected
    assert members.count() == len(expected)
    assert count_inside(members) == len(expected)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees)
def test_the_counts_in_the_builder_are_those_of_a_plain_reading(population: list[Person], tree: dict[str, Any]) -> None:
    group = parse_rule({"version": 2, **tree})
    figures = measure(group, now=NOW)
    assert figures.total == sum(holds(tree, person) for person in population)
    for path, _node in walk(group):
        if not path:
            continue
        parent: dict[str, Any] = tree
        for index in path[:-1]:
            parent = parent["children"][index]
        alone = parent["children"][path[-1]]
        up_to_here = {"op": parent["op"], "children": parent["children"][: path[-1] + 1]}
        assert figures.nodes[path].alone == sum(holds(alone, person) for person in population)
        assert figures.nodes[path].up_to_here == sum(holds(up_to_here, person) for person in population)
