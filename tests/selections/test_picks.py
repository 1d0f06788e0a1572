"""Groups that are thinned out: a sample, a fixed share, one per household."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from selections.compiler import compile_rule
from selections.figures import measure
from selections.rules import parse_rule
from selections.verdicts import why
from tests.factories import NOW, CustomerFactory, HouseholdFactory

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
    assert 5 <= len(parts[0]) <= 25


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
