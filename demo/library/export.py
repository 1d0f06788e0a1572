"""Writes the files: semicolons, a Dutch header, ISO dates, amounts with a comma; rows stream."""

import csv
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

from .consents import Consents
from .days import Days
from .facts import Facts
from .faulty import faulty_rows
from .people import Person, Population
from .places import BRANCHES
from .subscriptions import Subscriptions

SEED = 1921
FACT_COLUMNS = "id;klantnummer;soort;tijdstip;vestiging;sector;wereld;genre;aantal;bedrag;duur"
COLUMNS = {
    "vestigingen": "code;naam;straat;huisnummer;postcode;plaats;telefoon;email",
    "klanten": (
        "klantnummer;soort;voorletters;voornaam;tussenvoegsel;achternaam;geboortedatum;geslacht;email;telefoon;"
        "straat;huisnummer;toevoeging;postcode;plaats;vestiging;inschrijfdatum"
    ),
    "abonnementen": "abonnementnummer;klantnummer;soort;omschrijving;prijs;begindatum;einddatum;betaalwijze",
    "toestemmingen": "klantnummer;doel;kanaal;status;tijdstip;bron;tekstversie",
    "uitleningen": FACT_COLUMNS,
    "reserveringen": FACT_COLUMNS,
    "betalingen": FACT_COLUMNS,
    "kaartverkoop": FACT_COLUMNS,
    "webbezoek": FACT_COLUMNS,
}
FAULTY = "fouten"
PROGRESS_EVERY = 500


class Export:
    """Nine open files and the drawers that fill them."""

    def __init__(self, stack: ExitStack, folder: Path, *, today: date, seed: int) -> None:
        days = Days(today=today, seed=seed)
        self._facts = Facts(seed=seed, today=today, days=days)
        self._subscriptions = Subscriptions(seed=seed, today=today)
        self._consents = Consents(seed=seed, today=today)
        self._writers: dict[str, Any] = {}
        for name, columns in COLUMNS.items():
            file = stack.enter_context((folder / f"{name}.csv").open("w", encoding="utf-8", newline=""))
            self._writers[name] = csv.writer(file, delimiter=";", lineterminator="\n")
            self._writers[name].writerow(columns.split(";"))
        self._writers["vestigingen"].writerows(branch.row() for branch in BRANCHES)

    def write(self, person: Person) -> None:
        """Write all lines of one customer."""
        write, facts = self._writers, self._facts
        subscriptions = list(self._subscriptions.of(person))
        write["klanten"].writerow(person.row())
        write["abonnementen"].writerows(subscription.row() for subscription in subscriptions)
        write["toestemmingen"].writerows(self._consents.of(person))
        visits = facts.visits(person)
        write["uitleningen"].writerows(facts.loans(person, visits))
        write["reserveringen"].writerows(facts.reservations(person, visits))
        write["betalingen"].writerows(facts.payments(person, subscriptions, visits))
        write["kaartverkoop"].writerows(facts.tickets(person))
        write["webbezoek"].writerows(facts.web_visits(person, visits))


def write_files(
    folder: Path,
    *,
    customers: int = 5000,
    today: date,
    seed: int = SEED,
    progress: Callable[[int], None] = lambda _done: None,
) -> dict[str, Path]:
    """Write the export of a library with that many customers; the same arguments give the same bytes.

    Returns the files by name, in the order in which they can be imported; "fouten" is a small file with six
    deliberate errors to try the import page with. `progress` hears how many customers are done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        export = Export(stack, folder, today=today, seed=seed)
        for done, person in enumerate(Population(seed=seed, today=today).people(customers), start=1):
            export.write(person)
            if done % PROGRESS_EVERY == 0 or done == customers:
                progress(done)
    with (folder / f"{FAULTY}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        writer.writerow(COLUMNS["klanten"].split(";"))
        writer.writerows(faulty_rows())
    return {name: folder / f"{name}.csv" for name in (*COLUMNS, FAULTY)}
