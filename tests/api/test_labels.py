from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from rest_framework.test import APIClient

from common.time import clock, local_date
from customers.models import Customer
from labels.actions import create_group, create_label, follow_rules, give_label, run_backfills, take_label
from labels.models import Assignment, Label, LabelGroup
from labels.tasks import end_labels_nightly, follow_rule_now
from selections.actions import create_selection, keep_selection
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
MEMBERS = {"version": 2, "op": "all", "children": [{"criterion": "customer.kind", "params": {"kinds": ["member"]}}]}
LABELS = "/api/v1/labels/"
GROUPS = "/api/v1/label-groups/"


@pytest.fixture
def red() -> Label:
    return create_label(code="rood", name="Rood", kind="own", now=clock())


def test_a_label_is_made_changed_and_deleted(api: APIClient) -> None:
    create_group(name="Fase", is_exclusive=True)
    body = {"name": "Vriend", "group": "fase", "colour": "teal", "valid_until": "2030-01-01"}
    made = api.post(LABELS, body, format="json")
    assert made.status_code == 201, made.data
    assert (made.data["code"], made.data["kind"], made.data["rank"]) == ("vriend", "own", 1)
    changed = api.patch(f"{LABELS}vriend/", {"name": "Vriendin", "group": None}, format="json")
    assert (changed.data["name"], changed.data["group"], changed.data["colour"]) == ("Vriendin", None, "teal")
    assert api.patch(f"{LABELS}vriend/", {"kind": "customer"}, format="json").data["code"] == "fixed"
    assert api.post(LABELS, {"name": "X", "kind": "system"}, format="json").data["code"] == "system_label"
    assert api.post(LABELS, {"name": "X", "code": "vriend"}, format="json").data["code"] == "code_taken"
    assert api.delete(f"{LABELS}vriend/").status_code == 204
    assert not Label.objects.exists()


def test_a_label_ends_in_the_night_by_its_age_or_its_days(api: APIClient) -> None:
    CustomerFactory(number="11")
    today = local_date(clock())
    ways: dict[str, dict[str, Any]] = {
        "vijf-dagen": {"max_age_days": 5},
        "actieweek": {"valid_from": today - 9 * DAY, "valid_until": today},
    }
    for code, limits in ways.items():
        made = api.post(LABELS, {"name": code, "code": code, **limits}, format="json")
        assert made.status_code == 201, made.data
        assert api.post(f"{LABELS}{code}/give/", {"numbers": ["11"]}, format="json").data == {"changed": 1}
    end_labels_nightly()
    assert Assignment.objects.open().count() == 2
    # A week goes by, in which the action week was cut short.
    Assignment.objects.update(since=clock() - 7 * DAY)
    cut = api.patch(f"{LABELS}actieweek/", {"valid_until": (today - 2 * DAY).isoformat()}, format="json")
    assert cut.status_code == 200, cut.data
    end_labels_nightly()
    for code in ways:
        assert api.get(f"{LABELS}{code}/customers/").data["results"] == []
    told = api.get("/api/v1/customers/11/label-history/").data["results"]
    assert {one["label"]: one["taken_how"] for one in told} == {"vijf-dagen": "age", "actieweek": "validity"}
    assert api.post(f"{LABELS}actieweek/give/", {"numbers": ["11"]}, format="json").status_code == 422


def test_a_label_with_a_history_is_not_deleted(api: APIClient, red: Label) -> None:
    CustomerFactory()
    give_label(red, Customer.objects.all(), by="Petra", now=clock())
    assert api.delete(f"{LABELS}rood/").data["code"] == "has_history"
    assert Label.objects.exists()


def test_a_label_is_given_and_taken_by_list_all_or_nobody(api: APIClient, red: Label) -> None:
    for number in ("11", "12", "13"):
        CustomerFactory(number=number)
    wrong = api.post(f"{LABELS}rood/give/", {"numbers": ["11", "99"]}, format="json")
    assert (wrong.status_code, wrong.data["code"], wrong.data["field"]) == (422, "unknown_customer", "numbers")
    assert not Assignment.objects.exists()
    given = api.post(f"{LABELS}rood/give/", {"numbers": ["11", "12", "12"], "reason": "actie"}, format="json")
    assert given.data == {"changed": 2}
    assert api.post(f"{LABELS}rood/give/", {"numbers": ["11", "13"]}, format="json").data == {"changed": 1}
    assert api.post(f"{LABELS}rood/take/", {"numbers": ["12"]}, format="json").data == {"changed": 1}
    assert {row["number"] for row in api.get(f"{LABELS}rood/customers/").data["results"]} == {"11", "13"}
    assert set(red.assignments.values_list("given_how", flat=True)) == {"api"}
    assert api.get(f"{LABELS}rood/give/").status_code == 405


def test_a_label_is_given_to_everybody_in_a_selection_or_result_set(api: APIClient, red: Label) -> None:
    for number in ("11", "12"):
        CustomerFactory(number=number)
    rule = {"version": 2, "op": "all", "children": [{"criterion": "customer.number", "params": {"value": "11"}}]}
    selection = create_selection(name="Elf", rule=rule, now=clock())
    kept = keep_selection(selection, name="Elf toen", now=clock())
    give, take = f"{LABELS}rood/give/", f"{LABELS}rood/take/"
    assert api.post(give, {"selection": selection.pk}, format="json").data == {"changed": 1}
    assigned = red.assignments.get()
    assert (assigned.given_how, assigned.given_through) == ("selection", selection.pk)
    assert api.post(take, {"result_set": kept.pk}, format="json").data == {"changed": 1}
    for wrong in ({}, {"numbers": ["11"], "selection": selection.pk}):
        assert api.post(give, wrong, format="json").data["code"] == "whom"
    assert not red.assignments.filter(until=None).exists()


def test_a_rule_is_followed_at_once_when_asked(api: APIClient, red: Label) -> None:
    assert api.post(f"{LABELS}rood/follow/").data["code"] == "no_rule"
    CustomerFactory()
    api.put(f"{LABELS}rood/rule/", {"rule": {"version": 2, "op": "all", "children": []}}, format="json")
    assert api.get(f"{LABELS}rood/runs/").data["results"] == []
    assert api.post(f"{LABELS}rood/follow/").status_code == 202
    follow_rule_now(red.pk)  # what it asks a worker for
    [run] = api.get(f"{LABELS}rood/runs/").data["results"]
    assert (run["given_count"], run["taken_count"], run["problem"]) == (1, 0, "")


def test_holders_as_of_a_day_and_the_history_of_a_customer(api: APIClient, red: Label) -> None:
    customer = CustomerFactory(number="11")
    now = clock()
    give_label(red, Customer.objects.all(), by="Petra", reason="beurs", now=now - 10 * DAY)
    take_label(red, Customer.objects.all(), by="Jan", now=now - 5 * DAY)

    def numbers(day: dt.datetime) -> list[str]:
        rows = api.get(f"{LABELS}rood/customers/", {"on": day.date().isoformat()}).data["results"]
        return [row["number"] for row in rows]

    assert numbers(now - 7 * DAY) == ["11"]
    assert numbers(now - 20 * DAY) == numbers(now) == []
    assert api.get(f"{LABELS}rood/customers/", {"on": "gisteren"}).status_code == 400
    [interval] = api.get(f"/api/v1/customers/{customer.number}/label-history/").data["results"]
    assert (interval["label"], interval["given_how"], interval["given_by"]) == ("rood", "hand", "Petra")
    assert (interval["reason"], interval["taken_by"], interval["number"]) == ("beurs", "Jan", "11")
    assert api.get(f"{LABELS}rood/history/").data["results"] == [interval]


def test_groups_are_made_ordered_and_deleted(api: APIClient) -> None:
    made = api.post(GROUPS, {"name": "Fase", "is_exclusive": True}, format="json")
    assert made.status_code == 201, made.data
    for name in ("Een", "Twee"):
        api.post(LABELS, {"name": name, "group": "fase"}, format="json")
    assert api.get(f"{GROUPS}fase/").data["labels"] == ["een", "twee"]
    assert api.post(f"{GROUPS}fase/order/", {"labels": ["twee", "een"]}, format="json").data["labels"] == [
        "twee",
        "een",
    ]
    assert api.post(f"{GROUPS}fase/order/", {"labels": ["twee"]}, format="json").data["code"] == "other_labels"
    assert api.patch(f"{GROUPS}fase/", {"description": "Trap"}, format="json").data["description"] == "Trap"
    assert api.delete(f"{GROUPS}fase/").data["code"] == "has_labels"
    for code in ("een", "twee"):
        api.delete(f"{LABELS}{code}/")
    assert api.delete(f"{GROUPS}fase/").status_code == 204
    assert not LabelGroup.objects.filter(code="fase").exists()


def test_a_rule_is_previewed_set_followed_and_dropped(api: APIClient, red: Label) -> None:
    CustomerFactory(number="11", kind="member")
    seen = api.post(f"{LABELS}rood/preview/", {"rule": MEMBERS}, format="json")
    assert seen.status_code == 200, seen.data
    assert (seen.data["gives"], seen.data["takes"], seen.data["given_examples"]) == (1, 0, ["11"])
    assert api.get(f"{LABELS}rood/").data["by_rule"] is False
    done = api.put(f"{LABELS}rood/rule/", {"rule": MEMBERS}, format="json")
    assert done.data["sentence"] == api.get(f"{LABELS}rood/rule/").data["sentence"] != ""
    assert api.post(f"{LABELS}rood/give/", {"numbers": ["11"]}, format="json").data["code"] == "rule_label"
    follow_rules(now=clock(), due_key="1")
    assert red.assignments.open().count() == 1
    wrong = {"version": 2, "op": "all", "children": [{"criterion": "bestaat.niet"}]}
    refused = api.put(f"{LABELS}rood/rule/", {"rule": wrong}, format="json")
    assert (refused.status_code, refused.data["field"]) == (422, "/children/0/criterion")
    selection = create_selection(name="Leden", rule=MEMBERS, now=clock())
    assert api.put(f"{LABELS}rood/rule/", {"selection": selection.pk}, format="json").data["rule"] is None
    assert api.put(f"{LABELS}rood/rule/", {}, format="json").data["code"] == "one_rule"
    assert api.delete(f"{LABELS}rood/rule/").status_code == 204
    assert api.get(f"{LABELS}rood/").data["by_rule"] is False


def test_a_history_is_asked_for_and_taken_back(api: APIClient, red: Label) -> None:
    CustomerFactory()
    api.put(f"{LABELS}rood/rule/", {"rule": {"version": 2, "op": "all", "children": []}}, format="json")
    day = (clock() - 60 * DAY).date().isoformat()
    asked = api.post(f"{LABELS}rood/backfills/", {"first_day": day, "grid": "week"}, format="json")
    assert (asked.status_code, asked.data["state"]) == (201, "waiting")
    run_backfills(clock=clock)
    [shown] = api.get(f"{LABELS}rood/backfills/").data
    assert (shown["state"], shown["written_count"]) == ("done", 1)
    back = api.post(f"{LABELS}rood/backfills/{shown['id']}/undo/")
    assert back.data["state"] == "undone"
    wrong = api.post(f"{LABELS}rood/backfills/", {"first_day": "2010-01-01"}, format="json")
    assert wrong.data["code"] == "too_long"


def test_a_label_out_of_use_is_taken_but_not_given(api: APIClient, red: Label) -> None:
    CustomerFactory(number="11")
    address = "/api/v1/customers/11/labels/"
    assert api.post(address, {"label": "rood"}, format="json").status_code == 201
    assert api.patch(f"{LABELS}rood/", {"is_active": False}, format="json").status_code == 200
    assert api.post(f"{address}take/", {"label": "rood"}, format="json").data == []
    assert api.post(address, {"label": "rood"}, format="json").data["code"] == "inactive"


def test_days_at_the_ends_of_the_calendar_are_answered(api: APIClient, red: Label) -> None:
    assert api.patch(f"{LABELS}rood/", {"max_age_days": 2_147_483_647}, format="json").data["code"] == "max_age"
    assert api.put(f"{LABELS}rood/rule/", {"rule": MEMBERS}, format="json").status_code == 200
    for day in ("0001-01-01", "9999-12-31"):
        asked = api.post(f"{LABELS}rood/backfills/", {"first_day": day}, format="json")
        assert asked.status_code == 422, asked.data
