"""A stored rule that can no longer be read, as when a kind of activity was taken away, breaks no page: each tells what
is wrong and what can be done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from common.time import clock
from labels.actions import create_label
from labels.models import Label
from selections.actions import create_selection
from selections.models import Selection
from selections.readable import readable
from selections.rules import Group, parse_rule
from tests.factories import CustomerFactory, PurposeFactory
from tests.selections.test_rules import MEMBERS, rule
from tests.workbench.test_selection_pages import text
from workbench.kind_figures import looking_further

pytestmark = pytest.mark.django_db

LOST = {"criterion": "facts.count", "params": {"kind": "gone", "times": 1}}
DISAPPEARED = {"criterion": "horoscope.sign", "params": {"sign": "leo"}}
GONE = rule(LOST)
NOTHING_TO_DO = "Zolang dat zo is, kun je er niemand mee tellen, bereiken of exporteren"


@pytest.fixture
def client(client_of: Callable[[User], Client], marketeer: User) -> Client:
    return client_of(marketeer)


@pytest.fixture(params=[LOST, DISAPPEARED], ids=["kind", "criterion"])
def broken(request: Any, marketeer: User) -> Selection:
    """Was saved when all of it could be read, and changed once."""
    made = create_selection(name="Vroeger", rule=rule(MEMBERS), by=marketeer, now=clock())
    Selection.objects.filter(pk=made.pk).update(rule=rule(MEMBERS, request.param))
    made.refresh_from_db()
    return made


def url(name: str, thing: Selection) -> str:
    return reverse(f"workbench:selection_{name}", args=[thing.pk])


# --- labels ---


@pytest.mark.parametrize("page", ["", "rule/", "history/"])
def test_a_page_of_a_label_says_that_its_rule_cannot_be_read(client: Client, page: str) -> None:
    label = create_label(name="Volgt", kind="own", now=clock())
    Label.objects.filter(pk=label.pk).update(rule=GONE)
    answer = client.get(f"/labels/{label.pk}/{page}")
    assert answer.status_code == 200
    assert "Deze regel is niet meer te lezen" in answer.content.decode()


def test_the_builder_of_a_label_shows_what_is_left_of_its_rule(client: Client) -> None:
    label = create_label(name="Volgt", kind="own", now=clock())
    Label.objects.filter(pk=label.pk).update(rule=rule(MEMBERS, LOST))
    page = client.get(f"/labels/{label.pk}/rule/build/")
    assert "Dit is weggelaten" in text(page)
    assert page.context["builder"].to_rule() == parse_rule(rule(MEMBERS))


# --- selections ---


@pytest.mark.parametrize("name", ["detail", "then", "why_find", "take_out", "calls", "addresses"])
def test_a_page_of_a_selection_opens_and_tells_what_is_wrong_and_what_to_do(
    make_user: Callable[..., User], client_of: Callable[[User], Client], broken: Selection, name: str
) -> None:
    client = client_of(make_user("administrator", "beheer"))
    asked = {"purpose": PurposeFactory(code="marketing").pk} if name in {"calls", "addresses"} else {}
    page = client.get(url(name, broken), asked)
    assert page.status_code == 200
    told = text(page)
    assert told.count("De regel van deze selectie is niet meer te lezen") == 1
    assert NOTHING_TO_DO in told
    assert f'href="{url("change", broken)}"' in page.content.decode()
    assert f'href="{url("versions", broken)}"' in page.content.decode()


def test_nothing_is_done_with_a_selection_that_cannot_be_read(client: Client, broken: Selection) -> None:
    page = client.get(url("detail", broken)).content.decode()
    assert "Doe iets" not in page
    assert "Tellen wie erin zit" not in page


def test_why_somebody_is_in_it_is_not_made_up(client: Client, broken: Selection) -> None:
    page = client.get(reverse("workbench:selection_why", args=[broken.pk, CustomerFactory().pk]), {"q": "Bos"})
    assert page.status_code == 200
    assert NOTHING_TO_DO in text(page)


def test_the_list_marks_it_and_only_it(client: Client, broken: Selection) -> None:
    create_selection(name="Allen", rule=rule(), now=clock())
    page = text(client.get("/selections/"))
    assert "Vroeger regel niet te lezen" in page
    assert page.count("regel niet te lezen") == 1


@pytest.mark.parametrize("name", ["change", "copy"])
def test_the_builder_shows_what_is_left_and_says_what_is_not(client: Client, broken: Selection, name: str) -> None:
    address = url("change", broken) if name == "change" else f"/selections/new/?from={broken.pk}"
    page = client.get(address)
    assert page.status_code == 200
    assert "Dit is weggelaten" in text(page)
    assert page.context["builder"].to_rule() == parse_rule(rule(MEMBERS))
    broken.refresh_from_db()
    assert len(broken.rule["children"]) == 2


def test_an_earlier_version_is_put_back(client: Client, broken: Selection) -> None:
    page = client.get(url("versions", broken))
    assert "Deze regel is niet meer te lezen" in text(page)
    first = page.context["versions"][-1]["version"]
    client.post(reverse("workbench:selection_restore", args=[broken.pk, first.key]))
    broken.refresh_from_db()
    assert broken.is_readable
    assert NOTHING_TO_DO not in text(client.get(url("detail", broken)))


def test_what_it_uses_and_what_uses_it_are_told_as_before(client: Client, broken: Selection, marketeer: User) -> None:
    inside = {"criterion": "selections.in", "params": {"selection": broken.pk}}
    user = create_selection(name="Erbinnen", rule=rule(MEMBERS), by=marketeer, now=clock())
    Selection.objects.filter(pk=user.pk).update(rule=rule(inside))
    label = create_label(name="Volgt", kind="own", now=clock())
    Label.objects.filter(pk=label.pk).update(selection=broken)
    told = text(client.get(url("detail", broken)))
    assert "Erbinnen" in told
    assert "Volgt" in told
    assert client.get(url("detail", user)).status_code == 200
    assert client.get(f"/labels/{label.pk}/").status_code == 200


def test_which_selections_look_back_at_a_kind_is_told_of_what_can_be_read(broken: Selection) -> None:
    far = {"criterion": "facts.count", "params": {"kind": "loan", "per": "order", "times": 2, "within_days": 3000}}
    other = create_selection(name="Ver", rule=rule(far), now=clock())
    Selection.objects.filter(pk=broken.pk).update(rule=rule(far, LOST))
    assert {one.pk for one in looking_further("loan", 12, now=clock())} == {broken.pk, other.pk}


# --- what is left of a rule ---


@pytest.mark.parametrize(
    ("stored", "left", "problems"),
    [
        (rule(MEMBERS), rule(MEMBERS), 0),
        (rule(LOST, MEMBERS, DISAPPEARED), rule(MEMBERS), 2),
        (rule({"op": "any", "children": [LOST, MEMBERS]}), rule({"op": "any", "children": [MEMBERS]}), 1),
        ({**rule(MEMBERS), "picks": [{"pick": "no"}, {"pick": "sample", "size": 5}]},
         {**rule(MEMBERS), "picks": [{"pick": "sample", "size": 5}]}, 1),
        (rule(MEMBERS, {"op": "whatever", "children": [MEMBERS]}), rule(MEMBERS), 1),
        ({"version": 9, "op": "all"}, rule(), 1),
        ("nothing", rule(), 1),
        (rule({"criterion": "facts.count", "params": {"picks": ["/picks/0"]}}), rule(), 1),
    ],
)  # fmt: skip
def test_of_a_stored_rule_only_what_cannot_be_read_is_left_out(stored: Any, left: Any, problems: int) -> None:
    found, told = readable(stored)
    assert isinstance(found, Group)
    assert found == parse_rule(left)
    assert len(told) == problems
