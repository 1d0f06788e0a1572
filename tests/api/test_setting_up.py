"""What an administrator sets up in the workbench, over the API: kinds, purposes, websites, publications, periods."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from psycopg2.errors import UniqueViolation
from rest_framework.test import APIClient

from api.errors import exception_handler
from common.actions import add_integration
from common.time import local_date
from customers.actions import ensure_base_data
from customers.actions.ledger import check_ledger
from customers.actions.privacy import request_erasure, run_retention
from customers.consents import record_consent
from customers.models import FactTotal, KindSetting, Purpose, Wording, World
from labels.models import Label, ValueDefinition
from mailings.models import Publication
from selections.models import Selection
from tests.factories import NOW, CustomerFactory, SourceFactory
from website.actions import roll_up
from website.models import Hit, Site

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.rights("manage_data", "manage_purposes", "export_customers"),
]
COURSE = {
    "name": "Cursus", "verb": "volgde een cursus", "participle": "een cursus gevolgd", "icon": "graduation-cap",
    "unit": "dagdelen", "has_amount": True,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _start(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PUBLICATION_FOLDER = tmp_path / "publications"
    ensure_base_data()


def send(api: APIClient, method: str, url: str, body: Any = None) -> Any:
    return getattr(api, method)(f"/api/v1/{url}", body, format="json")


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("post", "kinds/"), ("patch", "kinds/loan/"), ("delete", "kinds/loan/"), ("post", "purposes/"),
        ("patch", "purposes/marketing/"), ("patch", "purposes/marketing/channels/email/"),
        ("post", "purposes/marketing/wordings/"), ("post", "websites/"), ("post", "websites/0/rules/"),
        ("post", "publications/"), ("post", "publications/0/run/"), ("get", "publications/0/files/1/"),
        ("patch", "match-settings/"), ("patch", "retention-rules/notes/"),
    ],
)  # fmt: skip
def test_a_token_without_the_right_sets_up_nothing(administrator: User, method: str, url: str) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {add_integration(name='till', by=administrator)[1]}")
    answer = send(client, method, url, {})
    assert (answer.status_code, answer.data["code"]) == (403, "no_right")


def test_an_own_kind_is_made_changed_kept_and_removed(api: APIClient) -> None:
    made = send(api, "post", "kinds/", COURSE | {"keep_months": 24})
    assert made.status_code == 201
    assert {name: made.data[name] for name in COURSE} == COURSE
    assert (made.data["code"], made.data["is_own"], made.data["keep_months"]) == ("cursus", True, 24)
    assert send(api, "post", "kinds/", COURSE).data["field"] == "name"
    changed = send(api, "patch", "kinds/cursus/", {"name": "Workshop", "keep_months": None})
    assert (changed.data["name"], changed.data["verb"], changed.data["keep_months"]) == (
        "Workshop",
        COURSE["verb"],
        None,
    )
    history = send(api, "get", "kinds/cursus/history/").data["results"]
    assert [row["by"] for row in history] == ["website"] * 4
    assert history[0]["values"]["name"] == "Workshop"
    fact = {
        "customer": CustomerFactory().number, "kind": "cursus", "occurred_at": NOW.isoformat(), "external_id": "1",
        "source": SourceFactory().code,
    }  # fmt: skip
    assert send(api, "post", "facts/", [fact]).data["new"] == 1
    assert send(api, "delete", "kinds/cursus/").data["code"] == "in_use"
    FactTotal.objects.all().delete()
    assert send(api, "delete", "kinds/cursus/").status_code == 204
    assert send(api, "get", "kinds/cursus/").status_code == 404
    assert not KindSetting.objects.filter(code="cursus").exists()


def test_a_kind_of_the_product_is_refused_but_for_how_long_it_is_kept(api: APIClient) -> None:
    for answer in (send(api, "patch", "kinds/loan/", {"name": "Lening"}), send(api, "delete", "kinds/loan/")):
        assert (answer.status_code, answer.data["code"]) == (422, "not_own")
    shorter = send(api, "patch", "kinds/loan/", {"keep_months": 36})
    assert (shorter.status_code, shorter.data["code"]) == (409, "confirm")
    assert send(api, "patch", "kinds/loan/", {"keep_months": 36, "confirm": True}).data["keep_months"] == 36
    both = send(api, "patch", "kinds/loan/", {"keep_months": 48, "verb": "las"})
    assert both.data["code"] == "not_own"
    assert send(api, "get", "kinds/loan/").data["keep_months"] == 36  # all or nothing
    assert send(api, "patch", "kinds/loan/", {"keep_months": 1, "confirm": True}).data["field"] == "keep_months"
    assert send(api, "post", "kinds/", COURSE | {"name": "Voucher"}).data["field"] == "name"  # a part of the timeline
    assert send(api, "patch", "kinds/nothing/", {}).status_code == 404
    assert send(api, "post", "kinds/", COURSE | {"icon": "<b>"}).data["field"] == "icon"


def test_a_purpose_is_made_and_changed_with_its_history(api: APIClient) -> None:
    made = send(api, "post", "purposes/", {"code": "friends", "name": "Vrienden"})
    assert (made.status_code, made.data["rule"], made.data["is_public"]) == (201, "opt_in", True)
    assert send(api, "post", "purposes/", {"code": "friends", "name": "Nog eens"}).data["code"] == "code_taken"
    changed = send(api, "patch", "purposes/friends/", {"description": "Nieuws", "rule": "marketing"})
    assert (changed.data["name"], changed.data["description"]) == ("Vrienden", "Nieuws")
    assert changed.data["rule"] == "opt_in"
    rows = send(api, "get", "purposes/friends/history/").data["results"]
    assert [(row["by"], row["values"]["description"]) for row in rows] == [("website", "Nieuws"), ("website", "")]


def test_a_ground_is_what_the_law_leaves_open(api: APIClient) -> None:
    url = "purposes/marketing/channels/"
    refused = send(api, "patch", f"{url}phone/", {"basis": "customer_relation"})
    assert (refused.status_code, refused.data["field"]) == (422, "basis")
    half = send(
        api, "patch", f"{url}email/", {"basis": "customer_relation", "same_entity": True, "was_informed": False}
    )
    assert (half.data["basis"], half.data["effective"]) == ("customer_relation", "consent")
    conditions = dict.fromkeys(["same_entity", "was_informed", "could_refuse", "own_similar"], True)
    assert send(api, "patch", f"{url}email/", conditions).data["effective"] == "customer_relation"
    assert send(api, "patch", f"{url}email/", {"needs_double_opt_in": True}).data["needs_double_opt_in"] is True
    assert send(api, "patch", f"{url}post/", {"needs_double_opt_in": True}).data["code"] == "not_by_email"
    assert send(api, "patch", "purposes/profiling/channels/sms/", {"same_entity": True}).data["code"] == "basis"
    assert send(api, "patch", f"{url}pigeon/", {}).data["code"] == "unknown_channel"
    told = {row["channel"]: row for row in send(api, "get", url).data}
    assert told["email"]["since"] is not None
    assert (
        send(api, "get", "purposes/marketing/channels-history/").data["results"][0]["values"]["needs_double_opt_in"]
        is True
    )


def test_words_that_somebody_answered_stay(api: APIClient) -> None:
    url, words = "purposes/marketing/wordings/", {"version": "2026-9", "text": "Ja", "valid_from": NOW.isoformat()}
    assert send(api, "post", url, words).status_code == 200
    assert send(api, "post", url, words | {"text": "Ja, graag"}).data["text"] == "Ja, graag"
    record_consent(
        CustomerFactory(), purpose=Purpose.objects.get(code="marketing"), channel="email", state="granted",
        source_code="library", actor="x", event_at=NOW, wording_version="2026-9",
    )  # fmt: skip
    assert send(api, "post", url, words).data["code"] == "wording_answered"
    assert Wording.objects.get(version="2026-9").text == "Ja, graag"
    assert "2026-9" in [row["version"] for row in send(api, "get", url).data["results"]]


def test_what_was_allowed_at_a_moment_is_told_with_why(api: APIClient) -> None:
    customer, marketing = CustomerFactory(), Purpose.objects.get(code="marketing")
    for state, days in (("granted", 20), ("withdrawn", 10)):
        record_consent(
            customer, purpose=marketing, channel="email", state=state, source_code="library", actor="x",
            event_at=NOW - dt.timedelta(days=days),
        )  # fmt: skip
    url = f"customers/{customer.number}/consents/"

    def told(**asked: str) -> tuple[bool, str]:
        rows = api.get(f"/api/v1/{url}", asked).data
        [row] = [one for one in rows if (one["purpose"], one["channel"]) == ("marketing", "email")]
        return row["allowed"], row["explanation"]

    assert told()[0] is False
    allowed, why = told(as_of=(NOW - dt.timedelta(days=15)).date().isoformat())
    assert allowed is True
    assert why != told()[1]
    assert told(as_of=(NOW - dt.timedelta(days=30)).isoformat())[0] is False
    for beyond in ("2999-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00"):
        assert api.get(f"/api/v1/{url}", {"as_of": beyond}).status_code == 400
    assert told(as_of="0001-01-01")[0] is False


def test_a_website_is_added_and_its_statistics_read(api: APIClient) -> None:
    World.objects.get_or_create(code="reizen", defaults={"name": "Reizen"})
    made = send(
        api, "post", "websites/", {"name": "Site", "hosts": ["https://www.example.nl/x"], "keeps_queries": True}
    )
    assert made.status_code == 201
    assert (made.data["hosts"], made.data["purpose"], made.data["is_active"]) == (["www.example.nl"], "profiling", True)
    site = Site.objects.get(key=made.data["key"])
    url = f"websites/{site.pk}/"
    assert send(api, "post", "websites/", {"name": "site", "hosts": ["a.nl"]}).data["field"] == "name"
    assert send(api, "patch", url, {"hosts": ["geen domein"]}).data["field"] == "hosts"
    ruled = send(api, "post", f"{url}rules/", {"prefix": "agenda/", "section": "Agenda", "world": "reizen"})
    [rule] = ruled.data["rules"]
    assert (rule["prefix"], rule["world"]) == ("/agenda/", "reizen")
    for number, kind in enumerate(("page_view", "page_view", "search", "form_post", "login")):
        Hit.objects.create(
            site=site, visit="v" * 12, token=f"{number:012}", kind=kind, occurred_at=NOW, section="Agenda",
            results=0 if kind == "search" else None, duration_seconds=10 * number,
        )  # fmt: skip
    day = local_date(NOW)
    asked = {"site": site.pk, "start": day.isoformat(), "end": day.isoformat()}
    before = api.get("/api/v1/web-statistics/", asked).data
    roll_up(now=NOW + dt.timedelta(days=1))
    assert api.get("/api/v1/web-statistics/", asked).data == before
    [told] = before["days"]
    assert (told["views"], told["visits"], told["searches"], told["without_results"]) == (2, 1, 1, 1)
    assert (told["forms"], told["logins"], told["seconds"]) == (1, 1, 100)
    assert before["sections"] == [{"name": "Agenda", "views": 2, "identified": 0, "seconds": 10}]
    assert api.get("/api/v1/web-statistics/", asked | {"start": "2020-01-01"}).status_code == 400
    eve = (day - dt.timedelta(days=1)).isoformat()
    earlier = api.get("/api/v1/web-statistics/", {"start": eve, "end": eve}).data
    assert (earlier["sections"], earlier["pages"], earlier["queries"]) == ([], [], [])
    for end in ("0001-01-01", "9999-12-31"):
        assert len(api.get("/api/v1/web-statistics/", {"end": end}).data.get("days", [])) in {0, 30}
    assert send(api, "post", f"{url}rules/{rule['id']}/remove/").data["rules"] == []
    assert send(api, "patch", url, {"is_active": False}).data["is_active"] is False
    assert len(send(api, "get", f"{url}history/").data["results"]) == 2


def test_a_publication_is_made_run_and_fetched(api: APIClient) -> None:
    customer = CustomerFactory(email="a@example.nl")
    record_consent(
        customer, purpose=Purpose.objects.get(code="marketing"), channel="email", state="granted",
        source_code="library", actor="x", event_at=NOW,
    )  # fmt: skip
    wish = {"name": "Bureau", "purpose": "marketing", "recipient": "Bureau BV", "columns": ["number", "email"]}
    made = send(api, "post", "publications/", wish)
    assert (made.status_code, made.data["daily_at"], made.data["has_file"]) == (201, "05:00:00", True)
    assert send(api, "post", "publications/", wish).data["field"] == "name"
    assert send(api, "post", "publications/", wish | {"columns": ["city"], "name": "x"}).data["field"] == "columns"
    assert send(api, "post", "publications/", wish | {"purpose": "profiling", "name": "x"}).data["field"] == "purpose"
    url = f"publications/{made.data['id']}/"
    run = send(api, "post", f"{url}run/").data
    assert (run["people_count"], run["error"]) == (1, "")
    file = send(api, "get", f"{url}files/{run['id']}/")
    assert b"".join(file.streaming_content).decode().splitlines() == ["number;email", f"{customer.number};a@example.nl"]
    assert send(api, "get", f"{url}files/{run['id'] + 1}/").status_code == 404
    assert send(api, "patch", url, {"is_active": False, "daily_at": "06:30"}).data["daily_at"] == "06:30:00"
    assert Publication.objects.get().recipient == "Bureau BV"


def test_thresholds_of_matching_are_read_and_changed(api: APIClient) -> None:
    assert send(api, "get", "match-settings/").data["possible_from"] == 60
    assert send(api, "patch", "match-settings/", {"certain_from": 99}).data["certain_from"] == 99
    wrong = send(api, "patch", "match-settings/", {"certain_from": 10})
    assert (wrong.status_code, wrong.data["field"]) == (422, "certain_from")


def test_a_retention_period_is_set_by_its_rule(api: APIClient) -> None:
    rules = {row["code"]: row for row in send(api, "get", "retention-rules/").data}
    code = next(code for code, row in rules.items() if row["unit"] == "months")
    told = {"is_on": True, "period": 30, "confirm": True}
    assert send(api, "patch", f"retention-rules/{code}/", told).data["period"] == 30
    shorter = send(api, "patch", f"retention-rules/{code}/", {"period": 29})
    assert (shorter.status_code, shorter.data["code"], shorter.data["field"]) == (409, "confirm", "confirm")
    assert send(api, "patch", f"retention-rules/{code}/", {"period": 9999}).data["code"] == "bad_period"
    assert send(api, "patch", "retention-rules/nothing/", {}).status_code == 404
    assert api.patch(f"/api/v1/retention-rules/{code}/", {"period": 31}, format="multipart").data["is_on"] is True
    rows = send(api, "get", f"retention-rules/{code}/history/").data["results"]
    assert [(row["by"], row["values"]["period"]) for row in rows] == [("website", 31), ("website", 30)]
    assert send(api, "get", "retention-rules/nothing/history/").status_code == 404


def test_what_a_form_leaves_out_is_not_said(api: APIClient) -> None:
    site = api.post("/api/v1/websites/", {"name": "Site", "hosts": ["www.example.nl"]}, format="multipart")
    assert site.data["is_active"] is True
    wish = {"name": "Bureau", "purpose": "marketing", "recipient": "Bureau BV", "columns": ["number"]}
    publication = api.post("/api/v1/publications/", wish, format="multipart")
    assert (publication.data["is_active"], publication.data["has_file"]) == (True, True)
    purpose = api.post("/api/v1/purposes/", {"code": "friends", "name": "Vrienden"}, format="multipart")
    assert purpose.data["is_public"] is True


def test_a_kind_that_a_rule_asks_for_stays(api: APIClient) -> None:
    send(api, "post", "kinds/", COURSE)
    rule = {"op": "all", "children": [{"criterion": "facts.count", "params": {"kind": "cursus"}}]}
    told: dict[str, Any] = {"name": "Cursisten", "created_at": NOW}
    term = {"weight": 1, "what": "count", "kinds": ["loan", "cursus"], "months": 12}
    users = [
        Selection.objects.create(rule=rule, updated_at=NOW, **told),
        Label.objects.create(code="cursist", kind="own", rule=rule, **told),
        ValueDefinition.objects.create(code="x", terms=[term], unit="number", **told),
    ]
    for user in users:
        refused = send(api, "delete", "kinds/cursus/")
        assert (refused.status_code, refused.data["code"]) == (409, "in_use")
        assert str(user) in refused.data["message"]
        user.delete()
    assert send(api, "delete", "kinds/cursus/").status_code == 204


def test_who_asked_to_be_erased_is_for_who_handles_privacy(api: APIClient) -> None:
    asked = request_erasure(CustomerFactory(), note="Weg ermee", now=NOW)
    for method, url in (
        ("get", "erasure-requests/"), ("get", f"erasure-requests/{asked.pk}/"), ("get", "ledger-checks/"),
        ("post", f"erasure-requests/{asked.pk}/refuse/"),
    ):  # fmt: skip
        assert send(api, method, url, {"answer": "Nee"} if method == "post" else None).status_code == 403
    asked.refresh_from_db()
    assert asked.state == "open"


def test_who_handles_privacy_sees_requests_and_checks(administrator: User) -> None:
    client = APIClient()
    client.force_authenticate(administrator)
    asked = request_erasure(CustomerFactory(), note="Weg ermee", now=NOW)
    [row] = client.get("/api/v1/erasure-requests/?state=open").data["results"]
    assert (row["id"], row["note"]) == (asked.pk, "Weg ermee")
    url = f"/api/v1/erasure-requests/{asked.pk}/refuse/"
    assert client.post(url, {"answer": "U heeft nog een boete."}, format="json").data["state"] == "refused"
    assert client.post(url, {"answer": "Nog eens"}, format="json").status_code == 409
    check_ledger(now=NOW)
    assert client.get("/api/v1/ledger-checks/").data["results"][0]["is_whole"] is True
    run_retention(local_date(NOW), now=NOW)
    assert client.get("/api/v1/retention-runs/").data["results"][0]["day"] == local_date(NOW).isoformat()


def test_what_another_request_made_at_the_same_moment_is_a_conflict() -> None:
    clash = IntegrityError()
    clash.__cause__ = UniqueViolation()
    answer = exception_handler(clash, {})
    assert answer is not None
    assert (answer.status_code, answer.data["code"]) == (409, "conflict")
