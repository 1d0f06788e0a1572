"""Imports, sources, deliveries and records of sources over the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from customers.models import Customer, Feed, ImportRun, SourceRecord
from customers.tasks import run_waiting_imports
from tests.factories import BranchFactory, CustomerFactory, SourceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT, settings.IMPORT_FOLDER = tmp_path / "media", tmp_path / "imports"


def file(content: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("x.csv", content.encode(), "text/csv")


def test_a_delivery_is_made_and_its_file_shown_approved_and_undone(api: APIClient) -> None:
    SourceFactory(code="theatre")
    told = {
        "source": "theatre", "name": "Klanten", "delivers": "customers", "folder": "kassa", "schedule": "hourly",
        "mapping": {
            "klantnummer": {"column": "Nr"}, "soort": {"constant": "lid"},
            "achternaam": {"column": "Naam", "values": {"?": "Onbekend"}},
        },
    }  # fmt: skip
    made = api.post("/api/v1/feeds/", told, format="json")
    assert made.status_code == 201, made.data
    feed = Feed.objects.get()
    assert made.data["next_look_at"]
    sent = api.post(
        "/api/v1/imports/",
        {"feed": feed.pk, "file": file("Nr;Naam\n1;?\n")},
        format="multipart",
    )
    assert sent.status_code == 202, sent.data
    assert sent.data["needs_approval"] is feed.needs_approval is True  # left out of a form, the delivery decides
    run = f"/api/v1/imports/{sent.data['id']}/"
    run_waiting_imports()
    shown = api.get(run).data
    assert (shown["state"], shown["new_count"], shown["feed"]) == ("previewed", 1, feed.pk)
    assert shown["preview"]["new"][0]["after"]["last_name"] == "Onbekend"
    assert not Customer.objects.exists()
    assert api.post(f"{run}approve/").status_code == 202
    run_waiting_imports()
    assert Customer.objects.get().last_name == "Onbekend"
    assert api.post(f"{run}cancel/").status_code in (409, 422)
    assert api.post(f"{run}undo/").status_code == 202
    run_waiting_imports()
    assert api.get(run).data["undo_counts"]["removed"] == 1
    assert not Customer.objects.exists()


def test_a_file_needs_a_delivery_or_a_format_with_a_source(api: APIClient) -> None:
    answer = api.post("/api/v1/imports/", {"file": file("code;naam\nA;a\n")}, format="multipart")
    assert answer.status_code == 400
    assert {"format", "source"} == set(answer.data["errors"])
    assert (answer.data["code"], answer.data["field"]) == ("invalid", "format")


def test_a_delivery_that_cannot_work_is_refused_by_field(api: APIClient) -> None:
    SourceFactory(code="theatre")
    answer = api.post(
        "/api/v1/feeds/",
        {"source": "theatre", "name": "x", "delivers": "facts", "schedule": "hourly", "folder": "../x"},
        format="json",
    )
    assert answer.status_code in (409, 422)
    assert "bad_folder" in str(answer.data)


def test_sources_tell_whom_we_believe(api: APIClient) -> None:
    theatre = SourceFactory(code="theatre")
    theatre.field_ranks.create(field="phone", rank=3)
    assert api.get("/api/v1/sources/theatre/").data["ranks"] == {"phone": 3}


def test_records_of_a_source_come_in_as_its_files_do(api: APIClient, django_capture_on_commit_callbacks: Any) -> None:
    SourceFactory(code="theatre")
    BranchFactory(code="PUR")
    CustomerFactory(number="1", last_name="Wit")
    records = [
        {"key": "1", "kind": "member", "last_name": "Witte", "phone": "0612340001", "gender": "f", "branch": "PUR"},
        {"key": "2", "kind": "prospect", "last_name": 'Bos; "de"', "phone": "", "gender": "", "branch": ""},
        {"key": "3", "kind": "member", "last_name": "Vos", "phone": "12", "gender": "", "branch": ""},
    ]
    with django_capture_on_commit_callbacks() as later:
        answer = api.post("/api/v1/records/", {"source": "theatre", "records": records}, format="json")
    assert answer.status_code == 200, answer.data
    assert (answer.data["run"]["new_count"], answer.data["run"]["changed_count"]) == (1, 1)
    assert [(error["row_number"], error["code"]) for error in answer.data["errors"]] == [(4, "phone")]
    assert SourceRecord.objects.get(source__code="theatre", key="2").values["last_name"] == 'Bos; "de"'
    assert Customer.objects.get(number="1").last_name == "Wit"  # the library is believed
    with django_capture_on_commit_callbacks() as later_again:
        again = api.post("/api/v1/records/", {"source": "theatre", "records": records[:2]}, format="json")
    assert len(later) == len(later_again) + 1  # who came in is compared with the others; nobody did the second time
    assert again.data["run"]["same_count"] == 2
    assert ImportRun.objects.count() == 2


@pytest.mark.parametrize(
    "records",
    [
        [],
        [{"key": "1", "kind": "member"}],
        [{"key": "1", "kind": "member", "last_name": "x", "shoe": "43"}],
        [
            {"key": "1", "kind": "member", "last_name": "x"},
            {"key": "2", "kind": "member", "last_name": "x", "city": "y"},
        ],
    ],
)
def test_records_that_say_too_little_or_too_much_are_refused(api: APIClient, records: list[dict[str, str]]) -> None:
    SourceFactory(code="theatre")
    assert api.post("/api/v1/records/", {"source": "theatre", "records": records}, format="json").status_code == 400


def test_whatever_goes_wrong_has_one_shape(api: APIClient) -> None:
    SourceFactory(code="theatre")
    told = {"source": "theatre", "name": "x", "delivers": "facts", "folder": "../x", "schedule": "hourly"}
    for answer in (
        api.get("/api/v1/imports/0/"),
        api.get("/api/v1/sources/onzin/"),
        api.get("/api/v1/formats/onzin/"),
        api.delete("/api/v1/imports/"),
        api.post("/api/v1/feeds/", told, format="json"),
        api.post("/api/v1/feeds/", {**told, "source": "onzin"}, format="json"),
        api.post("/api/v1/feeds/", "{", content_type="application/json"),
        api.post("/api/v1/records/", {"source": "theatre", "records": [{"key": 1}]}, format="json"),
        APIClient().get("/api/v1/imports/"),
    ):
        assert 400 <= answer.status_code < 500
        assert {"code", "message"} <= set(answer.data) <= {"code", "message", "field", "errors"}, answer.data
        assert answer.data["message"]


def test_labels_with_a_version_come_in_by_file(api: APIClient) -> None:
    SourceFactory(code="library")
    CustomerFactory(number="1")
    lines = "klantnummer;label;naam;groep;versie\n1;A01;Starters;Mosaic;2026\n"
    wish = {"format": "labels", "source": "library", "needs_approval": False, "file": file(lines)}
    sent = api.post("/api/v1/imports/", wish, format="multipart")
    assert sent.status_code == 202, sent.data
    run_waiting_imports()
    [made] = api.get("/api/v1/labels/", {"kind": "imported"}).data["results"]
    assert (made["name"], made["version"]) == ("Starters", "2026")
    assert [one["code"] for one in api.get("/api/v1/customers/1/labels/").data] == [made["code"]]


def test_a_file_of_people_or_of_the_product_is_refused_as_on_the_page(api: APIClient) -> None:
    for code in ("workbench", "mijnmenu"):
        SourceFactory(code=code)
        wish = {"format": "branches", "source": code, "file": file("code;naam\nA;a\n")}
        assert api.post("/api/v1/imports/", wish, format="multipart").status_code == 400


def test_progress_remarks_and_refused_rows_are_told(api: APIClient) -> None:
    SourceFactory(code="library")
    wish = {"format": "branches", "source": "library", "file": file("code;naam\nA;a\n=1+1;b\n")}
    sent = api.post("/api/v1/imports/", wish, format="multipart")
    assert sent.data["percent"] == 0
    run_waiting_imports()
    url = f"/api/v1/imports/{sent.data['id']}/"
    done = api.get(url).data
    assert (done["state"], done["percent"], done["new_count"], done["remarks"]) == ("done", 100, 1, {})
    answer = api.get(f"{url}errors/csv/", headers={"Accept": "text/csv"})
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert (answer["Content-Type"], len(lines)) == ("text/csv; charset=utf-8", 2)
    assert lines[1].startswith("3;code;'=1+1;")
    assert "preview" not in api.get("/api/v1/imports/").data["results"][0]


def test_a_source_is_made_ranked_and_changed(api: APIClient) -> None:
    made = api.post("/api/v1/sources/", {"name": "Kassa", "number_prefix": "T-", "ranks": {"phone": 3}}, format="json")
    assert made.status_code == 201, made.data
    assert made.data == {
        "code": "kassa", "name": "Kassa", "kind": "system", "rank": 20, "number_prefix": "T-", "ranks": {"phone": 3},
    }  # fmt: skip
    changed = api.patch("/api/v1/sources/kassa/", {"ranks": {"address": 5}}, format="json").data
    assert (changed["name"], changed["ranks"]["city"], "phone" in changed["ranks"]) == ("Kassa", 5, False)
    assert api.patch("/api/v1/sources/kassa/", {"name": "Till"}, format="json").data["ranks"]["city"] == 5
    assert api.post("/api/v1/sources/", {"name": "till"}, format="json").data["code"] == "name_taken"
    assert api.patch("/api/v1/sources/kassa/", {"ranks": {"city": 5}}, format="json").data["field"] == "ranks"
    SourceFactory(code="vouchers", kind="product")
    assert api.patch("/api/v1/sources/vouchers/", {"rank": 1}, format="json").status_code == 422


def test_an_example_is_looked_at_before_a_delivery_is_made(api: APIClient) -> None:
    formats = {one["code"]: one for one in api.get("/api/v1/formats/").data}
    assert "klantnummer" in [column["name"] for column in formats["customers"]["columns"] if column["required"]]
    assert "wise-customers" in [one["code"] for one in formats["customers"]["templates"]]
    assert api.get("/api/v1/formats/facts/").data["header"].startswith("id;klantnummer;soort")
    seen = api.post(
        "/api/v1/feeds/look/",
        {"file": file("LENERNR|Naam|Mail\n1|Wit|\n"), "delivers": "customers"},
        format="multipart",
    ).data
    assert (seen["delimiter"], seen["header"], seen["rows"]) == ("|", ["LENERNR", "Naam", "Mail"], [["1", "Wit", ""]])
    assert seen["mapping"]["klantnummer"] == {"column": "LENERNR"}
    bad = api.post("/api/v1/feeds/look/", {"file": file("%PDF-1.7")}, format="multipart")
    assert (bad.status_code, bad.data["code"]) == (422, "not_text")


def test_a_refused_file_is_tried_again(api: APIClient) -> None:
    SourceFactory(code="library")
    wish = {"format": "branches", "source": "library", "file": file("code;naam\nA;a\n")}
    url = f"/api/v1/imports/{api.post('/api/v1/imports/', wish, format='multipart').data['id']}/"
    ImportRun.objects.update(state="refused", attempts=3, refusal="x")
    assert api.post(f"{url}retry/").status_code == 202
    run_waiting_imports()
    assert (api.get(url).data["state"], api.get(url).data["refusal"]) == ("done", "")
    assert api.post(f"{url}retry/").data["code"] == "not_refused"
