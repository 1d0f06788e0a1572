"""The page of a customer with ten thousand facts costs little more than that of one with a hundred."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from common.sql import execute
from common.time import clock
from customers.models import Customer
from tests.factories import CustomerFactory, SourceFactory

pytestmark = pytest.mark.django_db

PARTS = ("", "timeline/", "timeline/?kind=ticket", "timeline/?world=reizen&start=2022-01-01", "data/", "messages/")


@pytest.fixture
def desk(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


def reader(many: int) -> Customer:
    """Return somebody with so many facts, one in five hours, and their totals."""
    customer: Customer = CustomerFactory()
    given = {"customer": customer.pk, "source": SourceFactory().pk, "now": clock(), "many": many}
    execute(
        """
        INSERT INTO customers_fact (customer_id, kind, occurred_at, sector, world, genre, quantity, amount_cents,
            duration_seconds, source_id, external_id)
        SELECT %(customer)s, (ARRAY['loan', 'loan', 'ticket', 'visit', 'fee'])[1 + n %% 5],
            %(now)s::timestamptz - n * interval '5 hours', '', (ARRAY['reizen', 'spanning'])[1 + n %% 2], '', 1,
            CASE WHEN n %% 5 IN (2, 4) THEN 1250 ELSE 0 END, 0, %(source)s, %(customer)s || '-' || n
        FROM generate_series(1, %(many)s) AS n
        """,
        given,
    )
    execute(
        """
        INSERT INTO customers_facttotal (customer_id, kind, first_at, last_at, count, quantity, amount_cents)
        SELECT customer_id, kind, min(occurred_at), max(occurred_at), count(*), sum(quantity), sum(amount_cents)
        FROM customers_fact WHERE customer_id = %(customer)s GROUP BY customer_id, kind
        """,
        given,
    )
    return customer


def seconds(desk: Client, *pages: str) -> list[float]:
    """Return the shortest of a few times of each: what the page takes when nothing else is going on.

    They are asked in turns, so that whatever else goes on is in the way of all.
    """
    times: list[list[float]] = [[] for _page in pages]
    for _turn in range(6):
        for page, taken in zip(pages, times, strict=True):
            start = time.perf_counter()
            assert desk.get(page).status_code == 200
            taken.append(time.perf_counter() - start)
    return [min(taken) for taken in times]


@pytest.mark.parametrize("part", PARTS)
def test_ten_thousand_facts_cost_little_more_than_a_hundred(desk: Client, part: str) -> None:
    few, many = reader(100), reader(10_000)
    execute("ANALYZE customers_fact")
    of_few, of_many = seconds(desk, *(f"/customers/{customer.pk}/{part}" for customer in (few, many)))
    assert of_many < 3 * of_few + 0.05


@pytest.mark.parametrize("part", PARTS)
def test_ten_thousand_facts_take_as_many_queries(desk: Client, part: str, django_assert_max_num_queries: Any) -> None:
    many = reader(10_000)
    desk.get(f"/customers/{many.pk}/{part}")
    with django_assert_max_num_queries(42 if not part else 24):
        desk.get(f"/customers/{many.pk}/{part}")


def test_the_last_stretch_of_the_line_costs_what_the_first_does(desk: Client) -> None:
    customer = reader(10_000)
    execute("ANALYZE customers_fact")
    long_ago = (clock() - dt.timedelta(hours=5 * 9_950)).isoformat().replace("+", "%2B")
    line = f"/customers/{customer.pk}/timeline/"
    first, last = seconds(desk, line, f"{line}?before={long_ago}~fact~1")
    assert last < 2 * first + 0.05


def test_the_line_reads_only_the_facts_it_shows() -> None:
    from customers.timeline import Timeline

    customer = reader(10_000)
    execute("ANALYZE customers_fact")
    facts = Timeline(customer).parts["fact"].keys(None, 26)  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        sql, params = facts.query.sql_with_params()
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
        plan = cursor.fetchone()[0][0]["Plan"]

    def most(node: dict[str, Any]) -> float:
        return max([node["Actual Rows"], *(most(child) for child in node.get("Plans", []))])

    assert most(plan) < 100, plan
