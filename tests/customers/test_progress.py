"""The bar of an import, a trial and an undoing moves while nothing of it is visible yet."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from django.db import connection

from customers.actions import approve_import, run_import, undo_import, upload_import
from customers.imports import progress
from customers.models import Customer, ImportRun, Source
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)

HEADER = "klantnummer;soort;achternaam"


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, int]]]:
    """What another connection sees after each step: the percentage, and how many customers there are."""
    found: list[tuple[int, int]] = []
    other = connection.copy()
    reached = progress.Progress.reached

    def look(bar: progress.Progress, share: float) -> None:
        reached(bar, share)
        with other.cursor() as cursor:
            cursor.execute("SELECT max(percent), (SELECT count(*) FROM customers_customer) FROM customers_importrun")
            found.append(cursor.fetchone())

    monkeypatch.setattr(progress, "PATIENCE", 0)  # files that take longer than half a second would take longer here
    monkeypatch.setattr(progress.Progress, "reached", look)
    yield found
    other.close()


def moved(seen: list[tuple[int, int]], *, people: int) -> list[int]:
    percents = [percent for percent, _people in seen]
    assert {count for _percent, count in seen} == {people}
    assert percents == sorted(percents)
    seen.clear()
    return percents


def test_a_trial_an_import_and_an_undoing_show_how_far_they_are(seen: list[tuple[int, int]]) -> None:
    Source.objects.get_or_create(code="library", defaults={"name": "Bibliotheek", "rank": 10})
    file = io.BytesIO(f"{HEADER}\n1;lid;Wit\n2;lid;Bos\n".encode())
    run = upload_import(
        format="customers", source_code="library", file=file, file_name="x.csv", by=None, now=NOW, needs_approval=True
    )
    assert run_import(run, now=NOW).state == ImportRun.State.PREVIEWED
    percents = moved(seen, people=0)
    assert len(set(percents)) > 3
    assert (min(percents) > 40, max(percents)) == (True, 99)
    approve_import(run, by=None, now=NOW)
    assert run_import(run, now=NOW).state == ImportRun.State.DONE
    assert max(moved(seen, people=0)) == 99
    undo_import(run, by=None, now=NOW)
    assert run_import(run, now=NOW).state == ImportRun.State.UNDONE
    assert len(set(moved(seen, people=2))) > 3
    assert not Customer.objects.exists()


def test_a_bar_that_cannot_be_moved_holds_nothing_up(seen: list[tuple[int, int]]) -> None:
    Source.objects.get_or_create(code="library", defaults={"name": "Bibliotheek", "rank": 10})
    file = io.BytesIO(f"{HEADER}\n1;lid;Wit\n".encode())
    run = upload_import(format="customers", source_code="library", file=file, file_name="x.csv", by=None, now=NOW)
    bar = progress.Progress(run.pk, 0, 99)
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT FROM customers_importrun FOR UPDATE")
        bar.reached(0.5)
        cursor.execute("ROLLBACK")
    assert moved(seen, people=0) == [0]
    bar.reached(0.5)
    assert moved(seen, people=0) == [50]
    bar.close()
