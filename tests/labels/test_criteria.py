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
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def labels(now: dt.datetime) -> dict[str, Label]:
    return {code: create_label(code=code, name=code.title(), kind="own", now=now) for code in ("rood", "groen")}


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
    Label.objects.filter(code="groen").update(is_active=False)
    choices = dict(LabelsForm().fields["labels"].choices)  # type: ignore[attr-defined]
    assert choices["Aardig"] == [("blauw", "Blauw")]
    assert list(choices)[-1] == "Overige labels"
    assert choices["Overige labels"] == [("rood", "Rood")]
    assert ("borrowing-heavy", "Zware lener") in choices["Leenfrequentie"]


@pytest.mark.parametrize("code", ["labels.has", "labels.not_has", "labels.had_since"])
def test_a_form_filled_in_gives_params_and_params_fill_the_form(labels: dict[str, Label], code: str) -> None:
    criterion = criteria[code]
    form = criterion.form({"labels": ["rood", "groen"], "match": "all", "within_days": "30"})
    assert form.is_valid(), form.errors
    params = criterion.read(form.cleaned_data)
    again = criterion.form(criterion.initial(params))
    assert again.is_valid()
    assert criterion.read(again.cleaned_data) == params
