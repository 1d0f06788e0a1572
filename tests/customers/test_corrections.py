"""Facts that come late, and facts of which the source says something else later."""

from __future__ import annotations

import datetime as dt

import pytest

from customers.actions import run_import
from customers.models import Customer, Fact, FactTotal, ImportChange, KindSetting
from tests.customers.conftest import Import, counts, errors
from tests.customers.test_undo import dump, undo, upload
from tests.factories import NOW, BranchFactory, CustomerFactory

pytestmark = pytest.mark.django_db

HEADER = "id;klantnummer;soort;tijdstip;genre;aantal;bedrag"
TICKETS = "O1;1;kaartverkoop;2026-05-02 20:00;cabaret;2;30,00"


@pytest.fixture(autouse=True)
def anja() -> Customer:
    return CustomerFactory(number="1")


def total() -> tuple[int, int, int]:
    return FactTotal.objects.values_list("count", "quantity", "amount_cents").get()


def test_a_correction_of_the_source_is_written_counted_and_taken_back(take_in: Import) -> None:
    take_in("facts", HEADER, TICKETS)
    before = dump()
    run = take_in("facts", HEADER, TICKETS.replace(";2;30,00", ";1;15,00"), now=NOW + dt.timedelta(days=1))
    assert counts(run) == (0, 1, 0, 0)
    assert total() == (1, 1, 1500)
    change = ImportChange.objects.get()
    assert (change.before["amount_cents"], change.after["amount_cents"]) == (3000, 1500)
    assert counts(take_in("facts", HEADER, TICKETS.replace(";2;30,00", ";1;15,00"))) == (0, 0, 1, 0)
    assert undo(run).undo_counts["restored"] == 1
    assert dump() == before


def test_a_correction_may_be_of_the_kind_the_moment_and_the_branch(take_in: Import) -> None:
    header, branch = f"{HEADER};vestiging", BranchFactory(code="PUR")
    take_in("facts", header, f"{TICKETS};")
    line = "O1;1;uitlening;2026-05-03 21:00;cabaret;2;30,00;PUR"
    assert counts(take_in("facts", header, line)) == (0, 1, 0, 0)
    fact = Fact.objects.get()
    assert (fact.kind, fact.occurred_at.day, fact.branch) == ("loan", 3, branch)
    assert FactTotal.objects.get().kind == "loan"


def test_what_a_file_says_nothing_about_is_no_correction(take_in: Import) -> None:
    take_in("facts", HEADER, TICKETS)
    short = "id;klantnummer;soort;tijdstip"
    assert counts(take_in("facts", short, "O1;1;kaartverkoop;2026-05-02 20:00")) == (0, 0, 1, 0)
    assert counts(take_in("facts", short, "O1;1;kaartverkoop;02-05-2026")) == (0, 0, 1, 0)
    assert counts(take_in("facts", short, "O1;1;kaartverkoop;03-05-2026")) == (0, 1, 0, 0)
    assert total() == (1, 2, 3000)


def test_an_import_whose_facts_were_corrected_since_leaves_those(take_in: Import) -> None:
    first = take_in("facts", HEADER, TICKETS, TICKETS.replace("O1", "O2"))
    take_in("facts", HEADER, TICKETS.replace("30,00", "15,00"), now=NOW + dt.timedelta(days=1))
    told = undo(first).undo_counts
    assert (told["removed"], told["why"]) == (1, {"changed": 1})
    assert total() == (1, 2, 1500)


def test_an_id_that_stands_twice_in_a_file_with_other_words_is_refused(take_in: Import) -> None:
    run = take_in("facts", HEADER, TICKETS, TICKETS, TICKETS.replace("30,00", "15,00"))
    assert counts(run) == (1, 0, 1, 1)
    assert [(row, code) for row, _column, _value, code in errors(run)] == [(4, "duplicate")]
    assert counts(take_in("facts", HEADER, TICKETS, TICKETS, TICKETS.replace("30,00", "15,00"))) == (0, 0, 2, 1)
    assert total() == (1, 2, 3000)


def test_a_fact_that_comes_late_counts_from_when_it_happened(take_in: Import) -> None:
    take_in("facts", HEADER, TICKETS)
    late = take_in("facts", HEADER, TICKETS.replace("O1", "O0").replace("2026-05", "2025-01"))
    assert counts(late) == (1, 0, 0, 0)
    found = FactTotal.objects.get()
    assert (found.first_at.year, found.last_at.year) == (2025, 2026)


def test_what_lies_before_the_retention_of_its_kind_is_told(take_in: Import) -> None:
    take_in("facts", HEADER, TICKETS)
    KindSetting.objects.create(code="ticket", kept_from=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    old, moved = TICKETS.replace("O1", "O0").replace("2026-05", "2025-01"), TICKETS.replace("2026-05", "2025-05")
    run = take_in("facts", HEADER, old, moved)
    assert (counts(run), run.remarks) == ((0, 0, 2, 0), {"too_old": 2})
    assert Fact.objects.get().occurred_at.year == 2026


def test_a_trial_shows_what_would_be_corrected(take_in: Import) -> None:
    take_in("facts", HEADER, TICKETS)
    row = TICKETS.replace("30,00", "15,00")
    run = run_import(upload(f"{HEADER}\n{row}\n", kind="facts", needs_approval=True), now=NOW)
    assert run.preview["changed"] == [
        {"row": 2, "title": "1", "before": {"amount_cents": 3000}, "after": {"amount_cents": 1500}}
    ]
    assert total() == (1, 2, 3000)
