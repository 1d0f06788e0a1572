"""Sources and their deliveries: from an example file to a mapping, to a file that is shown before it is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from customers.actions.feeds import save_feed
from customers.models import Customer, Feed, FieldRank, ImportRun, Source
from customers.tasks import run_waiting_imports
from tests.factories import NOW, SourceFactory

pytestmark = pytest.mark.django_db

EXAMPLE = "Lenernr;Achternaam;Sekse;E-mail\n7;Wit;Vrouw;a@b.nl\n8;Bos;Man;\n"


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT, settings.IMPORT_FOLDER = tmp_path / "media", tmp_path / "imports"


@pytest.fixture
def desk(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


def text(page: Any) -> str:
    return str(page.content.decode())


def file(content: str = EXAMPLE) -> SimpleUploadedFile:
    return SimpleUploadedFile("leners.csv", content.encode(), "text/csv")


def test_a_source_is_made_and_changed(desk: Client) -> None:
    sent = {
        "name": "Kassa",
        "kind": "system",
        "rank": "30",
        "number_prefix": "T-",
        "rank_phone": "3",
        "rank_address": "4",
    }
    answer = desk.post("/sources/new/", sent)
    kassa = Source.objects.get(name="Kassa")
    assert answer["Location"] == f"/sources/{kassa.pk}/"
    assert (kassa.code, kassa.rank, kassa.number_prefix) == ("kassa", 30, "T-")
    assert FieldRank.objects.filter(source=kassa).count() == 6
    page = text(desk.get(f"/sources/{kassa.pk}/"))
    assert "Rang voor adres" in page
    assert 'value="4"' in text(desk.get(f"/sources/{kassa.pk}/change/"))
    desk.post(f"/sources/{kassa.pk}/change/", {**sent, "rank_address": "", "rank": "25"})
    kassa.refresh_from_db()
    assert (kassa.rank, FieldRank.objects.filter(source=kassa).count()) == (25, 1)
    assert kassa.reranked_at is not None
    assert "Kassa" in text(desk.get("/sources/"))


def test_a_source_of_the_product_itself_is_not_shown(desk: Client) -> None:
    own = SourceFactory(code="mailings")
    assert f'href="/sources/{own.pk}/"' not in text(desk.get("/sources/"))
    assert desk.get(f"/sources/{own.pk}/").status_code == 404


def test_from_an_example_to_a_delivery_to_a_file(desk: Client) -> None:
    library = SourceFactory(code="library")
    answer = desk.post(
        f"/sources/{library.pk}/feeds/new/",
        {"name": "Leners", "template": "", "delivers": "customers", "example": file()},
    )
    feed = Feed.objects.get()
    assert answer["Location"] == f"/feeds/{feed.pk}/columns/"
    assert {name: cell["column"] for name, cell in feed.mapping.items()} == {
        "klantnummer": "Lenernr", "achternaam": "Achternaam", "geslacht": "Sekse", "email": "E-mail",
    } or "geslacht" not in feed.mapping  # fmt: skip
    page = text(desk.get(f"/feeds/{feed.pk}/columns/"))
    assert "Vrouw" in page
    assert re.search(r'<option value="Lenernr" selected', page)
    sent = {
        "column_klantnummer": "Lenernr", "constant_soort": "lid", "column_achternaam": "Achternaam",
        "column_geslacht": "Sekse", "words_geslacht": "Man = m, Vrouw = v", "column_email": "E-mail",
    }  # fmt: skip
    refused = desk.post(f"/feeds/{feed.pk}/columns/", {**sent, "constant_soort": ""})
    assert refused.status_code == 422
    assert "Zeg eerst waar deze vandaan komen: soort." in text(refused)
    assert desk.post(f"/feeds/{feed.pk}/columns/", sent)["Location"] == f"/feeds/{feed.pk}/"
    feed.refresh_from_db()
    assert feed.is_active
    assert feed.mapping["geslacht"] == {"column": "Sekse", "values": {"Man": "m", "Vrouw": "v"}}
    assert "Man = m, Vrouw = v" in text(desk.get(f"/feeds/{feed.pk}/"))

    desk.post("/imports/new/", {"feed": feed.pk, "file": file(), "needs_approval": "on"})
    run_waiting_imports()
    run = ImportRun.objects.get()
    page = text(desk.get(f"/imports/{run.pk}/"))
    assert "Er is nog niets weggeschreven" in page
    assert "a@b.nl" in page
    assert not Customer.objects.exists()
    desk.post(f"/imports/{run.pk}/approve/")
    run_waiting_imports()
    assert Customer.objects.get(number="7").gender == "f"
    assert "Ongedaan maken" in text(desk.get(f"/imports/{run.pk}/"))
    desk.post(f"/imports/{run.pk}/undo/")
    assert "Terugdraaien" in text(desk.get(f"/imports/{run.pk}/"))
    run_waiting_imports()
    assert not Customer.objects.exists()
    assert "Verwijderd: 2." in text(desk.get(f"/imports/{run.pk}/"))


def test_who_says_no_leaves_it_unwritten(desk: Client) -> None:
    SourceFactory(code="library")
    desk.post(
        "/imports/new/",
        {"format": "branches", "source": "library", "file": file("code;naam\nPUR;Purmerend\n"), "needs_approval": "on"},
    )
    run_waiting_imports()
    run = ImportRun.objects.get()
    desk.post(f"/imports/{run.pk}/cancel/")
    page = text(desk.get(f"/imports/{run.pk}/"))
    assert "Niet ingelezen" in page
    assert desk.post(f"/imports/{run.pk}/approve/").status_code == 302
    run.refresh_from_db()
    assert run.state == ImportRun.State.CANCELLED


def test_a_template_fills_the_columns_in(desk: Client) -> None:
    library = SourceFactory(code="library")
    desk.post(f"/sources/{library.pk}/feeds/new/", {"name": "Uitleningen", "template": "wise-loans"})
    feed = Feed.objects.get()
    assert (feed.delivers, feed.mapping["soort"]) == ("facts", {"constant": "uitlening"})
    assert "TRANSACTIENR" in text(desk.get(f"/feeds/{feed.pk}/"))


def test_the_settings_of_a_delivery_are_changed_and_wrong_ones_told(desk: Client, tmp_path: Path) -> None:
    feed = save_feed(
        None, source=SourceFactory(code="library"), name="Leners", delivers="customers", is_active=True, now=NOW
    )
    sent = {
        "name": "Leners", "matching": "key", "folder": "../geheim", "pattern": "*.csv", "schedule": "daily",
        "at": "06:30", "is_active": "on", "delimiter": "|", "encoding": "cp1252",
    }  # fmt: skip
    refused = desk.post(f"/feeds/{feed.pk}/change/", sent)
    assert refused.status_code == 422
    assert "Noem een map onder" in text(refused)
    assert desk.post(f"/feeds/{feed.pk}/change/", {**sent, "folder": "wise"}).status_code == 302
    feed.refresh_from_db()
    assert (feed.folder, feed.delimiter, feed.needs_approval) == ("wise", "|", False)
    assert feed.next_look_at is not None
    (tmp_path / "imports" / "wise").mkdir(parents=True)
    assert "De map is er niet" not in text(desk.get(f"/feeds/{feed.pk}/"))
    (tmp_path / "imports" / "wise").rmdir()
    assert "De map is er niet" in text(desk.get(f"/feeds/{feed.pk}/"))


def test_another_example_is_looked_at(desk: Client) -> None:
    feed = save_feed(None, source=SourceFactory(code="library"), name="x", delivers="customers", now=NOW)
    assert desk.post(f"/feeds/{feed.pk}/example/", {"example": file()})["Location"] == f"/feeds/{feed.pk}/columns/"
    assert re.search(r'<option value="Lenernr" selected', text(desk.get(f"/feeds/{feed.pk}/columns/")))
    assert desk.post(f"/feeds/{feed.pk}/example/", {"example": file("%PDF-1.7")}).status_code == 422


@pytest.mark.parametrize("role", ["counter", "integrator"])
def test_sources_are_for_who_may_import(
    role: str, make_user: Callable[..., User], client_of: Callable[[User], Client]
) -> None:
    feed = save_feed(None, source=SourceFactory(code="library"), name="x", delivers="customers", now=NOW)
    client = client_of(make_user(role))
    for name, pk in (
        ("source_list", None),
        ("source_detail", feed.source_id),
        ("feed_detail", feed.pk),
        ("feed_columns", feed.pk),
    ):
        assert client.get(reverse(f"workbench:{name}", args=[pk] if pk else [])).status_code == 403
