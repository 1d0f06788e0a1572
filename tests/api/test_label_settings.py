"""Thresholds, computed values and versions of import labels, as an integration sees them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from rest_framework.test import APIClient

from common.time import clock
from customers.actions import record_fact
from customers.models import Customer, PurposeChannel
from labels.actions import create_group, create_label, ensure_system_labels, give_label, refresh_system_labels
from labels.models import Label, RefreshRun, ThresholdSetting, ValueDefinition
from selections.actions import create_selection
from tests.factories import CustomerFactory, PurposeFactory, SourceFactory

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
FAMILIES = "/api/v1/system-labels/"
VALUES = "/api/v1/computed-values/"
GROUP = "/api/v1/label-groups/mosaic/"
TERM = {"weight": 2, "what": "count", "kinds": ["loan"], "months": 12}


@pytest.fixture(autouse=True)
def profiling(db: None) -> None:
    purpose = PurposeFactory(code="profiling", rule="opt_in")
    purpose.channels.filter(channel="email").update(basis=PurposeChannel.Basis.INTEREST)


@pytest.fixture
def borrower() -> Customer:
    SourceFactory(code="library")
    customer: Customer = CustomerFactory(number="7")
    for number in range(7):
        at = clock() - (number + 1) * DAY
        record_fact(customer, kind="loan", occurred_at=at, source_code="library", external_id=str(number))
    return customer


def send(api: APIClient, verb: str, address: str, body: dict[str, Any]) -> Any:
    return getattr(api, verb)(address, body, format="json")


def test_thresholds_are_read_previewed_and_set(api: APIClient, borrower: Customer) -> None:
    refresh_system_labels(now=clock(), due_key="night")
    found = {one["code"]: one for one in api.get(FAMILIES).data}
    assert found["borrowing"]["groups"] == ["borrowing"]
    numbers = {one["code"]: (one["number"], one["usual"]) for one in found["borrowing"]["thresholds"]}
    assert numbers == {"months": (12, 12), "average": (6, 6), "heavy": (24, 24)}
    seen = send(api, "post", f"{FAMILIES}borrowing/preview/", {"thresholds": {"heavy": 7}}).data
    assert [(one["label"], one["added"], one["removed"]) for one in seen] == [
        ("borrowing-average", 0, 1),
        ("borrowing-heavy", 1, 0),
    ]
    assert seen[1]["gaining"] == ["7"]
    assert not ThresholdSetting.objects.exists()
    send(api, "patch", f"{FAMILIES}borrowing/", {"thresholds": {"heavy": 7}})
    changed = send(api, "patch", f"{FAMILIES}borrowing/", {"thresholds": {"average": 3}}).data
    assert [one["number"] for one in changed["thresholds"]] == [12, 3, 7]
    refresh_system_labels(now=clock(), due_key="later", full=False)
    assert borrower.label_assignments.open().filter(label__code="borrowing-heavy").exists()


@pytest.mark.parametrize(
    ("numbers", "code"),
    [({"heavy": 6}, "out_of_order"), ({"months": 0}, "out_of_range"), ({"anders": 1}, "unknown_threshold")],
)
def test_thresholds_that_cannot_be_are_refused(api: APIClient, numbers: dict[str, int], code: str) -> None:
    for verb, address in (("patch", f"{FAMILIES}borrowing/"), ("post", f"{FAMILIES}borrowing/preview/")):
        answer = send(api, verb, address, {"thresholds": numbers})
        assert (answer.status_code, answer.data["code"]) == (422, code)
    assert not ThresholdSetting.objects.exists()


def test_a_family_that_is_none_is_not_found(api: APIClient) -> None:
    assert api.get(f"{FAMILIES}anders/").status_code == 404
    assert send(api, "patch", f"{FAMILIES}anders/", {"thresholds": {"a": 1}}).status_code == 404


def test_a_value_is_previewed_made_changed_and_removed(api: APIClient, borrower: Customer) -> None:
    seen = send(api, "post", f"{VALUES}preview/", {"terms": [TERM]}).data
    assert (seen["known"], seen["highest"]) == (1, [{"number": "7", "value": 14.0}])
    body = {"name": "Leespunten", "unit": "number", "terms": [TERM]}
    made = send(api, "post", VALUES, body)
    assert (made.status_code, made.data["code"], made.data["is_standard"]) == (201, "leespunten", False)
    refresh_system_labels(now=clock(), due_key="night")
    assert borrower.computed_values.get(value__code="leespunten").number == 14
    changed = send(api, "patch", f"{VALUES}leespunten/", {"description": "Twee per lening"}).data
    assert (changed["name"], changed["description"], changed["terms"]) == (
        "Leespunten",
        "Twee per lening",
        [{**TERM, "weight": 2.0}],
    )
    assert api.delete(f"{VALUES}leespunten/").status_code == 204
    assert not ValueDefinition.objects.filter(code="leespunten").exists()


def test_what_labels_follow_from_or_something_uses_stays(api: APIClient) -> None:
    ensure_system_labels(now=clock())
    assert api.delete(f"{VALUES}recency/").data["code"] == "standard"
    other = [{**TERM, "kinds": ["deeds"]}]
    assert send(api, "patch", f"{VALUES}recency/", {"terms": other}).data["code"] == "standard"
    assert send(api, "patch", f"{VALUES}recency/", {"description": "Anders"}).status_code == 200
    send(api, "post", VALUES, {"name": "Leespunten", "unit": "number", "terms": [TERM]})
    top = {"pick": "top", "size": 10, "by": "computed.leespunten"}
    rule = {"version": 2, "op": "all", "children": [], "picks": [top]}
    create_selection(name="Lezers", rule=rule, now=clock())
    assert api.delete(f"{VALUES}leespunten/").data["code"] == "in_use"


@pytest.mark.parametrize(
    "wrong", [{"months": 0}, {"kinds": ["anders"]}, {"what": "anders"}, {"weight": 0}, {"months": 10**400}]
)
def test_a_formula_that_is_none_is_refused(api: APIClient, wrong: dict[str, Any]) -> None:
    for address, body in ((VALUES, {"name": "X", "unit": "number"}), (f"{VALUES}preview/", {})):
        answer = send(api, "post", address, {**body, "terms": [{**TERM, **wrong}]})
        assert answer.status_code in (400, 422)
        for terms in ([], [TERM] * 9):
            assert send(api, "post", address, {**body, "terms": terms}).data["code"] == "terms"
    assert not ValueDefinition.objects.filter(is_standard=False).exists()


def test_a_version_is_ended_and_taken_back(api: APIClient) -> None:
    group = create_group(name="Mosaic", is_exclusive=True)
    label = create_label(code="mosaic-2025-a", name="A", kind="imported", group=group, now=clock())
    Label.objects.filter(pk=label.pk).update(version="2025")
    CustomerFactory()
    give_label(label, Customer.objects.all(), by="import 1", now=clock() - DAY)
    [found] = api.get(f"{GROUP}versions/").data
    assert (found["version"], found["labels"], found["holders"], found["is_active"]) == ("2025", 1, 1, True)
    ended = send(api, "post", f"{GROUP}versions/end/", {"version": "2025"}).data
    assert (ended["taken_count"], label.assignments.open().count()) == (1, 0)
    assert send(api, "post", f"{GROUP}versions/end/", {"version": "2024"}).data["code"] == "unknown_version"
    [known] = api.get(f"{GROUP}versions/ends/").data
    assert api.post(f"{GROUP}versions/ends/{known['id']}/undo/").data["undone_at"]
    assert label.assignments.open().count() == 1
    assert api.post(f"{GROUP}versions/ends/{known['id']}/undo/").data["code"] == "undone"
    create_group(name="Anders")
    assert api.post(f"/api/v1/label-groups/anders/versions/ends/{known['id']}/undo/").status_code == 404


def test_who_may_not_use_the_api_changes_nothing() -> None:
    nobody = APIClient()
    for verb, address in (
        ("patch", f"{FAMILIES}borrowing/"),
        ("post", f"{FAMILIES}borrowing/preview/"),
        ("post", VALUES),
        ("post", f"{VALUES}preview/"),
        ("delete", f"{VALUES}recency/"),
        ("post", f"{GROUP}versions/end/"),
    ):
        assert send(nobody, verb, address, {}).status_code in (401, 403)
    assert not RefreshRun.objects.exists()
