"""Files become customers, subscriptions, consents and facts; twice the same file is once."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import translation

from common.errors import Refused
from common.sql import rows
from customers import names
from customers.actions import change_customer, run_import, upload_import
from customers.consents import record_consent, states_of
from customers.imports.applying import KEPT_ERRORS
from customers.imports.formats import FORMATS
from customers.imports.remedies import REMEDIES, remedy_of
from customers.models import (
    Branch,
    Consent,
    ContactPoint,
    Customer,
    Fact,
    FactTotal,
    ImportRun,
    Purpose,
    Subscription,
    World,
)
from tests.customers.conftest import Import, counts, errors
from tests.factories import NOW, BranchFactory, CustomerFactory, FactFactory, SourceFactory

pytestmark = pytest.mark.django_db

CUSTOMERS = ";".join(name for name in FORMATS["customers"].names if name != "pasnummer")
ANJA = (
    "1000001;lid;A.;Anja;de;Wit;1979-03-14;v;Anja.deWit@Example.nl;06-12340001;"
    "Lindenlaan;12;a;1441 ab;Purmerend;PUR;01-02-2024;;"
)
SUBSCRIPTIONS = FORMATS["subscriptions"].header
CONSENTS = ";".join(name for name in FORMATS["consents"].names if name != "ouder_klantnummer")
FACTS = "id;klantnummer;soort;tijdstip;vestiging;sector;wereld;genre;aantal;bedrag;duur"


@pytest.fixture
def purmerend() -> Branch:
    return BranchFactory(code="PUR")


@pytest.fixture
def anja(take_in: Import, purmerend: Branch) -> Customer:
    take_in("customers", CUSTOMERS, ANJA)
    return Customer.objects.get(number="1000001")


def email_of(customer: Customer) -> str:
    return customer.contact_points.get(channel="email", is_primary=True).value


# --- branches ---------------------------------------------------------------------------------------------------------


def test_branches_come_in_and_change(take_in: Import) -> None:
    header = FORMATS["branches"].header
    run = take_in("branches", header, "PUR;Purmerend;Waterlandlaan;40;1441MP;Purmerend;0299-550100;Pur@example.nl")
    assert counts(run) == (1, 0, 0, 0)
    branch = Branch.objects.get()
    assert (branch.name, branch.postal_code, branch.email) == ("Purmerend", "1441MP", "pur@example.nl")
    run = take_in("branches", "code;naam", "PUR;Purmerend centrum", "EDA;Edam")
    assert counts(run) == (1, 1, 0, 0)
    branch.refresh_from_db()
    assert (branch.name, branch.city) == ("Purmerend centrum", "Purmerend")


# --- customers --------------------------------------------------------------------------------------------------------


def test_a_customer_comes_in_in_normal_forms(anja: Customer, purmerend: Branch) -> None:
    assert anja.kind == "member"
    assert anja.full_name == "Anja de Wit"
    assert (anja.birth_date, anja.gender) == (dt.date(1979, 3, 14), "f")
    assert anja.address_lines == ["Lindenlaan 12a", "1441 AB  Purmerend"]
    assert anja.branch == purmerend
    assert anja.registered_on == dt.date(2024, 2, 1)
    assert anja.household is not None
    assert anja.household.key == "1441AB|12|a"
    assert email_of(anja) == "anja.dewit@example.nl"
    assert anja.contact_points.get(channel="phone").value == "+31612340001"
    assert anja.name_key == "wit anja de"
    assert (anja.created_at, anja.updated_at) == (NOW, NOW)


def test_the_same_file_again_changes_nothing(take_in: Import, anja: Customer) -> None:
    before = Customer.objects.values().get()
    points = list(ContactPoint.objects.order_by("id").values())
    run = take_in("customers", CUSTOMERS, ANJA, now=NOW + dt.timedelta(days=1))
    assert counts(run) == (0, 0, 1, 0)
    assert Customer.objects.values().get() == before
    assert list(ContactPoint.objects.order_by("id").values()) == points


def test_only_what_differs_is_written(take_in: Import, anja: Customer) -> None:
    later = NOW + dt.timedelta(days=1)
    other = ANJA.replace("1000001", "1000002")
    run = take_in("customers", CUSTOMERS, ANJA.replace("Lindenlaan;12;a", "Dorpsstraat;8;"), other, now=later)
    assert counts(run) == (1, 1, 0, 0)
    anja.refresh_from_db()
    assert anja.address_lines[0] == "Dorpsstraat 8"
    assert anja.household is not None
    assert anja.household.key == "1441AB|8|"
    assert (anja.created_at, anja.updated_at) == (NOW, later)


def test_people_at_one_address_are_one_household(take_in: Import, anja: Customer) -> None:
    take_in("customers", CUSTOMERS, ANJA.replace("1000001", "1000002").replace(";12;a;1441 ab;", ";12A;;1441AB;"))
    assert Customer.objects.values("household").distinct().count() == 1


def test_an_address_without_number_is_no_household(take_in: Import, purmerend: Branch) -> None:
    take_in("customers", CUSTOMERS, ANJA.replace("Lindenlaan;12;a", ";;"))
    assert Customer.objects.get().household is None


@pytest.mark.parametrize(
    ("postal_code", "number", "addition"),
    [("1441AB", "12", "a"), ("1441AB", "012", ""), ("1441AB", "12-hs", "II"), ("", "12", ""), ("1441AB", "x", "")],
)
def test_file_and_form_agree_on_the_household(postal_code: str, number: str, addition: str) -> None:
    found = rows("SELECT customers_household_key(%s, %s, %s) AS key", [postal_code, number, addition])
    assert (found[0]["key"] or "") == names.household_key(postal_code, number, addition)


@pytest.mark.parametrize(
    "text",
    ["06-12340001", "0031 6 12340001", "+31 (0)6 1234 0001", "0299-550100", "12345", "geen", "+32470123456", "06"],
)
def test_file_and_form_agree_on_phone_numbers(text: str) -> None:
    normal = names.normalise_phone(text)
    expected = normal if names.is_phone(normal) else None
    assert rows("SELECT customers_read_phone(%s) AS phone", [text])[0]["phone"] == expected


@pytest.mark.parametrize(
    "text",
    [
        "a@b.nl", "A.B+c@Sub.Example.COM", "a@b", "a b@c.nl", "a@@b.nl", ".a@b.nl", "a.@b.nl", "a..b@c.nl", "a@-b.nl",
        "a@b-.nl", "a@b.n", "@b.nl", "a@", "a@b.nl,c@d.nl", "x" * 65 + "@b.nl", "a@" + "b" * 250 + ".nl", "é@b.nl",
    ],
)  # fmt: skip
def test_file_and_form_agree_on_email(text: str) -> None:
    normal = names.normalise_email(text)
    expected = normal if names.is_email(normal) else None
    assert rows("SELECT customers_read_email(%s) AS email", [text])[0]["email"] == expected


@pytest.mark.parametrize("text", ["1441 ab", "1441AB", "0441AB", "1441SS", "1441 sa", "1441", "14411", "B-2000"])
def test_file_and_form_agree_on_postal_codes(text: str) -> None:
    normal = names.normalise_postal_code(text)
    expected = normal if names.is_postal_code(normal) else None
    assert rows("SELECT customers_read_postal_code(%s) AS code", [text])[0]["code"] == expected


def test_a_column_that_the_file_lacks_leaves_what_is_known(take_in: Import, anja: Customer) -> None:
    run = take_in("customers", "klantnummer;soort;achternaam;voornaam", "1000001;oud-lid;Wit;")
    assert counts(run) == (0, 1, 0, 0)
    anja.refresh_from_db()
    assert (anja.kind, anja.first_name, anja.initials, anja.city) == ("former", "", "A.", "Purmerend")
    assert anja.household is not None
    assert email_of(anja) == "anja.dewit@example.nl"


def test_a_new_address_replaces_the_one_the_source_named_before(take_in: Import, anja: Customer) -> None:
    run = take_in("customers", CUSTOMERS, ANJA.replace("Anja.deWit@Example.nl", "anja@example.org"))
    assert counts(run) == (0, 1, 0, 0)
    assert [point.value for point in anja.contact_points.filter(channel="email")] == ["anja@example.org"]
    assert email_of(anja) == "anja@example.org"


def test_an_address_that_the_file_leaves_out_is_taken_away(take_in: Import, anja: Customer) -> None:
    take_in("customers", CUSTOMERS, ANJA.replace("Anja.deWit@Example.nl", ""))
    assert not anja.contact_points.filter(channel="email").exists()
    assert anja.contact_points.filter(channel="phone").exists()


def test_what_the_customer_entered_is_not_overruled_by_a_file(take_in: Import, anja: Customer) -> None:
    change_customer(anja, by="customer", now=NOW, source_code="mijnmenu", email="nieuw@example.nl")
    later = NOW + dt.timedelta(days=1)
    assert counts(take_in("customers", CUSTOMERS, ANJA, now=later)) == (0, 0, 1, 0)
    assert email_of(anja) == "nieuw@example.nl"
    run = take_in("customers", CUSTOMERS, ANJA.replace("Anja.deWit", "weer.anders"), now=later)
    assert run.changed_count == 1
    assert email_of(anja) == "nieuw@example.nl"


def test_another_source_may_name_the_same_address(take_in: Import, anja: Customer) -> None:
    run = take_in("customers", CUSTOMERS, ANJA, source="theatre")
    assert counts(run) == (0, 1, 0, 0)
    assert counts(take_in("customers", CUSTOMERS, ANJA, source="theatre")) == (0, 0, 1, 0)
    assert anja.contact_points.filter(channel="email").count() == 1


def test_an_address_may_be_shared(take_in: Import, anja: Customer) -> None:
    run = take_in("customers", CUSTOMERS, ANJA.replace("1000001;lid;A.;Anja", "1000002;lid;B.;Bo"))
    assert counts(run) == (1, 0, 0, 0)
    assert ContactPoint.objects.filter(value="anja.dewit@example.nl").count() == 2


def test_a_newsletter_contact_needs_no_name_when_there_is_an_address(take_in: Import) -> None:
    run = take_in(
        "customers", "klantnummer;soort;achternaam;email", "1;nieuwsbrief;;a@b.nl", "2;nieuwsbrief;;", "3;lid;;a@b.nl"
    )
    assert counts(run) == (1, 0, 0, 2)
    assert [(row, code) for row, _column, _value, code in errors(run)] == [(3, "name"), (4, "name")]


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("klantnummer", "", "empty"),
        ("klantnummer", "9" * 41, "too_long"),
        ("soort", "", "empty"),
        ("soort", "vriend", "kind"),
        ("achternaam", "", "name"),
        ("achternaam", "x" * 101, "too_long"),
        ("geboortedatum", "31-02-2015", "date"),
        ("geboortedatum", "2015-13-01", "date"),
        ("geboortedatum", "29-02-2023", "date"),
        ("geboortedatum", "0000-01-01", "date"),
        ("geboortedatum", "14 maart 1979", "date"),
        ("geboortedatum", "2026-06-16", "birth_date"),
        ("geboortedatum", "1899-12-31", "birth_date"),
        ("geslacht", "man", "choice"),
        ("email", "anja(at)example.nl", "email"),
        ("telefoon", "12", "phone"),
        ("postcode", "1441", "postal_code"),
        ("vestiging", "XXX", "branch"),
        ("inschrijfdatum", "2026-06-16", "future"),
        ("inschrijfdatum", "1800-01-01", "past"),
    ],
)
def test_a_wrong_cell_is_told_with_row_column_value_and_remedy(
    take_in: Import, purmerend: Branch, column: str, value: str, code: str
) -> None:
    cells = ANJA.split(";")
    cells[CUSTOMERS.split(";").index(column)] = value
    run = take_in("customers", CUSTOMERS, ANJA.replace("1000001", "1000009"), ";".join(cells))
    assert counts(run) == (1, 0, 0, 1)
    assert errors(run) == [(3, column, value[:200], code)]
    assert run.errors.get().remedy == remedy_of(code) != ""


@pytest.mark.parametrize("date", ["2024-02-29", "29-02-2024", "29/2/2024", "29-2-2024"])
def test_dates_may_be_written_in_the_usual_ways(take_in: Import, purmerend: Branch, date: str) -> None:
    take_in("customers", CUSTOMERS, ANJA.replace("01-02-2024", date))
    assert Customer.objects.get().registered_on == dt.date(2024, 2, 29)


def test_a_number_used_twice_in_a_file_counts_once(take_in: Import, purmerend: Branch) -> None:
    run = take_in("customers", CUSTOMERS, ANJA, ANJA.replace("Anja", "Bo"), ANJA.replace("Anja", "Cor"))
    assert counts(run) == (1, 0, 0, 2)
    assert [(row, code) for row, _column, _value, code in errors(run)] == [(3, "duplicate"), (4, "duplicate")]
    assert Customer.objects.get().first_name == "Anja"


def test_a_refused_row_does_not_stand_in_the_way_of_a_later_one(take_in: Import, purmerend: Branch) -> None:
    run = take_in("customers", CUSTOMERS, ANJA.replace("1979-03-14", "1979-33-14"), ANJA)
    assert counts(run) == (1, 0, 0, 1)


def test_several_errors_of_a_row_are_all_told_and_it_counts_once(take_in: Import, purmerend: Branch) -> None:
    run = take_in("customers", CUSTOMERS, ANJA.replace("1979-03-14;v", "x;y").replace("1441 ab", "?"))
    assert counts(run) == (0, 0, 0, 1)
    assert [column for _row, column, _value, _code in errors(run)] == ["geboortedatum", "geslacht", "postcode"]


def test_damaged_rows_are_told_among_the_others(take_in: Import, purmerend: Branch) -> None:
    run = take_in("customers", CUSTOMERS, '1;"lid', ANJA, "2;lid;\0" + ";" * 14)
    assert counts(run) == (1, 0, 0, 2)
    assert [(row, code) for row, _column, _value, code in errors(run)] == [(2, "quote"), (4, "nul")]
    assert run.row_count == 3


def test_a_formula_is_kept_as_it_stands(take_in: Import, purmerend: Branch) -> None:
    take_in("customers", CUSTOMERS, ANJA.replace(";Anja;", ";=cmd|' /C calc'!A0;"))
    assert Customer.objects.get().first_name == "=cmd|' /C calc'!A0"


def test_tabs_backslashes_and_line_breaks_come_through_unharmed(take_in: Import, purmerend: Branch) -> None:
    take_in("customers", CUSTOMERS, ANJA.replace("Lindenlaan", '"a\tb\\N\nc"').replace(";Anja;", ";\\.;"))
    customer = Customer.objects.get()
    assert (customer.street, customer.first_name) == ("a\tb\\N\nc", "\\.")


def test_a_header_alone_is_a_file_without_rows(take_in: Import) -> None:
    run = take_in("customers", CUSTOMERS)
    assert run.state == ImportRun.State.DONE
    assert (run.row_count, *counts(run)) == (0, 0, 0, 0, 0)


def test_more_errors_than_are_kept_are_counted_all(take_in: Import) -> None:
    run = take_in("branches", "code;naam", *[f"?{number};x" for number in range(KEPT_ERRORS + 2)])
    assert run.refused_count == KEPT_ERRORS + 2
    assert run.errors.count() == KEPT_ERRORS


# --- subscriptions ----------------------------------------------------------------------------------------------------


def test_subscriptions_come_in_and_end(take_in: Import, anja: Customer) -> None:
    line = "A1;1000001;Volwassen plus;Volwassenenabonnement;58,00;2024-02-01;;incasso"
    assert counts(take_in("subscriptions", SUBSCRIPTIONS, line)) == (1, 0, 0, 0)
    subscription = Subscription.objects.get()
    assert (subscription.type, subscription.price_cents) == ("volwassen-plus", 5800)
    assert subscription.payment_method == "direct_debit"
    assert counts(take_in("subscriptions", SUBSCRIPTIONS, line)) == (0, 0, 1, 0)
    ended = line.replace("01;;", "01;31-01-2026;")
    assert counts(take_in("subscriptions", SUBSCRIPTIONS, ended)) == (0, 1, 0, 0)
    subscription.refresh_from_db()
    assert subscription.ended_on == dt.date(2026, 1, 31)


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        ("A1;1000002;v;;58;2024-02-01;;incasso", "klantnummer", "customer"),
        ("A1;1000001;v;;veel;2024-02-01;;incasso", "prijs", "amount"),
        ("A1;1000001;v;;-1;2024-02-01;;incasso", "prijs", "negative"),
        ("A1;1000001;v;;999999999,99;2024-02-01;;incasso", "prijs", "too_much"),
        ("A1;1000001;v;;58;2024-02-30;;incasso", "begindatum", "date"),
        ("A1;1000001;v;;58;;;incasso", "begindatum", "empty"),
        ("A1;1000001;v;;58;2024-02-01;2024-01-31;incasso", "einddatum", "order"),
        ("A1;1000001;v;;58;2024-02-01;;schelpen", "betaalwijze", "choice"),
        ("A0;1000001;v;;58;2024-02-01;;incasso", "abonnementnummer", "other_customer"),
    ],
)
def test_a_wrong_subscription_is_refused(take_in: Import, anja: Customer, line: str, column: str, code: str) -> None:
    CustomerFactory(number="7")
    take_in("subscriptions", SUBSCRIPTIONS, "A0;7;v;;58;2024-02-01;;gratis")
    run = take_in("subscriptions", SUBSCRIPTIONS, line)
    assert counts(run) == (0, 0, 0, 1)
    assert [(found[1], found[3]) for found in errors(run)] == [(column, code)]


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("12", 1200),
        ("12,5", 1250),
        ("12.50", 1250),
        ("€ 12,50", 1250),
        ("1.234,50", 123450),
        ("0", 0),
        ("12,505", None),
    ],
)
def test_amounts_may_be_written_in_the_usual_ways(text: str, cents: int | None) -> None:
    assert rows("SELECT customers_read_cents(%s) AS cents", [text])[0]["cents"] == cents


# --- consents ---------------------------------------------------------------------------------------------------------


def test_consents_come_in_as_events_of_the_ledger(take_in: Import, anja: Customer) -> None:
    lines = (
        "1000001;marketing;email;ja;2024-05-31T14:30:00+02:00;balie;2024-3",
        "1000001;nieuwsbrief;e-mail;nee;31-05-2024 14:30;;",
    )
    run = take_in("consents", CONSENTS, *lines)
    assert counts(run) == (2, 0, 0, 0)
    consent = Consent.objects.get(purpose__code="marketing")
    assert (consent.channel, consent.state, consent.wording_version) == ("email", "granted", "2024-3")
    assert consent.event_at == dt.datetime(2024, 5, 31, 12, 30, tzinfo=dt.UTC)
    assert (consent.evidence, consent.actor) == ({"said_through": "balie"}, f"import {run.pk}")
    newsletter = Consent.objects.get(purpose__code="newsletter")
    assert (newsletter.state, newsletter.event_at) == ("withdrawn", consent.event_at)
    assert counts(take_in("consents", CONSENTS, *lines)) == (0, 0, 2, 0)


def test_an_import_never_weakens_an_opt_out(take_in: Import, anja: Customer) -> None:
    marketing = Purpose.objects.get(code="marketing")
    record_consent(
        anja, purpose=marketing, channel="email", state="objected", source_code="mijnmenu", actor="customer",
        event_at=NOW - dt.timedelta(days=1),
    )  # fmt: skip
    take_in("consents", CONSENTS, "1000001;marketing;email;ja;2024-05-31 14:30;export;")
    state = next(s for s in states_of(anja, now=NOW) if s.purpose == marketing and s.channel == "email")
    assert state.verdict == "objection"


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        ("1000001;marketing;email;ja;;;", "tijdstip", "empty"),
        ("1000001;marketing;email;ja;2024-05-31;;", "tijdstip", "moment"),
        ("1000001;marketing;email;ja;2024-02-30 12:00;;", "tijdstip", "moment"),
        ("1000001;marketing;email;ja;2024-05-31 25:00;;", "tijdstip", "moment"),
        ("1000001;marketing;email;ja;2026-06-15 10:01;;", "tijdstip", "future"),
        ("1000001;marketing;fax;ja;2024-05-31 14:30;;", "kanaal", "choice"),
        ("1000001;marketing;email;misschien;2024-05-31 14:30;;", "status", "choice"),
        ("1000001;spam;email;ja;2024-05-31 14:30;;", "doel", "purpose"),
        ("2;marketing;email;ja;2024-05-31 14:30;;", "klantnummer", "customer"),
    ],
)
def test_a_wrong_consent_is_refused(take_in: Import, anja: Customer, line: str, column: str, code: str) -> None:
    run = take_in("consents", CONSENTS, line)
    assert counts(run) == (0, 0, 0, 1)
    assert [(found[1], found[3]) for found in errors(run)] == [(column, code)]


# --- facts ------------------------------------------------------------------------------------------------------------


def test_facts_come_in_with_their_totals(take_in: Import, anja: Customer) -> None:
    lines = (
        "U1;1000001;uitlening;2026-05-30T10:00:00+02:00;PUR;Bibliotheek;Reizen;Reisgidsen;3;;",
        "U2;1000001;Uitlening;2026-05-01;;;;;;;",
        "B1;1000001;contributie;30-05-2026 09:00;;;;;;58,00;",
        "W1;1000001;webbezoek;2026-05-30 09:00;;web;nieuwe wereld;;4;;120",
    )
    run = take_in("facts", FACTS, *lines)
    assert counts(run) == (4, 0, 0, 0)
    loan = Fact.objects.get(external_id="U1")
    assert (loan.kind, loan.sector, loan.world, loan.genre) == ("loan", "bibliotheek", "reizen", "reisgidsen")
    assert (loan.quantity, loan.branch) == (3, anja.branch)
    assert loan.occurred_at == dt.datetime(2026, 5, 30, 8, 0, tzinfo=dt.UTC)
    total = FactTotal.objects.get(kind="loan")
    assert (total.count, total.quantity) == (2, 4)
    assert total.last_at == loan.occurred_at
    assert total.first_at == dt.datetime(2026, 4, 30, 22, 0, tzinfo=dt.UTC)
    assert FactTotal.objects.get(kind="fee").amount_cents == 5800
    assert Fact.objects.get(kind="visit").duration_seconds == 120
    assert World.objects.get(code="nieuwe-wereld").name == "Nieuwe wereld"


def test_facts_are_known_by_source_and_id(take_in: Import, anja: Customer) -> None:
    line = "1;1000001;uitlening;2026-05-30 10:00;;;;;;;"
    assert counts(take_in("facts", FACTS, line, line)) == (1, 0, 1, 0)
    assert counts(take_in("facts", FACTS, line.replace("05-30", "05-31"))) == (0, 1, 0, 0)
    assert counts(take_in("facts", FACTS, line, source="theatre")) == (1, 0, 0, 0)
    assert FactTotal.objects.get().count == 2


def test_totals_equal_the_facts_after_any_order_of_imports(take_in: Import, anja: Customer) -> None:
    for days in ([3, 9], [1, 9], [27, 3]):
        take_in("facts", FACTS, *[f"{day};1000001;uitlening;2026-05-{day:02d} 10:00;;;;;{day};;" for day in days])
    total = FactTotal.objects.get()
    assert (total.count, total.quantity) == (4, 40)
    assert (total.first_at.day, total.last_at.day) == (1, 27)


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        (";1000001;uitlening;2026-05-30;;;;;;;", "id", "empty"),
        ("1;2;uitlening;2026-05-30;;;;;;;", "klantnummer", "customer"),
        ("1;1000001;diefstal;2026-05-30;;;;;;;", "soort", "kind"),
        ("1;1000001;uitlening;30 mei;;;;;;;", "tijdstip", "moment"),
        ("1;1000001;uitlening;2026-06-15 10:01;;;;;;;", "tijdstip", "future"),
        ("1;1000001;uitlening;1066-05-30;;;;;;;", "tijdstip", "past"),
        ("1;1000001;uitlening;2026-05-30;XXX;;;;;;", "vestiging", "branch"),
        ("1;1000001;uitlening;2026-05-30;;;;;drie;;", "aantal", "whole"),
        ("1;1000001;uitlening;2026-05-30;;;;;;duur;", "bedrag", "amount"),
        ("1;1000001;webbezoek;2026-05-30;;;;;;;-5", "duur", "whole"),
        ("taken;1000001;uitlening;2026-05-30;;;;;;;", "id", "other_customer"),
    ],
)
def test_a_wrong_fact_is_refused(take_in: Import, anja: Customer, line: str, column: str, code: str) -> None:
    FactFactory(external_id="taken")
    run = take_in("facts", FACTS, line)
    assert counts(run) == (0, 0, 0, 1)
    assert [(found[1], found[3]) for found in errors(run)] == [(column, code)]
    assert not Fact.objects.filter(customer=anja).exists()


def test_an_id_given_to_two_customers_in_a_file_stands_for_the_first(take_in: Import, anja: Customer) -> None:
    CustomerFactory(number="7")
    run = take_in("facts", FACTS, *[f"1;{who};uitlening;2026-05-30;;;;;;;" for who in ("1000001", "7", "1000001")])
    assert counts(run) == (1, 0, 1, 1)
    assert errors(run) == [(3, "id", "1", "other_customer")]


def test_kinds_that_only_the_product_writes_do_not_come_from_a_file(take_in: Import, anja: Customer) -> None:
    run = take_in("facts", FACTS, "1;1000001;redemption;2026-05-30;;;;;;;")
    assert errors(run)[0][3] == "kind"


# --- runs -------------------------------------------------------------------------------------------------------------


def upload(content: bytes, kind: str = "branches", **fields: Any) -> ImportRun:
    given: dict[str, Any] = {"source_code": "library", "file_name": "a.csv", "by": None, "now": NOW} | fields
    return upload_import(**{"format": kind, "file": io.BytesIO(content)} | given)


def test_a_file_of_another_format_is_refused_at_the_door() -> None:
    with pytest.raises(Refused) as refused:
        upload(b"klantnummer;soort;achternaam\n")
    assert refused.value.code == "wrong_header"
    assert not ImportRun.objects.exists()


def test_an_excel_file_is_refused_at_the_door() -> None:
    with pytest.raises(Refused) as refused:
        upload(b"PK\x03\x04rest of a workbook")
    assert refused.value.code == "not_text"


@pytest.mark.parametrize("fields", [{"source_code": "gossip"}, {"format": "recipes"}])
def test_an_unknown_source_or_format_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(Refused):
        upload(b"code;naam\n", **fields)


def test_the_name_of_a_file_decides_nothing_about_where_it_is_kept() -> None:
    run = upload(b"code;naam\n", file_name="..\\..\\etc/passwd")
    assert run.file_name == "passwd"
    assert run.file.name.startswith("imports/")
    assert "passwd" not in run.file.name


def test_a_run_that_is_done_is_not_done_again(take_in: Import) -> None:
    run = take_in("branches", "code;naam", "PUR;Purmerend")
    Branch.objects.all().delete()
    assert run_import(run, now=NOW).new_count == 1
    assert not Branch.objects.exists()


def test_a_file_that_is_gone_makes_the_run_refused() -> None:
    run = upload(b"code;naam\nPUR;Purmerend\n")
    run.file.storage.delete(run.file.name)
    run = run_import(run, now=NOW)
    assert run.state == ImportRun.State.REFUSED
    assert "opnieuw" in run.refusal


def test_a_file_that_three_attempts_did_not_survive_is_given_up() -> None:
    run = upload(b"code;naam\nPUR;Purmerend\n")
    ImportRun.objects.update(attempts=3, state="running")
    run = run_import(run, now=NOW)
    assert run.state == ImportRun.State.REFUSED
    assert not Branch.objects.exists()


def test_an_error_of_ours_leaves_nothing_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer falls over after it wrote; the run says so, the rows are gone, and nobody tries for ever."""
    from customers.imports import FORMATS

    known = FORMATS["branches"]

    def fall_over(*given: Any) -> tuple[int, int, int]:
        known.write(*given)
        assert Branch.objects.exists()
        raise ZeroDivisionError

    monkeypatch.setitem(FORMATS._items, "branches", dataclasses.replace(known, write=fall_over))
    run = upload(b"code;naam\nPUR;Purmerend\n")
    with pytest.raises(ZeroDivisionError):
        run_import(run, now=NOW)
    run.refresh_from_db()
    assert run.state == ImportRun.State.REFUSED
    assert not Branch.objects.exists()
    assert not run.errors.exists()


def test_no_temporary_table_is_left_behind(take_in: Import) -> None:
    take_in("branches", "code;naam", "PUR;Purmerend")
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_temp.import_row'), to_regclass('pg_temp.import_problem')")
        assert cursor.fetchone() == (None, None)


@pytest.mark.parametrize("code", [each.code for each in FORMATS])
def test_the_manual_names_the_columns(code: str) -> None:
    manual = Path("docs/handleiding/import.md").read_text()
    assert f"`{';'.join(FORMATS[code].names)}`" in manual


def test_every_code_has_a_remedy_in_both_languages() -> None:
    codes = {check.code for each in FORMATS for check in each.checks_of(each.names)}
    codes |= {"quote", "cells", "nul", "encoding", "long", "duplicate", "erased", "other_customer", "said_no"}
    codes |= {
        "version",
        "one_label",
        "one_home",
        "system_label",
        "rule_label",
        "unused_label",
        "system_group",
    }  # of labels
    assert codes == set(REMEDIES)
    for code in codes:
        with translation.override("en"):
            english = remedy_of(code)
        with translation.override("nl"):
            assert remedy_of(code) != english


def test_the_examples_of_the_formats_are_accepted(take_in: Import) -> None:
    SourceFactory(code="library")
    for code in ("branches", "customers", "subscriptions", "consents", "facts"):
        run = take_in(code, FORMATS[code].header, FORMATS[code].example)
        assert counts(run) == (1, 0, 0, 0), (code, errors(run))
