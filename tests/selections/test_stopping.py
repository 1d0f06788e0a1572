"""Counts that nobody waits for any more."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection

from common.errors import Refused
from common.sql import rows
from selections.figures import superseding, time_limit
from selections.figures.stopping import name_of, stop

pytestmark = pytest.mark.django_db(transaction=True)

RUNNING = """
    SELECT count(*) AS many FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = %s AND query LIKE 'SELECT pg_sleep%%'
"""


def counting(page: str, kind: str, seconds: float = 20) -> str:
    """Take long, for a page; return by what it ended, and let the connection be used again afterwards."""
    try:
        with superseding(page, kind), time_limit(30):
            rows(f"SELECT pg_sleep({seconds})")
        ended = "counted"
    except Refused as refused:
        ended = refused.code
    try:
        [row] = rows(
            "SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS limit"
        )
        assert row == {"name": "", "limit": "0"}
        return ended
    finally:
        connection.close()


def begun(pool: ThreadPoolExecutor, page: str, kind: str, seconds: float = 20) -> Future[str]:
    """Let it begin beside us; return once the database is at it."""
    done = pool.submit(counting, page, kind, seconds)
    while not done.done() and not rows(RUNNING, [name_of(page, kind)])[0]["many"]:
        pass
    return done


def test_what_is_asked_next_stops_the_count_before_it() -> None:
    with ThreadPoolExecutor() as pool:
        first = begun(pool, "page", "count")
        second = begun(pool, "page", "count", 0.5)
        assert (first.result(timeout=60), second.result(timeout=60)) == ("superseded", "counted")


def test_a_count_stops_what_was_made_of_the_count_before_it_but_not_the_other_way_round() -> None:
    with ThreadPoolExecutor() as pool:
        count, panel = begun(pool, "page", "count"), begun(pool, "page", "panel")
        with superseding("page", "panel"):
            assert panel.result(timeout=60) == "superseded"
            assert not count.done()
        panel = begun(pool, "page", "panel")
        with superseding("page", "count", "panel"):
            assert (count.result(timeout=60), panel.result(timeout=60)) == ("superseded", "superseded")


def test_other_pages_go_on() -> None:
    with ThreadPoolExecutor() as pool:
        other, none = begun(pool, "other", "count", 1), pool.submit(counting, "", "count", 1)
        stop("page", "count", "panel")
        stop("", "count")
        assert (other.result(timeout=60), none.result(timeout=60)) == ("counted", "counted")


def test_what_takes_too_long_by_itself_was_not_stopped_by_anybody() -> None:
    with superseding("page", "count"), pytest.raises(Refused) as refused, time_limit(0.05):
        rows("SELECT pg_sleep(5)")
    assert refused.value.code == "too_heavy"
