"""Imports in line are worked off once, in order, and survive a killed worker."""

from __future__ import annotations

import datetime as dt
import io
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from django.db import connection

from customers.actions import ensure_base_data, upload_import
from customers.actions.maintenance import maintain
from customers.models import Branch, Customer, Household, ImportRun, Purpose
from customers.tasks import maintain_nightly, run_waiting_imports
from tests.factories import NOW, CustomerFactory, HouseholdFactory, SourceFactory


def upload(content: str, kind: str = "branches") -> ImportRun:
    file = io.BytesIO(content.encode())
    return upload_import(format=kind, source_code="library", file=file, file_name="a.csv", by=None, now=NOW)


@pytest.mark.django_db
def test_waiting_imports_are_worked_off_in_the_order_in_which_they_came() -> None:
    upload("code;naam\nPUR;Purmerend\n")
    upload("klantnummer;soort;achternaam;vestiging\n1;lid;Wit;PUR\n", "customers")
    assert run_waiting_imports() == 2
    assert Customer.objects.get().branch == Branch.objects.get()
    assert run_waiting_imports() == 0


@pytest.mark.django_db
def test_a_run_that_was_broken_off_starts_again() -> None:
    run = upload("code;naam\nPUR;Purmerend\n")
    ImportRun.objects.update(state="running", attempts=1)
    assert run_waiting_imports() == 1
    run.refresh_from_db()
    assert (run.state, run.new_count, run.attempts) == ("done", 1, 2)


@pytest.fixture
def other_connection(transactional_db: None) -> Iterator[psycopg2.extensions.connection]:
    given = connection.get_connection_params()
    given.pop("cursor_factory", None)
    given.pop("context", None)
    other = psycopg2.connect(**given)
    other.autocommit = True
    yield other
    other.close()


@pytest.fixture
def base_data(transactional_db: None) -> None:
    ensure_base_data()


def test_while_somebody_else_is_importing_a_second_worker_does_nothing(
    base_data: None, other_connection: psycopg2.extensions.connection
) -> None:
    upload("code;naam\nPUR;Purmerend\n")
    with other_connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(7301001)")
    assert run_waiting_imports() == 0
    with other_connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(7301001)")
    assert run_waiting_imports() == 1


WORKER = """
import sys, django
from django.conf import settings
django.setup()
settings.MEDIA_ROOT = sys.argv[1]
from customers.tasks import run_waiting_imports
run_waiting_imports()
"""


def test_a_killed_import_leaves_nothing_and_runs_again(
    base_data: None, process_environment: dict[str, str], settings: Any
) -> None:
    lines = "\n".join(f"{number};lid;Jansen{number};k{number}@example.nl" for number in range(30_000))
    run = upload(f"klantnummer;soort;achternaam;email\n{lines}\n", "customers")
    worker = subprocess.Popen([sys.executable, "-c", WORKER, settings.MEDIA_ROOT], env=process_environment)
    try:
        _await_writing(worker)
        worker.send_signal(signal.SIGKILL)
    finally:
        worker.wait()
    _await_end_of_other_sessions()
    assert not Customer.objects.exists()
    assert not Household.objects.exists()
    run.refresh_from_db()
    assert run.state == ImportRun.State.RUNNING
    assert run_waiting_imports() == 1
    run.refresh_from_db()
    assert (run.state, run.new_count, run.attempts) == ("done", 30_000, 2)
    assert Customer.objects.count() == 30_000


def _await_writing(worker: subprocess.Popen[bytes]) -> None:
    """Wait until the other process is in the midst of its transaction, with rows of customers locked."""
    until = time.monotonic() + 60
    # In this database: those of other processes of the tests are copies, with the same numbers for their tables.
    statement = """
        SELECT count(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation
        JOIN pg_database ON pg_database.oid = database AND datname = current_database()
        WHERE relname = 'customers_customer' AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()
    """
    while time.monotonic() < until and worker.poll() is None:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.005)
    pytest.fail("the worker never wrote")


def _await_end_of_other_sessions() -> None:
    """The server notices the death of a client when it next speaks to it."""
    until = time.monotonic() + 60
    statement = """
        SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database AND datname = current_database()
        WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
    """
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            if not cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    pytest.fail("the killed worker's session lives on")


@pytest.mark.django_db
def test_households_without_people_are_removed() -> None:
    lived_in = CustomerFactory(household=HouseholdFactory()).household
    HouseholdFactory()
    assert maintain_nightly()["households"] == 1
    assert Household.objects.get() == lived_in


@pytest.mark.django_db
def test_files_of_imports_are_kept_a_month_and_their_counts_for_ever() -> None:
    run = upload("code;naam\nPUR;Purmerend\n")
    run_waiting_imports()
    ImportRun.objects.update(finished_at=NOW)
    run.refresh_from_db()
    storage, name = run.file.storage, run.file.name
    assert maintain(now=NOW + dt.timedelta(days=30))["files"] == 0
    assert storage.exists(name)
    assert maintain(now=NOW + dt.timedelta(days=31))["files"] == 1
    assert not storage.exists(name)
    run.refresh_from_db()
    assert (run.new_count, bool(run.file)) == (1, False)


@pytest.mark.django_db
def test_base_data_may_be_renamed_and_comes_back_when_it_is_gone() -> None:
    Purpose.objects.filter(code="newsletter").update(name="Leesnieuws")
    Purpose.objects.filter(code="profiling").delete()
    ensure_base_data()
    assert Purpose.objects.get(code="newsletter").name == "Leesnieuws"
    assert Purpose.objects.filter(code="profiling").exists()
    assert SourceFactory(code="library").name == "Bibliotheeksysteem"
