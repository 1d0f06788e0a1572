"""What the criteria over facts saw of somebody, what they cannot know any more, and how older rules are read."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import translation
from pydantic import ValidationError

from common.criteria import criteria
from common.errors import Refused
from customers.actions import record_fact
from customers.actions.kinds import add_kind
from customers.actions.retention import retention_of_facts
from customers.models import Customer, Fact, KindSetting
from selections.compiler import compile_rule
from selections.past import gaps
from selections.rules import RuleRefused, parse_rule
from selections.verdicts import why
from tests.factories import NOW, BranchFactory, CustomerFactory

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def did(customer: Customer, kind: str, days_ago: float, **fields: Any) -> None:
    moment = NOW - DAY * days_ago
    fields.setdefault("external_id", f"{kind} {customer.pk} {days_ago}")
    record_fact(customer, kind=kind, occurred_at=moment, source_code="library", **fields)


@pytest.fixture
def sanne() -> Customer:
    """Three loans (4 May, 25 May, 8 June), two tickets together € 61,50, one visit of 25 seconds on 10 June."""
    customer: Customer = CustomerFactory()
    edam = BranchFactory(code="EDA", name="Edam")
    for days in (42, 21, 7):
        did(customer, "loan", days, branch=edam if days > 30 else None)
    did(customer, "ticket", 20, amount_cents=4150, order_number="7", external_id="a")
    did(customer, "ticket", 20, amount_cents=2000, order_number="7", external_id="b")
    did(customer, "visit", 5, duration_seconds=25)
    return customer


SEEN: list[tuple[str, dict[str, Any], str]] = [
    ("facts.count", {"kind": "loan"}, "3 keer, laatst op 8 juni 2026"),
    ("facts.count", {"kind": "loan", "branch": ["EDA"]}, "1 keer, laatst op 4 mei 2026"),
    ("facts.count", {"kind": "loan", "within_days": 30, "per": "day"}, "op 2 dagen, laatst op 8 juni 2026"),
    ("facts.count", {"kind": "ticket", "per": "order"}, "1 bestelling, laatst op 26 mei 2026"),
    ("facts.count", {"kind": "loan", "within_days": 3}, "geen enkele keer; voor het laatst op 8 juni 2026"),
    ("facts.none", {"kind": "loan", "within_days": 3}, "geen enkele keer; voor het laatst op 8 juni 2026"),
    ("facts.none", {"kind": "fine"}, "nooit"),
    ("facts.none", {"kind": "fine", "branch": ["EDA"]}, "nooit"),
    ("facts.last", {"kind": "loan"}, "laatst op 8 juni 2026"),
    ("facts.last", {"kind": "loan", "branch": ["EDA"]}, "laatst op 4 mei 2026"),
    ("facts.first", {"kind": "loan"}, "voor het eerst op 4 mei 2026"),
    ("facts.first", {"kind": "loan", "source": ["library"]}, "voor het eerst op 4 mei 2026"),
    ("facts.first", {"kind": "fine"}, "nooit"),
    ("facts.sum", {"kind": "ticket", "at_least": 1}, "€\u00a061,50 in totaal"),
    ("facts.sum", {"kind": "ticket", "at_least": 1, "figure": "average"}, "gemiddeld €\u00a030,75"),
    ("facts.sum", {"kind": "ticket", "at_least": 1, "figure": "average", "per": "order"}, "gemiddeld €\u00a061,50"),
    ("facts.sum", {"kind": "ticket", "at_least": 1, "figure": "largest"}, "hoogstens €\u00a041,50"),
    ("facts.sum", {"kind": "ticket", "at_least": 1, "per": "order"}, "hoogstens €\u00a061,50"),
    ("facts.sum", {"kind": "visit", "at_least": 1, "measure": "duration_seconds"}, "25 seconden in totaal"),
    ("facts.sum", {"kind": "fine", "at_least": 1}, "nooit"),
    (
        "facts.then",
        {"kind": "ticket", "at_least_total_cents": 5000, "then": [{"kind": "visit", "at_least_seconds": 20}]},
        "stap 1 (Kaartverkoop) op 26 mei 2026; stap 2 (Websitebezoek) op 10 juni 2026",
    ),
    (
        "facts.then",
        {
            "kind": "loan",
            "then": [{"kind": "visit", "within_days": 5}, {"kind": "loan", "op": "at_most", "times": 0}],
        },
        "stap 1 (Uitlening) op 4 mei 2026; stap 2 (Websitebezoek) niet gehaald",
    ),
    (
        "facts.then",
        {"kind": "loan", "anchor": "each", "then": [{"kind": "visit", "within_days": 5}]},
        "stap 1 (Uitlening) op 8 juni 2026; stap 2 (Websitebezoek) op 10 juni 2026",
    ),
    (
        "facts.then",
        {"kind": "loan", "then": [{"kind": "fine", "op": "at_most", "times": 0}, {"kind": "loan", "op": "exactly"}]},
        "stap 1 (Uitlening) op 4 mei 2026; stap 2 (Te-laatgeld) klopt; stap 3 (Uitlening) niet gehaald",
    ),
    (
        "facts.then",
        {"kind": "loan", "then": [{"kind": "loan", "op": "at_most", "times": 1}, {"kind": "visit"}]},
        (
            "stap 1 (Uitlening) op 4 mei 2026; stap 2 (Uitlening) klopt niet meer sinds 8 juni 2026;"
            " stap 3 (Websitebezoek) op 10 juni 2026"
        ),
    ),
    ("facts.then", {"kind": "fine", "then": [{"kind": "visit"}]}, "de eerste stap is nooit gehaald"),
    (
        "facts.interval",
        {"kind": "loan", "at_most": 30},
        "3 bezoeken, gemiddeld elke 17,5 dagen; laatst op 8 juni 2026 (7 dagen geleden)",
    ),
    (
        "facts.due",
        {"kind": "loan", "per": "fact"},
        "3 bezoeken, gemiddeld elke 17,5 dagen; laatst op 8 juni 2026 (7 dagen geleden)",
    ),
    ("facts.due", {"kind": "visit"}, "één bezoek, op 10 juni 2026 (5 dagen geleden)"),
    ("facts.due", {"kind": "fine"}, "nooit"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "params", "words"), SEEN)
def test_what_it_saw(sanne: Customer, code: str, params: dict[str, Any], words: str) -> None:
    rule = parse_rule({"version": 2, "op": "all", "children": [{"criterion": code, "params": params}]})
    with translation.override("nl"):
        [verdict] = why(rule, sanne, now=NOW, present=NOW).children
    assert verdict.seen == words
    assert verdict.holds == compile_rule(rule, now=NOW).filter(pk=sanne.pk).exists()


def test_what_it_saw_outlives_the_facts(sanne: Customer) -> None:
    KindSetting.objects.create(code="loan", keep_months=1)
    retention_of_facts(day=NOW.date() + 90 * DAY, now=NOW)
    assert not Fact.objects.filter(kind="loan").exists()
    seen = {
        code: criteria[code].seen(criteria[code].params.model_validate(params), sanne, now=NOW)
        for code, params in (
            ("facts.count", {"kind": "loan"}),
            ("facts.none", {"kind": "loan", "within_days": 3}),
            ("facts.last", {"kind": "loan"}),
            ("facts.first", {"kind": "loan"}),
        )
    }
    with translation.override("en"):
        assert seen["facts.count"]
    assert all("8" in words or "4" in words for words in seen.values()), seen


@pytest.mark.parametrize(
    ("code", "params", "days_ago", "is_known"),
    [
        ("facts.count", {"kind": "loan", "times": 3}, 10, True),  # totals, brought back to then
        ("facts.count", {"kind": "loan", "times": 3}, 50, False),  # facts from before and after it are gone
        ("facts.count", {"kind": "loan"}, 50, True),  # the first time is known
        ("facts.count", {"kind": "loan", "times": 3, "within_days": 30}, 10, True),
        ("facts.count", {"kind": "loan", "times": 3, "within_days": 60}, 10, False),
        ("facts.count", {"kind": "loan", "within_days": 60}, 10, True),  # the last of what is gone is known
        ("facts.count", {"kind": "loan", "per": "day", "times": 2}, 0, False),
        ("facts.count", {"kind": "loan", "world": ["reizen"]}, 0, False),
        ("facts.count", {"kind": "ticket", "times": 3, "within_days": 60}, 10, True),  # nothing of it is gone
        ("facts.none", {"kind": "loan", "within_days": 60}, 10, True),
        ("facts.first", {"kind": "loan", "within_days": 60}, 50, True),
        ("facts.last", {"kind": "loan", "period": "before_last", "number": 90}, 10, True),
        ("facts.last", {"kind": "loan", "period": "before_last", "number": 90}, 50, False),
        ("facts.sum", {"kind": "loan", "measure": "quantity", "at_least": 3}, 10, True),
        ("facts.sum", {"kind": "loan", "measure": "quantity", "figure": "largest", "at_least": 3}, 10, False),
        ("facts.interval", {"kind": "loan", "at_most": 9}, 0, False),
        ("facts.interval", {"kind": "loan", "at_most": 9, "per": "fact"}, 10, True),
        ("facts.then", {"kind": "ticket", "within_days": 60, "then": [{"kind": "loan"}]}, 0, False),
        ("facts.then", {"kind": "ticket", "within_days": 30, "then": [{"kind": "loan"}]}, 0, True),
    ],
)  # fmt: skip
def test_what_is_not_kept_is_a_gap_unless_totals_know_it(
    code: str, params: dict[str, Any], days_ago: int, is_known: bool
) -> None:
    KindSetting.objects.create(code="loan", keep_months=1, kept_from=NOW - 45 * DAY)
    criterion = criteria[code]
    with translation.override("nl"):
        gap = criterion.gap(criterion.params.model_validate(params), now=NOW - days_ago * DAY, present=NOW)
    assert gap == ("" if is_known else "Van “Uitlening” is alleen bewaard wat sinds 1 mei 2026 gebeurde.")


def test_a_kind_of_the_organisation_itself_takes_part(sanne: Customer) -> None:
    add_kind(name="Workshop", verb="deed een workshop", participle="een workshop gedaan", by=None, now=NOW)
    did(sanne, "workshop", 3)
    rule = {"kind": "loan", "anchor": "last", "then": [{"kind": "workshop"}]}
    [found] = compile_rule(
        {"version": 2, "op": "all", "children": [{"criterion": "facts.then", "params": rule}]}, now=NOW
    )
    assert found == sanne
    with translation.override("nl"):
        sentence = criteria["facts.then"].sentence(criteria["facts.then"].params.model_validate(rule))
    assert sentence == "ooit voor het laatst geleend hebben en daarna minstens 1 keer een workshop gedaan"


@pytest.mark.parametrize(
    ("code", "was", "now_is"),
    [
        (
            "facts.count",
            {"kind": "loan", "within_days": 30, "world": "reizen", "genre": "", "branch": "", "per_order": True},
            {"kind": "loan", "period": "last", "number": 30, "world": ["reizen"], "per": "order"},
        ),
        (
            "facts.sum",
            {"kind": "loan", "unit": "quantity", "at_least": 8, "within_days": 30, "per_order": False},
            {"kind": "loan", "measure": "quantity", "at_least": 8, "period": "last", "number": 30},
        ),
        (
            "facts.sum",
            {"kind": "ticket", "unit": "amount_cents", "at_least": 8, "per_order": True},
            {"kind": "ticket", "figure": "largest", "per": "order", "at_least": 8},
        ),
        (
            "facts.last",
            {"kind": "loan", "more_than_days": 90, "within_days": None},
            {"kind": "loan", "period": "before_last", "number": 90},
        ),
        (
            "facts.first",
            {"kind": "loan", "more_than_days": 30, "within_days": 60},
            {"kind": "loan", "period": "ago", "number": 31, "number_to": 60},
        ),
        ("facts.last", {"kind": "loan", "more_than_days": None, "within_days": 9}, {"kind": "loan", "within_days": 9}),
    ],
)
def test_a_rule_of_the_first_months_is_read(code: str, was: dict[str, Any], now_is: dict[str, Any]) -> None:
    params = criteria[code].params
    assert params.model_validate(was) == params.model_validate(now_is)
    assert params.model_validate(params.model_validate(was).model_dump(mode="json")) == params.model_validate(now_is)


def test_a_stretch_without_days_found_nobody_and_still_does(sanne: Customer) -> None:
    criterion = criteria["facts.last"]
    q = criterion.to_q(
        criterion.params.model_validate({"kind": "loan", "more_than_days": 7, "within_days": 7}), now=NOW
    )
    assert not Customer.objects.filter(q).exists()


@pytest.mark.parametrize(
    ("code", "params"),
    [
        ("facts.count", {"kind": "loan", "op": "between", "times": 3}),
        ("facts.count", {"kind": "loan", "op": "between", "times": 3, "times_to": 2}),
        ("facts.count", {"kind": "loan", "per": "moon"}),
        ("facts.count", {"kind": "loan", "world": ["a"] * 101}),
        ("facts.sum", {"kind": "loan"}),
        ("facts.sum", {"kind": "loan", "at_least": 9, "at_most": 8}),
        ("facts.then", {"kind": "loan"}),
        ("facts.then", {"kind": "loan", "then": []}),
        ("facts.then", {"kind": "loan", "then": [{"kind": "visit"}] * 4}),
        ("facts.then", {"kind": "loan", "then": [{"kind": "theft"}]}),
        ("facts.then", {"kind": "loan", "then": [{"kind": "visit", "times": 0}]}),
        ("facts.then", {"kind": "loan", "times": 2, "at_least_total_cents": 5, "then": [{"kind": "visit"}]}),
        ("facts.then", {"kind": "loan", "times": 2, "anchor": "last", "then": [{"kind": "visit"}]}),
        ("facts.interval", {"kind": "loan"}),
        ("facts.interval", {"kind": "loan", "at_least": 9, "at_most": 8}),
        ("facts.interval", {"kind": "loan", "at_least": 9, "visits": 1}),
        ("facts.due", {"kind": "loan", "percent": 150, "percent_to": 150}),
        ("facts.due", {"kind": "loan", "per": "order"}),
    ],
)
def test_params_without_meaning_are_refused(code: str, params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        criteria[code].params.model_validate(params)


def test_a_faulty_step_is_named_by_its_place() -> None:
    params = {"kind": "loan", "then": [{"kind": "visit"}, {"kind": "visit", "times": -1}]}
    with pytest.raises(RuleRefused) as refused:
        parse_rule({"version": 2, "op": "all", "children": [{"criterion": "facts.then", "params": params}]})
    assert refused.value.field == "/children/0/params/then/1/times"


def test_what_is_not_there_is_refused_in_any_step() -> None:
    criterion = criteria["facts.then"]
    params = {"kind": "loan", "then": [{"kind": "visit"}, {"kind": "visit", "world": ["gone"]}]}
    with pytest.raises(Refused, match="gone") as refused:
        criterion.check(criterion.params.model_validate(params))
    assert refused.value.field == "world3"


def test_an_empty_later_step_is_left_out_of_the_form() -> None:
    criterion = criteria["facts.then"]
    data = {"kind": "loan", "kind2": "visit", "op2": "at_least", "times2": "2", "kind3": "", "op3": "at_most"}
    form = criterion.form(data | {"times3": "1", "at_least_cents2": "12,50", "at_least_total_cents": "50"})
    assert form.is_valid(), form.errors
    assert criterion.read(form.cleaned_data) == criterion.params.model_validate(
        {
            "kind": "loan",
            "at_least_total_cents": 5000,
            "then": [{"kind": "visit", "times": 2, "at_least_cents": 1250}],
        }
    )


def test_a_sum_is_not_split_even_when_a_hidden_field_says_so() -> None:
    criterion = criteria["facts.sum"]
    form = criterion.form(
        {"kind": "ticket", "figure": "sum", "per": "order", "at_least": "12,50", "measure": "amount_cents"}
    )
    assert form.is_valid(), form.errors
    params: Any = criterion.read(form.cleaned_data)
    assert (params.figure, params.per, params.at_least) == ("sum", "fact", 1250)


def test_huge_numbers_overflow_nowhere(sanne: Customer) -> None:
    """Averages and intervals are compared in whole numbers, multiplied by counts."""
    Fact.objects.update(quantity=2_000_000_000)
    most = 10**9
    asked: list[tuple[str, dict[str, Any]]] = [
        ("facts.sum", {"kind": "loan", "figure": "average", "at_most": most, "measure": "quantity", "within_days": 90}),
        ("facts.sum", {"kind": "ticket", "figure": "average", "at_most": most}),
        ("facts.interval", {"kind": "loan", "at_most": 36500, "per": "fact"}),
        ("facts.due", {"kind": "loan", "percent": 10000}),
    ]
    for code, params in asked:
        criterion = criteria[code]
        q = criterion.to_q(criterion.params.model_validate(params), now=NOW)
        assert Customer.objects.filter(q).count() + Customer.objects.filter(~q).count() == 1


def test_a_window_beyond_the_calendar_is_refused_with_its_place() -> None:
    params = {"kind": "loan", "period": "last", "number": 36500, "unit": "year"}
    rule = {"version": 2, "op": "all", "children": [{"criterion": "facts.count", "params": params}]}
    with pytest.raises(RuleRefused) as refused:
        compile_rule(rule, now=NOW)
    assert refused.value.field == "/children/0/params"


def asks(criterion: str, **params: Any) -> dict[str, Any]:
    return {"criterion": criterion, "params": params}


def audience(*children: dict[str, Any]) -> set[str]:
    found = compile_rule({"version": 2, "op": "all", "children": list(children)}, now=NOW)
    return set(found.values_list("first_name", flat=True))


def test_no_order_in_half_a_year_and_longer_than_20_seconds_on_a_page() -> None:
    reads, glances, orders = (CustomerFactory(first_name=name) for name in ("reads", "glances", "orders"))
    for customer, seconds in ((reads, 21), (glances, 20), (orders, 300)):
        did(customer, "page_view", 10, duration_seconds=seconds)
        did(customer, "ticket", 3 if customer is orders else 200, amount_cents=2500)
    no_order = asks("facts.none", kind="ticket", period="last", number=6, unit="month")
    page = asks("facts.count", kind="page_view", at_least_seconds=21, period="last", number=6, unit="month")
    assert audience(no_order, page) == {"reads"}


def test_25_to_35_years_old_spent_50_euros_and_came_twice_since() -> None:
    people = {
        "twice": (30, (20, 10)), "before": (30, (50, 45)), "once": (30, (20,)), "older": (36, (20, 10)),
    }  # fmt: skip
    for name, (age, visits) in people.items():
        customer = CustomerFactory(first_name=name, birth_date=NOW.date().replace(year=NOW.year - age))
        for days, cents in ((60, 3000), (40, 2000)):
            did(customer, "ticket", days, amount_cents=cents)
        for days in visits:
            did(customer, "visit", days)
    spent = asks("facts.then", kind="ticket", at_least_total_cents=5000, then=[{"kind": "visit", "times": 2}])
    assert audience(asks("customer.age", at_least=25, at_most=35), spent) == {"twice"}


def test_who_stays_away_longer_than_usual() -> None:
    for name, days in {"late": (70, 60, 50, 34), "in time": (70, 50, 30, 10), "gone": (400, 390, 380)}.items():
        customer = CustomerFactory(first_name=name)
        for day in days:
            did(customer, "ticket", day, external_id=f"{name} {day}")
            did(customer, "ticket", day, external_id=f"{name} {day} again")
    assert audience(asks("facts.due", kind="ticket", percent=150)) == {"late", "gone"}
    assert audience(asks("facts.due", kind="ticket", percent=150, percent_to=400)) == {"late"}
    assert audience(asks("facts.interval", kind="ticket", at_most=11)) == {"gone"}
    assert audience(asks("facts.interval", kind="ticket", at_least=12, at_most=20)) == {"late", "in time"}


def test_no_gap_where_nothing_ever_went(sanne: Customer) -> None:
    rule = {"version": 2, "op": "all", "children": [{"criterion": "facts.due", "params": {"kind": "loan"}}]}
    assert gaps(parse_rule(rule), now=NOW - DAY, present=NOW) == {}
