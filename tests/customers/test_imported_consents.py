"""Consents of a file: what a parent said, and that no file undoes a no that was said elsewhere."""

from __future__ import annotations

import datetime as dt

import pytest

from customers.consents import record_consent, states_of
from customers.models import Consent, Customer, Guardianship, ImportRun, Purpose
from tests.customers.conftest import Import, counts, errors
from tests.customers.test_undo import undo
from tests.factories import NOW, CustomerFactory, PurposeFactory, SourceFactory

pytestmark = pytest.mark.django_db

HEADER = "klantnummer;doel;kanaal;status;tijdstip;ouder_klantnummer"
PLAIN = "klantnummer;doel;kanaal;status;tijdstip"
YES = "1;nieuwsbrief;email;ja;2026-05-31 14:30"


@pytest.fixture
def newsletter() -> Purpose:
    return PurposeFactory(code="newsletter", rule="opt_in")


@pytest.fixture
def child(newsletter: Purpose) -> Customer:
    child = CustomerFactory(number="1", birth_date=dt.date(2015, 1, 1))
    parent = CustomerFactory(number="2", birth_date=dt.date(1980, 1, 1))
    CustomerFactory(number="3", birth_date=dt.date(1980, 1, 1))
    Guardianship.objects.create(child=child, guardian=parent, source=SourceFactory(code="library"), created_at=NOW)
    return child


def verdict(customer: Customer, purpose: Purpose, channel: str = "email") -> str:
    return next(
        str(state.verdict)
        for state in states_of(customer, now=NOW + dt.timedelta(minutes=1))
        if state.purpose == purpose and state.channel == channel
    )


def test_a_childs_yes_counts_when_the_file_names_its_parent(
    take_in: Import, child: Customer, newsletter: Purpose
) -> None:
    alone = take_in("consents", PLAIN, YES)
    assert (counts(alone), alone.remarks) == ((1, 0, 0, 0), {"child_alone": 1})
    assert verdict(child, newsletter) != "allowed"
    run = take_in("consents", HEADER, f"{YES};2")
    assert (counts(run), run.remarks) == ((1, 0, 0, 0), {})
    assert verdict(child, newsletter) == "allowed"
    assert Consent.objects.get(guardian_id__isnull=False).guardian_id == Customer.objects.get(number="2").pk
    for header, row in ((HEADER, f"{YES};2"), (PLAIN, YES)):
        assert counts(take_in("consents", header, row)) == (0, 0, 1, 0)


def test_a_parents_yes_is_taken_back_and_may_be_said_again(
    take_in: Import, child: Customer, newsletter: Purpose
) -> None:
    run = take_in("consents", HEADER, f"{YES};2")
    undo(run, now=NOW)
    assert verdict(child, newsletter) != "allowed"
    assert counts(take_in("consents", HEADER, f"{YES};2", now=NOW + dt.timedelta(days=10))) == (1, 0, 0, 0)
    assert counts(take_in("consents", HEADER, f"{YES};2", now=NOW + dt.timedelta(days=11))) == (0, 0, 1, 0)


@pytest.mark.parametrize(
    ("parent", "code"), [("1", "itself"), ("99", "parent"), ("3", "not_guardian"), ("x" * 41, "too_long")]
)
def test_who_is_no_parent_of_the_child_cannot_answer(take_in: Import, child: Customer, parent: str, code: str) -> None:
    run = take_in("consents", HEADER, f"{YES};{parent}")
    assert counts(run) == (0, 0, 0, 1)
    assert code in [found[3] for found in errors(run)]
    assert not Consent.objects.exists()


def test_who_was_sixteen_then_answers_for_himself(take_in: Import, child: Customer) -> None:
    Customer.objects.filter(pk=child.pk).update(birth_date=dt.date(2010, 5, 31))
    run = take_in("consents", HEADER, f"{YES};2")
    assert errors(run) == [(2, "ouder_klantnummer", "2", "grown")]
    Customer.objects.filter(pk=child.pk).update(birth_date=dt.date(2010, 6, 1))
    assert counts(take_in("consents", HEADER, f"{YES};2")) == (1, 0, 0, 0)


# --- what a file never does -------------------------------------------------------------------------------------------


def say(customer: Customer, purpose: Purpose, state: str, days: int, *, source: str = "mijnmenu") -> None:
    SourceFactory(code=source)
    record_consent(
        customer, purpose=purpose, channel="email", state=state, source_code=source, actor="customer",
        event_at=NOW - dt.timedelta(days=days),
    )  # fmt: skip


@pytest.fixture
def anja(newsletter: Purpose) -> Customer:
    return CustomerFactory(number="1", birth_date=dt.date(1979, 3, 14))


def told(take_in: Import, days: int, status: str = "ja", source: str = "library") -> ImportRun:
    at = NOW - dt.timedelta(days=days)
    return take_in("consents", PLAIN, f"1;nieuwsbrief;email;{status};{at:%Y-%m-%d %H:%M}", source=source)


@pytest.mark.parametrize("no", ["withdrawn", "objected"])
def test_a_file_with_the_date_of_today_does_not_undo_a_no(
    take_in: Import, anja: Customer, newsletter: Purpose, no: str
) -> None:
    say(anja, newsletter, no, 5)
    run = told(take_in, 1)
    assert [found[1:] for found in errors(run)] == [("status", "ja", "said_no")]
    assert verdict(anja, newsletter) != "allowed"
    # What was said before the no is history, and changes nothing.
    assert counts(told(take_in, 9)) == (1, 0, 0, 0)
    assert verdict(anja, newsletter) != "allowed"


def test_who_said_yes_again_himself_may_be_told_of_by_a_file(
    take_in: Import, anja: Customer, newsletter: Purpose
) -> None:
    say(anja, newsletter, "withdrawn", 5)
    say(anja, newsletter, "granted", 3)
    assert counts(told(take_in, 1)) == (1, 0, 0, 0)


def test_a_source_may_take_its_own_no_back(take_in: Import, anja: Customer, newsletter: Purpose) -> None:
    assert counts(told(take_in, 5, "nee")) == (1, 0, 0, 0)
    assert counts(told(take_in, 3)) == (1, 0, 0, 0)
    assert verdict(anja, newsletter) == "allowed"
    assert counts(told(take_in, 2, source="theatre")) == (1, 0, 0, 0)


def test_a_no_to_being_profiled_holds_whatever_channel_it_was_said_over(take_in: Import, anja: Customer) -> None:
    profiling = PurposeFactory(code="profiling", rule="opt_in")
    say(anja, profiling, "withdrawn", 5)
    run = take_in("consents", PLAIN, f"1;profilering;post;ja;{NOW - dt.timedelta(days=1):%Y-%m-%d %H:%M}")
    assert [found[3] for found in errors(run)] == ["said_no"]
