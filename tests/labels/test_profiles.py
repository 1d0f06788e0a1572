"""Labels of a group of which somebody may have several, such as acquisition profiles (aanwinstprofielen)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from customers.actions import run_import, undo_import, upload_import
from customers.models import ImportRun
from labels.models import Assignment, LabelGroup
from tests.factories import NOW, CustomerFactory, SourceFactory

pytestmark = pytest.mark.django_db
HEADER = "klantnummer;label;naam;groep;versie;meer"


@pytest.fixture(autouse=True)
def _own_media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def take_in(*lines: str) -> ImportRun:
    SourceFactory(code="import")
    file = io.BytesIO("\n".join([HEADER, *lines, ""]).encode())
    run = upload_import(format="labels", source_code="import", file=file, file_name="profielen.csv", by=None, now=NOW)
    return run_import(run, now=NOW)


def counts(run: ImportRun) -> tuple[int, int, int, int]:
    return run.new_count, run.changed_count, run.same_count, run.refused_count


def refused(run: ImportRun) -> list[tuple[int, str]]:
    return list(run.errors.order_by("row_number").values_list("row_number", "code"))


def row(number: str, label: str, many: str = "ja") -> str:
    return f"{number};{label};{label.title()};Aanwinstprofielen;1;{many}"


def held(number: str) -> set[str]:
    return set(Assignment.objects.open().filter(customer__number=number).values_list("label__name", flat=True))


def test_somebody_has_all_the_profiles_of_the_file() -> None:
    CustomerFactory(number="1")
    run = take_in(row("1", "thrillers"), row("1", "reizen"))
    assert counts(run) == (2, 0, 0, 0)
    assert held("1") == {"Thrillers", "Reizen"}
    assert not LabelGroup.objects.get(code="aanwinstprofielen").is_exclusive


def test_a_profile_that_is_gone_from_the_file_ends_and_the_others_stay() -> None:
    for number in ("1", "2"):
        CustomerFactory(number=number)
    take_in(row("1", "thrillers"), row("1", "reizen"), row("2", "koken"))
    run = take_in(row("1", "reizen"), row("1", "geschiedenis"))
    assert counts(run) == (1, 1, 1, 0)
    assert held("1") == {"Reizen", "Geschiedenis"}
    assert held("2") == {"Koken"}  # not in the file


def test_the_same_profile_twice_is_refused() -> None:
    CustomerFactory(number="1")
    run = take_in(row("1", "reizen"), row("1", "reizen"))
    assert refused(run) == [(3, "one_label")]


def test_a_group_of_single_labels_stays_one() -> None:
    CustomerFactory(number="1")
    take_in(row("1", "reizen", "nee"))
    run = take_in(row("1", "koken"), row("1", "thrillers"))
    assert refused(run) == [(3, "one_label")]
    assert held("1") == {"Koken"}


def test_undoing_the_file_gives_the_former_profiles_back() -> None:
    CustomerFactory(number="1")
    take_in(row("1", "thrillers"))
    run = take_in(row("1", "reizen"))
    undo_import(run, by=None, now=NOW)
    run_import(run, now=NOW)
    assert held("1") == {"Thrillers"}
