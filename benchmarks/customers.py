"""The floor under everything: customers, their facts and what they allow, taken in, asked for and looked at.

Each import runs in a process of its own, so that its memory is its own; the same bytes then go by bare COPY into the
same tables with the same indexes, in the same run. ``n`` customers, with FACTS_EACH facts each. Pages and searches are
asked while another process imports.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

FACTS_EACH = 20
SMALL = 50_000  # up to here everything is done three times
SEEN = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
CUSTOMER_HEADER = (
    "klantnummer;soort;voorletters;voornaam;tussenvoegsel;achternaam;geboortedatum;geslacht;email;telefoon;straat;"
    "huisnummer;toevoeging;postcode;plaats;vestiging;inschrijfdatum\n"
)
FACT_HEADER = "id;klantnummer;soort;tijdstip;vestiging;sector;wereld;genre;aantal;bedrag;duur\n"
FIRST = ("Anna", "Bo", "Cor", "Daan", "Eva", "Fatima", "Gijs", "Hanna", "Iris", "Joost", "Kim", "Lars", "Mila", "Noor")
LAST = ("Jansen", "Vries", "Bakker", "Visser", "Smit", "Meijer", "Boer", "Mulder", "Groot", "Bos", "Vos", "Peters")
STREETS = ("Lindenlaan", "Dorpsstraat", "Kade", "Molenweg", "Kerkplein", "Schoolstraat")
WORLDS = ("reizen", "jeugd", "spanning", "romantiek", "geschiedenis", "gezondheid")


def run(n: int = 20_000) -> dict[str, Any]:
    """Return seconds and ratios; ratios of speed, so higher is better."""
    from customers.actions import ensure_base_data
    from customers.models import Branch

    ensure_base_data()
    Branch.objects.get_or_create(code="PUR", defaults={"name": "Purmerend"})
    figures: dict[str, Any] = {"n": n, "facts": n * FACTS_EACH}
    with tempfile.TemporaryDirectory() as folder:
        files = Files(Path(folder), n)
        rounds = 3 if n <= SMALL else 1
        for measure in (measure_customers, measure_facts, measure_consents, measure_matching, measure_pages):
            found = measure(files, rounds)
            print(found, file=sys.stderr)
            figures |= found
        figures["peak_mb"] = max(files.peaks)
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in figures.items()}


class Files:
    """The files that come in, made once, and the processes that take them in."""

    def __init__(self, folder: Path, n: int) -> None:
        self.folder, self.n, self.peaks = folder, n, list[float]()

    def write(self, name: str, lines: Iterator[str]) -> Path:
        path = self.folder / f"{name}.csv"
        with path.open("w") as file:
            file.writelines(lines)
        return path

    def start(self, kind: str, path: Path, source: str = "library") -> subprocess.Popen[str]:
        """Take a file in, in another process."""
        environment = {**os.environ, "MEDIA_ROOT": str(self.folder / "media")}
        command = [sys.executable, "-m", "benchmarks.customers", kind, str(path), str(self.folder / "media"), source]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    def end(self, process: subprocess.Popen[str]) -> float:
        """Wait for the process; return the seconds that the import itself took."""
        told = json.loads(process.communicate()[0].splitlines()[-1])
        assert process.returncode == 0
        assert told["refused"] == 0, told
        self.peaks.append(told["peak_mb"])
        return float(told["seconds"])

    def take_in(self, kind: str, path: Path, source: str = "library") -> float:
        return self.end(self.start(kind, path, source))


def take_in(kind: str, path: str, media: str, source: str) -> None:
    """Be the other process: one import, told as a line of JSON."""
    import django

    django.setup()
    from django.test import override_settings

    from common.time import clock
    from customers.actions import run_import, upload_import
    from customers.models import ImportRun

    with override_settings(MEDIA_ROOT=media), Path(path).open("rb") as file:
        run_ = upload_import(
            format=kind, source_code=source, file=file, file_name=Path(path).name, by=None, now=clock()
        )
        started = perf_counter()
        done = run_import(run_, now=clock())
    assert done.state == ImportRun.State.DONE, done.refusal
    print(
        json.dumps(
            {
                "seconds": perf_counter() - started,
                "peak_mb": peak_mb(),
                "refused": done.refused_count,
            }
        )
    )


def peak_mb() -> float:
    """Return the most memory that this process had. Linux hands the peak of whoever started it on as its own, so there
    the kernel's figure of this program alone is read.
    """
    status = Path("/proc/self/status")
    if status.exists():
        told = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(told.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


# --- files ------------------------------------------------------------------------------------------------------------


def customer_lines(numbers: range, *, changed_every: int = 0) -> Iterator[str]:
    yield CUSTOMER_HEADER
    for k in numbers:
        chance = random.Random(k)
        first, last = chance.choice(FIRST), f"{chance.choice(LAST)}{k % 997 or ''}"
        street = "Nieuwe Gracht" if changed_every and k % changed_every == 0 else chance.choice(STREETS)
        letters = chr(65 + k // 3 % 18) + chr(66 + k // 54 % 16)
        yield (
            f"K{k};lid;{first[0]}.;{first};{'de' if k % 3 == 0 else ''};{last};"
            f"{1940 + k % 75}-{k % 12 + 1:02}-{k % 28 + 1:02};{'mvx'[k % 3]};"
            f"{f'klant{k}@example.nl' if k % 5 else ''};{f'06{10_000_000 + k}' if k % 2 else ''};{street};"
            f"{k // 3 % 200 + 1};;{1000 + k // 600 % 8999}{letters};Purmerend;PUR;20{k % 24 + 1:02}-03-01\n"
        )


def fact_lines(n: int, each: int, *, mark: str) -> Iterator[str]:
    yield FACT_HEADER
    chance = random.Random(7)
    for number in range(n * each):
        when = SEEN - dt.timedelta(seconds=chance.randrange(90_000_000))
        yield (
            f"{mark}{number};K{number % n};uitlening;{when:%Y-%m-%d %H:%M:%S};PUR;bibliotheek;"
            f"{WORLDS[number % 6]};;1;;\n"
        )


def consent_lines(n: int) -> Iterator[str]:
    yield "klantnummer;doel;kanaal;status;tijdstip\n"
    for k in range(0, n, 2):
        yield f"K{k};nieuwsbrief;email;{'nee' if k % 8 == 0 else 'ja'};2025-0{k % 9 + 1}-01 12:00\n"


# --- measures ---------------------------------------------------------------------------------------------------------


def timed(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def empty(*tables: str) -> None:
    from common import sql

    # The ledger refuses to be emptied; this database is thrown away.
    sql.execute("ALTER TABLE customers_consent DISABLE TRIGGER USER")
    sql.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
    sql.execute("ALTER TABLE customers_consent ENABLE TRIGGER USER")


def bare_copy(files: Files, tables: list[str]) -> float:
    """Return how long bare COPY takes over what now stands in these tables; the rows are back afterwards."""
    from django.db import connection

    from common import sql

    with connection.cursor() as cursor:
        kept = []
        for table in tables:
            columns = sql.rows(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'"
                " ORDER BY ordinal_position",
                [table],
            )
            names = ", ".join(f'"{column["column_name"]}"' for column in columns)
            path = files.folder / f"{table}.copy"
            with path.open("w") as out:
                cursor.copy_expert(f"COPY {table} ({names}) TO STDOUT", out)
            kept.append((table, names, path))
        empty(*tables)

        def copy() -> None:
            for table, names, path in kept:
                with path.open() as bytes_in:
                    cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN", bytes_in)

        return timed(copy)


CUSTOMER_TABLES = ["customers_household", "customers_customer", "customers_sourcerecord", "customers_contactpoint"]


def measure_customers(files: Files, rounds: int) -> dict[str, float]:
    path = files.write("customers", customer_lines(range(files.n)))
    changed = files.write("changed", customer_lines(range(files.n), changed_every=100))
    first, copied = [], []
    for _round in range(rounds):
        empty(*CUSTOMER_TABLES)
        first.append(files.take_in("customers", path))
        vacuum()
        copied.append(bare_copy(files, CUSTOMER_TABLES))
    vacuum()
    same = [files.take_in("customers", path) for _round in range(rounds)]
    one_percent = files.take_in("customers", changed)
    first_s, copy_s, same_s = map(statistics.median, (first, copied, same))
    return {
        "import_customers_s": first_s,
        "copy_customers_s": copy_s,
        "import_customers_vs_copy": copy_s / first_s,
        "reimport_same_s": same_s,
        "reimport_same_vs_first": first_s / same_s,
        "reimport_1_percent_changed_s": one_percent,
    }


def measure_facts(files: Files, rounds: int) -> dict[str, float]:
    path = files.write("facts", fact_lines(files.n, FACTS_EACH, mark="U"))
    tables = ["customers_fact", "customers_facttotal"]
    first, copied = [], []
    for _round in range(rounds):
        empty(*tables)
        first.append(files.take_in("facts", path))
        vacuum()
        copied.append(bare_copy(files, tables))
    vacuum()
    same = files.take_in("facts", path)
    first_s, copy_s = map(statistics.median, (first, copied))
    return {
        "import_facts_s": first_s,
        "copy_facts_s": copy_s,
        "import_facts_vs_copy": copy_s / first_s,
        "reimport_facts_s": same,
    }


def measure_consents(files: Files, rounds: int) -> dict[str, float]:
    """What everybody allows at this moment, from a ledger with a row for every second customer."""
    from common import sql
    from common.time import clock
    from customers.consents import verdicts_sql
    from customers.models import Purpose

    took = files.take_in("consents", files.write("consents", consent_lines(files.n)))
    vacuum()
    newsletter = Purpose.objects.get(code="newsletter")
    verdicts = verdicts_sql(
        "SELECT id FROM customers_customer WHERE merged_into_id IS NULL",
        purpose=newsletter, channel="email", as_of=clock(),
    )  # fmt: skip
    seconds = [
        timed(lambda: sql.rows(f"SELECT verdict, count(*) FROM ({verdicts}) AS told GROUP BY verdict"))
        for _round in range(3)
    ]
    return {"import_consents_s": took, "consent_all_s": statistics.median(seconds)}


def measure_matching(files: Files, rounds: int) -> dict[str, float]:
    """Find who of the one percent that came last is somebody we know already."""
    from django.db import transaction

    from customers.matching.blocking import find_pairs

    many = max(files.n // 100, 1)
    lines = (line.replace("K", "N", 1) for line in customer_lines(range(many)) if not line.startswith("klantnummer"))
    path = files.write("alike", iter([CUSTOMER_HEADER, *lines]))
    files.take_in("customers", path, "theatre")
    vacuum()
    started = perf_counter()
    with transaction.atomic():  # the pairs stand in tables of the transaction
        found = find_pairs("SELECT id FROM customers_customer WHERE number LIKE 'N%'")
    return {"matching_1_percent_s": perf_counter() - started, "matching_pairs": found}


def measure_pages(files: Files, rounds: int) -> dict[str, float]:
    """Ask pages and searches, as staff do, while another process takes facts in."""
    from django.contrib.auth.models import User
    from django.test import Client
    from django.urls import reverse

    from common.roles import ensure_roles
    from customers.models import Customer

    user = User.objects.create_user("bench", "bench@example.nl")
    user.groups.add(ensure_roles()["marketeer"])
    client = Client(SERVER_NAME="localhost")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    chance = random.Random(3)
    some = [f"K{k}" for k in chance.sample(range(files.n), min(files.n, 2000))]
    ids = list(Customer.objects.filter(number__in=some).values_list("pk", flat=True))
    path = files.write("more", fact_lines(files.n, max(4, 400_000 // files.n), mark="M"))
    process = files.start("facts", path)
    pages: list[float] = []
    searches: dict[str, list[float]] = {}
    while process.poll() is None and len(pages) < 1000:
        k = chance.randrange(files.n)
        words = {
            "number": f"K{k}",
            "email": f"klant{k}@ex",
            "name": chance.choice(LAST)[:4],
            "misspelt": f"{chance.choice(FIRST)} jansn",
        }
        kind, word = chance.choice(list(words.items()))
        pages.append(asked(client, reverse("workbench:customer_detail", args=[chance.choice(ids)])))
        searches.setdefault(kind, []).append(asked(client, reverse("workbench:customer_list") + f"?q={word}"))
    files.end(process)
    return {
        "page_p95_ms": percentile(pages) * 1000,
        "search_p95_ms": percentile([seconds for kind in searches.values() for seconds in kind]) * 1000,
        **{f"search_{kind}_p95_ms": percentile(seconds) * 1000 for kind, seconds in searches.items()},
        "pages_asked": len(pages),
    }


def asked(client: Any, url: str) -> float:
    started = perf_counter()
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return perf_counter() - started


def percentile(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def vacuum() -> None:
    from common import sql

    sql.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    take_in(*sys.argv[1:])
