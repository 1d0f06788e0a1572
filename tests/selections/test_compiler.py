from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q, QuerySet
from django.forms import Form
from django.test.utils import CaptureQueriesContext

from common.criteria import Criterion, Params, criteria
from common.errors import Refused
from common.sql import as_subquery, rows
from customers.models import Customer
from labels.actions import create_label, give_label
from selections.actions import create_selection
from selections.compiler import compile_rule, members
from selections.figures import measure
from selections.models import Selection
from selections.past import as_of, gaps
from selections.rules import parse_rule
from selections.verdicts import why
from tests.factories import CustomerFactory
from tests.selections.test_rules import MEMBERS, rule

pytestmark = pytest.mark.django_db

PROSPECTS = {"criterion": "customer.kind", "params": {"kinds": ["prospect"]}}
ADULTS = {"criterion": "customer.age", "params": {"at_least": 18}}


@pytest.fixture
def people() -> dict[str, Customer]:
    return {
        "adult": CustomerFactory(birth_date=dt.date(1980, 1, 1)),
        "child": CustomerFactory(birth_date=dt.date(2018, 1, 1)),
        "ageless": CustomerFactory(birth_date=None),
        "prospect": CustomerFactory(kind="prospect", birth_date=dt.date(1990, 1, 1)),
    }


def count_inside(customers: QuerySet[Customer]) -> int:
    statement = "SELECT count(*) AS n FROM ({customers}) AS x WHERE 1 = %(one)s"
    return int(rows(statement.format(customers=as_subquery(customers.values("id"))), {"one": 1})[0]["n"])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (rule(), {"adult", "child", "ageless", "prospect"}),
        (rule(op="any"), set()),
        (rule(op="none"), {"adult", "child", "ageless", "prospect"}),
        (rule(MEMBERS), {"adult", "child", "ageless"}),
        (rule(MEMBERS, ADULTS), {"adult"}),
        (rule(MEMBERS, PROSPECTS), set()),
        (rule(MEMBERS, PROSPECTS, op="any"), {"adult", "child", "ageless", "prospect"}),
        (rule(ADULTS, op="none"), {"child", "ageless"}),
        (rule(op="one"), set()),
        (rule(ADULTS, op="one"), {"adult", "prospect"}),
        (rule(MEMBERS, ADULTS, op="one"), {"child", "ageless", "prospect"}),
        (rule(MEMBERS, MEMBERS, MEMBERS, op="one"), set()),
        (rule({"op": "none", "children": [{"op": "one", "children": [MEMBERS, ADULTS]}]}), {"adult"}),
        (rule(MEMBERS, ADULTS, op="none"), set()),
        (rule(PROSPECTS, ADULTS, op="none"), {"child", "ageless"}),
        (rule(rule(ADULTS, op="none") | {"version": 1}), {"child", "ageless"}),
        (rule({"op": "none", "children": [{"op": "none", "children": [ADULTS]}]}), {"adult", "prospect"}),
        (rule({"op": "any", "children": []}, MEMBERS, op="any"), {"adult", "child", "ageless"}),
    ],
)
def test_groups_combine_as_they_say(
    people: dict[str, Customer], now: dt.datetime, data: Any, expected: set[str]
) -> None:
    data["children"] = [{k: v for k, v in child.items() if k != "version"} for child in data["children"]]
    found = set(compile_rule(data, now=now))
    assert found == {people[name] for name in expected}


def test_a_rule_is_one_statement(people: dict[str, Customer], now: dt.datetime) -> None:
    data = rule(MEMBERS, {"op": "none", "children": [PROSPECTS, {"op": "any", "children": [ADULTS]}]})
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert compile_rule(data, now=now).count() == 2
    assert len(queries) == 1


def test_nobody_can_stand_inside_a_statement(people: dict[str, Customer], now: dt.datetime) -> None:
    for data in (rule(op="any"), rule({"criterion": "labels.has", "params": {"labels": ["gone"]}})):
        assert count_inside(compile_rule(data, now=now)) == 0


def test_no_criterion_multiplies_customers(now: dt.datetime) -> None:
    customer = CustomerFactory()
    for number in range(3):
        label = create_label(name=f"Label {number}", kind="own", now=now)
        give_label(label, Customer.objects.all(), by="test", now=now)
    codes = ["label-0", "label-1", "label-2"]
    data = rule({"criterion": "labels.has", "params": {"labels": codes, "match": "any"}})
    assert list(compile_rule(data, now=now)) == [customer]


def test_now_is_a_parameter_and_not_the_clock(now: dt.datetime) -> None:
    CustomerFactory(birth_date=dt.date(2008, 6, 16))
    data = rule(ADULTS)
    assert compile_rule(data, now=now).count() == 0
    assert compile_rule(data, now=now + dt.timedelta(days=1)).count() == 1


def test_a_quote_in_a_value_is_a_value(people: dict[str, Customer], now: dt.datetime) -> None:
    data = rule({"criterion": "labels.has", "params": {"labels": ["'); DROP TABLE customers_customer; -- %s %%"]}})
    assert compile_rule(data, now=now).count() == 0
    assert count_inside(compile_rule(data, now=now)) == 0
    assert Customer.objects.count() == 4


def test_a_window_beyond_the_calendar_is_refused(now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def far(*args: object, **kwargs: object) -> None:
        raise OverflowError

    monkeypatch.setattr(type(criteria["customer.age"]), "to_q", far)
    with pytest.raises(Refused) as refused:
        compile_rule(rule(ADULTS), now=now)
    assert (refused.value.code, refused.value.field) == ("out_of_range", "/children/0/params")


def test_a_selection_can_be_used_in_another(people: dict[str, Customer], now: dt.datetime) -> None:
    adults = create_selection(name="Volwassenen", rule=rule(ADULTS), now=now)
    data = rule(MEMBERS, {"criterion": "selections.in", "params": {"selection": adults.pk}})
    assert list(compile_rule(data, now=now)) == [people["adult"]]


def test_a_selection_that_refers_to_itself_is_refused_when_it_is_evaluated(now: dt.datetime) -> None:
    one = create_selection(name="Een", rule=rule(), now=now)
    two_rule = rule({"criterion": "selections.in", "params": {"selection": one.pk}})
    two = create_selection(name="Twee", rule=two_rule, now=now)
    circle = rule({"criterion": "selections.in", "params": {"selection": two.pk}})
    Selection.objects.filter(pk=one.pk).update(rule=circle)
    with pytest.raises(Refused) as refused:
        members(Selection.objects.get(pk=one.pk), now=now)
    assert refused.value.code == "cycle"


def test_a_long_chain_of_selections_is_refused(now: dt.datetime) -> None:
    last = create_selection(name="0", rule=rule(), now=now)
    for number in range(1, 6):
        data = rule({"criterion": "selections.in", "params": {"selection": last.pk}})
        last = create_selection(name=str(number), rule=data, now=now)
    data = rule({"criterion": "selections.in", "params": {"selection": last.pk}})
    with pytest.raises(Refused) as refused:
        create_selection(name="te diep", rule=data, now=now)
    assert refused.value.code == "too_deep"


@pytest.mark.parametrize("op", ["all", "any", "none"])
@pytest.mark.parametrize("kinds", [["member"], ["prospect"]])
def test_who_is_restricted_is_in_no_selection_and_in_no_count(op: str, kinds: list[str], now: dt.datetime) -> None:
    free = CustomerFactory(kind="member")
    CustomerFactory(kind="member", restricted_at=now)
    tree = parse_rule(rule({"criterion": "customer.kind", "params": {"kinds": kinds}}, op=op))
    expected = [free] if (kinds == ["member"]) == (op != "none") else []
    assert list(compile_rule(tree, now=now)) == expected
    assert measure(tree, now=now).total == len(expected)


def test_what_another_selection_is_refused_for_is_told_at_the_node_that_refers_to_it(now: dt.datetime) -> None:
    broken = create_selection(name="Stuk", rule=rule(), now=now)
    missing = {"criterion": "selections.in", "params": {"selection": 999_999}}
    Selection.objects.filter(pk=broken.pk).update(rule=rule(MEMBERS, rule(missing) | {"version": 2}))
    outer = rule(
        MEMBERS, {"op": "any", "children": [{"criterion": "selections.in", "params": {"selection": broken.pk}}]}
    )
    with pytest.raises(Refused) as refused:
        compile_rule(outer, now=now)
    assert refused.value.field == "/children/1/children/0/params"


class AsksNothing(Criterion):
    """A criterion as an app could bring it: what was filled in comes to no condition."""

    code, group, label = "test.nothing", "Test", "Nothing"
    params, form = Params, Form

    def to_q(self, params: Any, *, now: dt.datetime) -> Q:
        return Q()

    def sentence(self, params: Any) -> str:
        return "are there"


@pytest.fixture
def asks_nothing() -> Iterator[dict[str, Any]]:
    criteria.register(AsksNothing())
    yield {"criterion": "test.nothing", "params": {}}
    del criteria._items["test.nothing"]


def test_a_criterion_that_asks_nothing_holds_for_everybody_and_its_opposite_for_nobody(
    now: dt.datetime, asks_nothing: dict[str, Any]
) -> None:
    CustomerFactory()
    assert compile_rule(rule(asks_nothing), now=now).count() == 1
    assert compile_rule(rule(asks_nothing, op="none"), now=now).count() == 0
    assert measure(parse_rule(rule(asks_nothing, op="none")), now=now).total == 0


def test_a_selection_inside_a_rule_brings_what_a_past_day_cannot_answer(now: dt.datetime) -> None:
    inner = create_selection(name="Leden", rule=rule(MEMBERS), now=now)
    outer = parse_rule(rule({"criterion": "selections.in", "params": {"selection": inner.pk}}))
    past = now - dt.timedelta(days=30)
    assert gaps(outer, now=past, present=now).keys() == {(0,)}
    assert gaps(outer, now=past, present=now)[0,] == criteria["customer.kind"].gap(
        parse_rule(rule(MEMBERS)).children[0].params,
        now=past,
        present=now,  # type: ignore[union-attr]
    )
    with pytest.raises(Refused) as refused:
        as_of(outer, now=past, present=now)
    assert refused.value.code == "not_known_then"


def test_who_was_not_known_yet_was_in_no_selection_of_that_day(now: dt.datetime) -> None:
    old = CustomerFactory(registered_on=None, created_at=now - dt.timedelta(days=90))
    CustomerFactory(registered_on=None, created_at=now)
    registered = CustomerFactory(registered_on=dt.date(2020, 1, 1), created_at=now)
    everybody = parse_rule(rule({"criterion": "facts.none", "params": {"kind": "loan"}}))
    assert set(as_of(everybody, now=now - dt.timedelta(days=30), present=now)) == {old, registered}
    assert as_of(everybody, now=now, present=now).count() == 3
    for wrong in (now + dt.timedelta(days=1), now.replace(year=1949)):
        with pytest.raises(Refused):
            as_of(everybody, now=wrong, present=now)


def test_why_says_of_whom_no_selection_takes_in_that_and_why(now: dt.datetime) -> None:
    group = parse_rule(rule(MEMBERS))
    restricted = CustomerFactory(kind="member", restricted_at=now)
    merged, kept = CustomerFactory(kind="member"), CustomerFactory(kind="member")
    Customer.everyone.filter(pk=merged.pk).update(merged_into=kept)
    for customer in (restricted, Customer.everyone.get(pk=merged.pk)):
        verdict = why(group, customer, now=now, present=now)
        assert (verdict.holds, verdict.children[0].holds, bool(verdict.barred)) == (False, True, True)
    verdict = why(group, kept, now=now, present=now)
    assert (verdict.holds, verdict.barred) == (True, "")
    past = now.replace(year=2010)
    assert why(group, kept, now=past, present=now).barred


def test_why_asks_one_statement_about_the_customer(now: dt.datetime) -> None:
    customer = CustomerFactory()
    group = parse_rule(rule(MEMBERS, ADULTS, {"op": "any", "children": [PROSPECTS, ADULTS]}))
    with CaptureQueriesContext(connection) as queries:
        why(group, customer, now=now, present=now)
    assert sum("EXISTS" in query["sql"] for query in queries) == 1
