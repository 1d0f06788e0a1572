"""Deliveries: whose columns have other names, that come by themselves, and whom a file may speak of."""

from __future__ import annotations

import datetime as dt
import io
import os
from pathlib import Path
from typing import Any

import pytest

from common.errors import Refused
from customers.actions import approve_import, run_import, upload_import
from customers.actions.feeds import complete_files, look_for_files, save_feed
from customers.actions.sources import follow_precedence, save_source, source
from customers.imports import FORMATS
from customers.imports.reading import glimpse
from customers.imports.templates import TEMPLATES, guess
from customers.models import Customer, Fact, Feed, ImportRun, Source, SourceRecord
from tests.factories import NOW, BranchFactory, CustomerFactory, SourceFactory

pytestmark = pytest.mark.django_db

MAPPING: dict[str, Any] = {
    "klantnummer": {"column": "LENERNR"},
    "soort": {"constant": "lid"},
    "achternaam": {"column": "Naam"},
    "geslacht": {"column": "Gesl", "values": {"Man": "m", "Vrouw": "v"}},
    "email": {"column": "Mail"},
}
FILE = "LENERNR|Naam|Gesl|Mail|Opmerking\n7|Wit|Vrouw|a@b.nl|x\n8|Bos|MAN||y\n9|Vos|onzin||z\n"


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT, settings.IMPORT_FOLDER = tmp_path / "media", tmp_path / "imports"


def make(**fields: Any) -> Feed:
    usual: dict[str, Any] = {
        "source": SourceFactory(code="library"), "name": "Leners", "delivers": "customers", "mapping": MAPPING,
        "needs_approval": False,
    }  # fmt: skip
    return save_feed(None, now=NOW, **{**usual, **fields})


def take(feed: Feed, text: str | bytes, now: dt.datetime = NOW) -> ImportRun:
    file = io.BytesIO(text.encode() if isinstance(text, str) else text)
    run = upload_import(
        format=feed.delivers, source_code="", file=file, file_name="x.csv", by=None, now=now, feed=feed
    )  # fmt: skip
    return run_import(run, now=now)


def test_columns_constants_and_words_are_translated() -> None:
    run = take(make(), FILE)
    assert (run.new_count, run.refused_count, run.feed.name) == (2, 1, "Leners")
    assert run.errors.get().value == "onzin"
    people = Customer.objects.order_by("number").values_list("number", "kind", "last_name", "gender")
    assert list(people) == [("7", "member", "Wit", "f"), ("8", "member", "Bos", "m")]


def test_a_file_without_a_column_of_the_delivery_is_refused_by_its_own_name() -> None:
    with pytest.raises(Refused, match="Gesl"):
        take(make(), FILE.replace("|Gesl|", "|Sekse|"))


@pytest.mark.parametrize("sign", [";", ",", "\t", "|", "^", "~", "#"])
def test_any_separator_is_found_out(sign: str) -> None:
    assert take(make(), FILE.replace("|", sign)).new_count == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_character_set_is_found_out(encoding: str) -> None:
    take(make(), FILE.replace("Wit", "Weiß é").encode(encoding))
    assert Customer.objects.get(number="7").last_name == "Weiß é"


def test_the_separator_and_character_set_of_the_delivery_are_believed() -> None:
    feed = make(delimiter="|", encoding="cp1252")
    take(feed, FILE.replace("Wit", "Ã©").encode("utf-8"))
    assert Customer.objects.get(number="7").last_name == "Ã©".encode().decode("cp1252")


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=list(TEMPLATES))
def test_the_templates_that_ship_fit_their_formats(template: Any) -> None:
    format_ = FORMATS[template.delivers]
    assert set(template.mapping) <= set(format_.names)
    assert {column.name for column in format_.columns if column.required} <= set(template.mapping)
    feed = make(name=template.code, delivers=template.delivers, mapping=dict(template.mapping))
    header = [cell["column"] for cell in template.mapping.values() if "column" in cell]
    assert take(feed, ";".join(header) + "\n").state == ImportRun.State.DONE


def test_loans_of_wise_come_in_by_the_template() -> None:
    BranchFactory(code="PUR")
    CustomerFactory(number="7")
    feed = make(name="loans", delivers="facts", mapping=dict(TEMPLATES["wise-loans"].mapping))
    run = take(feed, "TRANSACTIENR;LENERNR;UITLEENDATUM;VESTIGING;WERELD;GENRE\n1;7;01-05-2026;PUR;Reizen;\n")
    assert (run.new_count, run.refused_count) == (1, 0)
    assert Fact.objects.values_list("kind", "sector", "world").get() == ("loan", "bibliotheek", "reizen")


def test_names_are_guessed() -> None:
    header = ["Lenernr.", "Achternaam", "E-mail adres", "GEBOORTE_DATUM", "Iets"]
    assert guess(FORMATS["customers"], header) == {
        "klantnummer": {"column": "Lenernr."},
        "achternaam": {"column": "Achternaam"},
        "geboortedatum": {"column": "GEBOORTE_DATUM"},
        "email": {"column": "E-mail adres"},
    }


def test_the_head_of_an_unknown_file_is_shown() -> None:
    seen = glimpse(io.BytesIO(FILE.encode()), count=2)
    assert (seen.delimiter, seen.header) == ("|", ["LENERNR", "Naam", "Gesl", "Mail", "Opmerking"])
    assert seen.rows == [["7", "Wit", "Vrouw", "a@b.nl", "x"], ["8", "Bos", "MAN", "", "y"]]


# --- whom a row is about ----------------------------------------------------------------------------------------------


def test_a_number_with_a_prefix_is_the_sources_own() -> None:
    theatre = save_source(None, name="Kassa", kind="system", rank=20, number_prefix="T-", ranks={"phone": 3}, now=NOW)
    CustomerFactory(number="7", last_name="Ander")
    feed = make(source=theatre)
    take(feed, FILE)
    assert set(Customer.objects.values_list("number", flat=True)) == {"7", "T-7", "T-8"}
    assert SourceRecord.objects.get(key="7", source=theatre).customer.number == "T-7"
    assert take(feed, FILE).same_count == 2


def test_a_feed_may_speak_of_our_own_numbers() -> None:
    theatre = SourceFactory(code="theatre")
    theatre.number_prefix = "T-"
    theatre.save()
    known = CustomerFactory(number="7")
    take(make(source=theatre, matching="number"), FILE)
    assert SourceRecord.objects.get(key="7", source=theatre).customer == known
    assert Customer.objects.count() == 2


def test_address_and_name_tell_who_it_is_when_only_one_can_be_meant() -> None:
    theatre = SourceFactory(code="theatre")
    theatre.number_prefix = "T-"
    theatre.save()
    known = CustomerFactory(last_name="Wit", email="a@b.nl")
    CustomerFactory(last_name="Zwart", email="a@b.nl")
    feed = make(source=theatre, matching="email")
    run = take(feed, FILE)
    assert SourceRecord.objects.get(key="7", source=theatre).customer == known
    assert (run.new_count, run.changed_count) == (1, 1)
    CustomerFactory(last_name="Wit", email="c@d.nl")
    CustomerFactory(last_name="Wit", email="c@d.nl")
    run = take(feed, "LENERNR|Naam|Gesl|Mail\n10|Wit||c@d.nl\n")
    assert run.new_count == 1


def test_customers_follow_a_new_precedence() -> None:
    customer = CustomerFactory(number="7", last_name="Oud", email="")
    for code, name in (("library", "Bieb"), ("theatre", "Kassa")):
        SourceRecord.objects.create(
            source=source(code), key="7", customer=customer, values={"last_name": name}, created_at=NOW, updated_at=NOW
        )
    theatre = source("theatre")
    fields: dict[str, Any] = {"name": theatre.name, "kind": "system", "rank": 20, "number_prefix": ""}
    save_source(theatre, **fields, ranks={"last_name": 1}, now=NOW)
    assert follow_precedence(now=NOW) == 1
    customer.refresh_from_db()
    assert customer.last_name == "Kassa"
    assert follow_precedence(now=NOW) == 0
    save_source(theatre, **fields, ranks={"last_name": None}, now=NOW)
    follow_precedence(now=NOW)
    customer.refresh_from_db()
    assert customer.last_name == "Bieb"


def test_a_prefix_in_use_is_not_changed() -> None:
    theatre = save_source(None, name="Kassa", kind="system", rank=20, number_prefix="T-", ranks={}, now=NOW)
    take(make(source=theatre), FILE)
    with pytest.raises(Refused) as refused:
        save_source(theatre, name="Kassa", kind="system", rank=20, number_prefix="K-", ranks={}, now=NOW)
    assert refused.value.field == "number_prefix"


def test_a_name_is_taken_once() -> None:
    save_source(None, name="Kassa", kind="system", rank=20, number_prefix="", ranks={}, now=NOW)
    with pytest.raises(Refused):
        save_source(None, name="kassa", kind="system", rank=20, number_prefix="", ranks={}, now=NOW)
    assert Source.objects.get(name="Kassa").code == "kassa"


# --- the folder -------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "imports" / "wise"
    made.mkdir(parents=True)
    return made


def drop(folder: Path, name: str, text: str = FILE, *, at: dt.datetime = NOW - dt.timedelta(minutes=5)) -> Path:
    file = folder / name
    file.write_text(text)
    os.utime(file, (at.timestamp(), at.timestamp()))
    return file


def test_files_that_are_complete_are_taken_and_moved(folder: Path) -> None:
    feed = make(folder="wise", pattern="leners*.csv", schedule="hourly")
    drop(folder, "leners-1.csv")
    drop(folder, "leners-2.csv", at=NOW)
    drop(folder, "leners-3.csv", at=NOW)
    (folder / "leners-3.csv.ready").touch()
    drop(folder, "anders.csv")
    (folder / "leners-link.csv").symlink_to("/etc/hostname")
    assert [file.name for file in complete_files(feed, now=NOW)] == ["leners-1.csv", "leners-3.csv"]
    assert look_for_files(now=NOW) == 2
    first, second = ImportRun.objects.order_by("pk")
    assert (first.state, first.feed, first.file_name) == ("waiting", feed, "leners-1.csv")
    names = {file.name for file in folder.rglob("*") if not file.is_dir()}
    assert names == {
        f"{first.pk}-leners-1.csv",
        f"{second.pk}-leners-3.csv",
        "leners-2.csv",
        "anders.csv",
        "leners-link.csv",
    }
    assert look_for_files(now=NOW) == 0
    # What was not complete is looked at again in a minute, not in an hour.
    feed.refresh_from_db()
    assert feed.next_look_at == NOW + dt.timedelta(minutes=1)
    assert look_for_files(now=NOW + dt.timedelta(minutes=2)) == 1


def test_a_file_that_is_not_of_the_format_is_refused_and_says_why(folder: Path) -> None:
    make(folder="wise", schedule="hourly")
    drop(folder, "x.csv", "a;b\n1;2\n")
    assert look_for_files(now=NOW) == 1
    run = ImportRun.objects.get()
    assert run.state == ImportRun.State.REFUSED
    assert "LENERNR" in run.refusal
    assert (folder / "refused" / f"{run.pk}-x.csv").exists()


def test_a_daily_delivery_is_looked_for_at_its_time() -> None:
    feed = make(folder="wise", schedule="daily", at=dt.time(6, 30))
    assert feed.next_look_at == dt.datetime(2026, 6, 16, 4, 30, tzinfo=dt.UTC)
    assert look_for_files(now=NOW) == 0
    assert look_for_files(now=NOW + dt.timedelta(days=1)) == 0  # no folder yet: nothing to take, no error
    feed.refresh_from_db()
    assert feed.next_look_at == dt.datetime(2026, 6, 17, 4, 30, tzinfo=dt.UTC)


def test_a_delivery_that_asks_first_waits_for_a_yes(folder: Path) -> None:
    make(folder="wise", schedule="hourly", needs_approval=True)
    drop(folder, "x.csv")
    look_for_files(now=NOW)
    assert run_import(ImportRun.objects.get(), now=NOW).state == ImportRun.State.PREVIEWED
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"folder": "../wise", "schedule": "hourly"}, "folder"),
        ({"folder": "/etc", "schedule": "hourly"}, "folder"),
        ({"folder": "a/../..", "schedule": "hourly"}, "folder"),
        ({"folder": ".", "schedule": "hourly"}, "folder"),
        ({"schedule": "hourly"}, "folder"),
        ({"folder": "wise", "schedule": "daily"}, "at"),
        ({"pattern": "../*.csv"}, "pattern"),
        ({"delivers": "nothing"}, "delivers"),
        ({"mapping": {"klantnummer": {"column": "x"}}}, "is_active"),
        ({"mapping": {"onzin": {"column": "x"}}}, "mapping"),
        ({"mapping": {"klantnummer": {"column": "x", "constant": "y"}}}, "mapping"),
    ],
)
def test_what_cannot_work_is_refused_where_it_stands(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        make(**fields)
    assert refused.value.field == field
    assert not Feed.objects.exists()


def test_a_link_out_of_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    drop(outside, "x.csv")
    (folder / "uit").symlink_to(outside)
    with pytest.raises(Refused):
        make(folder="wise/uit", schedule="hourly")


def test_a_number_that_is_too_long_behind_its_prefix_is_refused_alone() -> None:
    theatre = save_source(None, name="Kassa", kind="system", rank=20, number_prefix="THEATER-", ranks={}, now=NOW)
    run = take(make(source=theatre), FILE.replace("\n7|", f"\n{'7' * 33}|"))
    assert (run.new_count, run.refused_count) == (1, 2)
    assert ("klantnummer", "too_long") in run.errors.values_list("column", "code")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"delimiter": '"'}, "delimiter"),
        ({"delimiter": "a"}, "delimiter"),
        ({"encoding": "klingon"}, "encoding"),
        ({"mapping": MAPPING | {"klantnummer": {"column": ""}}}, "mapping"),
        ({"mapping": MAPPING | {"klantnummer": {"column": None}}}, "mapping"),
        ({"mapping": MAPPING | {"klantnummer": {"column": ["x"]}}}, "mapping"),
        ({"mapping": MAPPING | {"soort": {"constant": "  "}}}, "mapping"),
        ({"mapping": MAPPING | {"geslacht": {"column": "Gesl", "values": {"Man": None}}}}, "mapping"),
        ({"mapping": MAPPING | {"geslacht": {"column": "Gesl", "value": {}}}}, "mapping"),
    ],
)
def test_how_a_file_is_read_must_make_sense(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        make(**fields)
    assert refused.value.field == field


def test_a_file_that_waits_for_a_yes_is_tried_anew_when_it_would_be_read_otherwise() -> None:
    feed = make(needs_approval=True)
    run = upload_import(
        format="customers", source_code="", file=io.BytesIO(FILE.encode()), file_name="x", by=None, now=NOW, feed=feed,
        needs_approval=True,
    )  # fmt: skip
    assert run_import(run, now=NOW).preview["new"][0]["after"]["kind"] == "member"
    approve_import(run, by=None, now=NOW)
    save_feed(feed, name="Andere naam", now=NOW)
    run.refresh_from_db()
    assert run.approved_by
    mapping = MAPPING | {"soort": {"constant": "prospect"}}
    for _step in ("approved", "shown"):
        save_feed(feed, mapping=mapping, now=NOW)
        shown = run_import(run, now=NOW)
        assert (shown.state, shown.preview["new"][0]["after"]["kind"]) == (ImportRun.State.PREVIEWED, "prospect")
        mapping = MAPPING | {"soort": {"constant": "prospect"}, "plaats": {"constant": "Edam"}}
    assert shown.preview["new"][0]["after"]["city"] == "Edam"
    assert not Customer.objects.exists()


def test_a_delivery_keeps_its_source_and_content_once_files_came_in() -> None:
    feed = make()
    take(feed, FILE)
    with pytest.raises(Refused) as refused:
        save_feed(feed, source=SourceFactory(code="theatre"), now=NOW)
    assert refused.value.code == "has_runs"


def test_names_of_files_are_matched_in_capitals_too_and_may_be_no_text(folder: Path) -> None:
    make(folder="wise", pattern="leners*.csv", schedule="hourly")
    odd = folder / os.fsdecode(b"LENERS-caf\xe9.CSV")
    odd.write_text(FILE)
    os.utime(odd, (0, 0))
    assert look_for_files(now=NOW) == 1
    assert ImportRun.objects.get().file_name == "LENERS-caf\ufffd.CSV"
    assert not odd.exists()


def test_a_file_that_cannot_be_moved_away_does_not_hold_up_the_others(folder: Path) -> None:
    make(folder="wise", schedule="hourly")
    drop(folder, "a.csv")
    (folder / "processed").write_text("a file where a folder should be")
    assert look_for_files(now=NOW) == 0
    run = ImportRun.objects.get()
    assert (run.state, run.file_name) == (ImportRun.State.REFUSED, "a.csv")
    assert look_for_files(now=NOW + dt.timedelta(hours=1)) == 0
    assert ImportRun.objects.count() == 1
    (folder / "processed").unlink()
    assert look_for_files(now=NOW + dt.timedelta(hours=2)) == 1


def test_a_file_that_cannot_be_moved_at_the_last_moment_does_not_come_in_at_every_look(
    folder: Path, tmp_path: Path
) -> None:
    feed = make(folder="wise", schedule="hourly")
    drop(folder, "a.csv")
    last = take(feed, FILE).pk
    ImportRun.objects.all().delete()
    for number in range(last + 1, last + 9):
        (folder / "processed" / f"{number}-a.csv").mkdir(parents=True)
    for hours in range(3):
        assert look_for_files(now=NOW + dt.timedelta(hours=hours)) == 0
    run = ImportRun.objects.get()
    assert (run.state, run.file_name, bool(run.file)) == (ImportRun.State.REFUSED, "a.csv", False)
    assert len([kept for kept in (tmp_path / "media").rglob("*") if kept.is_file()]) == 1  # of the one that was taken


def test_a_list_of_numbers_may_have_an_empty_line() -> None:
    mapping = {"klantnummer": {"column": "NR"}, "soort": {"constant": "lid"}, "achternaam": {"constant": "Onbekend"}}
    run = take(make(mapping=mapping), "NR\n7\n\n8\n\n")
    assert (run.state, run.new_count, run.refused_count) == (ImportRun.State.DONE, 2, 0)
    assert set(Customer.objects.values_list("number", flat=True)) == {"7", "8"}


def test_a_file_that_grows_while_it_is_taken_is_left_for_the_next_look(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(folder="wise", schedule="hourly")
    file = drop(folder, "a.csv")

    def slowly(**given: Any) -> ImportRun:
        run = upload_import(**given)
        with file.open("a") as more:
            more.write("11|Late|Vrouw|l@b.nl|x\n")
        return run

    # the real one does its work; between its reading and the look that follows nothing else can be made to write
    monkeypatch.setattr("customers.actions.feeds.upload_import", slowly)
    assert look_for_files(now=NOW) == 0
    assert not ImportRun.objects.exists()
    assert file.exists()
    assert not [kept for kept in (tmp_path / "media").rglob("*") if kept.is_file()]
    monkeypatch.undo()
    drop(folder, "a.csv", file.read_text())
    assert look_for_files(now=NOW + dt.timedelta(hours=1)) == 1
