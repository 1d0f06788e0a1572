"""What came while two customers were one, and where it is when they turn out to be two."""

from __future__ import annotations

import datetime as dt

import pytest

from customers.actions import record_fact
from customers.actions.imports import run_import, undo_import
from customers.actions.merging import merge_customers, undo_merge
from customers.actions.people import add_customer
from customers.actions.privacy import restrict
from customers.consents import record_consent, states_of
from customers.models import Customer, FactTotal, Merge, Purpose, SourceRecord
from mailings.links import preferences_url
from mijnmenu.session import customer_of
from tests.customers.conftest import Import, counts
from tests.factories import NOW

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def kept() -> Customer:
    return add_customer(number="100", by="x", now=NOW, source_code="library", kind="member", last_name="Bos")


@pytest.fixture
def absorbed() -> Customer:
    return add_customer(number="T-7", by="x", now=NOW, source_code="theatre", kind="prospect", last_name="Bos")


@pytest.fixture
def merge(kept: Customer, absorbed: Customer) -> Merge:
    SourceRecord.objects.filter(customer=absorbed).update(key="7")
    return merge_customers(kept, absorbed, by="Mia", now=NOW)


def newsletter() -> Purpose:
    return Purpose.objects.get(code="newsletter")


def say(customer: Customer, state: str, *, days: int = 1) -> None:
    at = NOW + days * DAY
    record_consent(
        customer, purpose=newsletter(), channel="email", state=state, source_code="counter", actor="x", event_at=at
    )


def test_what_a_file_brings_under_the_old_number_goes_back(
    merge: Merge, kept: Customer, absorbed: Customer, take_in: Import
) -> None:
    loans = ("klantnummer,soort,tijdstip,id", "7,ticket,2026-01-01T10:00:00+01:00,a", "7,ticket,2026-01-02,b")
    take_in("facts", *loans, source="theatre")
    take_in("subscriptions", "klantnummer,abonnementnummer,soort,prijs,begindatum,einddatum,betaalwijze",
            "7,S1,vriend,10,2026-01-01,,incasso", source="theatre")  # fmt: skip
    take_in("consents", "klantnummer,doel,kanaal,status,tijdstip",
            "7,newsletter,email,nee,2026-01-03T10:00:00+01:00", source="theatre")  # fmt: skip
    assert [kept.facts.count(), kept.subscriptions.count(), kept.consents.count()] == [2, 1, 1]
    undo_merge(merge, by="Mia", now=NOW + DAY)
    assert [absorbed.facts.count(), absorbed.subscriptions.count(), absorbed.consents.count()] == [2, 1, 1]
    assert [kept.facts.count(), kept.subscriptions.count(), kept.consents.count()] == [0, 0, 0]
    assert dict(FactTotal.objects.values_list("customer", "count")) == {absorbed.pk: 2}
    assert counts(take_in("facts", *loans, source="theatre")) == (0, 0, 2, 0)


def test_what_comes_by_our_own_old_number_goes_back_too_through_a_chain(
    merge: Merge, kept: Customer, absorbed: Customer, take_in: Import
) -> None:
    last = add_customer(number="300", by="x", now=NOW, source_code="library", kind="member")
    second = merge_customers(last, kept, by="Mia", now=NOW)
    take_in("facts", "klantnummer,soort,tijdstip,id", "T-7,ticket,2026-01-01,a", source="library")
    assert last.facts.count() == 1
    undo_merge(merge, by="Mia", now=NOW + DAY)
    assert (absorbed.facts.count(), last.facts.count()) == (1, 0)
    undo_merge(second, by="Mia", now=NOW + DAY)
    assert (absorbed.facts.count(), kept.facts.count()) == (1, 0)


def test_an_import_that_is_undone_takes_what_went_back(merge: Merge, absorbed: Customer, take_in: Import) -> None:
    run = take_in("facts", "klantnummer,soort,tijdstip,id", "7,ticket,2026-01-01,a", source="theatre")
    undo_merge(merge, by="Mia", now=NOW + DAY)
    run_import(undo_import(run, by=None, now=NOW + DAY), now=NOW + DAY)
    assert absorbed.facts.count() == FactTotal.objects.count() == 0


def test_a_refusal_from_that_time_holds_for_both(merge: Merge, kept: Customer, absorbed: Customer) -> None:
    say(kept, "granted", days=1)
    say(kept, "withdrawn", days=2)
    undo_merge(merge, by="Mia", now=NOW + 3 * DAY)
    assert list(absorbed.consents.values_list("state", "event_at")) == [("withdrawn", NOW + 2 * DAY)]
    assert set(kept.consents.values_list("state", flat=True)) == {"granted", "withdrawn"}


def test_a_refusal_from_before_stays_where_it_was(kept: Customer, absorbed: Customer) -> None:
    say(kept, "withdrawn")
    undo_merge(merge_customers(kept, absorbed, by="Mia", now=NOW), by="Mia", now=NOW)
    assert not absorbed.consents.exists()


def test_a_yes_that_was_taken_back_meanwhile_stays_taken_back(
    kept: Customer, absorbed: Customer, take_in: Import
) -> None:
    SourceRecord.objects.filter(customer=absorbed).update(key="7")
    run = take_in("consents", "klantnummer,doel,kanaal,status,tijdstip",
                  "7,newsletter,email,ja,2026-01-03T10:00:00+01:00", source="theatre")  # fmt: skip
    merge = merge_customers(kept, absorbed, by="Mia", now=NOW)
    run_import(undo_import(run, by=None, now=NOW + DAY), now=NOW + DAY)
    undo_merge(merge, by="Mia", now=NOW + DAY)
    assert sorted(absorbed.consents.values_list("state", flat=True)) == ["granted", "retracted"]
    assert not kept.consents.exists()
    states = states_of(absorbed, now=NOW + 9 * DAY)
    assert not any(one.is_allowed for one in states if (one.purpose.code, one.channel) == ("newsletter", "email"))


def test_a_restriction_from_that_time_holds_for_both(merge: Merge, kept: Customer, absorbed: Customer) -> None:
    restrict(kept, reason="asked", by="x", now=NOW + DAY)
    undo_merge(merge, by="Mia", now=NOW + 2 * DAY)
    assert set(Customer.objects.values_list("restricted_at", flat=True)) == {NOW + DAY}


def test_links_of_that_time_let_nobody_into_the_page_of_the_other(
    merge: Merge, kept: Customer, absorbed: Customer
) -> None:
    def enters(customer: Customer, version: int) -> Customer | None:
        return customer_of(preferences_url(customer.pk, version).rstrip("/").rpartition("/")[2])

    version = Customer.objects.get(pk=kept.pk).link_version
    assert enters(kept, version) == enters(absorbed, absorbed.link_version) == kept
    undo_merge(merge, by="Mia", now=NOW)
    assert enters(kept, version) is None
    assert enters(absorbed, absorbed.link_version) == absorbed


def test_a_fact_that_was_known_already_stays_where_it_is(merge: Merge, kept: Customer, take_in: Import) -> None:
    record_fact(kept, kind="ticket", occurred_at=NOW, source_code="theatre", external_id="a")
    run = take_in("facts", "klantnummer,soort,tijdstip,id", "7,ticket,2026-01-01,a", source="theatre")
    assert run.new_count == run.refused_count == 0
    undo_merge(merge, by="Mia", now=NOW + DAY)
    assert kept.facts.count() == 1
