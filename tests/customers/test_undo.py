"""What an import would do, shown first; and an import taken back: what stood there before stands there again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from common.errors import Refused
from common.sql import rows
from customers.actions import (
    add_customer,
    approve_import,
    cancel_import,
    change_customer,
    run_import,
    undo_import,
    upload_import,
)
from customers.actions.maintenance import maintain
from customers.imports import FORMATS
from customers.models import (
    Branch,
    Consent,
    ContactPoint,
    Customer,
    Fact,
    FactTotal,
    Guardianship,
    ImportChange,
    ImportRun,
    SourceRecord,
    Subscription,
)
from labels.models import Assignment, Label
from tests.customers.conftest import Import, counts, errors
from tests.factories import NOW, BranchFactory, CustomerFactory, PurposeFactory

pytestmark = pytest.mark.django_db

HEADER = "klantnummer;soort;voornaam;achternaam;email;telefoon;straat;huisnummer;postcode;plaats;ouder_klantnummer"
ANJA = "1;lid;Anja;Wit;anja@example.nl;0612340001;Dam;1;1135AB;Edam;"
FACTS = "id;klantnummer;soort;tijdstip;vestiging;sector;wereld;genre;aantal;bedrag;duur"
BRAM = "2;lid;Bram;Bos;bram@example.nl;;Dam;1;1135AB;Edam;"
TABLES = [
    "customers_customer", "customers_household", "customers_sourcerecord", "customers_contactpoint",
    "customers_guardianship", "customers_subscription", "customers_fact", "customers_facttotal", "customers_branch",
    "customers_world", "labels_assignment", "customers_importchange",
]  # fmt: skip


def later(days: int) -> dt.datetime:
    return NOW + dt.timedelta(days=days)


def dump() -> dict[str, list[Any]]:
    """Everything that stands in the tables, to the letter."""
    statement = 'SELECT t::text AS "all" FROM {} AS t ORDER BY id'
    return {table: [row["all"] for row in rows(statement.format(table))] for table in TABLES}


def undo(run: ImportRun, now: dt.datetime = NOW + dt.timedelta(days=9)) -> ImportRun:
    undo_import(run, by=None, now=now)
    return run_import(run, now=now)


def undo_counts(run: ImportRun) -> tuple[int, int, dict[str, int]]:
    told = run.undo_counts
    return told["removed"], told["restored"], told["why"]


@pytest.fixture
def known(take_in: Import) -> None:
    """What was there before: two people from the library, one of whom changed her address herself."""
    BranchFactory(code="PUR")
    PurposeFactory(code="newsletter", rule="opt_in")
    take_in("customers", HEADER, ANJA, BRAM)
    change_customer(
        Customer.objects.get(number="1"), by="customer", now=later(1), source_code="mijnmenu", email="eigen@example.nl"
    )
    take_in("subscriptions", FORMATS["subscriptions"].header, "A1;1;volwassen;;58;2024-01-01;;incasso")
    take_in("facts", FACTS, "U1;1;uitlening;2026-05-01 10:00;PUR;;reizen;;1;;")
    take_in("labels", "klantnummer;label;groep;versie", "1;A01;Mosaic;2025", "2;B02;Mosaic;2025")


CHANGES: dict[str, tuple[str, list[str]]] = {
    "customers": (
        HEADER,
        [
            ANJA.replace("Dam;1;", "Kade;9;").replace("anja@", "anders@").replace("0612340001", ""),
            BRAM.replace(";Edam;", ";Edam;1"),
            "3;lid;Cor;Smit;bram@example.nl;;Laan;2;1441AB;Purmerend;1",
        ],
    ),
    "subscriptions": (
        FORMATS["subscriptions"].header,
        ["A1;1;volwassen;;60;2024-01-01;2026-01-01;incasso", "A2;2;jeugd;;0;2024-01-01;;gratis"],
    ),
    "facts": (
        FACTS,
        ["U2;1;uitlening;2026-05-02 10:00;PUR;;spanning;;1;;", "U3;2;kaartverkoop;2026-05-02;;;;;2;30,00;"],
    ),
    "branches": ("code;naam", ["PUR;Purmerend centrum", "EDA;Edam"]),
    "labels": ("klantnummer;label;groep;versie", ["1;C03;Mosaic;2026"]),
}


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.usefixtures("known")
def test_undoing_gives_back_exactly_what_was_there(take_in: Import, kind: str) -> None:
    before = dump()
    run = take_in(kind, CHANGES[kind][0], *CHANGES[kind][1], now=later(5))
    assert run.new_count + run.changed_count >= 1, errors(run)
    assert dump() != before
    done = undo(run)
    assert done.state == ImportRun.State.UNDONE, done.refusal
    assert dump() == before
    assert done.undo_counts["kept"] == 0


@pytest.mark.usefixtures("known")
def test_all_imports_undone_in_turn_leave_the_earlier_state(take_in: Import) -> None:
    before = dump()
    runs = [take_in(kind, header, *lines, now=later(5)) for kind, (header, lines) in CHANGES.items()]
    for run in reversed(runs):
        undo(run)
    assert dump() == before


def test_an_empty_database_is_empty_again(take_in: Import) -> None:
    BranchFactory(code="PUR")
    before = dump()
    run = take_in("customers", HEADER, ANJA, BRAM.replace(";Edam;", ";Edam;1"))
    assert Guardianship.objects.count() == 1
    assert undo_counts(undo(run)) == (2, 0, {})
    assert dump() == before


def test_whom_something_belongs_to_stays(take_in: Import) -> None:
    run = take_in("customers", HEADER, ANJA, BRAM)
    take_in("facts", FACTS, "U1;1;uitlening;2026-05-01 10:00;;;;;1;;")
    assert undo_counts(undo(run)) == (1, 0, {"used": 1})
    assert Customer.objects.get().number == "1"
    assert SourceRecord.objects.get().values["first_name"] == "Anja"


def test_what_a_later_import_changed_stays(take_in: Import) -> None:
    take_in("customers", HEADER, ANJA)
    run = take_in("customers", HEADER, ANJA.replace("Anja", "An"), now=later(1))
    take_in("customers", HEADER, ANJA.replace("Anja", "Annie"), now=later(2))
    assert undo_counts(undo(run)) == (0, 0, {"changed": 1})
    assert Customer.objects.get().first_name == "Annie"


def test_what_people_changed_since_stays(take_in: Import) -> None:
    take_in("customers", HEADER, ANJA)
    run = take_in("customers", HEADER, ANJA.replace("Anja", "An").replace("Edam", "Hoorn"), now=later(1))
    change_customer(Customer.objects.get(), by="x", now=later(2), first_name="Annie")
    undo(run)
    customer = Customer.objects.get()
    assert (customer.first_name, customer.city) == ("Annie", "Edam")


def test_a_merged_newcomer_is_left_alone(take_in: Import) -> None:
    from customers.actions.merging import merge_customers

    CustomerFactory(number="9")
    run = take_in("customers", HEADER, ANJA)
    merge_customers(Customer.objects.get(number="9"), Customer.objects.get(number="1"), by="x", now=later(1))
    undo(run)
    assert Customer.everyone.count() == 2


def test_only_a_yes_is_taken_back_and_can_be_said_again(take_in: Import) -> None:
    PurposeFactory(code="newsletter", rule="opt_in")
    take_in("customers", HEADER, ANJA, BRAM)
    header, yes, no = (
        "klantnummer;doel;kanaal;status;tijdstip;bron;tekstversie",
        "1;nieuwsbrief;email;ja;2024-05-31 14:30;;",
        "2;nieuwsbrief;email;nee;2024-05-31 14:30;;",
    )
    run = take_in("consents", header, yes, no)
    assert undo_counts(undo(run)) == (1, 0, {"said": 1})
    assert sorted(Consent.objects.values_list("state", flat=True)) == ["granted", "retracted", "withdrawn"]
    again = take_in("consents", header, yes, no, now=later(10))
    assert counts(again) == (1, 0, 1, 0)
    assert counts(take_in("consents", header, yes, no, now=later(11))) == (0, 0, 2, 0)


def test_undoing_twice_is_undoing_once(take_in: Import) -> None:
    run = undo(take_in("customers", HEADER, ANJA))
    assert undo_import(run, by=None, now=later(9)).state == ImportRun.State.UNDONE
    assert run_import(run, now=later(9)).undo_counts == run.undo_counts


def test_what_wrote_nothing_or_long_ago_cannot_be_undone(take_in: Import) -> None:
    run = take_in("customers", HEADER, ANJA)
    waiting = upload("klantnummer;soort;achternaam\n", needs_approval=True)
    for wanted, now, code in (
        (run, later(31), "too_late"),
        (take_in("customers", HEADER, ANJA), later(1), "changed_nothing"),
        (waiting, NOW, "not_done"),
    ):
        with pytest.raises(Refused) as refused:
            undo_import(wanted, by=None, now=now)
        assert refused.value.code == code


def test_how_rows_were_is_forgotten_with_the_file(take_in: Import) -> None:
    take_in("customers", HEADER, ANJA)
    take_in("customers", HEADER, ANJA.replace("Anja", "An"))
    assert ImportChange.objects.exists()
    maintain(now=later(40))
    assert not ImportChange.objects.exists()


# --- shown first ------------------------------------------------------------------------------------------------------


def upload(text: str, kind: str = "customers", **more: Any) -> ImportRun:
    import io

    return upload_import(
        format=kind, source_code="library", file=io.BytesIO(text.encode()), file_name="x.csv", by=None, now=NOW, **more
    )


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.usefixtures("known")
def test_a_trial_tells_all_and_writes_nothing(take_in: Import, kind: str) -> None:
    before = dump()
    header, lines = CHANGES[kind]
    run = run_import(upload("\n".join([header, *lines, "?" * 50]), kind, needs_approval=True), now=later(5))
    assert run.state == ImportRun.State.PREVIEWED
    assert dump() == before
    assert len(run.preview["new"]) == run.new_count
    approve_import(run, by=None, now=later(5))
    told = counts(run)
    ImportRun.objects.filter(pk=run.pk).update(approved_by="Jo")
    done = run_import(run, now=later(5))
    assert (done.state, counts(done), done.refused_count) == (ImportRun.State.DONE, told, 1)
    assert done.preview == {}
    assert done.errors.count() == 1


@pytest.mark.usefixtures("known")
def test_a_trial_shows_before_and_after() -> None:
    run = run_import(
        upload("\n".join([CHANGES["customers"][0], *CHANGES["customers"][1]]), needs_approval=True), now=NOW
    )
    new, (anja, bram) = run.preview["new"], run.preview["changed"]
    assert [sample["title"] for sample in new] == ["3"]
    assert new[0]["after"]["last_name"] == "Smit"
    assert anja["before"] == {"street": "Dam", "house_number": "1", "phone": "+31612340001"}
    assert anja["after"] == {"street": "Kade", "house_number": "9", "phone": ""}
    assert (bram["title"], bram["after"]) == ("2", {})


def test_who_says_no_has_nothing_written() -> None:
    run = run_import(upload(f"{HEADER}\n{ANJA}\n", needs_approval=True), now=NOW)
    cancel_import(run, by=None, now=NOW)
    assert run_import(run, now=NOW).state == ImportRun.State.CANCELLED
    with pytest.raises(Refused):
        approve_import(run, by=None, now=NOW)
    assert not Customer.objects.exists()


def test_who_says_nothing_for_a_month_has_said_no() -> None:
    run = run_import(upload(f"{HEADER}\n{ANJA}\n", needs_approval=True), now=NOW)
    maintain(now=later(31))
    run.refresh_from_db()
    assert (run.state, run.preview, run.file.name) == (ImportRun.State.CANCELLED, {}, "")


# --- what a source says of customers ----------------------------------------------------------------------------------


def test_an_import_of_another_source_adds_its_record(take_in: Import) -> None:
    take_in("customers", HEADER, ANJA)
    run = take_in("customers", HEADER, ANJA.replace("Anja", "An").replace("0612340001", "0612340002"), source="theatre")
    assert counts(run) == (0, 1, 0, 0)
    customer = Customer.objects.get()
    assert customer.first_name == "Anja"
    assert set(customer.contact_points.filter(channel="phone").values_list("value", "is_primary")) == {
        ("+31612340001", True),
        ("+31612340002", False),
    }
    undo(run)
    assert ContactPoint.objects.filter(channel="phone").count() == 1
    assert SourceRecord.objects.count() == 1


def test_parents_come_with_the_file_and_go_when_it_says_so(take_in: Import) -> None:
    take_in("customers", HEADER, BRAM.replace(";Edam;", ";Edam;1"), ANJA)
    assert Guardianship.objects.values_list("child__number", "guardian__number").get() == ("2", "1")
    take_in("customers", HEADER, BRAM)
    assert not Guardianship.objects.exists()
    run = take_in("customers", HEADER, BRAM.replace(";Edam;", ";Edam;77"), ANJA.replace(";Edam;", ";Edam;1"))
    assert [code for _row, _column, _value, code in errors(run)] == ["parent", "itself"]


def test_a_parent_whose_row_was_refused_is_linked_as_soon_as_he_comes_in(take_in: Import) -> None:
    header = "klantnummer;soort;achternaam;geboortedatum;ouder_klantnummer"
    run = take_in("customers", header, "7;lid;Wit;2015-01-01;8", "8;lid;Wit;1980-13-01;")
    assert (run.new_count, run.refused_count, run.remarks) == (1, 1, {"parent_refused": 1})
    # The corrected row alone, in a file that says nothing about parents.
    parent = take_in("customers", "klantnummer;soort;achternaam;geboortedatum", "8;lid;Wit;1980-12-01")
    tie = Guardianship.objects.get()
    assert (tie.child.number, tie.guardian.number, tie.run_id) == ("7", "8", parent.pk)
    again = take_in("customers", header, "7;lid;Wit;2015-01-01;8", "8;lid;Wit;1980-12-01;")
    assert (again.same_count, again.remarks) == (1, {})


def test_who_died_is_known(take_in: Import) -> None:
    take_in("customers", "klantnummer;soort;achternaam;overleden", "1;lid;Wit;2026-01-02")
    assert Customer.objects.get().deceased_on == dt.date(2026, 1, 2)


def test_known_people_without_records_keep_what_they_have(take_in: Import) -> None:
    customer = CustomerFactory(number="1", first_name="Anna", email="a@example.nl", phone="+31612340009")
    take_in("customers", "klantnummer;soort;achternaam", "1;lid;Nieuw", source="theatre", now=later(1))
    customer.refresh_from_db()
    assert (customer.first_name, customer.contact_points.count()) == ("Anna", 2)
    take_in("customers", "klantnummer;soort;achternaam", "1;lid;Nieuw", now=later(1))
    customer.refresh_from_db()
    assert (customer.first_name, customer.last_name, customer.contact_points.count()) == ("Anna", "Nieuw", 2)


def test_who_was_erased_does_not_come_back_with_a_file(take_in: Import) -> None:
    from customers.privacy import keys

    keys.remember([("email", "anja@example.nl")], now=NOW)
    assert [code for *_rest, code in errors(take_in("customers", HEADER, ANJA, BRAM))] == ["erased"]
    assert Customer.objects.get().number == "2"


def test_a_new_version_ends_the_labels_of_the_former(take_in: Import) -> None:
    take_in("customers", HEADER, ANJA, BRAM)
    header = "klantnummer;label;groep;versie"
    assert counts(take_in("labels", header, "1;A01;Mosaic;2025", "2;B02;Mosaic;2025")) == (2, 0, 0, 0)
    assert counts(take_in("labels", header, "1;A01;Mosaic;2025", "2;B02;Mosaic;2025")) == (0, 0, 2, 0)
    assert counts(take_in("labels", header, "1;A01;Mosaic;2026", now=later(1))) == (1, 2, 0, 0)
    open_now = Assignment.objects.open().values_list("customer__number", "label__code")
    assert list(open_now) == [("1", "mosaic-2026-a01")]
    assert Assignment.objects.at(NOW).count() == 2
    assert Label.objects.get(code="mosaic-2026-a01").kind == Label.Kind.IMPORTED
    run = take_in("labels", header, "1;A01;Mosaic;2026", "2;B02;Mosaic;2027", "1;B02;Mosaic;2026")
    assert [code for *_rest, code in errors(run)] == ["version", "one_label"]


def test_facts_and_subscriptions_of_a_source_with_a_prefix_find_their_people(take_in: Import) -> None:
    from tests.factories import SourceFactory

    theatre = SourceFactory(code="theatre")
    theatre.number_prefix = "T-"
    theatre.save()
    add_customer(number="1", kind="member", last_name="Ander", by="x", now=NOW)
    take_in("customers", HEADER, ANJA, source="theatre")
    take_in("facts", FACTS, "U1;1;kaartverkoop;2026-05-01;;;;;1;10,00;", source="theatre")
    assert Fact.objects.get().customer.number == "T-1"
    assert FactTotal.objects.get().amount_cents == 1000
    assert not Subscription.objects.exists()
    assert not Branch.objects.exists()
