from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from common.criteria import criteria
from common.errors import Refused
from common.sql import rows
from customers.criteria.moments import known_at
from customers.models import Channel, Customer, World
from labels.actions import create_label, give_label
from labels.models import Assignment
from selections.figures import (
    MEMORY_MB,
    breakdown,
    estimate,
    heaviest,
    measure,
    reachability,
    room,
    sample,
    spread,
    time_limit,
)
from selections.rules import EVERYBODY, parse_rule
from tests.factories import BranchFactory, ConsentFactory, CustomerFactory, PurposeFactory
from tests.selections.test_rules import MEMBERS, rule

pytestmark = pytest.mark.django_db

ADULTS = {"criterion": "customer.age", "params": {"at_least": 18}}
LIGHT = {"criterion": "customer.number", "params": {"value": "C-1"}}  # found by an index, however large the table is
HEAVY = {"criterion": "customer.household", "params": {"at_least": 3}}  # looks at all customers


def test_every_part_has_its_count_in_one_pass(now: dt.datetime) -> None:
    CustomerFactory.create_batch(2)
    CustomerFactory(birth_date=dt.date(2020, 1, 1))
    CustomerFactory(kind="prospect")
    group = parse_rule(rule(MEMBERS, {"op": "none", "children": [ADULTS]}))
    with CaptureQueriesContext(connection) as queries:
        figures = measure(group, now=now)
    counting = [query for query in queries if "FILTER" in query["sql"]]
    assert len(counting) == 1
    assert (figures.everybody, figures.total) == (4, 1)
    alone = {path: tally.alone for path, tally in figures.nodes.items()}
    up_to_here = {path: tally.up_to_here for path, tally in figures.nodes.items()}
    removed = {path: tally.removed for path, tally in figures.nodes.items()}
    assert alone == {(0,): 3, (1,): 1, (1, 0): 3}
    assert up_to_here == {(0,): 3, (1,): 1, (1, 0): 1}
    assert removed == {(0,): 1, (1,): 2, (1, 0): 3}


def test_a_part_of_which_one_is_enough_tells_what_it_adds_to_those_before_it(now: dt.datetime) -> None:
    CustomerFactory.create_batch(2)
    CustomerFactory(kind="prospect")
    CustomerFactory(kind="prospect", birth_date=dt.date(2020, 1, 1))
    figures = measure(parse_rule(rule(MEMBERS, ADULTS, op="any")), now=now)
    assert [(tally.alone, tally.added, tally.removed) for tally in figures.nodes.values()] == [(2, 2, 0), (3, 1, 0)]


def test_a_part_of_which_just_one_may_hold_adds_some_and_takes_others_away(now: dt.datetime) -> None:
    CustomerFactory.create_batch(2)  # adult members
    CustomerFactory.create_batch(4, kind="prospect")
    CustomerFactory(birth_date=dt.date(2020, 1, 1))
    figures = measure(parse_rule(rule(MEMBERS, ADULTS, op="one")), now=now)
    assert [(tally.alone, tally.up_to_here) for tally in figures.nodes.values()] == [(3, 3), (6, 5)]
    assert figures.total == 5


def test_a_group_that_is_thinned_out_tells_before_and_after_each_pick(now: dt.datetime) -> None:
    CustomerFactory.create_batch(6)
    CustomerFactory(kind="prospect")
    picks = [{"pick": "sample", "size": 4, "seed": 3}, {"pick": "sample", "size": 1, "seed": 8}]
    whole = parse_rule({**rule(MEMBERS), "picks": picks})
    inside = parse_rule(rule({"op": "all", "children": [MEMBERS], "picks": picks[:1]}))
    figures = measure(whole, now=now)
    assert (figures.total, figures.picks) == (1, {(): (6, 4, 1)})
    assert measure(inside, now=now).picks == {(0,): (6, 4)}


def test_a_past_day_is_counted_among_those_who_were_known_then(now: dt.datetime) -> None:
    CustomerFactory(registered_on=dt.date(2020, 1, 1))
    newcomer = CustomerFactory(registered_on=dt.date(2026, 6, 1))
    Customer.objects.filter(pk=newcomer.pk).update(created_at=now)
    then = now - dt.timedelta(days=100)
    figures = measure(EVERYBODY, now=then, among=known_at(then))
    assert (figures.everybody, figures.total) == (1, 1)
    assert len(sample(EVERYBODY, now=then, among=known_at(then))) == 1
    assert spread(EVERYBODY, now=then, among=known_at(then)).kinds == [("Lid", 1)]


def test_an_empty_rule_counts_everybody(now: dt.datetime) -> None:
    CustomerFactory()
    assert (measure(EVERYBODY, now=now).total, measure(parse_rule(rule(op="any")), now=now).total) == (1, 0)


def test_a_sample_is_small_and_stays_the_same(now: dt.datetime) -> None:
    CustomerFactory.create_batch(20)
    first = sample(EVERYBODY, now=now, size=5)
    assert len(first) == 5
    assert first == sample(EVERYBODY, now=now, size=5)
    assert [customer.pk for customer in first] != sorted(customer.pk for customer in first)


def test_the_breakdown_counts_branches_and_kinds(now: dt.datetime) -> None:
    CustomerFactory.create_batch(2, branch=BranchFactory(code="PUR", name="Purmerend"))
    CustomerFactory(kind="prospect")
    spread = breakdown(EVERYBODY, now=now)
    assert spread.branches == [("Purmerend", 2), ("", 1)]
    assert [count for _name, count in spread.kinds] == [2, 1]


def test_the_spread_tells_branch_kind_age_and_world_in_one_statement(now: dt.datetime) -> None:
    reader = CustomerFactory(branch=BranchFactory(code="PUR", name="Purmerend"), birth_date=dt.date(2008, 6, 15))
    CustomerFactory(birth_date=dt.date(2008, 6, 16))  # eighteen tomorrow
    CustomerFactory(kind="prospect", birth_date=None)
    CustomerFactory(birth_date=dt.date(1931, 1, 1))
    World.objects.get_or_create(code="reizen", defaults={"name": "Reizen"})
    label = create_label(code="thuis-reizen", name="Reizen", kind="own", now=now)
    give_label(label, Customer.objects.filter(pk=reader.pk), by="test", now=now)
    worlds = Assignment.objects.at(now).values("customer_id", world=F("label__name"))
    with CaptureQueriesContext(connection) as queries:
        found = spread(EVERYBODY, now=now, worlds=worlds)
    assert len([query for query in queries if "GROUPING SETS" in query["sql"]]) == 1
    assert dict(found.branches) == {"": 3, "Purmerend": 1}
    assert dict(found.kinds) == {"Lid": 3, "Prospect": 1}
    assert found.ages == [("12–17", 1), ("18–24", 1), ("75 en ouder", 1), ("", 1)]
    assert dict(found.worlds) == {"": 3, "Reizen": 1}


def test_the_planner_estimates_and_tells_what_costs_most_without_running_it(now: dt.datetime) -> None:
    group = parse_rule(rule(LIGHT, {"op": "any", "children": [HEAVY, LIGHT]}))
    with CaptureQueriesContext(connection) as queries:
        assert heaviest(group, now=now) == (1, 0)
        assert estimate(group, now=now) >= 1
    assert all(query["sql"].startswith("EXPLAIN") for query in queries)
    assert heaviest(EVERYBODY, now=now) is None


def test_reachability_tells_addresses_from_permission(now: dt.datetime) -> None:
    purpose = PurposeFactory()
    said_yes, said_nothing = CustomerFactory(), CustomerFactory(phone="+31612345678")
    CustomerFactory(email="", street="")
    ConsentFactory(customer=said_yes, purpose=purpose)
    ConsentFactory(customer=said_nothing, purpose=purpose, state="withdrawn")
    found = reachability(EVERYBODY, purpose=purpose, now=now)
    assert found == [(Channel.EMAIL, 2, 1), (Channel.POST, 2, 2), (Channel.PHONE, 1, 0)]


def test_what_takes_too_long_is_refused_by_the_name_of_the_part(now: dt.datetime) -> None:
    group = parse_rule(rule(LIGHT, HEAVY))
    with pytest.raises(Refused) as refused, time_limit(0.05, rule=group, now=now):
        rows("SELECT pg_sleep(5)")
    assert (refused.value.code, refused.value.field) == ("too_heavy", "/children/1")
    assert f"vooral door “{criteria['customer.household'].label}”" in str(refused.value)


def test_a_statement_that_takes_too_long_is_refused_and_the_limit_is_lifted_after_it() -> None:
    with pytest.raises(Refused) as refused, time_limit(0.05):
        rows("SELECT pg_sleep(5)")
    assert refused.value.code == "too_heavy"
    with time_limit(30):
        assert rows("SELECT current_setting('statement_timeout') AS limit") == [{"limit": "30s"}]
    assert rows("SELECT current_setting('statement_timeout') AS limit") == [{"limit": "0"}]


def _kilobytes() -> int:
    [told] = rows("SELECT setting::int AS kilobytes FROM pg_settings WHERE name = 'work_mem'")
    return int(told["kilobytes"])


@pytest.mark.django_db
def test_figures_get_memory_to_group_a_million_and_never_less_than_the_server_gives() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('work_mem', '4MB', true)")
    with room():
        assert _kilobytes() == MEMORY_MB * 1024
    assert _kilobytes() == 4096
    with time_limit():
        assert _kilobytes() == MEMORY_MB * 1024
        with room(1):
            assert _kilobytes() == MEMORY_MB * 1024
    assert _kilobytes() == 4096
