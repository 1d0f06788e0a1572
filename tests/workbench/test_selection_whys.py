from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from common.time import clock
from customers.models import Customer
from labels.actions import create_label, give_label
from selections.actions import create_selection
from selections.models import Selection
from selections.rules import parse_rule
from selections.verdicts import why
from tests.factories import CustomerFactory
from tests.selections.test_rules import MEMBERS, rule
from workbench.whys import certainly, deciding

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
PROSPECTS = {"criterion": "customer.kind", "params": {"kinds": ["prospect"]}}
READERS = {"criterion": "labels.has", "params": {"labels": ["lezer"]}}


@pytest.fixture
def client(client_of: Callable[[User], Client], marketeer: User) -> Client:
    return client_of(marketeer)


@pytest.fixture
def anna() -> Customer:
    return CustomerFactory(first_name="Anna", name_prefix="", last_name="Appel", created_at=clock() - 400 * DAY)


@pytest.fixture
def readers(anna: Customer) -> Selection:
    """Members with a label that Anna has had for ten days."""
    label = create_label(code="lezer", name="Lezer", kind="own", now=clock() - 20 * DAY)
    give_label(label, Customer.objects.filter(pk=anna.pk), by="x", now=clock() - 10 * DAY)
    return create_selection(name="Lezers", rule=rule(READERS), now=clock())


def text(response: Any) -> str:
    body = response.content.decode().partition("<main")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def page(client: Client, selection: Selection, customer: Customer, **asked: str) -> Any:
    return client.get(f"/selections/{selection.pk}/why/{customer.pk}/", asked)


def test_it_says_that_somebody_is_in_and_what_tips_the_scale(
    client: Client, readers: Selection, anna: Customer
) -> None:
    answer = page(client, readers, anna)
    assert "Anna Appel zit in “Lezers” zoals het nu is Dit geeft de doorslag:" in text(answer)
    assert [line.verdict.path for line in answer.context["reasons"]] == [(0,)]
    assert answer.context["root"].verdict.holds


def test_it_says_that_somebody_is_out_and_names_only_what_keeps_him_out(client: Client, anna: Customer) -> None:
    selection = create_selection(name="Beide", rule=rule(MEMBERS, PROSPECTS), now=clock())
    answer = page(client, selection, anna)
    assert "Anna Appel zit niet in “Beide”" in text(answer)
    assert [(line.verdict.path, line.is_fine) for line in answer.context["reasons"]] == [((1,), False)]


def test_what_must_not_hold_is_fine_when_it_does_not(client: Client, anna: Customer) -> None:
    selection = create_selection(name="Geen", rule=rule({"op": "none", "children": [PROSPECTS]}), now=clock())
    shown = text(page(client, selection, anna))
    assert "Anna Appel zit in “Geen”" in shown
    assert "Klopt niet, en zo hoort het" in shown


def test_a_past_day_is_answered_and_what_is_not_known_of_it_is_said(
    client: Client, readers: Selection, anna: Customer
) -> None:
    before = (clock() - 15 * DAY).date().isoformat()
    assert "Anna Appel zat niet in “Lezers”" in text(page(client, readers, anna, as_of=before))
    kinds = create_selection(name="Leden", rule=rule(MEMBERS), now=clock())
    shown = text(page(client, kinds, anna, as_of=before))
    assert "Niet alles van die dag is nog bekend" in shown
    assert "Niet zeker" in shown


def test_a_day_ahead_is_refused_and_now_is_shown(client: Client, readers: Selection, anna: Customer) -> None:
    shown = text(page(client, readers, anna, as_of=(clock() + 40 * DAY).date().isoformat()))
    assert "Kies een dag die al geweest is: vooruitkijken kan niet." in shown
    assert "Anna Appel zit in “Lezers”" in shown


def test_who_qualified_but_was_not_drawn_is_told_so(client: Client, anna: Customer) -> None:
    bert = CustomerFactory(first_name="Bert", name_prefix="", last_name="Bal")
    drawn = {**rule(MEMBERS), "picks": [{"pick": "sample", "size": 1, "seed": 3}]}
    selection = create_selection(name="Geloot", rule=drawn, now=clock())
    shown = [text(page(client, selection, who)) for who in (anna, bert)]
    assert sum("Kwam in aanmerking en bleef over" in one for one in shown) == 1
    assert sum("Kwam in aanmerking, maar is niet getrokken" in one for one in shown) == 1


def test_a_selection_inside_leads_to_its_own_page(client: Client, readers: Selection, anna: Customer) -> None:
    inside = rule({"criterion": "selections.in", "params": {"selection": readers.pk}})
    outer = create_selection(name="Buiten", rule=inside, now=clock())
    assert f'href="/selections/{readers.pk}/why/{anna.pk}/"' in page(client, outer, anna).content.decode()


def test_who_is_restricted_hears_why_no_selection_takes_him_in(
    client: Client, readers: Selection, anna: Customer
) -> None:
    Customer.objects.filter(pk=anna.pk).update(restricted_at=clock())
    shown = text(page(client, readers, anna))
    assert "Anna Appel zit niet in “Lezers”" in shown
    assert "Dit geeft de doorslag" not in shown


def test_any_customer_is_found_with_whether_he_is_in(client: Client, readers: Selection, anna: Customer) -> None:
    CustomerFactory(first_name="Anna", name_prefix="", last_name="Banaan")
    answer = client.get(f"/selections/{readers.pk}/why/", {"q": "anna"})
    assert {str(row["customer"]): row["is_in"] for row in answer.context["found"]} == {
        "Anna Appel": True,
        "Anna Banaan": False,
    }
    assert "Niemand gevonden" in text(client.get(f"/selections/{readers.pk}/why/", {"q": "zzzzqq"}))


def test_the_page_of_a_customer_lists_every_selection_with_in_or_out(
    client: Client, readers: Selection, anna: Customer
) -> None:
    create_selection(name="Prospects", rule=rule(PROSPECTS), now=clock())
    broken = create_selection(name="Kapot", rule=rule(), now=clock())
    Selection.objects.filter(pk=broken.pk).update(rule={"version": 2, "op": "all", "children": [{"criterion": "weg"}]})
    answer = client.get(f"/customers/{anna.pk}/selections/")
    assert {row["selection"].name: row["holds"] for row in answer.context["told"]} == {
        "Kapot": False,
        "Lezers": True,
        "Prospects": False,
    }
    assert "niet te beantwoorden" in text(answer)
    before = (clock() - 15 * DAY).date().isoformat()
    then = client.get(f"/customers/{anna.pk}/selections/", {"as_of": before})
    assert not any(row["holds"] for row in then.context["told"] if row["selection"] == readers)


def test_more_selections_cost_no_more_statements(client: Client, readers: Selection, anna: Customer) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/customers/{anna.pk}/selections/")
        return len(asked)

    queries()
    few = queries()
    for number in range(6):
        create_selection(name=f"Selectie {number}", rule=rule(MEMBERS), now=clock())
    assert queries() == few


@pytest.mark.parametrize(
    ("op", "children", "expected"),
    [
        ("all", [MEMBERS, MEMBERS], {(0,), (1,)}),
        ("all", [MEMBERS, PROSPECTS], {(1,)}),
        ("any", [MEMBERS, PROSPECTS], {(0,)}),
        ("any", [PROSPECTS, PROSPECTS], {(0,), (1,)}),
        ("none", [PROSPECTS, PROSPECTS], {(0,), (1,)}),
        ("none", [MEMBERS, PROSPECTS], {(0,)}),
        ("all", [MEMBERS, {"op": "any", "children": [PROSPECTS, PROSPECTS]}], {(1, 0), (1, 1)}),
        ("one", [MEMBERS, PROSPECTS], {(0,), (1,)}),
        ("one", [MEMBERS, MEMBERS, PROSPECTS], {(0,), (1,)}),
        ("one", [PROSPECTS, PROSPECTS], {(0,), (1,)}),
    ],
)
def test_the_outcome_hangs_on_what_would_change_it(
    op: str, children: list[Any], expected: set[Any], anna: Customer, now: dt.datetime
) -> None:
    tree = parse_rule({"version": 2, "op": op, "children": children})
    assert deciding(why(tree, anna, now=now, present=now)) == expected


@pytest.mark.parametrize(
    ("op", "children", "expected"),
    [
        ("all", [MEMBERS], None),
        ("all", [MEMBERS, READERS], False),
        ("any", [MEMBERS, READERS], None),
        ("any", [MEMBERS, {"op": "none", "children": [READERS]}], True),
        ("none", [MEMBERS, {"op": "none", "children": [READERS]}], False),
        ("none", [READERS], True),
        ("one", [MEMBERS, {"op": "none", "children": [READERS]}], None),
        ("one", [MEMBERS, *[{"op": "none", "children": [READERS]}] * 2], False),
    ],
)
def test_an_outcome_is_certain_when_what_is_not_known_cannot_change_it(
    op: str, children: list[Any], expected: bool | None, anna: Customer, now: dt.datetime
) -> None:
    """Of that day it is not known who was a member; nobody had the label."""
    create_label(code="lezer", name="Lezer", kind="own", now=now)
    tree = parse_rule({"version": 2, "op": op, "children": children})
    assert certainly(why(tree, anna, now=now - DAY, present=now)) is expected
