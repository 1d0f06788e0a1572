"""Imports beside each other, and beside people who change a customer at the same moment."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable

import pytest
from django.db import connections, transaction

from common.sql import rows
from common.time import clock
from customers.actions import change_customer, run_import, upload_import
from customers.models import Customer, ImportRun, Source, SourceRecord
from customers.tasks import run_waiting_imports

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 50


@pytest.fixture(autouse=True)
def _sources() -> None:
    for code, rank in (("library", 10), ("theatre", 20)):
        Source.objects.get_or_create(code=code, defaults={"name": code, "rank": rank})


def put(name: str = "Naam", source: str = "library") -> ImportRun:
    lines = ["klantnummer;soort;achternaam", *(f"{k};lid;{name}{k}" for k in range(PEOPLE)), ""]
    file = io.BytesIO("\n".join(lines).encode())
    return upload_import(format="customers", source_code=source, file=file, file_name="x.csv", by=None, now=clock())


def at_once(*works: Callable[[], object]) -> list[threading.Thread]:
    def alone(work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=alone, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    return threads


def test_the_same_file_twice_at_the_same_moment_is_taken_in_once() -> None:
    first, second = put(), put()
    works = [lambda: run_import(first, now=clock()), lambda: run_import(second, now=clock()), run_waiting_imports]
    for thread in at_once(*works):
        thread.join()
    runs = list(ImportRun.objects.all())
    assert {run.state for run in runs} == {ImportRun.State.DONE}
    assert sorted((run.new_count, run.same_count) for run in runs) == [(0, PEOPLE), (PEOPLE, 0)]
    assert Customer.objects.count() == PEOPLE


def test_two_sources_at_the_same_moment_speak_of_the_same_people() -> None:
    first, second = put(), put(source="theatre")
    for thread in at_once(lambda: run_import(first, now=clock()), lambda: run_import(second, now=clock())):
        thread.join()
    assert Customer.objects.count() == PEOPLE
    assert SourceRecord.objects.count() == 2 * PEOPLE


def test_what_somebody_changes_during_an_import_is_not_written_over() -> None:
    run_import(put(), now=clock())
    run = put("Nieuw")
    changed, held_up = threading.Event(), threading.Event()

    def change() -> None:
        with transaction.atomic():
            change_customer(Customer.objects.get(number="7"), by="Anna", now=clock(), first_name="Bo")
            changed.set()
            # The import comes as far as it can: until it waits for this customer.
            waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            end = time.monotonic() + 60
            while not held_up.is_set() and time.monotonic() < end:
                rows("SELECT pg_stat_clear_snapshot()")  # within a transaction what was read is read again
                if rows(waiting):
                    held_up.set()
                time.sleep(0.01)

    threads = at_once(change)
    assert changed.wait(60)
    threads += at_once(lambda: run_import(run, now=clock()))
    for thread in threads:
        thread.join()
    assert held_up.is_set(), "the import never came to whom somebody was changing"
    run.refresh_from_db()
    assert (run.state, run.changed_count) == (ImportRun.State.DONE, PEOPLE)
    customer = Customer.objects.get(number="7")
    assert (customer.first_name, customer.last_name) == ("Bo", "Nieuw7")
