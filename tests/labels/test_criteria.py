from __future__ import annotations

import datetime as dt

import pytest
from django.utils import translation

from common.criteria import criteria
from common.errors import Refused
from customers.models import Customer
from labels.actions import create_group, create_label, give_label, refresh_system_labels, take_label
from labels.criteria import LabelsForm
from labels.models import Label
from selections.compiler import compile_rule
from selections.rules import parse_rule
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def labels(now: dt.datetime) -> dict[str, Label]:
    group = create_group(name="Kleuren")
    return {
        code: create_label(code=code, name=code.title(), kind="own", group=group, now=now) for code in ("rood", "groen")
    }


@pytest.fixture
def people(labels: dict[str, Label], now: dt.datetime) -> dict[str, Customer]:
    people = {name: CustomerFactory() for name in ("red", "green", "both", "was red", "neither")}
    for code, names in (("rood", ("red", "both", "was red")), ("groen", ("green", "both"))):
        holders = Customer.objects.filter(pk__in=[people[name].pk for name in names])
        give_label(labels[code], holders, by="test", now=now - 30 * DAY)
    was = Customer.objects.filter(pk=people["was red"].pk)
    take_label(labels["rood"], was, by="test", now=now - 10 * DAY)
    return people


@pytest.mark.parametrize(
    ("criterion", "params", "expected"),
    [
        ("labels.has", {"labels": ["rood"]}, {"red", "both"}),
        ("labels.has", {"labels": ["rood", "groen"]}, {"red", "green", "both"}),
        ("labels.has", {"labels": ["rood", "groen"], "match": "any"}, {"red", "green", "both"}),
        ("labels.has", {"labels": ["rood", "groen"], "match": "all"}, {"both"}),
        ("labels.has", {"labels": ["rood", "onbekend"], "match": "all"}, set()),
        ("labels.not_has", {"labels": ["rood"]}, {"green", "was red", "neither"}),
        ("labels.not_has", {"labels": ["rood", "groen"]}, {"was red", "neither"}),
        ("labels.had_since", {"labels": ["rood"], "within_days": 9}, {"red", "both"}),
        ("labels.had_since", {"labels": ["rood"], "within_days": 11}, {"red", "both", "was red"}),
        ("labels.had_since", {"labels": ["rood"]}, {"red", "both", "was red"}),
        (
            "labels.had_since",
            {"labels": ["rood"], "period": "between", "since": "2026-05-10", "until": "2026-05-15"},
            set(),
        ),
        (
            "labels.had_since",
            {"labels": ["rood"], "period": "between", "since": "2026-06-01", "until": "2026-06-05"},
            {"red", "both", "was red"},
        ),
        ("labels.held_for", {"labels": ["rood", "groen"], "at_least": 30}, {"red", "green", "both"}),
        ("labels.held_for", {"labels": ["rood"], "at_least": 31}, set()),
        ("labels.held_for", {"labels": ["rood"], "at_most": 30}, {"red", "both"}),
        ("labels.held_for", {"labels": ["rood"], "at_most": 29}, set()),
        ("labels.got", {"labels": ["rood"], "period": "last", "number": 31}, {"red", "both", "was red"}),
        ("labels.got", {"labels": ["rood"], "period": "last", "number": 29}, set()),
        ("labels.got", {"labels": ["rood"], "how": ["hand"]}, {"red", "both", "was red"}),
        ("labels.got", {"labels": ["rood"], "how": ["rule", "import", "system"]}, set()),
        ("labels.lost", {"labels": ["rood"]}, {"was red"}),
        ("labels.lost", {"labels": ["rood"], "period": "last", "number": 9}, set()),
        ("labels.lost", {"labels": ["rood"], "how": ["age"]}, set()),
        ("labels.of_group", {"label_group": "kleuren"}, {"red", "green", "both"}),
        ("labels.of_group", {"label_group": "kleuren", "match": "none"}, {"was red", "neither"}),
        ("labels.of_group", {"label_group": "weg"}, set()),
    ],
)
def test_labels_select_customers(
    people: dict[str, Customer], now: dt.datetime, criterion: str, params: dict[str, object], expected: set[str]
) -> None:
    rule = {"version": 2, "op": "all", "children": [{"criterion": criterion, "params": params}]}
    assert set(compile_rule(rule, now=now)) == {people[name] for name in expected}


def test_labels_can_be_asked_as_of_an_earlier_moment(people: dict[str, Customer], now: dt.datetime) -> None:
    condition = {"criterion": "labels.has", "params": {"labels": ["rood"]}}
    rule = {"version": 2, "op": "all", "children": [condition]}
    assert set(compile_rule(rule, now=now - 20 * DAY)) == {people["red"], people["both"], people["was red"]}
    assert compile_rule(rule, now=now - 40 * DAY).count() == 0


@pytest.mark.parametrize(
    ("code", "params", "sentence"),
    [
        ("labels.has", {"labels": ["rood"]}, "het label “Rood” hebben"),
        ("labels.has", {"labels": ["rood", "groen"]}, "de labels “Rood” of “Groen” hebben"),
        ("labels.has", {"labels": ["rood", "groen"], "match": "all"}, "de labels “Rood” en “Groen” hebben"),
        ("labels.has", {"labels": ["weg"]}, "het label “weg” hebben"),
        ("labels.not_has", {"labels": ["rood"]}, "het label “Rood” niet hebben"),
        ("labels.not_has", {"labels": ["rood", "groen"]}, "geen van de labels “Rood” en “Groen” hebben"),
        ("labels.had_since", {"labels": ["rood"]}, "ooit het label “Rood” hadden"),
        ("labels.held_for", {"labels": ["rood"], "at_least": 3}, "het label “Rood” minstens 3 dagen hebben"),
        ("labels.held_for", {"labels": ["rood"], "at_most": 1}, "het label “Rood” hooguit 1 dag hebben"),
        (
            "labels.held_for",
            {"labels": ["rood"], "at_least": 3, "at_most": 5},
            "het label “Rood” 3 tot en met 5 dagen hebben",
        ),
        ("labels.got", {"labels": ["rood"], "first": True}, "voor het eerst het label “Rood” kregen"),
        (
            "labels.got",
            {"labels": ["rood"], "period": "yesterday", "how": ["hand", "import"]},
            "gisteren het label “Rood” kregen (met de hand of door een import)",
        ),
        ("labels.lost", {"labels": ["rood"]}, "het label “Rood” kwijtraakten"),
        ("labels.of_group", {"label_group": "kleuren"}, "een label van de groep “Kleuren” hebben"),
        ("labels.of_group", {"label_group": "kleuren", "match": "none"}, "geen label van de groep “Kleuren” hebben"),
        ("labels.moved", {"label_group": "kleuren"}, "binnen de groep “Kleuren” verschoven"),
        (
            "labels.moved",
            {"label_group": "kleuren", "from_labels": ["rood", "~none"], "compare": "ends", "period": "this_year"},
            (
                "dit jaar vanaf “Rood” of geen label binnen de groep “Kleuren” verschoven, "
                "eerste en laatste dag vergeleken"
            ),
        ),
        (
            "labels.moved",
            {"label_group": "kleuren", "from_labels": ["rood"], "to_labels": ["groen"], "direction": "up"},
            "van “Rood” naar “Groen” in de groep “Kleuren” omhoog gingen",
        ),
        (
            "labels.had_since",
            {"labels": ["rood"], "within_days": 30},
            "de afgelopen 30 dagen het label “Rood” hadden",
        ),
    ],
)
def test_a_label_criterion_reads_as_words(
    labels: dict[str, Label], code: str, params: dict[str, object], sentence: str
) -> None:
    criterion = criteria[code]
    with translation.override("nl"):
        assert criterion.sentence(criterion.params.model_validate(params)) == sentence


def test_an_unknown_label_is_refused_when_a_rule_is_saved(labels: dict[str, Label]) -> None:
    criterion = criteria["labels.has"]
    criterion.check(criterion.params.model_validate({"labels": ["rood"]}))
    with pytest.raises(Refused) as refused:
        criterion.check(criterion.params.model_validate({"labels": ["rood", "weg"]}))
    assert refused.value.field == "labels"


def test_the_form_offers_active_labels_by_group(labels: dict[str, Label], now: dt.datetime) -> None:
    refresh_system_labels(now=now, due_key="1")
    group = create_group(name="Aardig")
    create_label(code="blauw", name="Blauw", kind="own", group=group, now=now)
    create_label(code="los", name="Los", kind="own", now=now)
    Label.objects.filter(code="groen").update(is_active=False)
    choices = dict(LabelsForm().fields["labels"].choices)  # type: ignore[attr-defined]
    assert choices["Aardig"] == [("blauw", "Blauw")]
    assert list(choices)[-1] == "Overige labels"
    assert choices["Kleuren"] == [("rood", "Rood")]
    assert ("borrowing-heavy", "Zware lener") in choices["Leenfrequentie"]


@pytest.mark.parametrize(
    "code",
    ["labels.has", "labels.not_has", "labels.had_since", "labels.held_for", "labels.got", "labels.lost",
     "labels.of_group", "labels.moved"],
)  # fmt: skip
def test_a_form_filled_in_gives_params_and_params_fill_the_form(labels: dict[str, Label], code: str) -> None:
    criterion = criteria[code]
    filled = {
        "labels": ["rood", "groen"], "match": "any", "period": "last", "number": "30", "unit": "day", "at_least": "3",
        "how": ["hand"], "first": "on", "label_group": "kleuren", "from_labels": ["rood"], "direction": "up",
    }  # fmt: skip
    form = criterion.form(filled)
    assert form.is_valid(), form.errors
    params = criterion.read(form.cleaned_data)
    again = criterion.form(criterion.initial(params))
    assert again.is_valid()
    assert criterion.read(again.cleaned_data) == params


# --- moves, first times, what was seen ---


@pytest.fixture
def movers(now: dt.datetime) -> dict[str, Customer]:
    """Who went up from Laag to Hoog 20 days ago, who went down since, who only ever had Hoog."""
    group = create_group(name="Fase", is_exclusive=True)
    low, high = (
        create_label(code=code, name=code.title(), kind="own", group=group, now=now) for code in ("laag", "hoog")
    )
    people = {name: CustomerFactory(created_at=now - 100 * DAY) for name in ("up", "down", "only high", "none")}

    def give(label: Label, days: int, *names: str) -> None:
        one = Customer.objects.filter(pk__in=[people[name].pk for name in names])
        give_label(label, one, by="Petra", now=now - days * DAY)

    give(low, 30, "up", "down")
    give(high, 20, "up", "down", "only high")
    give(low, 10, "down")
    return people


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, {"up", "down"}),
        ({"period": "last", "number": 15}, {"down"}),
        ({"direction": "up"}, {"up", "down"}),
        ({"direction": "up", "period": "last", "number": 15}, set()),
        ({"direction": "down"}, {"down"}),
        ({"from_labels": ["laag"], "to_labels": ["hoog"]}, {"up", "down"}),
        ({"from_labels": ["hoog"]}, {"down"}),
        ({"to_labels": ["weg"]}, set()),
        ({"from_labels": ["~none"]}, {"up", "down", "only high"}),
        ({"from_labels": ["~none"], "to_labels": ["hoog"]}, {"only high"}),
        ({"from_labels": ["~none", "hoog"], "period": "last", "number": 15}, {"down"}),
        ({"to_labels": ["~none"]}, set()),
        ({"compare": "ends", "period": "last", "number": 25}, {"up"}),
        ({"compare": "ends", "period": "last", "number": 15}, {"down"}),
        ({"compare": "ends", "period": "last", "number": 15, "direction": "up"}, set()),
        ({"compare": "ends", "period": "last", "number": 40, "from_labels": ["~none"]}, {"up", "down", "only high"}),
        ({"compare": "ends", "period": "last", "number": 40, "from_labels": ["~new"]}, set()),
        ({"compare": "ends", "period": "next_week", "from_labels": ["~none"]}, set()),
    ],
)
def test_who_moved_within_a_group_is_found(
    movers: dict[str, Customer], now: dt.datetime, params: dict[str, object], expected: set[str]
) -> None:
    condition = {"criterion": "labels.moved", "params": {"label_group": "fase", **params}}
    rule = {"version": 2, "op": "all", "children": [condition]}
    assert set(compile_rule(rule, now=now)) == {movers[name] for name in expected}


def test_nobody_had_moved_before_the_first_did(movers: dict[str, Customer], now: dt.datetime) -> None:
    rule = {"version": 2, "op": "all", "children": [{"criterion": "labels.moved", "params": {"label_group": "fase"}}]}
    assert compile_rule(rule, now=now - 25 * DAY).count() == 0
    assert compile_rule(rule, now=now - 15 * DAY).count() == 2


def test_losing_the_last_label_of_a_group_is_a_move_to_none(movers: dict[str, Customer], now: dt.datetime) -> None:
    take_label(Label.objects.get(code="hoog"), Customer.objects.filter(pk=movers["up"].pk), by="Petra", now=now - DAY)
    for params, expected in (
        ({"to_labels": ["~none"]}, {movers["up"]}),
        ({"from_labels": ["laag"], "to_labels": ["~none"]}, set()),
        ({"to_labels": ["~none"], "direction": "down"}, set()),
        ({"to_labels": ["~none"], "compare": "ends", "period": "last", "number": 15}, {movers["up"]}),
    ):
        condition = {"criterion": "labels.moved", "params": {"label_group": "fase", **params}}  # type: ignore[dict-item]
        rule = {"version": 2, "op": "all", "children": [condition]}
        assert set(compile_rule(rule, now=now)) == expected, params
        opposite = compile_rule({**rule, "op": "none"}, now=now)
        assert set(opposite) == set(Customer.objects.all()) - expected


@pytest.mark.parametrize(
    "params",
    [
        {"to_labels": ["~new"], "compare": "ends", "period": "last", "number": 3},
        {"from_labels": ["~new"]},
        {"compare": "ends"},
        {"compare": "ends", "period": "between", "until": "2026-01-01"},
    ],
)
def test_what_cannot_be_compared_is_refused(movers: dict[str, Customer], params: dict[str, object]) -> None:
    condition = {"criterion": "labels.moved", "params": {"label_group": "fase", **params}}
    with pytest.raises(Refused):
        parse_rule({"version": 2, "op": "all", "children": [condition]})


def test_a_first_time_is_no_second(movers: dict[str, Customer], now: dt.datetime) -> None:
    params = {"labels": ["laag"], "first": True, "period": "last", "number": 15}
    rule = {"version": 2, "op": "all", "children": [{"criterion": "labels.got", "params": params}]}
    assert compile_rule(rule, now=now).count() == 0
    params["first"] = False
    assert set(compile_rule(rule, now=now)) == {movers["down"]}


def test_what_was_seen_is_told_with_since_when_and_by_what(movers: dict[str, Customer], now: dt.datetime) -> None:
    def seen(code: str, who: str, at: dt.datetime = now, **params: object) -> str:
        criterion = criteria[code]
        return criterion.seen(criterion.params.model_validate(params), movers[who], now=at)

    with translation.override("nl"):
        assert seen("labels.has", "up", labels=["hoog"]) == "“Hoog” sinds 26 mei 2026, door Petra"
        assert seen("labels.has", "none", labels=["hoog"]) == "heeft geen van deze labels"
        assert seen("labels.lost", "up", labels=["laag"]) == (
            "“Laag” van 16 mei 2026 tot 26 mei 2026, weggehaald omdat een ander label van de groep is gegeven"
        )
        assert seen("labels.lost", "up", now - 25 * DAY, labels=["laag"]) == "“Laag” sinds 16 mei 2026, door Petra"
        assert seen("labels.moved", "none", label_group="fase") == "had nooit een label van deze groep"


def test_only_what_was_deleted_is_not_known_of_the_past(movers: dict[str, Customer], now: dt.datetime) -> None:
    def gap(code: str, **params: object) -> str:
        criterion = criteria[code]
        return criterion.gap(criterion.params.model_validate(params), now=now - DAY, present=now)

    assert gap("labels.has", labels=["hoog"]) == gap("labels.moved", label_group="fase") == ""
    assert "“weg”" in gap("labels.has", labels=["hoog", "weg"])
    assert "“weg”" in gap("labels.of_group", label_group="weg")


def test_system_labels_are_found_by_what_gave_them(now: dt.datetime) -> None:
    customer = CustomerFactory(kind="member")
    refresh_system_labels(now=now, due_key="1")
    for how, expected in ((["system"], [customer]), (["hand", "rule"], [])):
        params = {"labels": ["borrowing-none"], "how": how}
        rule = {"version": 2, "op": "all", "children": [{"criterion": "labels.got", "params": params}]}
        assert list(compile_rule(rule, now=now)) == expected
