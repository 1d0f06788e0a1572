"""What sets a group apart: labels that its customers have more often than everybody, or less."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Count

from customers.models import Customer
from labels import profile
from labels.actions import create_label, give_label
from labels.models import Label
from labels.profile import Mark, Profile, profile_of
from selections.actions import create_selection
from selections.rules import parse_rule
from tests.factories import NOW, CustomerFactory
from tests.selections.test_rules import MEMBERS, rule

pytestmark = pytest.mark.django_db


def labelled(name: str, *holders: Customer) -> Label:
    label = create_label(name=name, kind="own", by=None, now=NOW)
    give_label(label, Customer.objects.filter(pk__in=[one.pk for one in holders]), by="Anna", now=NOW)
    return label


@pytest.fixture
def town() -> dict[str, Label]:
    """Forty members and sixty others: half of the members read thrillers, no member uses the app, one in ten walks."""
    members = CustomerFactory.create_batch(40, kind="member")
    others = CustomerFactory.create_batch(60, kind="prospect")
    return {
        "Thrillers": labelled("Thrillers", *members[:20], *others[:3]),
        "App": labelled("App", *others[:45]),
        "Wandelt": labelled("Wandelt", *members[:4], *others[:6]),
    }


def shown(marks: list[Mark]) -> list[tuple[str, float, float]]:
    return [(str(mark.label), round(mark.share, 3), round(mark.share_of_all, 3)) for mark in marks]


def of_members() -> Profile:
    return profile_of(parse_rule(rule(MEMBERS)), now=NOW)


def test_what_can_hardly_be_chance_is_told_the_clearest_first(town: dict[str, Label]) -> None:
    found = of_members()
    assert (found.total, found.looked_at, found.is_too_small) == (40, 40, False)
    assert shown(found.more) == [("Thrillers", 0.5, 0.23)]
    assert shown(found.less) == [("App", 0.0, 0.45)]
    assert round(found.more[0].ratio, 2) == 2.17


def test_shares_are_those_of_a_plain_count(town: dict[str, Label]) -> None:
    counted = dict(
        Customer.objects.filter(kind="member", label_assignments__until=None)
        .values_list("label_assignments__label__name")
        .annotate(Count("pk"))
    )
    for mark in of_members().more:
        assert mark.share == counted[str(mark.label)] / 40


def test_a_label_of_a_few_persons_is_not_told(town: dict[str, Label], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "SURE", 0)
    members = list(Customer.objects.filter(kind="member")[:5])
    labelled("Schaakt", *members[:4])
    assert "Schaakt" not in [str(mark.label) for mark in of_members().more]
    labelled("Zwemt", *members)
    assert "Zwemt" in [str(mark.label) for mark in of_members().more]


def test_of_a_few_nothing_is_told(town: dict[str, Label]) -> None:
    Customer.objects.filter(kind="member").exclude(pk__in=Customer.objects.filter(kind="member")[:9]).update(
        kind="former"
    )
    found = of_members()
    assert (found.total, found.is_too_small, found.more, found.less) == (9, True, [], [])


def test_of_a_large_group_some_are_looked_at(town: dict[str, Label], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "LOOKED_AT", 30)
    found = of_members()
    assert (found.total, found.looked_at) == (40, 30)
    assert [str(mark.label) for mark in found.less] == ["App"]


def test_the_page_tells_it_in_words(town: dict[str, Label], client_of: Any, marketeer: User) -> None:
    kept = create_selection(name="Leden", rule=rule(MEMBERS), by=marketeer, now=NOW)
    page = " ".join(client_of(marketeer).get(f"/selections/{kept.pk}/profile/").content.decode().split())
    for words in ("Wat hen kenmerkt", "Thrillers", "50,0%", "23,0%", "2,2 × zo vaak", "nooit"):
        assert words in page
    assert "Wandelt" not in page
