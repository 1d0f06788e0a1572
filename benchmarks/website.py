"""Hits of websites, through the whole of Django, against the bare INSERT of the same rows, alternately in one run; and
the figures of one customer with many facts.
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

from django.db import connection
from django.test import Client, override_settings

from common.time import clock
from customers.actions import ensure_base_data, source
from customers.facts import income
from customers.models import Customer, Fact
from website import throttle
from website.actions import add_site, roll_up
from website.actions.hits import _ADD
from website.models import Hit

ROUNDS = 3
FACTS = 10_000
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"


def run(n: int = 3000) -> dict[str, float]:
    """Return hits per second of one process and its share of the bare INSERT; milliseconds for a customer's figures."""
    ensure_base_data()
    site = add_site(name="Bench", hosts=["www.example.nl"], by=None, now=clock())
    throttle.PER_MINUTE = 10**9
    views, bare = [], []
    with override_settings(ALLOWED_HOSTS=["*"]):
        for number in range(ROUNDS):
            views.append(n / timed(partial(post, site.key, n, f"v{number}")))
            bare.append(n / timed(partial(insert, site.pk, n, f"b{number}")))
    assert Hit.objects.count() == 2 * n * ROUNDS
    rolled = timed(lambda: roll_up(now=clock() + dt.timedelta(days=1)))
    per_second, bare_per_second = statistics.median(views), statistics.median(bare)
    return {
        "n": n,
        "hits_per_s": per_second,
        "bare_insert_per_s": bare_per_second,
        "hits_vs_bare_insert": per_second / bare_per_second,
        "roll_up_hits_per_s": 2 * n * ROUNDS / rolled,
        **customer_figures(),
    }


def timed(do: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    start = perf_counter()
    do()
    return perf_counter() - start


def post(key: str, n: int, name: str) -> None:
    """Send n page views as the script does."""
    client = Client(headers={"origin": "https://www.example.nl", "user-agent": AGENT})
    for number in range(n):
        visit, page = f"{name}-bezoek-{number % 99:02}", f"{name}-page-{number:07}"
        body = {"s": key, "v": visit, "i": page, "t": "view", "p": "/a/b"}
        answer = client.post("/w/hit/", json.dumps(body), content_type="text/plain")
        assert answer.status_code == 204


def insert(site: int, n: int, name: str) -> None:
    """Insert the same rows one by one, each its own transaction."""
    with connection.cursor() as cursor:
        for number in range(n):
            row: list[Any] = [site, f"{name}-bezoek-{number % 99:02}", f"{name}-page-{number:07}", "page_view", clock()]
            cursor.execute(_ADD, [*row, "a", "", "", None, "", 0])


def customer_figures() -> dict[str, float]:
    """Return the milliseconds of each figure of a customer with FACTS facts among as many of others."""
    now, told = clock(), source("library")
    people = [
        Customer(number=f"B{n}", last_name="Bench", source=told, created_at=now, updated_at=now) for n in range(50)
    ]
    Customer.objects.bulk_create(people)
    Fact.objects.bulk_create(
        (
            Fact(
                customer=people[0] if number % 2 else people[1 + number // 2 % 49],
                kind=("loan", "ticket")[number % 3 == 0],
                occurred_at=now - dt.timedelta(hours=number // 2), world=f"w{number % 10}", amount_cents=100,
                source=told, external_id=str(number),
            )
            for number in range(2 * FACTS)
        ),
        batch_size=5000,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_fact")
    facts, two_years_ago = Fact.objects.of(people[0]), now - dt.timedelta(days=730)
    asked: dict[str, Callable[[], object]] = {
        "by_month_ms": lambda: facts.by_month(since=two_years_ago),
        "by_world_ms": lambda: facts.by_world(since=two_years_ago),
        "by_year_ms": lambda: facts.by_year(income()),
        "by_kind_ms": facts.by_kind,
    }
    return {name: 1000 * statistics.median(timed(do) for _time in range(9)) for name, do in asked.items()}
