from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from common.time import clock, local_date
from customers.models import Customer
from labels.actions import create_group, create_label, give_label
from labels.models import Label, LabelGroup
from selections.actions import create_selection
from tests.factories import CustomerFactory, VoucherFactory

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
GROUP = "/api/v1/label-groups/trap/"


@pytest.fixture
def ladder() -> list[Label]:
    group: LabelGroup = create_group(name="Trap", code="trap", is_exclusive=True)
    return [create_label(name=name, kind="own", group=group, now=clock()) for name in ("Laag", "Hoog")]


@pytest.fixture
def mover(ladder: list[Label]) -> Customer:
    customer: Customer = CustomerFactory(number="7", created_at=clock() - 100 * DAY, registered_on=None)
    for label, ago in zip(ladder, (50, 10), strict=True):
        give_label(label, Customer.objects.filter(pk=customer.pk), by="Petra", how="api", now=clock() - ago * DAY)
    return customer


def days(first: int, last: int, **more: Any) -> dict[str, Any]:
    today = local_date(clock())
    return {"from": today - first * DAY, "to": today - last * DAY, **more}


def test_the_matrix_tells_its_cells(api: APIClient, mover: Customer) -> None:
    found = api.get(f"{GROUP}shifts/", days(30, 1)).data
    assert found["labels"] == ["laag", "hoog"]
    assert found["total"] == 1
    assert found["cells"] == [{"from": "laag", "to": "hoog", "direction": "up", "customers": 1}]
    before = api.get(f"{GROUP}shifts/", days(120, 40)).data
    assert before["cells"] == [{"from": "~new", "to": "laag", "direction": "in", "customers": 1}]


def test_the_matrix_is_narrowed_by_a_selection(api: APIClient, mover: Customer) -> None:
    rule = {"version": 2, "op": "all", "children": [{"criterion": "customer.age", "params": {"at_least": 100}}]}
    nobody = create_selection(name="Niemand", rule=rule, now=clock())
    assert api.get(f"{GROUP}shifts/", days(30, 1, selection=nobody.pk)).data["total"] == 0


def test_moves_are_listed_the_latest_first(api: APIClient, mover: Customer) -> None:
    found = api.get(f"{GROUP}moves/", days(100, 0)).data
    assert found["count"] == 2
    assert [(one["from"], one["to"], one["direction"], one["how"]) for one in found["results"]] == [
        ("laag", "hoog", "up", "api"),
        ("~none", "laag", "in", "api"),
    ]
    assert {one["number"] for one in found["results"]} == {"7"}


@pytest.mark.parametrize(
    ("narrowed", "count"),
    [
        ({"to_label": "hoog"}, 1),
        ({"from_label": "~none"}, 1),
        ({"from_label": "hoog"}, 0),
        ({"customer": "7"}, 2),
    ],
)
def test_moves_are_narrowed(api: APIClient, mover: Customer, narrowed: dict[str, str], count: int) -> None:
    assert api.get(f"{GROUP}moves/", days(100, 0, **narrowed)).data["count"] == count


def test_a_page_of_moves_costs_as_many_queries_as_one(
    api: APIClient, mover: Customer, ladder: list[Label], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    CustomerFactory.create_batch(60)
    give_label(ladder[0], Customer.objects.exclude(pk=mover.pk), by="Petra", now=clock() - 5 * DAY)
    with django_assert_max_num_queries(17):
        found = api.get(f"{GROUP}moves/", days(100, 0)).data
    assert (found["count"], len(found["results"])) == (62, 50)
    assert len(api.get(found["next"]).data["results"]) == 12


def cell(was: str, became: str, **more: Any) -> dict[str, Any]:
    return days(30, 1, from_label=was, to_label=became, **more)


def test_who_are_in_a_cell_is_listed(api: APIClient, mover: Customer, ladder: list[Label]) -> None:
    late = CustomerFactory(number="8", created_at=clock() - 5 * DAY, registered_on=None)
    give_label(ladder[0], Customer.objects.filter(pk=late.pk), by="Petra", now=clock() - 4 * DAY)
    for was, became, numbers in (("laag", "hoog", ["7"]), ("~new", "laag", ["8"]), ("hoog", "laag", [])):
        found = api.get(f"{GROUP}shifts/customers/", cell(was, became)).data
        assert [one["number"] for one in found["results"]] == numbers
    for wrong in (days(30, 1), cell("laag", "elders"), cell("laag", "~new"), cell("elders", "laag")):
        assert api.get(f"{GROUP}shifts/customers/", wrong).status_code == 400


def test_what_they_received_before_moving_is_held_against_who_stayed(
    api: APIClient, mover: Customer, ladder: list[Label]
) -> None:
    stayer = CustomerFactory(created_at=clock() - 100 * DAY)
    give_label(ladder[0], Customer.objects.filter(pk=stayer.pk), by="Petra", now=clock() - 50 * DAY)
    voucher = VoucherFactory(customer=mover, issued_at=clock() - 15 * DAY)
    found = api.get(f"{GROUP}shifts/received/", cell("laag", "hoog")).data
    assert (found["movers"], found["stayers"], found["is_sample"]) == (1, 1, False)
    assert (found["anything"]["mover_share"], found["anything"]["stayer_share"]) == (100.0, 0.0)
    assert [(line["kind"], line["id"], line["movers"]) for line in found["lines"]] == [
        ("voucher", voucher.definition_id, 1)
    ]
    assert api.get(f"{GROUP}shifts/received/", cell("laag", "hoog", days=3)).data["lines"] == []
    assert api.get(f"{GROUP}shifts/received/", cell("~new", "hoog")).data["movers"] == 0


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "2026-03-02", "to": "2026-03-01"}, "to"),
        ({"from": "2026-03-01", "to": "2999-01-01"}, "to"),
        ({"from": "2001-01-01", "to": "2026-01-01"}, "from"),
        ({}, "from"),
        ({"from": "2026-03-01", "from_label": "elders"}, "from_label"),
        ({"from": "2026-03-01", "customer": "\0"}, "customer"),
        ({"from": "0003-01-01", "to": "0002-01-01"}, "to"),
    ],
)
def test_what_cannot_be_answered_is_refused(api: APIClient, mover: Customer, asked: dict[str, str], field: str) -> None:
    answer = api.get(f"{GROUP}moves/", asked)
    assert answer.status_code == 400
    assert field in str(answer.data)


@pytest.mark.parametrize(
    ("last", "dutch"),
    [
        ("2026-03-01", "Kies een dag na de eerste."),
        ("2999-01-01", "Dit ligt in de toekomst."),
        ("2026-01-01", "Kies hoogstens 3 jaar tussen de twee dagen."),
    ],
)
def test_what_is_wrong_with_the_days_is_told_in_dutch(api: APIClient, mover: Customer, last: str, dutch: str) -> None:
    first = "2001-01-01" if last == "2026-01-01" else "2026-03-02"
    assert dutch in str(api.get(f"{GROUP}shifts/", {"from": first, "to": last}).data)


def test_a_group_of_many_at_a_time_has_no_shifts(api: APIClient, ladder: list[Label]) -> None:
    create_group(name="Los", code="los")
    answer = api.get("/api/v1/label-groups/los/shifts/", days(30, 1))
    assert answer.data["code"] == "not_exclusive"


def test_the_first_days_of_the_calendar_are_answered_too(api: APIClient, mover: Customer) -> None:
    assert api.get(f"{GROUP}shifts/", {"from": "0001-01-02", "to": "0002-01-01"}).data["total"] == 0
