from __future__ import annotations

import datetime as dt
from typing import Any

import jsonschema
import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from common.time import clock, local_date
from customers.models import Customer
from labels.actions import create_label, give_label
from selections.actions import create_selection, keep_selection, write_comment
from selections.models import Folder, ResultSet, Selection
from tests.factories import CustomerFactory
from tests.selections.test_rules import MEMBERS, rule

pytestmark = pytest.mark.django_db

BASE = "/api/v1/selections/"
DAY = dt.timedelta(days=1)
PROSPECTS = {"criterion": "customer.kind", "params": {"op": "any", "kinds": ["prospect"]}}
READERS = {"criterion": "labels.has", "params": {"labels": ["lezer"]}}


@pytest.fixture
def people() -> dict[str, Customer]:
    """Three members known for years; Anna has been a reader for ten days, Bert was one until five days ago."""
    long_ago, now = clock() - 900 * DAY, clock()
    made = {name: CustomerFactory(first_name=name, created_at=long_ago) for name in ("Anna", "Bert", "Cor")}
    label = create_label(code="lezer", name="Lezer", kind="own", now=long_ago)
    give_label(label, Customer.objects.filter(pk=made["Anna"].pk), by="x", now=now - 10 * DAY)
    give_label(label, Customer.objects.filter(pk=made["Bert"].pk), by="x", now=now - 20 * DAY)
    from labels.actions import take_label

    take_label(label, Customer.objects.filter(pk=made["Bert"].pk), by="x", now=now - 5 * DAY)
    return made


@pytest.fixture
def readers(people: dict[str, Customer]) -> Selection:
    return create_selection(name="Lezers", rule=rule(READERS), now=clock())


def day(before: int) -> str:
    return (clock() - before * DAY).date().isoformat()


def numbers(answer: Any) -> set[str]:
    return {row["number"] for row in answer.json()["results"]}


# --- make, change, delete ---


def test_a_selection_is_made_changed_and_deleted(api: APIClient) -> None:
    Folder.objects.create(name="Jeugd", created_at=clock())
    sent = {"name": "Leden", "rule": rule(MEMBERS), "folder": "Jeugd"}
    made = api.post(BASE, sent, format="json")
    assert made.status_code == 201, made.content
    assert made.json()["folder"] == "Jeugd"
    assert made.json()["owner"] == "website"
    assert made.json()["sentence"].startswith("Klanten die lid zijn")
    address = f"{BASE}{made.json()['id']}/"
    changed = api.put(address, {"name": "Prospects", "rule": rule(PROSPECTS)}, format="json").json()
    assert (changed["name"], changed["rule"], changed["folder"]) == ("Prospects", rule(PROSPECTS), "Jeugd")
    assert api.patch(address, {"folder": None, "description": "Nieuw"}, format="json").json()["folder"] is None
    assert api.delete(address).status_code == 204
    assert not Selection.objects.exists()


@pytest.mark.parametrize(
    ("children", "code", "pointer"),
    [
        ([MEMBERS, {"criterion": "weg"}], "unknown_criterion", "/children/1/criterion"),
        ([{"criterion": "customer.kind", "params": {"kinds": [4]}}], "bad_value", "/children/0/params/kinds/0"),
        ([{"op": "some", "children": []}], "unknown_op", "/children/0/op"),
    ],
)
def test_a_faulty_rule_is_refused_with_the_pointer_of_the_faulty_part(
    api: APIClient, children: list[Any], code: str, pointer: str
) -> None:
    for answer in (
        api.post(BASE, {"name": "Fout", "rule": rule(*children)}, format="json"),
        api.post(f"{BASE}evaluate/", {"rule": rule(*children)}, format="json"),
    ):
        assert answer.status_code == 422
        assert (answer.json()["code"], answer.json()["field"]) == (code, pointer)
        assert answer.json()["message"]


def test_a_name_in_use_and_a_selection_in_use_are_refused(api: APIClient, readers: Selection) -> None:
    taken = api.post(BASE, {"name": "Lezers", "rule": rule()}, format="json")
    assert (taken.status_code, taken.json()["code"], taken.json()["field"]) == (422, "name_taken", "name")
    inside = rule({"criterion": "selections.in", "params": {"selection": readers.pk}})
    create_selection(name="Buiten", rule=inside, now=clock())
    for answer in (api.delete(f"{BASE}{readers.pk}/"), api.post(f"{BASE}{readers.pk}/archive/")):
        assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
        assert "Buiten" in answer.json()["message"]


def test_an_archived_selection_is_left_out_when_asked(api: APIClient, readers: Selection) -> None:
    create_selection(name="Leden", rule=rule(MEMBERS), now=clock())
    assert api.post(f"{BASE}{readers.pk}/archive/").json()["archived_at"]
    assert [row["name"] for row in api.get(BASE, {"is_archived": "false"}).json()["results"]] == ["Leden"]
    assert api.post(f"{BASE}{readers.pk}/unarchive/").json()["archived_at"] is None


def test_a_selection_whose_rule_broke_is_still_listed(api: APIClient, readers: Selection) -> None:
    Selection.objects.update(rule={"version": 2, "op": "all", "children": [{"criterion": "weg"}]})
    assert api.get(BASE).json()["results"][0]["sentence"] == ""


# --- questions ---


def test_the_schema_accepts_what_is_accepted(api: APIClient) -> None:
    schema = api.get(f"{BASE}schema/").json()
    jsonschema.validate(rule(MEMBERS), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(rule({"criterion": "weg"}), schema)


def test_a_rule_is_evaluated_without_saving_it(api: APIClient, people: dict[str, Customer]) -> None:
    answer = api.post(f"{BASE}evaluate/", {"rule": rule(READERS), "sample": 5}, format="json").json()
    assert (answer["count"], answer["sample"], answer["unknown"]) == (1, [people["Anna"].number], [])
    assert "Lezer" in answer["sentence"]
    then = api.post(f"{BASE}evaluate/", {"rule": rule(READERS), "as_of": day(15)}, format="json").json()
    assert (then["count"], then["sample"]) == (1, [people["Bert"].number])
    assert not Selection.objects.exists()


def test_a_past_day_is_the_today_of_what_is_asked_as_of_it(api: APIClient) -> None:
    asked = local_date(clock()) - 15 * DAY
    made = [
        CustomerFactory(birth_date=born.replace(year=2000), created_at=clock() - 300 * DAY)
        for born in (asked, asked + DAY)
    ]
    birthday = {"criterion": "customer.birthday", "params": {"days_ahead": 0}}
    sent = {"rule": rule(birthday), "as_of": asked.isoformat(), "sample": 5}
    assert api.post(f"{BASE}evaluate/", sent, format="json").json()["sample"] == [made[0].number]


def test_what_is_not_known_of_a_past_day_is_refused_unless_it_may_be_assumed(
    api: APIClient, people: dict[str, Customer]
) -> None:
    sent = {"rule": rule(MEMBERS), "as_of": day(15)}
    refused = api.post(f"{BASE}evaluate/", sent, format="json")
    assert (refused.status_code, refused.json()["code"]) == (422, "not_known_then")
    assumed = api.post(f"{BASE}evaluate/", {**sent, "assume_present": True}, format="json").json()
    assert assumed["count"] == 3
    assert [one["pointer"] for one in assumed["unknown"]] == ["/children/0"]


@pytest.mark.parametrize("moment", ["gisteren", "2026-13-01", "2026-05-01T10:00:00", "9999-12-31"])
def test_a_moment_that_is_none_is_refused(api: APIClient, readers: Selection, moment: str) -> None:
    answer = api.get(f"{BASE}{readers.pk}/count/", {"as_of": moment})
    assert answer.status_code in {400, 422}
    assert answer.json()["field"] == "as_of"


def test_a_moment_from_which_the_rule_goes_back_beyond_the_calendar_is_refused(
    api: APIClient, people: dict[str, Customer]
) -> None:
    ages_ago = {"criterion": "mailings.hold_out", "params": {"period": "last", "number": 2000, "unit": "year"}}
    asked, then = create_selection(name="Ooit", rule=rule(MEMBERS, ages_ago), now=clock()), {"as_of": "1951-01-01"}
    for address in ("count/", "customers/", f"why/{people['Anna'].number}/"):
        answer = api.get(f"{BASE}{asked.pk}/{address}", {**then, "assume_present": "true"})
        assert (answer.status_code, answer.json()["field"]) == (422, "/children/1/params")


def test_who_and_how_many_are_told_of_a_past_day(
    api: APIClient, readers: Selection, people: dict[str, Customer]
) -> None:
    address = f"{BASE}{readers.pk}/"
    assert numbers(api.get(f"{address}customers/")) == {people["Anna"].number}
    assert numbers(api.get(f"{address}customers/", {"as_of": day(15)})) == {people["Bert"].number}
    assert api.get(f"{address}count/", {"as_of": day(7)}).json() == {"count": 2}
    readers.refresh_from_db()
    assert readers.last_count is None
    assert api.post(f"{address}count/").json() == {"count": 1}


def test_why_tells_each_part(api: APIClient, readers: Selection, people: dict[str, Customer]) -> None:
    anna, bert = people["Anna"].number, people["Bert"].number
    told = api.get(f"{BASE}{readers.pk}/why/{anna}/").json()
    assert (told["is_in"], told["barred"], told["rule"]["op"]) == (True, "", "all")
    [part] = told["rule"]["children"]
    assert (part["pointer"], part["criterion"], part["holds"]) == ("/children/0", "labels.has", True)
    assert part["seen"]
    assert not api.get(f"{BASE}{readers.pk}/why/{bert}/").json()["is_in"]
    assert api.get(f"{BASE}{readers.pk}/why/{bert}/", {"as_of": day(15)}).json()["is_in"]
    assert api.get(f"{BASE}{readers.pk}/why/999999/").status_code == 404
    assert api.get(f"{BASE}{readers.pk}/why/{anna}/", {"as_of": "2099-01-01"}).json()["code"] == "not_yet"


def test_an_overlap_adds_up_and_each_part_can_be_saved(
    api: APIClient, readers: Selection, people: dict[str, Customer]
) -> None:
    members = create_selection(name="Leden", rule=rule(MEMBERS), now=clock())
    parts = api.get(f"{BASE}compare/", {"selection": [members.pk, readers.pk]}).json()
    assert [(part["selections"], part["count"]) for part in parts] == [
        ([members.pk, readers.pk], 1),
        ([members.pk], 2),
        ([readers.pk], 0),
    ]
    for part in parts:
        assert api.post(f"{BASE}evaluate/", {"rule": part["rule"]}, format="json").json()["count"] == part["count"]
    assert api.get(f"{BASE}compare/", {"selection": [members.pk]}).json()["code"] == "sides"
    assert api.get(f"{BASE}compare/", {"selection": [members.pk, 0]}).status_code == 404


def test_turnover_tells_who_came_left_and_stayed(
    api: APIClient, readers: Selection, people: dict[str, Customer]
) -> None:
    address = f"{BASE}{readers.pk}/turnover/"
    assert api.get(address, {"since": day(15)}).json() == {"came": 1, "left": 1, "stayed": 0, "unknown": []}
    assert numbers(api.get(f"{address}came/", {"since": day(15)})) == {people["Anna"].number}
    assert numbers(api.get(f"{address}left/", {"since": day(15)})) == {people["Bert"].number}
    assert numbers(api.get(f"{address}stayed/", {"since": day(8), "until": day(7)})) == {
        people["Anna"].number,
        people["Bert"].number,
    }
    assert api.get(address, {"since": day(1), "until": day(3)}).json()["code"] == "order"


def test_versions_are_listed_and_restored_as_a_new_one(api: APIClient, readers: Selection) -> None:
    address = f"{BASE}{readers.pk}/"
    api.patch(address, {"rule": rule(MEMBERS)}, format="json")
    latest, first = api.get(f"{address}versions/").json()
    assert latest["changed"] == ["erbij: lid zijn", "weg: het label “Lezer” hebben"]
    restored = api.post(f"{address}versions/{first['key']}/restore/").json()
    assert restored["rule"] == readers.rule
    assert [version["number"] for version in api.get(f"{address}versions/").json()] == [3, 2, 1]
    assert api.post(f"{address}versions/1/restore/").status_code == 404


# --- result sets ---


def test_a_result_set_is_kept_and_does_not_change(
    api: APIClient, readers: Selection, people: dict[str, Customer]
) -> None:
    sent = {"name": "Lezers van toen", "selection": readers.pk, "as_of": day(15)}
    kept = api.post("/api/v1/result-sets/", sent, format="json")
    assert (kept.status_code, kept.json()["member_count"]) == (201, 1)
    address = f"/api/v1/result-sets/{kept.json()['id']}/"
    assert numbers(api.get(f"{address}customers/")) == {people["Bert"].number}
    loose = api.post("/api/v1/result-sets/", {"name": "Los", "rule": rule(READERS)}, format="json").json()
    assert (loose["selection"], loose["member_count"]) == (None, 1)
    assert api.post("/api/v1/result-sets/", {"name": "Niets"}, format="json").json()["code"] == "selection_or_rule"
    assert api.delete(address).status_code == 204
    assert not ResultSet.objects.filter(name="Lezers van toen").exists()


def test_a_result_set_that_a_rule_uses_cannot_be_deleted(api: APIClient, readers: Selection) -> None:
    kept = keep_selection(readers, name="Toen", now=clock())
    inside = rule({"criterion": "selections.in_set", "params": {"result_set": kept.pk}})
    assert api.post(BASE, {"name": "Van toen", "rule": inside}, format="json").status_code == 201
    answer = api.delete(f"/api/v1/result-sets/{kept.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")


def test_a_change_that_is_refused_changes_nothing_at_all(api: APIClient, readers: Selection) -> None:
    Folder.objects.create(name="Jeugd", created_at=clock())
    wrong = {"folder": "Jeugd", "rule": {"version": 2, "op": "xor"}}
    assert api.patch(f"{BASE}{readers.pk}/", wrong, format="json").status_code == 422
    readers.refresh_from_db()
    assert readers.folder is None


# --- figures, and what is around it ---


def test_each_part_tells_what_it_does_and_how_they_are_spread_and_reached(
    api: APIClient, people: dict[str, Customer]
) -> None:
    Customer.objects.filter(pk=people["Cor"].pk).update(kind="prospect")
    asked = rule(MEMBERS, READERS) | {"picks": [{"pick": "sample", "size": 5}]}
    told = api.post(f"{BASE}figures/", {"rule": asked, "purpose": "service"}, format="json").json()
    assert (told["everybody"], told["total"]) == (3, 1)
    assert told["parts"] == [
        {"pointer": "/children/0", "alone": 2, "up_to_here": 2, "removed": 1, "added": 0},
        {"pointer": "/children/1", "alone": 1, "up_to_here": 1, "removed": 1, "added": 0},
    ]
    assert told["picks"] == [{"pointer": "", "counts": [1, 1]}]
    assert told["ages"] == [{"name": "35–49", "count": 1}]
    assert told["worlds"] == told["branches"] == [{"name": "", "count": 1}]
    assert {"channel": "email", "known": 1, "allowed": 1} in told["reach"]


def test_figures_of_a_past_day_are_refused_where_that_is_not_known(api: APIClient, people: dict[str, Customer]) -> None:
    asked = {"rule": rule(MEMBERS, READERS), "as_of": day(15)}
    assert api.post(f"{BASE}figures/", asked, format="json").json()["code"] == "not_known_then"
    told = api.post(f"{BASE}figures/", asked | {"assume_present": True}, format="json").json()
    assert [part["alone"] for part in told["parts"]] == [3, 1]  # Bert was a reader then, Anna not yet


def test_it_is_handed_over_remarked_upon_and_its_uses_are_told(
    api: APIClient, readers: Selection, marketeer: User
) -> None:
    address = f"{BASE}{readers.pk}/"
    assert api.post(f"{address}hand-over/", {"owner": "marketeer"}, format="json").json()["owner"] == "marketeer"
    assert api.post(f"{address}hand-over/", {"owner": "niemand"}, format="json").status_code == 400
    written = api.post(f"{address}comments/", {"text": "Ook Edam?"}, format="json")
    assert (written.status_code, written.json()["author"]) == (201, "website")
    theirs = write_comment(readers, text="Nee.", by=marketeer, now=clock())
    assert [one["text"] for one in api.get(f"{address}comments/").json()["results"]] == ["Nee.", "Ook Edam?"]
    assert api.delete(f"{address}comments/{theirs.pk}/").json()["code"] == "not_yours"
    assert api.delete(f"{address}comments/{written.json()['id']}/").status_code == 204
    assert api.get(f"{address}uses/").json() == []
    outer = create_selection(
        name="Buiten", rule=rule({"criterion": "selections.in", "params": {"selection": readers.pk}}), now=clock()
    )
    assert [(use["name"], use["id"]) for use in api.get(f"{address}uses/").json()] == [("Buiten", str(outer.pk))]


def test_folders_are_made_renamed_and_deleted(api: APIClient, readers: Selection) -> None:
    folders = "/api/v1/selection-folders/"
    made = api.post(folders, {"name": "Jeugd"}, format="json")
    assert made.status_code == 201
    assert api.post(folders, {"name": "Jeugd"}, format="json").json()["code"] == "name_taken"
    assert api.put(f"{folders}{made.json()['id']}/", {"name": "Jong"}, format="json").json()["name"] == "Jong"
    assert api.patch(f"{BASE}{readers.pk}/", {"folder": "Jong"}, format="json").json()["folder"] == "Jong"
    assert api.delete(f"{folders}{made.json()['id']}/").status_code == 204
    assert api.get(f"{BASE}{readers.pk}/").json()["folder"] is None


def test_what_sets_a_selection_apart_is_told(api: APIClient) -> None:
    members = CustomerFactory.create_batch(12, kind="member")
    CustomerFactory.create_batch(12, kind="prospect")
    label = create_label(name="Thrillers", kind="own", by=None, now=clock())
    give_label(label, Customer.objects.filter(pk__in=[one.pk for one in members]), by="Anna", now=clock())
    kept = create_selection(name="Apart", rule=rule(MEMBERS), by=None, now=clock())
    told = api.get(f"{BASE}{kept.pk}/profile/").json()
    assert told == {
        "total": 12, "looked_at": 12, "less": [],
        "more": [{"label": label.code, "share": 1.0, "share_of_all": 0.5}],
    }  # fmt: skip
