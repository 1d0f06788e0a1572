"""Rules of somebody who means harm, or whose program went wrong: refused with the place of the fault, or cut off in
time with the name of what is heavy; never an error of ours.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from common.actions import add_integration
from common.criteria import criteria
from common.errors import Refused
from selections.actions import checked, create_selection
from selections.comparing import turnover
from selections.compiler import MAX_CRITERIA, compile_rule, members
from selections.explain import describe
from selections.figures import breakdown, measure, reachability, sample, spread
from selections.models import Selection
from selections.past import as_of, gaps
from selections.rules import RuleRefused, parse_rule
from selections.verdicts import why
from tests.factories import NOW, CustomerFactory, PurposeFactory
from tests.selections.plain.trees import conditions
from tests.selections.test_rules import MEMBERS, nested, rule
from tests.tries import tries

pytestmark = pytest.mark.django_db

usually = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=tries(30), print_blob=True)

HOSTILE: list[Any] = [
    None, True, False, -1, 0, 1, 10**9, 10**30, -(10**30), 2**31, 2**63, 0.5, 1e308, float("nan"), float("inf"),
    "", " ", "\0", "a\0b", "x" * 501, "x" * 100_000, "'); DROP TABLE customers_customer; --", "%s %(x)s %% {0} {x}",
    "\ud800", "e\u0301\u202e\U0001f600", "9" * 400, "-1", "NaN", "Infinity", "1e400", "true", "null",
    "0001-01-01", "9999-12-31", "0000-00-00", "2026-02-30", "99999-01-01", "-4713-01-01", "infinity", "today",
    "(a+)+$", "(?R)", "((((((a*)*)*)*)*)*)*$", "(.{1,99}){1,99}", "[", "\\", "a{99999}", "(" * 400, "\\1", "^(?=.*a)",
    [], [[]], [None], [0], ["x"] * 1001, ["x", ["y"]], [10**30], ["\0"], [{}], {}, {"a": 1}, {"\0": 1},
    {"a": {"b": {"c": {"d": {"e": 1}}}}}, 1766000000,
]  # fmt: skip

#: What the calendar has now, and not any more as seen from a past day.
AGES_AGO = {"criterion": "mailings.hold_out", "params": {"period": "last", "number": 2000, "unit": "year"}}


@st.composite
def broken(draw: st.DrawFn) -> dict[str, Any]:
    """Return a criterion of which one value, or one field too many, is hostile."""
    condition = draw(conditions())
    params = dict(condition["params"])
    known = list(criteria[condition["criterion"]].params.model_fields)
    name = draw(st.sampled_from([*known, *known, *known, "sql", "\0", "__class__", "\ud800", "x" * 200]))
    params[name] = draw(st.sampled_from(HOSTILE))
    return {**condition, "params": params}


@settings(usually, max_examples=tries(100))
@given(condition=broken())
def test_a_hostile_value_is_refused_at_its_place_or_is_only_a_value(condition: dict[str, Any]) -> None:
    refused = refusal_of(lambda: checked(rule(condition), now=NOW))
    if refused is not None:
        assert isinstance(refused, RuleRefused)
        assert (refused.field or "").startswith("/children/0/params")
        json.dumps({"message": str(refused), "field": refused.field}, ensure_ascii=False).encode()
        return
    for op in ("all", "none"):
        group = parse_rule(rule(condition, op=op))
        compile_rule(group, now=NOW).count()
        assert describe(group)
        assert parse_rule(group.to_json()) == group


@settings(usually)
@given(condition=broken())
@example(condition=AGES_AGO)
def test_all_that_works_with_a_rule_either_works_or_refuses(condition: dict[str, Any]) -> None:
    customer = CustomerFactory()
    if refusal_of(lambda: parse_rule(rule(condition))):
        return
    group, past = parse_rule(rule(condition)), NOW.replace(year=1951)
    works: tuple[Callable[[], object], ...] = (
        lambda: measure(group, now=NOW),
        lambda: sample(group, now=NOW),
        lambda: why(group, customer, now=past, present=NOW),
        lambda: gaps(group, now=past, present=NOW),
        lambda: as_of(group, now=past, present=NOW, assume_present=True).count(),
    )
    for work in works:
        refused = refusal_of(work)
        assert refused is None or str(refused)


def refusal_of(work: Callable[[], object]) -> Refused | None:
    """Return how something is refused, if it is; any other error is a fault."""
    try:
        work()
    except Refused as refused:
        return refused
    return None


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[1,", "nul", '"\\ud800"', "9" * 5000, "NaN", ""])
def test_text_that_is_no_rule_is_refused(text: str) -> None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return
    with pytest.raises(RuleRefused):
        parse_rule(data)


def test_a_circle_through_three_selections_is_refused_where_it_begins() -> None:
    one, two, three = (create_selection(name=name, rule=rule(), now=NOW) for name in ("Een", "Twee", "Drie"))
    for selection, other in ((one, two), (two, three), (three, one)):
        refers = rule(MEMBERS, {"criterion": "selections.in", "params": {"selection": other.pk}})
        Selection.objects.filter(pk=selection.pk).update(rule=refers)
    for selection in Selection.objects.all():
        with pytest.raises(RuleRefused) as refused:
            members(selection, now=NOW)
        assert (refused.value.code, refused.value.field) == ("cycle", "/children/1/params")
        with pytest.raises(Refused):
            gaps(parse_rule(selection.rule), now=NOW.replace(year=2025), present=NOW)


def test_selections_that_multiply_are_refused_before_they_become_a_statement() -> None:
    last = create_selection(name="0", rule=rule(*[MEMBERS] * 90), now=NOW)
    for level in range(3):
        refers = [{"criterion": "selections.in", "params": {"selection": last.pk}}] * 90
        last = Selection.objects.create(name=str(level + 1), rule=rule(*refers), created_at=NOW, updated_at=NOW)
    for data in (rule(*refers), rule({"criterion": "selections.in", "params": {"selection": last.pk}})):
        with pytest.raises(RuleRefused, match=str(MAX_CRITERIA)) as refused:
            compile_rule(data, now=NOW)
        assert refused.value.code == "too_many"
        with pytest.raises(RuleRefused):
            checked(data, now=NOW)
        with pytest.raises(RuleRefused):
            measure(parse_rule(data), now=NOW)
        with pytest.raises(Refused):
            gaps(parse_rule(data), now=NOW.replace(year=2025), present=NOW)


def test_a_hundred_heavy_criteria_end_in_time_with_the_name_of_one() -> None:
    heavy = {"criterion": "facts.count", "params": {"kind": "loan", "times": 3, "period": "last", "number": 900}}
    group = parse_rule(rule(*[heavy] * 99, op="any"))
    with pytest.raises(Refused, match=str(criteria["facts.count"].label)) as refused:
        measure(group, now=NOW, seconds=0.001)
    assert refused.value.code == "too_heavy"
    assert (refused.value.field or "").startswith("/children/")
    assert measure(group, now=NOW).total == 0


def test_whatever_is_asked_of_a_heavy_rule_ends_in_time_with_the_name_of_what_is_heavy() -> None:
    heavy = {"criterion": "facts.count", "params": {"kind": "loan", "times": 3, "period": "last", "number": 900}}
    group = parse_rule(rule(*[heavy] * 99, op="any"))
    customer, past = CustomerFactory(), NOW - dt.timedelta(days=9)
    asked: tuple[Callable[[], object], ...] = (
        lambda: sample(group, now=NOW, seconds=0.001),
        lambda: spread(group, now=NOW, seconds=0.001),
        lambda: breakdown(group, now=NOW, seconds=0.001),
        lambda: reachability(group, purpose=PurposeFactory(), now=NOW, seconds=0.001),
        lambda: turnover(group, first=past, last=NOW, present=NOW, assume_present=True, seconds=0.001),
        lambda: why(group, customer, now=NOW, present=NOW, seconds=0.001),
    )
    for ask in asked:
        with pytest.raises(Refused, match=str(criteria["facts.count"].label)) as refused:
            ask()
        assert refused.value.code == "too_heavy"
        assert (refused.value.field or "").startswith("/children/")


# --- through the builder ----------------------------------------------------------------------------------------------


@pytest.fixture
def builder(client_of: Callable[[User], Client], marketeer: User) -> Client:
    return client_of(marketeer)


def flat(condition: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a criterion as a form would send them."""
    sent: dict[str, Any] = {"r__op": "all", "r-0__criterion": condition["criterion"], "name": "Boos"}
    for name, value in condition["params"].items():
        values = value if isinstance(value, list) else [value]
        sent[f"r-0-{name}".encode("utf-8", "replace").decode()] = [
            str(one).encode("utf-8", "replace").decode()[:2000] for one in values[:900]
        ]
    return sent


@settings(usually, max_examples=40)
@given(condition=broken(), how=st.sampled_from([{"live": "1"}, {"do": "count:r"}, {}]))
@example(condition={"criterion": "branch.city", "params": {"op": "not_in", "values": "a\0b"}}, how={"live": "1"})
@example(condition={"criterion": "branch.city", "params": {"op": "empty", "values": "a\0b"}}, how={})
def test_the_builder_takes_any_post(builder: Client, condition: dict[str, Any], how: dict[str, str]) -> None:
    answer = builder.post("/selections/new/", {**flat(condition), **how})
    assert answer.status_code in (200, 302, 400, 422)


@pytest.mark.parametrize(
    "sent",
    [
        {"r__op": "xor", "r-0__criterion": "nothing.here"},
        {"r__op": ["all", "any"], "r__criterion": "customer.kind"},
        {"r-0-0-0-0-0-0-0-0-0-0-0-0__op": "all"},
        {"r__op": "all", "r-99999999999999999999__criterion": "customer.kind"},
        {"r__op": "all", "r__pick-0": "sample", "r__pick-0-size": "9" * 400},
        {"r__op": "all", "r__pick-0": "lottery", "r__pick-1": "share", "r__pick-1-percent": "NaN"},
        {"r__op": "all", "do": "add:r:" + "x" * 10_000},
        {"r__op": "all", "do": "move:r-0:\0:-1"},
        {f"r-{n}__criterion": "customer.kind" for n in range(150)} | {"r__op": "all"},
    ],
)
@pytest.mark.parametrize("how", [{"live": "1"}, {"name": "Boos"}])
def test_the_builder_takes_fields_that_no_page_sends(
    builder: Client, sent: dict[str, Any], how: dict[str, str]
) -> None:
    assert builder.post("/selections/new/", {**sent, **how}).status_code in (200, 302, 400, 422)


@pytest.mark.parametrize(
    "given", ["[" * 3000, json.dumps(nested(150)), '{"version":2,"op":"all","x":"\\ud800"}', "NaN"]
)
def test_the_builder_starts_empty_from_a_rule_in_its_address_that_is_none(builder: Client, given: str) -> None:
    assert builder.get("/selections/new/", {"rule": given}).status_code == 200


# --- through the API --------------------------------------------------------------------------------------------------


@pytest.fixture
def api(administrator: User) -> APIClient:
    _user, token = add_integration(name="website", by=administrator)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def sent(api: APIClient, body: str) -> Any:
    return api.post("/api/v1/selections/", body, content_type="application/json")


@settings(usually, max_examples=tries(40))
@given(condition=broken(), number=st.integers(0, 10**9))
def test_the_api_takes_any_rule_and_says_where_it_is_wrong(
    api: APIClient, condition: dict[str, Any], number: int
) -> None:
    answer = sent(api, json.dumps({"name": f"Boos {number}", "rule": rule(condition)}))
    assert answer.status_code in (201, 400, 422), answer.content
    if answer.status_code == 422 and answer.json()["code"] != "name_taken":
        assert answer.json()["field"].startswith("/children/0/params")


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"rule":' * 50_000,
        '{"name": "x", "rule": NaN}',
        '{"name": "x", "rule": {"version": 1e999}}',
        "{",
    ],
)
def test_the_api_answers_to_what_is_no_json_at_all(api: APIClient, body: str) -> None:
    assert sent(api, body).status_code == 400


@pytest.mark.parametrize(
    "given_rule", [None, [], "x", 5, {}, nested(150), {"version": 2, "op": "\ud800"}, {"version": 2, "\0": 1}]
)
def test_the_api_answers_to_what_is_no_rule(api: APIClient, given_rule: Any) -> None:
    assert sent(api, json.dumps({"name": "Boos", "rule": given_rule})).status_code in (400, 422)
