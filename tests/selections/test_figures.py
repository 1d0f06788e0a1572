from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.errors import Refused
from common.sql import rows
from customers.models import Channel
from selections.compiler import compile_rule
from selections.figures import breakdown, measure, reachability, sample, time_limit
from selections.rules import EVERYBODY, parse_rule
from tests.factories import BranchFactory, ConsentFactory, CustomerFactory, PurposeFactory
from tests.selections.test_rules import MEMBERS, rule

pytestmark = pytest.mark.django_db

ADULTS = {"criterion": "customer.age", "params": {"at_least": 18}}


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
    assert alone == {(0,): 3, (1,): 1, (1, 0): 3}
    assert up_to_here == {(0,): 3, (1,): 1, (1, 0): 1}


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
    spread = breakdown(compile_rule(EVERYBODY, now=now))
    assert spread.branches == [("Purmerend", 2), ("", 1)]
    assert [count for _name, count in spread.kinds] == [2, 1]


def test_reachability_tells_addresses_from_permission(now: dt.datetime) -> None:
    purpose = PurposeFactory()
    said_yes, said_nothing = CustomerFactory(), CustomerFactory(phone="+31612345678")
    CustomerFactory(email="", street="")
    ConsentFactory(customer=said_yes, purpose=purpose)
    ConsentFactory(customer=said_nothing, purpose=purpose, state="withdrawn")
    found = reachability(compile_rule(EVERYBODY, now=now), purpose=purpose, now=now)
    assert found == [(Channel.EMAIL, 2, 1), (Channel.POST, 2, 2), (Channel.PHONE, 1, 0)]


def test_a_statement_that_takes_too_long_is_refused_and_the_limit_is_lifted_after_it() -> None:
    with pytest.raises(Refused) as refused, time_limit(0.05):
        rows("SELECT pg_sleep(5)")
    assert refused.value.code == "too_heavy"
    with time_limit(0.05):
        rows("SELECT 1")
    assert rows("SELECT pg_sleep(0.1)") != []
