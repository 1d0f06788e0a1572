from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files import File
from pytest_django import Settings

from common.time import local_date
from customers.actions import run_import, upload_import
from customers.models import Branch, Customer, Fact, Household, ImportRun, Subscription
from demo.library import write_files
from demo.loading import ImportFailed, imports, take_in

CUSTOMERS = 120


@pytest.fixture
def files(tmp_path: Path, settings: Settings) -> dict[str, Path]:
    settings.MEDIA_ROOT = tmp_path / "media"
    return write_files(tmp_path / "library", customers=CUSTOMERS, today=local_date(datetime.now(UTC)))


def take_in_all(files: dict[str, Path], by: User) -> dict[str, str]:
    return {title: load() for title, load in imports(files, by=by)}


@pytest.mark.django_db
def test_every_row_of_every_file_is_taken_in(files: dict[str, Path], marketeer: User) -> None:
    summaries = take_in_all(files, marketeer)
    assert summaries["branches"] == "9 rows"
    assert summaries["customers"] == f"{CUSTOMERS} rows"
    assert Branch.objects.count() == 9
    assert Customer.objects.count() == CUSTOMERS
    assert Subscription.objects.exists()
    assert 0 < Household.objects.count() < CUSTOMERS
    kinds = set(Fact.objects.values_list("kind", flat=True))
    assert kinds == {"loan", "reservation", "fee", "fine", "ticket", "visit"}


@pytest.mark.django_db
def test_taking_the_same_files_in_again_adds_nothing(files: dict[str, Path], marketeer: User) -> None:
    take_in_all(files, marketeer)
    before = (Customer.objects.count(), Fact.objects.count())
    assert set(take_in_all(files, marketeer).values()) == {"0 rows"}
    assert (Customer.objects.count(), Fact.objects.count()) == before


@pytest.mark.django_db
def test_the_faulty_file_gives_six_refused_rows_with_a_remedy_each(files: dict[str, Path], marketeer: User) -> None:
    take_in(files["vestigingen"], ImportRun.Format.BRANCHES, "library", by=marketeer)
    now = datetime.now(UTC)
    with files["fouten"].open("rb") as file:
        run = upload_import(
            format=ImportRun.Format.CUSTOMERS,
            source_code="library",
            file=File(file, name="fouten.csv"),
            file_name="fouten.csv",
            by=marketeer,
            now=now,
        )
    run = run_import(run, now=now)
    assert (run.state, run.row_count, run.new_count, run.refused_count) == (ImportRun.State.DONE, 10, 4, 6)
    faults = [(error.row_number, error.column, error.code) for error in run.errors.all()]
    assert faults == [
        (4, "geboortedatum", "date"),
        (5, "email", "email"),
        (6, "vestiging", "branch"),
        (7, "soort", "kind"),
        (8, "achternaam", "name"),
        (9, "klantnummer", "duplicate"),
    ]
    assert all(error.remedy for error in run.errors.all())


@pytest.mark.django_db
def test_the_demo_stops_at_a_file_that_is_not_taken_in_whole(files: dict[str, Path], marketeer: User) -> None:
    take_in(files["vestigingen"], ImportRun.Format.BRANCHES, "library", by=marketeer)
    with pytest.raises(ImportFailed, match=r"6 rows refused.*row 4, geboortedatum = '31-02-2015'"):
        take_in(files["fouten"], ImportRun.Format.CUSTOMERS, "library", by=marketeer)
