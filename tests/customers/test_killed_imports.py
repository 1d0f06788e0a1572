"""An import, or the undoing of one, that is killed at any moment: begun again, the end is the same."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from common.sql import execute, rows
from common.time import clock
from customers.actions import run_import, undo_import, upload_import
from customers.models import Branch, Customer, ImportRun, Source
from tests.killable import Killable, killable
from tests.tries import tries

KILLS = tries(5)  # of each
ROWS = 4_000
HEADER = "klantnummer;soort;achternaam;email;straat;huisnummer;postcode"
READY = "import customers.tasks, django.test"
WORKER = """
from django.test import override_settings
from customers.tasks import run_waiting_imports
with override_settings(MEDIA_ROOT={media!r}):
    run_waiting_imports()
"""
# What an import leaves, without ids and moments, which a second try has anew.
LEFT = (
    """SELECT customer.number, customer.last_name, customer.street, household.key, point.value FROM customers_customer
       AS customer LEFT JOIN customers_household AS household ON household.id = customer.household_id
       LEFT JOIN customers_contactpoint AS point ON point.customer_id = customer.id""",
    "SELECT key, values - 'x', run_id IS NULL FROM customers_sourcerecord",
    "SELECT code, name FROM customers_branch",
    "SELECT key FROM customers_household",
)


@pytest.fixture(autouse=True)
def _own_media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def worker(process_environment: dict[str, str]) -> Iterator[Killable]:
    with killable(process_environment, READY) as worker:
        yield worker


@pytest.fixture
def _nobody_connected(transactional_db: None) -> Iterator[None]:
    """A worker that was killed may live on in the database for a moment, with its locks."""
    yield
    execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def left() -> list[list[Any]]:
    return [sorted(map(str, rows(statement))) for statement in LEFT]


def lines(change: str = "") -> bytes:
    told = [f"{k};lid;Naam{k}{change};k{k}@example.nl;Dam;{k % 90 + 1};1135AB" for k in range(ROWS)]
    return "\n".join([HEADER, *told, ""]).encode()


def upload(content: bytes) -> ImportRun:
    return upload_import(
        format="customers", source_code="library", file=BytesIO(content), file_name="x.csv", by=None, now=clock()
    )


def killed(worker: Killable, media: Path, after: float) -> None:
    """Let a worker begin, and kill it some time later, in whatever it then does."""
    worker.start(WORKER.format(media=str(media)))
    time.sleep(after)
    worker.kill()


def finish(run: ImportRun) -> ImportRun:
    """Work it off here; the lock of a worker that just died is waited for."""
    ImportRun.objects.filter(pk=run.pk).update(attempts=0)
    return run_import(run, now=clock())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_nobody_connected")
def test_an_import_that_is_killed_ends_as_one_that_is_not(worker: Killable, settings: Any) -> None:
    Source.objects.get_or_create(code="library", defaults={"name": "Bibliotheek", "rank": 10})
    Branch.objects.get_or_create(code="PUR", defaults={"name": "Purmerend"})
    nothing = left()
    took = time.monotonic()
    whole = run_import(upload(lines()), now=clock())
    took = time.monotonic() - took
    expected = left()
    assert (whole.state, whole.new_count) == (ImportRun.State.DONE, ROWS)
    chance = random.Random(4)
    undone = 0
    for _kill in range(KILLS):
        # Taken back, killed somewhere on the way, and begun again: nothing is left of it.
        undo_import(ImportRun.objects.get(pk=whole.pk), by=None, now=clock())
        killed(worker, settings.MEDIA_ROOT, chance.uniform(0, took))
        undone += ImportRun.objects.get(pk=whole.pk).state == ImportRun.State.UNDONE
        assert finish(whole).state == ImportRun.State.UNDONE
        assert left() == nothing
        # Taken in, killed somewhere on the way, and begun again: all of it is there, once.
        whole = upload(lines())
        killed(worker, settings.MEDIA_ROOT, chance.uniform(0, took))
        done = finish(whole)
        assert done.state == ImportRun.State.DONE, done.refusal
        assert left() == expected
    assert undone < KILLS, "no kill came in time to break anything off"
    assert Customer.objects.count() == ROWS


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_nobody_connected")
def test_a_trial_that_is_killed_has_written_nothing(worker: Killable, settings: Any) -> None:
    Source.objects.get_or_create(code="library", defaults={"name": "Bibliotheek", "rank": 10})
    run = upload(lines())
    ImportRun.objects.filter(pk=run.pk).update(needs_approval=True)
    killed(worker, settings.MEDIA_ROOT, 0.3)
    assert not Customer.objects.exists()
    assert finish(run).state == ImportRun.State.PREVIEWED
    assert not Customer.objects.exists()
    connection.close()
