from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from selections.actions import create_selection
from selections.explain import describe
from tests.factories import NOW, BranchFactory
from tests.selections.test_rules import MEMBERS, rule

pytestmark = pytest.mark.django_db

PUR = {"criterion": "customer.branch", "params": {"branches": ["PUR"]}}
ADULTS = {"criterion": "customer.age", "params": {"at_least": 18}}


def group(op: str, *children: Any) -> dict[str, Any]:
    return {"op": op, "children": list(children)}


@pytest.fixture(autouse=True)
def _purmerend() -> None:
    BranchFactory(code="PUR", name="Purmerend")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (rule(), "All customers."),
        (rule(op="none"), "All customers."),
        (rule(op="any"), "Nobody."),
        (rule(MEMBERS), "Customers who are member."),
        (rule(group("all", group("any", MEMBERS))), "Customers who are member."),
        (rule(MEMBERS, PUR), "Customers who are member and belong to Purmerend."),
        (
            rule(MEMBERS, PUR, ADULTS, op="any"),
            "Customers who are member, belong to Purmerend or are at least 18 years old.",
        ),
        (
            rule(MEMBERS, group("any", PUR, ADULTS)),
            "Customers who are member and (belong to Purmerend or are at least 18 years old).",
        ),
        (rule(PUR, op="none"), "All customers, except those who belong to Purmerend."),
        (rule(group("none", PUR)), "All customers, except those who belong to Purmerend."),
        (
            rule(group("none", PUR, ADULTS), MEMBERS),
            "Customers who are member, except those who belong to Purmerend or are at least 18 years old.",
        ),
        (
            rule(MEMBERS, group("none", PUR), op="any"),
            "Customers who are member or (are not among those who belong to Purmerend).",
        ),
        (rule(MEMBERS, group("any")), "Customers who are member and do not exist."),
        (rule(op="one"), "Nobody."),
        (rule(MEMBERS, group("one", PUR)), "Customers who are member and belong to Purmerend."),
        (
            rule(MEMBERS, group("one", PUR, ADULTS)),
            (
                "Customers who are member and "
                "(meet exactly one of these: belong to Purmerend or are at least 18 years old)."
            ),
        ),
    ],
)
def test_a_rule_reads_as_a_sentence(data: Any, sentence: str) -> None:
    with translation.override("en"):
        assert describe(data) == sentence


def test_the_sentence_follows_the_language() -> None:
    data = rule(MEMBERS, group("none", PUR))
    with translation.override("nl"):
        sentence = describe(data)
    assert sentence.startswith("Klanten die ")
    assert ", behalve wie " in sentence


def test_another_selection_is_named_even_when_it_is_gone() -> None:
    selection = create_selection(name="Jonge ouders", rule=rule(MEMBERS), now=NOW)
    data = rule({"criterion": "selections.in", "params": {"selection": selection.pk}})
    with translation.override("en"):
        assert describe(data) == "Customers who are in the selection “Jonge ouders”."
        pk = selection.pk
        selection.delete()
        assert describe(data) == f"Customers who are in the selection “#{pk}”."
