"""Groups that are thinned out: a sample, a fixed share, one per household."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

import pytest
from django.utils import translation

from customers.criteria.moments import known_at
from customers.models import Customer
from selections.compiler import compile_rule
from selections.explain import describe
from selections.figures import measure
from selections.past import as_of, gaps
from selections.picks import PLACES
from selections.rules import RuleRefused, parse_rule
from selections.verdicts import why
from tests.factories import NOW, CustomerFactory, HouseholdFactory
from workbench.whys import certainly

pytestmark = pytest.mark.django_db

MEMBERS = {"criterion": "customer.kind", "params": {"kinds": ["member"]}}


def rule(*picks: dict[str, Any]) -> Any:
    return parse_rule({"version": 2, "op": "all", "children": [MEMBERS], "picks": list(picks)})


def numbers(*picks: dict[str, Any]) -> set[str]:
    return set(compile_rule(rule(*picks), now=NOW).values_list("number", flat=True))


def test_a_sample_has_its_size_and_stays_the_same() -> None:
    for _n in range(20):
        CustomerFactory(kind="member")
    CustomerFactory(kind="former", number="former")
    drawn = numbers({"pick": "sample", "size": 8, "seed": 1})
    assert len(drawn) == 8
    assert "former" not in drawn
    assert numbers({"pick": "sample", "size": 8, "seed": 1}) == drawn
    assert numbers({"pick": "sample", "size": 8, "seed": 2}) != drawn
    assert numbers({"pick": "sample", "size": 100, "seed": 2}) == numbers()


def test_shares_that_meet_divide_everybody_without_overlap() -> None:
    for _n in range(60):
        CustomerFactory(kind="member")
    parts = [numbers({"pick": "share", "start": start, "percent": 25, "seed": 9}) for start in (0, 25, 50, 75)]
    assert sum(map(len, parts)) == 60
    assert set.union(*parts) == numbers()
    assert 1 <= len(parts[0]) <= 35  # 15 is to be expected; further away once in millions of runs


def test_of_a_household_one_is_left_and_who_lives_alone_stays() -> None:
    home = HouseholdFactory()
    CustomerFactory(kind="member", number="child", household=home, birth_date=dt.date(2015, 1, 1))
    CustomerFactory(kind="member", number="parent", household=home, birth_date=dt.date(1980, 1, 1))
    CustomerFactory(kind="former", number="grandparent", household=home, birth_date=dt.date(1950, 1, 1))
    CustomerFactory(kind="member", number="unknown", household=home, birth_date=None)
    CustomerFactory(kind="member", number="alone", household=None)
    CustomerFactory(kind="member", number="alone too", household=None)
    assert numbers({"pick": "household"}) == {"parent", "alone", "alone too"}
    assert numbers({"pick": "household", "keep": "youngest"}) == {"child", "alone", "alone too"}


def test_who_was_not_drawn_is_told_apart_from_who_did_not_qualify() -> None:
    people = [CustomerFactory(kind="member") for _n in range(4)]
    former = CustomerFactory(kind="former")
    one = rule({"pick": "sample", "size": 1})
    verdicts = [why(one, customer, now=NOW, present=NOW) for customer in people]
    assert sorted(verdict.holds for verdict in verdicts) == [False, False, False, True]
    assert all(verdict.holds_before_picks for verdict in verdicts)
    assert not why(one, former, now=NOW, present=NOW).holds_before_picks
    assert measure(one, now=NOW).total == 1
    assert measure(one, now=NOW).nodes[(0,)].alone == 4


def test_a_share_of_a_sample_is_that_share_of_it_also_under_one_seed() -> None:
    for _n in range(120):
        CustomerFactory(kind="member")
    drawn = numbers({"pick": "sample", "size": 60, "seed": 3})
    left = numbers({"pick": "sample", "size": 60, "seed": 3}, {"pick": "share", "percent": 50, "seed": 3})
    assert left < drawn
    assert 8 <= len(left) <= 52  # 30 is to be expected; further away once in millions of runs


def test_shares_with_parts_of_a_percent_meet_without_a_gap_or_overlap() -> None:
    for _n in range(40):
        CustomerFactory(kind="member")
    bounds = [0, 33.3, 66.7, 100]
    parts = [
        numbers({"pick": "share", "start": start, "percent": round(end - start, 1), "seed": 5})
        for start, end in pairwise(bounds)
    ]
    assert sum(map(len, parts)) == 40
    places = [round(percent / 100 * PLACES) for percent in (33.3 + 33.4, 66.7)]
    assert places[0] == places[1]


def test_the_opposite_of_a_group_that_is_thinned_out_is_everybody_else() -> None:
    for _n in range(6):
        CustomerFactory(kind="member")
    CustomerFactory(kind="former")
    CustomerFactory(kind="member", restricted_at=NOW)
    thinned = {"op": "all", "children": [MEMBERS], "picks": [{"pick": "sample", "size": 4}]}
    opposite = {"version": 2, "op": "none", "children": [thinned]}
    inside = set(compile_rule({"version": 2, **thinned}, now=NOW).values_list("pk", flat=True))
    outside = set(compile_rule(opposite, now=NOW).values_list("pk", flat=True))
    assert (len(inside), len(outside), inside & outside) == (4, 3, set())


def test_whose_data_are_restricted_takes_no_place_in_a_sample_or_household() -> None:
    home = HouseholdFactory()
    CustomerFactory(
        kind="member", number="restricted", household=home, birth_date=dt.date(1950, 1, 1), restricted_at=NOW
    )
    merged = CustomerFactory(kind="member", number="merged", household=home, birth_date=dt.date(1949, 1, 1))
    kept = CustomerFactory(kind="member", number="kept", household=home, birth_date=dt.date(1980, 1, 1))
    Customer.everyone.filter(pk=merged.pk).update(merged_into=kept)
    assert numbers({"pick": "household"}) == {"kept"}
    assert numbers({"pick": "sample", "size": 3}) == {"kept"}


def test_picks_are_read_back_in_the_sentence() -> None:
    picks = [
        {"pick": "household", "keep": "youngest"},
        {"pick": "share", "percent": 12.5, "start": 50},
        {"pick": "sample", "size": 500},
    ]
    with translation.override("en"):
        assert describe(rule(*picks)) == (
            "Customers who are member, of whom one per household: the youngest, of whom a fixed share of 12.5% from 50%"
            " on, of whom 500 at random."
        )
    inner = {"op": "none", "children": [MEMBERS], "picks": [{"pick": "sample", "size": 1}]}
    with translation.override("nl"):
        whole = describe({"version": 2, "op": "all", "children": [MEMBERS, inner]})
    assert "(" in whole
    assert "van wie er 1 is geloot)" in whole


def test_only_the_present_household_is_known_so_a_past_day_is_a_guess() -> None:
    past = NOW - dt.timedelta(days=10)
    assert list(gaps(rule({"pick": "household"}), now=past, present=NOW)) == [(), (0,)]
    assert () not in gaps(rule({"pick": "sample", "size": 5}), now=past, present=NOW)


def test_why_says_of_a_past_day_that_who_was_left_is_a_guess() -> None:
    member, former = CustomerFactory(kind="member"), CustomerFactory(kind="former")
    adults = {"criterion": "customer.birth_date", "params": {"op": "filled"}}
    asked = {"version": 2, "op": "all", "children": [adults], "picks": [{"pick": "household"}]}
    verdict = why(parse_rule(asked), member, now=NOW - dt.timedelta(days=10), present=NOW)
    with translation.override("nl"):
        assert "huishouden" in str(verdict.gap)
    assert certainly(verdict) is None
    nobody = {**asked, "children": [{**adults, "params": {"op": "empty"}}]}
    assert certainly(why(parse_rule(nobody), former, now=NOW - dt.timedelta(days=10), present=NOW)) is False
    assert certainly(why(parse_rule(asked), member, now=NOW, present=NOW)) is True


@pytest.mark.parametrize(
    "pick",
    [
        {"pick": "share", "percent": "nan"},
        {"pick": "share", "percent": 5, "start": "NaN"},
        {"pick": "share", "percent": "inf"},
        {"pick": "sample", "size": "1e400"},
    ],
)
def test_what_is_no_number_is_refused_at_its_place(pick: dict[str, Any]) -> None:
    with pytest.raises(RuleRefused) as refused:
        rule(pick)
    assert (refused.value.field or "").startswith("/picks/0/")


def test_on_a_past_day_only_who_was_known_then_takes_part_in_the_draw() -> None:
    home = HouseholdFactory()
    then, long_ago = NOW - dt.timedelta(days=100), NOW - dt.timedelta(days=900)
    for born in (1980, 1990):
        CustomerFactory(household=home, created_at=long_ago, birth_date=dt.date(born, 1, 1), number=str(born))
    for number in range(30):
        CustomerFactory(household=home, registered_on=None, birth_date=dt.date(1940, 1, 1), number=f"new{number}")
    for pick, expected in (
        ({"pick": "sample", "size": 2, "seed": 1}, {"1980", "1990"}),
        ({"pick": "top", "size": 1, "by": "customer.age"}, {"1980"}),
        ({"pick": "household", "keep": "oldest"}, {"1980"}),
    ):
        found = as_of(rule(pick), now=then, present=NOW, assume_present=True)
        assert set(found.values_list("number", flat=True)) == expected
        assert measure(rule(pick), now=then, among=known_at(then)).total == len(expected)
        for customer in Customer.objects.all():
            verdict = why(rule(pick), customer, now=then, present=NOW)
            assert verdict.holds == (customer.number in expected)
    highest = {"criterion": "customer.value", "params": {"value": "customer.age", "op": "top", "percent": 50}}
    oldest = parse_rule({"version": 2, "op": "all", "children": [highest]})
    assert [one.number for one in as_of(oldest, now=then, present=NOW)] == ["1980"]
