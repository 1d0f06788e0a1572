"""Import a library's files, against a bare COPY of the same facts into the same table with the same indexes.

In one run, alternately: the machine's mood then touches both. ``n`` is the number of customers; each has ten facts.
"""

from __future__ import annotations

import datetime as dt
import random
import resource
import statistics
import tempfile
from collections.abc import Callable, Iterator
from io import BytesIO
from time import perf_counter

from django.core.files import File
from django.test import override_settings

from common import sql
from common.time import clock
from customers.actions import ensure_base_data, run_import, upload_import
from customers.models import Branch, Customer, Fact, FactTotal, ImportRun, Source

ROUNDS = 3
FACTS_EACH = 10
HEADER = "id;klantnummer;soort;tijdstip;vestiging;sector;wereld;genre;aantal;bedrag;duur\n"
CUSTOMERS = (
    "klantnummer;soort;voorletters;voornaam;tussenvoegsel;achternaam;geboortedatum;geslacht;email;telefoon;straat;"
    "huisnummer;toevoeging;postcode;plaats;vestiging;inschrijfdatum\n"
)


def run(n: int = 20_000) -> dict[str, float]:
    """Return seconds and ratios; speed ratios, so higher is better."""
    ensure_base_data()
    Branch.objects.get_or_create(code="PUR", defaults={"name": "Purmerend"})
    with tempfile.TemporaryDirectory() as folder, override_settings(MEDIA_ROOT=folder):
        customers_s = timed(lambda: take_in("customers", customer_lines(n)))
        assert Customer.objects.count() == n
        first, copied, same = [], [], []
        for _round in range(ROUNDS):
            empty()
            first.append(timed(lambda: take_in("facts", fact_lines(n))))
            assert Fact.objects.count() == n * FACTS_EACH
            same.append(timed(lambda: take_in("facts", fact_lines(n))))
            assert Fact.objects.count() == n * FACTS_EACH
            empty()
            copied.append(timed(lambda: bare_copy(n)))
    import_s, copy_s, again_s = map(statistics.median, (first, copied, same))
    return {
        "n": n,
        "facts": n * FACTS_EACH,
        "import_customers_s": customers_s,
        "import_facts_s": import_s,
        "bare_copy_s": copy_s,
        "import_facts_vs_copy": copy_s / import_s,
        "reimport_same_vs_first": import_s / again_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def timed(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def take_in(format_: str, lines: Iterator[str]) -> None:
    file = File(BytesIO("".join(lines).encode()))
    run_ = upload_import(format=format_, source_code="library", file=file, file_name="x.csv", by=None, now=clock())
    done = run_import(run_, now=clock())
    assert done.state == ImportRun.State.DONE, done.refusal
    assert done.refused_count == 0


def empty() -> None:
    sql.execute(f"TRUNCATE {Fact._meta.db_table}, {FactTotal._meta.db_table}")
    sql.execute("VACUUM")


def customer_lines(n: int) -> Iterator[str]:
    yield CUSTOMERS
    for number in range(n):
        yield (
            f"K{number};lid;A.;Anna;de;Vries{number};1980-03-{number % 28 + 1:02};v;k{number}@example.nl;;Dam;"
            f"{number % 900 + 1};;1135AB;Edam;PUR;2020-01-01\n"
        )


def facts(n: int) -> Iterator[tuple[int, int, dt.datetime]]:
    """Yield (fact number, customer number, moment), the same each time."""
    chance = random.Random(7)
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    for number in range(n * FACTS_EACH):
        yield number, number % n, start + dt.timedelta(seconds=chance.randrange(60_000_000))


def fact_lines(n: int) -> Iterator[str]:
    yield HEADER
    for number, customer, when in facts(n):
        yield f"U{number};K{customer};uitlening;{when.isoformat()};PUR;bibliotheek;reizen;;1;;\n"


def bare_copy(n: int) -> None:
    ids = dict(Customer.objects.values_list("number", "pk"))
    source, branch = Source.objects.get(code="library").pk, Branch.objects.get(code="PUR").pk
    columns = [
        "customer_id", "kind", "occurred_at", "branch_id", "sector", "world", "genre", "quantity", "amount_cents",
        "duration_seconds", "source_id", "external_id",
    ]  # fmt: skip
    sql.copy_rows(
        "customers_fact",
        columns,
        (
            (ids[f"K{c}"], "loan", w, branch, "bibliotheek", "reizen", "", 1, 0, 0, source, f"U{i}")
            for i, c, w in facts(n)
        ),
    )
