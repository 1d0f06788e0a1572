"""Whatever is asked about facts, at whatever moment: the statement finds whom the plain reading finds.

Half of the lives lost their oldest loans to retention. There the plain reading still sees all that ever happened, and
the statement must agree wherever the criterion does not declare a gap.
"""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.criteria import criteria
from customers.actions.retention import retention_of_facts
from customers.models import Customer, Fact, KindSetting
from customers.recording import recount_totals
from tests.customers.plain_facts import PLAIN, Did
from tests.factories import NOW, BranchFactory, CustomerFactory, SourceFactory, WorldFactory

pytestmark = pytest.mark.django_db

KINDS = ["loan", "ticket", "visit"]
WORLDS = ["", "reizen", "jeugd"]
BRANCHES = ["", "EDA", "PUR"]
SOURCES = ["library", "theatre"]
HOUR = dt.timedelta(hours=1)
DAYS = 70

Lives = dict[int, list[Did]]


def _life(chance: Random, numbers: Any) -> list[Did]:
    """Up to 14 facts in 70 days, with moments in common, some of them after NOW."""
    return [
        Did(
            number=next(numbers),
            kind=chance.choice(KINDS),
            at=NOW - HOUR * 6 * chance.randint(-8, DAYS * 4),
            world=chance.choice(WORLDS),
            branch=chance.choice(BRANCHES),
            source=chance.choice(SOURCES),
            order=chance.choice([None, "1", "2"]),
            amount_cents=chance.choice([0, 500, 1500, 3000, -500]),
            quantity=chance.randint(1, 4),
            duration_seconds=chance.choice([0, 10, 30, 300]),
        )
        for _fact in range(chance.choice([0, 1, 3, 6, 10, 14]))
    ]


@pytest.fixture
def lives() -> Lives:
    chance, numbers = Random(22), iter(range(10_000))
    branches = {code: BranchFactory(code=code) if code else None for code in BRANCHES}
    sources = {code: SourceFactory(code=code) for code in SOURCES}
    for world in WORLDS[1:]:
        WorldFactory(code=world)
    found: Lives = {CustomerFactory().pk: _life(chance, numbers) for _n in range(24)}
    Fact.objects.bulk_create(
        Fact(
            customer_id=customer, kind=one.kind, occurred_at=one.at, world=one.world,
            branch=branches[one.branch], source=sources[one.source], order_number=one.order,
            amount_cents=one.amount_cents, quantity=one.quantity, duration_seconds=one.duration_seconds,
            external_id=f"own {one.number}",
        )
        for customer, life in found.items() for one in life
    )  # fmt: skip
    recount_totals("SELECT id FROM customers_customer")
    return found


@pytest.fixture
def faded(lives: Lives) -> Lives:
    """The same lives; loans from before 1 May have become counts."""
    KindSetting.objects.create(code="loan", keep_months=1)
    assert retention_of_facts(day=NOW.date(), now=NOW)["loan"] > 10
    assert Fact.objects.filter(kind="loan").exists()
    return lives


def some(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True)


def asked(code: str, **params: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.tuples(st.just(code), st.fixed_dictionaries(params))


WINDOWS = st.sampled_from(
    [
        {},
        {},
        {"period": "last", "number": 14},
        {"period": "last", "number": 45},
        {"period": "last", "number": 0},
        {"period": "before_last", "number": 20},
        {"period": "ago", "number": 10, "number_to": 30},
        {"period": "last_month"},
        {"period": "this_week"},
        {"period": "between", "since": "2026-05-10", "until": "2026-05-31"},
    ]
)
NARROW: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.just({}),
    st.fixed_dictionaries(
        {},
        optional={
            "world": some(WORLDS[1:]),
            "branch": some(BRANCHES[1:]),
            "source": some(SOURCES),
            "at_least_seconds": st.sampled_from([10, 30]),
            "at_least_quantity": st.sampled_from([2, 4]),
            "at_least_cents": st.sampled_from([500, 1500]),
        },
    ),
)
KIND = st.sampled_from([*KINDS, "loan"])
PER = st.sampled_from(["fact", "fact", "order", "day"])
NUMBER = st.integers(0, 6)


@st.composite
def base(draw: st.DrawFn) -> dict[str, Any]:
    return {"kind": draw(KIND)} | draw(WINDOWS) | draw(NARROW)


@st.composite
def counted(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    op, low = draw(st.sampled_from(["at_least", "at_most", "exactly", "between"])), draw(NUMBER)
    more = {"times_to": low + draw(NUMBER)} if op == "between" else {}
    return "facts.count", draw(base()) | {"op": op, "times": low, "per": draw(PER)} | more


@st.composite
def timed(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    code = draw(st.sampled_from(["facts.none", "facts.first", "facts.last"]))
    more = {"of": "all"} if code != "facts.none" and draw(st.booleans()) else {}
    return code, draw(base()) | more


@st.composite
def summed(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    measure = draw(st.sampled_from(["amount_cents", "quantity", "duration_seconds"]))
    size = {"amount_cents": 500, "quantity": 1, "duration_seconds": 10}[measure]
    low = draw(st.one_of(st.none(), st.integers(0, 8)))
    high = draw(st.integers(0, 12) if low is None else st.one_of(st.none(), st.integers(low, 12)))
    bounds = {name: number * size for name, number in (("at_least", low), ("at_most", high)) if number is not None}
    figure = draw(st.sampled_from(["sum", "average", "largest"]))
    per = "fact" if figure == "sum" else draw(PER)
    return "facts.sum", draw(base()) | bounds | {"measure": measure, "figure": figure, "per": per}


@st.composite
def steps(draw: st.DrawFn) -> dict[str, Any]:
    op = draw(st.sampled_from(["at_least", "at_least", "at_most", "exactly"]))
    within = draw(st.sampled_from([None, None, 0, 3, 20]))
    return (
        {"kind": draw(KIND), "op": op, "times": draw(st.integers(1 if op == "at_least" else 0, 3))}
        | draw(NARROW)
        | ({} if within is None else {"within_days": within})
    )


@st.composite
def ordered(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    how = draw(
        st.sampled_from(
            [{}, {"anchor": "last"}, {"anchor": "each"}, {"times": 2}, {"times": 3}, {"at_least_total_cents": 1500}]
        )
    )
    return "facts.then", draw(base()) | how | {"then": draw(st.lists(steps(), min_size=1, max_size=3))}


@st.composite
def regular(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    params = draw(base()) | {"visits": draw(st.integers(2, 4)), "per": draw(st.sampled_from(["day", "fact"]))}
    if draw(st.booleans()):
        low = draw(st.integers(0, 15))
        return "facts.interval", params | draw(
            st.sampled_from([{"at_least": low}, {"at_most": low}, {"at_least": low, "at_most": low + 8}])
        )
    percent = draw(st.sampled_from([50, 100, 150]))
    return "facts.due", params | {"percent": percent} | draw(st.sampled_from([{}, {"percent_to": percent * 2}]))


MOMENTS = st.one_of(
    st.just(NOW),
    st.integers(0, DAYS * 8).map(lambda n: NOW - HOUR * 3 * n),
)
QUESTIONS = {"counts": counted(), "times": timed(), "sums": summed(), "sequences": ordered(), "rhythm": regular()}


def check(question: tuple[str, dict[str, Any]], now: dt.datetime, lives: Lives) -> bool:
    """Hold the statement against the plain reading; return whether there was an answer to hold."""
    code, given_params = question
    criterion = criteria[code]
    params = criterion.params.model_validate(given_params)
    if criterion.gap(params, now=now, present=NOW):
        return False
    q = criterion.to_q(params, now=now)
    found = set(Customer.objects.filter(q).values_list("pk", flat=True))
    others = set(Customer.objects.filter(~q).values_list("pk", flat=True))
    expected = {customer for customer, life in lives.items() if PLAIN[code](params, life, now)}
    assert found == expected
    assert others == set(lives) - expected
    return True


@pytest.mark.parametrize("about", QUESTIONS)
def test_the_statement_finds_whom_the_plain_reading_finds(about: str, lives: Lives) -> None:
    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(question=QUESTIONS[about], now=MOMENTS)
    def holds(question: tuple[str, dict[str, Any]], now: dt.datetime) -> None:
        assert check(question, now, lives), "nothing is gone, so nothing is a guess"

    holds()


@pytest.mark.parametrize("about", QUESTIONS)
def test_what_is_gone_is_either_declared_or_known_from_totals(about: str, faded: Lives) -> None:
    answers: list[bool] = []

    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(question=QUESTIONS[about], now=MOMENTS)
    def holds(question: tuple[str, dict[str, Any]], now: dt.datetime) -> None:
        answers.append(check(question, now, faded))

    holds()
    assert answers.count(True) > 30
    assert answers.count(False) > 0
