"""Whom a source no longer names: noted at deliveries that hold everybody, and only then."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest

from customers.actions.feeds import save_feed
from customers.actions.imports import run_import, undo_import, upload_import
from customers.actions.merging import merge_customers, undo_merge
from customers.actions.privacy import erase_customer
from customers.models import Absence, Customer, Feed, ImportRun, Source
from selections.compiler import compile_rule
from tests.factories import NOW

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
ALL = ("1", "2", "3", "4")


@pytest.fixture
def feed() -> Feed:
    library = Source.objects.get(code="library")
    return save_feed(None, now=NOW, source=library, name="Leners", delivers="customers", is_whole=True)


def deliver(feed: Feed | None, *numbers: str, days: int = 0, **more: Any) -> ImportRun:
    lines = ["klantnummer,soort,achternaam", *(f"{number},lid,Bos{number}" for number in numbers)]
    file = io.BytesIO(("\n".join(lines) + "\n").encode())
    now = NOW + days * DAY
    run = upload_import(
        format="customers", source_code="library", file=file, file_name="x.csv", by=None, now=now, feed=feed, **more
    )
    return run_import(run, now=now)


def absent(**params: Any) -> set[str]:
    rule = {"version": 2, "op": "all", "children": [{"criterion": "quality.absent", "params": params}]}
    return set(compile_rule(rule, now=NOW + 99 * DAY).values_list("number", flat=True))


def test_who_is_not_named_any_more_is_absent_until_he_is_back(feed: Feed) -> None:
    deliver(feed, *ALL)
    assert absent() == set()
    run = deliver(feed, "1", "2", "3", days=1)
    assert absent() == absent(sources=["library"]) == {"4"}
    assert absent(sources=["theatre"]) == set()
    assert run.remarks == {"absent": 1}
    assert Absence.objects.get().since == NOW + DAY
    deliver(feed, "1", "2", "3", days=2)
    assert Absence.objects.get().since == NOW + DAY
    deliver(feed, *ALL, "5", days=3)
    assert absent() == set()


def test_a_row_that_was_refused_is_somebody_who_is_there(feed: Feed) -> None:
    deliver(feed, *ALL)
    file = io.BytesIO(b"klantnummer,soort,achternaam\n1,lid,Bos\n2,lid,Bos\n3,lid,Bos\n4,lid,\n")
    run = upload_import(
        format="customers", source_code="", file=file, file_name="x.csv", by=None, now=NOW + DAY, feed=feed
    )
    assert run_import(run, now=NOW + DAY).refused_count == 1
    assert absent() == set()


def test_only_a_delivery_of_everybody_says_who_is_gone(feed: Feed) -> None:
    deliver(feed, *ALL)
    deliver(None, "1", days=1)
    deliver(feed, "1", days=2)  # a file that was broken off
    deliver(feed, "1", "2", days=3, needs_approval=True)  # a trial
    assert not Absence.objects.exists()


def test_a_file_of_others_says_nothing_of_who_was_known(feed: Feed) -> None:
    deliver(feed, *ALL)
    deliver(feed, "1", "11", "12", "13", "14", "15", "16", days=1)  # of another branch, by mistake
    assert not Absence.objects.exists()


def test_undoing_the_import_takes_it_back(feed: Feed) -> None:
    first = deliver(feed, *ALL)
    run = deliver(feed, "1", "2", "3", "5", days=1)
    run_import(undo_import(run, by=None, now=NOW + 2 * DAY), now=NOW + 2 * DAY)
    assert not Absence.objects.exists()
    deliver(feed, "1", "2", "3", days=3)
    run_import(undo_import(first, by=None, now=NOW + 4 * DAY), now=NOW + 4 * DAY)
    assert not Customer.objects.filter(number="4").exists()
    assert not Absence.objects.exists()


def test_it_goes_along_with_the_record_and_with_the_person(feed: Feed) -> None:
    deliver(feed, *ALL)
    deliver(feed, "1", "2", "3", days=1)
    kept, gone = (Customer.objects.get(number=number) for number in "14")
    merge = merge_customers(kept, gone, by="x", now=NOW + DAY)
    assert absent() == {"1"}
    undo_merge(merge, by="x", now=NOW + DAY)
    assert absent() == {"4"}
    erase_customer(gone, ground="request", by="x", now=NOW + 2 * DAY)
    assert not Absence.objects.exists()
