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
        {"feed": feed.pk, "file": file("Nr;Naam\n1;?\n"), "needs_approval": "true"},
        format="multipart",
    )
    assert sent.status_code == 202, sent.data
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
    assert {"format", "source"} <= set(answer.data)


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


def test_records_of_a_source_come_in_as_its_files_do(api: APIClient) -> None:
    SourceFactory(code="theatre")
    BranchFactory(code="PUR")
    CustomerFactory(number="1", last_name="Wit")
    records = [
        {"key": "1", "kind": "member", "last_name": "Witte", "phone": "0612340001", "gender": "f", "branch": "PUR"},
        {"key": "2", "kind": "prospect", "last_name": 'Bos; "de"', "phone": "", "gender": "", "branch": ""},
        {"key": "3", "kind": "member", "last_name": "Vos", "phone": "12", "gender": "", "branch": ""},
    ]
    answer = api.post("/api/v1/records/", {"source": "theatre", "records": records}, format="json")
    assert answer.status_code == 200, answer.data
    assert (answer.data["run"]["new_count"], answer.data["run"]["changed_count"]) == (1, 1)
    assert [(error["row_number"], error["code"]) for error in answer.data["errors"]] == [(4, "phone")]
    assert SourceRecord.objects.get(source__code="theatre", key="2").values["last_name"] == 'Bos; "de"'
    assert Customer.objects.get(number="1").last_name == "Wit"  # the library is believed
    again = api.post("/api/v1/records/", {"source": "theatre", "records": records[:2]}, format="json")
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
