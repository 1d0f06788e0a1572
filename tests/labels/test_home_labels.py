"""Labels per address or postal code: who lives there gets them, by the most exact row; twice the same file is once."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

import pytest

from customers.actions import run_import, undo_import, upload_import
from customers.actions.merging import merge_customers, undo_merge
from customers.consents import record_consent
from customers.imports.formats import FORMATS
from customers.models import Customer, ImportRun, Purpose
from labels.actions import (
    change_label,
    count_labels,
    create_label,
    end_version,
    give_label,
    refresh_system_labels,
    take_label,
    take_profiling_labels,
    take_version_back,
)
from labels.models import Assignment, Label, LabelCount, LabelGroup
from tests.factories import NOW, CustomerFactory, SourceFactory

pytestmark = pytest.mark.django_db

HEADER = FORMATS["home_labels"].header
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def take_in(*lines: str, header: str = HEADER, kind: str = "home_labels", now: dt.datetime = NOW) -> ImportRun:
    SourceFactory(code="import")
    file = io.BytesIO("\n".join([header, *lines, ""]).encode())
    run = upload_import(format=kind, source_code="import", file=file, file_name="mosaic.csv", by=None, now=now)
    return run_import(run, now=now)


def counts(run: ImportRun) -> tuple[int, int, int, int]:
    return run.new_count, run.changed_count, run.same_count, run.refused_count


def at(number: str, addition: str = "", postal_code: str = "1441AB", **fields: Any) -> Customer:
    made: Customer = CustomerFactory(
        house_number=number, house_number_addition=addition, postal_code=postal_code, **fields
    )
    return made


def held(customer: Customer) -> list[str]:
    return sorted(customer.label_assignments.open().values_list("label__code", flat=True))


def test_a_row_of_an_address_is_for_everybody_who_lives_there_and_for_nobody_else() -> None:
    both = at("12", "A"), at("12", "a")
    next_door, elsewhere, unknown = at("14"), at("12", "A", "1441AC"), at("", postal_code="")
    run = take_in("1441 ab;12;a;A01;Jonge stedelingen;Mosaic;2026", "1016DV;1;;B02;Landelijk;Mosaic;2026")
    assert counts(run) == (2, 0, 1, 0)
    assert [held(one) for one in both] == [["mosaic-2026-a01"]] * 2
    assert [held(one) for one in (next_door, elsewhere, unknown)] == [[], [], []]
    label = Label.objects.get(code="mosaic-2026-a01")
    assert (label.name, label.kind, label.group.name) == ("Jonge stedelingen", "imported", "Mosaic")  # type: ignore[union-attr]
    assert str(label) == "Jonge stedelingen (2026)"  # the next version often calls its labels the same
    assert LabelGroup.objects.get(code="mosaic").is_exclusive


def test_the_most_exact_row_counts_whatever_the_order() -> None:
    exact, number, street, other = at("12", "A"), at("12", "B"), at("14"), at("12", "A", "1441AC")
    rows = ["1441AB;;;S;;Mosaic;2026", "1441AB;12;;N;;Mosaic;2026", "1441AB;12;A;X;;Mosaic;2026"]
    take_in(*rows)
    wanted = [["mosaic-2026-x"], ["mosaic-2026-n"], ["mosaic-2026-s"], []]
    assert [held(one) for one in (exact, number, street, other)] == wanted
    assert counts(take_in(*reversed(rows), now=NOW + DAY)) == (0, 0, 3, 0)
    assert [held(one) for one in (exact, number, street, other)] == wanted


def test_a_file_of_postal_codes_alone_needs_no_other_columns() -> None:
    here, there = at("1"), at("2", postal_code="1442AA")
    run = take_in("1441AB;stad", "1442AA;land", header="postcode;label")
    assert counts(run) == (2, 0, 0, 0)
    assert (held(here), held(there)) == (["stad"], ["land"])


def test_two_groups_and_labels_without_a_group_stand_side_by_side() -> None:
    anna = at("12")
    take_in("1441AB;12;;A01;;Mosaic;2026", "1441AB;12;;laag;;Inkomen;2025", "1441AB;12;;wijkbus;;;", "1441AB;;;dorp;;;")
    assert held(anna) == ["dorp", "inkomen-2025-laag", "mosaic-2026-a01", "wijkbus"]


def test_a_new_version_ends_the_former_and_undoing_the_file_opens_it_again() -> None:
    anna, ben = at("12"), at("14")
    take_in("1441AB;12;;A01;;Mosaic;2025", "1441AB;14;;A01;;Mosaic;2025")
    run = take_in("1441AB;12;;C07;;Mosaic;2026", now=NOW + DAY)
    assert counts(run)[:2] == (1, 2)
    assert (held(anna), held(ben)) == (["mosaic-2026-c07"], [])
    undo_import(run, by=None, now=NOW + 2 * DAY)
    run_import(run, now=NOW + 2 * DAY)
    assert (held(anna), held(ben)) == (["mosaic-2025-a01"], ["mosaic-2025-a01"])


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        ("1441;12;;A01;;Mosaic;2026", "postcode", "postal_code"),
        (";12;;A01;;Mosaic;2026", "postcode", "empty"),
        ("1441AB;twaalf;;A01;;Mosaic;2026", "huisnummer", "house_number"),
        ("1441AB;;a;A01;;Mosaic;2026", "huisnummer", "empty"),
        ("1441AB;12;;;;Mosaic;2026", "label", "empty"),
        ("1441AB;12;;A01;;Mosaic;", "versie", "empty"),
    ],
)
def test_a_wrong_row_is_refused_with_its_cell(line: str, column: str, code: str) -> None:
    anna = at("12")
    run = take_in(line)
    assert list(run.errors.values_list("row_number", "column", "code")) == [(2, column, code)]
    assert held(anna) == []


def test_an_address_has_one_label_of_a_group_and_a_file_one_version() -> None:
    at("12", "a")
    run = take_in("1441AB;12;a;A01;;Mosaic;2026", "1441 AB;0012;-A;B02;;Mosaic;2026", "1441AB;14;;B02;;Mosaic;2025")
    assert list(run.errors.order_by("row_number").values_list("row_number", "code")) == [
        (3, "one_home"),
        (4, "version"),
    ]
    assert Assignment.objects.count() == 1


def test_who_moved_was_merged_away_or_said_no_gets_none(profiling: Purpose) -> None:
    stays, moved, refused, kept = at("12"), at("12", address_state="moved"), at("12"), at("12")
    absorbed = at("12", merged_into=kept)
    record_consent(
        refused, purpose=profiling, channel="email", state="objected", source_code="mijnmenu", actor="customer",
        event_at=NOW - DAY,
    )  # fmt: skip
    run = take_in("1441AB;12;;A01;;Mosaic;2026", "1441AB;;;B02;;Mosaic;2026")
    assert run.remarks == {"unprofiled_home": 1}
    assert [held(one) for one in (stays, kept)] == [["mosaic-2026-a01"]] * 2
    assert [held(one) for one in (moved, refused, absorbed)] == [[], [], []]


def test_who_says_no_later_loses_them_at_once_by_himself_and_else_at_night(profiling: Purpose) -> None:
    himself, by_phone, other = at("12"), at("12"), at("12")
    take_in("1441AB;12;;A01;;Mosaic;2026")
    take_profiling_labels(himself, now=NOW + DAY)
    assert [held(one) for one in (himself, by_phone)] == [[], ["mosaic-2026-a01"]]
    record_consent(
        by_phone, purpose=profiling, channel="email", state="withdrawn", source_code="phone", actor="Petra",
        event_at=NOW + DAY,
    )  # fmt: skip
    refresh_system_labels(now=NOW + 2 * DAY, due_key="night")
    open_codes = Assignment.objects.open().filter(label__kind="imported").values_list("customer_id", flat=True)
    assert list(open_codes) == [other.pk]


def test_labels_by_customer_number_go_on_as_they_did() -> None:
    anna = at("12")
    line = f"{anna.number};A01;Jonge stedelingen;Mosaic;2026;"
    assert counts(take_in(line, header=FORMATS["labels"].header, kind="labels")) == (1, 0, 0, 0)
    assert held(anna) == ["mosaic-2026-a01"]
    assert counts(take_in("1441AB;12;;A01;;Mosaic;2026;", now=NOW + DAY)) == (0, 0, 1, 0)


def test_labels_by_customer_number_are_not_for_who_said_no_to_profiling(profiling: Purpose) -> None:
    stays, refused, later = at("12"), at("12"), at("12")
    said: dict[str, Any] = {"purpose": profiling, "channel": "email", "source_code": "phone", "actor": "Petra"}
    record_consent(refused, state="objected", event_at=NOW - DAY, **said)
    lines = [f"{one.number};A01;Jonge stedelingen;Mosaic;2026;" for one in (stays, refused, later)]
    run = take_in(*lines, header=FORMATS["labels"].header, kind="labels")
    assert (counts(run), run.remarks) == ((2, 0, 1, 0), {"unprofiled": 1})
    assert [held(one) for one in (stays, refused)] == [["mosaic-2026-a01"], []]
    record_consent(later, state="withdrawn", event_at=NOW + DAY, **said)
    refresh_system_labels(now=NOW + 2 * DAY, due_key="night")
    assert held(later) == []


def test_who_had_a_label_twice_before_a_merge_counts_once() -> None:
    kept, absorbed, other = at("12"), at("12"), at("12")
    label = Label.objects.create(code="x", name="x", kind="own", created_at=NOW)
    for one in (kept, absorbed, other):
        Assignment.objects.create(label=label, customer=one, since=NOW - 9 * DAY, until=NOW - DAY, given_by="x")
    days = [(NOW - 5 * DAY).date(), NOW.date()]
    assert list(label.assignments.counts_at(days).values()) == [3, 0]
    merge = merge_customers(kept, absorbed, by="x", now=NOW)
    assert list(label.assignments.counts_at(days).values()) == [2, 0]
    undo_merge(merge, by="x", now=NOW)
    assert list(label.assignments.counts_at(days).values()) == [3, 0]


def test_what_is_given_back_is_not_given_to_who_objected_meanwhile(profiling: Purpose) -> None:
    stays, objects = at("12"), at("12")
    said: dict[str, Any] = {"purpose": profiling, "channel": "email", "source_code": "phone", "actor": "Petra"}
    take_in("1441AB;12;;A01;;Mosaic;2025")
    end = end_version(LabelGroup.objects.get(code="mosaic"), "2025", name="Petra", now=NOW + DAY)
    record_consent(objects, state="objected", event_at=NOW + 2 * DAY, **said)
    take_profiling_labels(objects, now=NOW + 2 * DAY)
    assert take_version_back(end, now=NOW + 3 * DAY) == 1
    assert [held(one) for one in (stays, objects)] == [["mosaic-2025-a01"], []]


def test_undoing_a_file_gives_nothing_to_who_objected_meanwhile(profiling: Purpose) -> None:
    stays, objects = at("12"), at("12")
    said: dict[str, Any] = {"purpose": profiling, "channel": "email", "source_code": "phone", "actor": "Petra"}
    take_in("1441AB;12;;A01;;Mosaic;2025")
    run = take_in("1441AB;12;;A01;;Mosaic;2026", now=NOW + DAY)
    record_consent(objects, state="objected", event_at=NOW + 2 * DAY, **said)
    take_profiling_labels(objects, now=NOW + 2 * DAY)
    undo_import(run, by=None, now=NOW + 3 * DAY)
    run_import(run, now=NOW + 3 * DAY)
    assert [held(one) for one in (stays, objects)] == [["mosaic-2025-a01"], []]


def test_a_file_does_not_give_what_was_put_out_of_use() -> None:
    anna = at("12")
    header, own = FORMATS["labels"].header, create_label(name="Oud", code="oud", kind="own", now=NOW)
    change_label(own, is_active=False)
    create_label(name="Voorbij", code="voorbij", kind="own", valid_until=NOW.date() - DAY, now=NOW)
    create_label(name="Goed", code="goed", kind="own", now=NOW)
    take_in(f"{anna.number};A01;;Mosaic;2026;", header=header, kind="labels")
    LabelGroup.objects.filter(code="mosaic").update(is_active=False)
    lines = [f"{anna.number};{told};" for told in ("oud;;;", "voorbij;;;", "goed;;;", "A02;;Mosaic;2026")]
    run = take_in(*lines, header=header, kind="labels", now=NOW + DAY)
    assert sorted(run.errors.values_list("row_number", "code")) == [
        (2, "unused_label"),
        (3, "unused_label"),
        (5, "unused_label"),
    ]
    assert held(anna) == ["goed", "mosaic-2026-a01"]


def test_what_is_given_back_lies_over_nothing_that_was_given_since() -> None:
    anna, ben = at("12"), at("14")
    take_in("1441AB;12;;A01;;Mosaic;2025", "1441AB;14;;A01;;Mosaic;2025")
    label = Label.objects.get(code="mosaic-2025-a01")
    end = end_version(LabelGroup.objects.get(code="mosaic"), "2025", name="Petra", now=NOW + DAY)
    change_label(label, is_active=True)
    only = Customer.objects.filter(pk=anna.pk)
    give_label(label, only, by="Petra", now=NOW + 2 * DAY)
    take_label(label, only, by="Petra", now=NOW + 3 * DAY)
    assert take_version_back(end, now=NOW + 4 * DAY) == 1
    assert [held(one) for one in (anna, ben)] == [[], ["mosaic-2025-a01"]]


def test_undoing_a_file_lies_over_nothing_that_was_given_since() -> None:
    anna, ben, _newcomer = at("12"), at("14"), at("1", postal_code="1442AB")
    take_in("1441AB;12;;A01;;Mosaic;2025", "1441AB;14;;A01;;Mosaic;2025")
    run = take_in("1442AB;1;;A01;;Mosaic;2026", now=NOW + DAY)
    label, only = Label.objects.get(code="mosaic-2025-a01"), Customer.objects.filter(pk=anna.pk)
    give_label(label, only, by="Petra", now=NOW + 2 * DAY)
    take_label(label, only, by="Petra", now=NOW + 3 * DAY)
    undo_import(run, by=None, now=NOW + 4 * DAY)
    run_import(run, now=NOW + 4 * DAY)
    assert [held(one) for one in (anna, ben)] == [[], ["mosaic-2025-a01"]]


def test_the_counts_of_past_days_go_with_what_is_given_back() -> None:
    at("12")
    take_in("1441AB;12;;A01;;Mosaic;2025")
    end = end_version(LabelGroup.objects.get(code="mosaic"), "2025", name="Petra", now=NOW + DAY)
    for number in range(2, 5):
        count_labels(now=NOW + number * DAY)
    take_version_back(end, now=NOW + 4 * DAY)
    count_labels(now=NOW + 5 * DAY)
    days = [(NOW + number * DAY).date() for number in range(5)]
    assert list(LabelCount.objects.filter(day__in=days).order_by("day").values_list("holders", flat=True)) == [1] * 5


def test_a_file_brings_no_labels_into_a_group_of_the_system() -> None:
    anna = at("12")
    run = take_in("1441AB;12;;A01;;Household;2026", "1441AB;12;;A01;;Mosaic;2026")
    assert list(run.errors.values_list("row_number", "column", "code")) == [(2, "groep", "system_group")]
    assert held(anna) == ["mosaic-2026-a01"]
