"""Facts are recorded once and their totals never differ from them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import Refused
from common.sql import as_subquery
from customers.actions import record_fact, record_facts_sql
from customers.actions.kinds import add_kind
from customers.facts import fact_kinds, income, kinds
from customers.models import Customer, Fact, FactTotal, KindSetting, Source
from customers.recording import FACT_COLUMNS
from tests.factories import NOW, BranchFactory, CustomerFactory, SourceFactory

pytestmark = pytest.mark.django_db


def record(customer: Customer, external_id: str = "1", **fields: Any) -> bool:
    told: dict[str, Any] = {"kind": "loan", "occurred_at": NOW, "source_code": "library"} | fields
    return record_fact(customer, external_id=external_id, **told)


def test_a_fact_is_recorded_with_all_that_is_known_of_it() -> None:
    customer, branch = CustomerFactory(), BranchFactory()
    assert record(
        customer, branch=branch, sector="bibliotheek", world="reizen", genre="gidsen", quantity=3, amount_cents=1250,
        duration_seconds=60, kind="ticket",
    )  # fmt: skip
    fact = Fact.objects.get()
    assert (fact.customer, fact.branch, fact.kind, fact.occurred_at) == (customer, branch, "ticket", NOW)
    assert (fact.sector, fact.world, fact.genre) == ("bibliotheek", "reizen", "gidsen")
    assert (fact.quantity, fact.amount_cents, fact.duration_seconds) == (3, 1250, 60)


def test_the_same_fact_told_twice_counts_once() -> None:
    customer = CustomerFactory()
    assert record(customer)
    assert not record(customer, occurred_at=NOW + dt.timedelta(days=1))
    assert FactTotal.objects.get().count == 1


def test_another_source_may_use_the_same_id() -> None:
    customer = CustomerFactory()
    assert record(customer)
    assert record(customer, source_code="theatre")
    assert FactTotal.objects.get().count == 2


@pytest.mark.parametrize("wrong", [{"kind": "theft"}, {"source_code": "gossip"}])
def test_an_unknown_kind_or_source_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(Refused):
        record(CustomerFactory(), **wrong)
    assert not Fact.objects.exists()


def test_a_source_of_ours_is_made_when_it_is_missing() -> None:
    Source.objects.filter(code="mailings").delete()
    record(CustomerFactory(), source_code="mailings")
    assert Fact.objects.get().source.name == "Mailings"


def test_one_statement_records_a_fact_for_many_customers() -> None:
    CustomerFactory.create_batch(3, city="100% Edam")
    CustomerFactory(city="Purmerend")
    source = SourceFactory()
    chosen = as_subquery(Customer.objects.filter(city__startswith="100%").values("id"))
    select = f"""
        SELECT id AS customer_id, '2026-06-01 10:00+02'::timestamptz AS occurred_at, NULL::bigint AS branch_id,
            2 AS quantity, 500 AS amount_cents, {source.pk} AS source_id, 'x-' || id AS external_id
        FROM ({chosen}) AS chosen
    """  # noqa: S608
    assert record_facts_sql(select, kind="fee") == 3
    assert record_facts_sql(select, kind="fee") == 0
    assert set(FactTotal.objects.values_list("kind", "count", "quantity", "amount_cents")) == {("fee", 1, 2, 500)}


FACTS = st.lists(
    st.tuples(
        st.integers(0, 1),  # whose
        st.sampled_from(["loan", "fee"]),
        st.integers(0, 5),  # days ago
        st.integers(1, 6),  # external id
        st.integers(1, 4),  # quantity
        st.integers(-500, 500),  # cents
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=FACTS)
def test_totals_equal_the_facts_whatever_is_told(db: None, told: list[tuple[int, str, int, int, int, int]]) -> None:
    people = [CustomerFactory(), CustomerFactory()]
    for who, kind, days, external_id, quantity, cents in told:
        record(
            people[who], str(external_id), kind=kind, occurred_at=NOW - dt.timedelta(days=days), quantity=quantity,
            amount_cents=cents,
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM (
                SELECT customer_id, kind, count(*) AS count, min(occurred_at) AS first_at, max(occurred_at) AS last_at,
                    sum(quantity) AS quantity, sum(amount_cents) AS amount_cents
                FROM customers_fact GROUP BY customer_id, kind
            ) AS fact FULL JOIN customers_facttotal AS total USING (customer_id, kind)
            WHERE (fact.count, fact.first_at, fact.last_at, fact.quantity, fact.amount_cents)
                IS DISTINCT FROM (total.count, total.first_at, total.last_at, total.quantity, total.amount_cents)
            """
        )
        assert cursor.fetchone()[0] == 0


def test_activity_is_counted_per_month_of_amsterdam_and_kind(django_assert_num_queries: Any) -> None:
    customer = CustomerFactory()
    # 22:30 UTC on the last day of May is half past midnight in June's Amsterdam.
    record(customer, "1", occurred_at=dt.datetime(2026, 5, 31, 21, 30, tzinfo=dt.UTC))
    record(customer, "2", occurred_at=dt.datetime(2026, 5, 31, 22, 30, tzinfo=dt.UTC))
    record(customer, "3", kind="ticket", occurred_at=dt.datetime(2026, 6, 2, 12, tzinfo=dt.UTC))
    record(CustomerFactory(), "4")
    facts = Fact.objects.of(customer)
    may, june = dt.date(2026, 5, 1), dt.date(2026, 6, 1)
    with django_assert_num_queries(1):
        assert facts.by_month() == {"loan": {may: 1, june: 1}, "ticket": {june: 1}}
    since = dt.datetime(2026, 5, 31, 22, tzinfo=dt.UTC)
    assert facts.by_month(since=since) == {"loan": {june: 1}, "ticket": {june: 1}}


def test_worlds_are_counted_with_the_most_frequent_first(django_assert_num_queries: Any) -> None:
    customer = CustomerFactory()
    for number, world in enumerate(["reizen", "spanning", "spanning", ""]):
        record(customer, str(number), world=world)
    record(customer, "old", world="reizen", occurred_at=NOW - dt.timedelta(days=400), kind="reservation")
    record(customer, "older", world="reizen", occurred_at=NOW - dt.timedelta(days=401))
    with django_assert_num_queries(1):
        assert list(Fact.objects.of(customer).by_world().items()) == [("reizen", 3), ("spanning", 2)]
    recent = Fact.objects.of(customer).by_world(kind="loan", since=NOW - dt.timedelta(days=365))
    assert recent == {"spanning": 2, "reizen": 1}


def test_value_is_summed_per_year_and_kind_of_what_was_paid(django_assert_num_queries: Any) -> None:
    customer = CustomerFactory()
    record(customer, "1", kind="fee", amount_cents=5800)
    record(
        customer, "2", kind="ticket", amount_cents=2500, occurred_at=dt.datetime(2025, 12, 31, 23, 30, tzinfo=dt.UTC)
    )
    record(
        customer, "3", kind="ticket", amount_cents=2500, occurred_at=dt.datetime(2025, 12, 31, 22, 30, tzinfo=dt.UTC)
    )
    record(customer, "4", kind="redemption", amount_cents=1000)
    kinds = income()
    with django_assert_num_queries(1):
        years = Fact.objects.of(customer).by_year(kinds)
    assert years == {2026: {"fee": 5800, "ticket": 2500}, 2025: {"ticket": 2500}}
    assert list(years) == [2026, 2025]


def test_kinds_are_counted_from_the_rows() -> None:
    customer = CustomerFactory()
    for number in range(3):
        record(customer, str(number))
    record(customer, "f", kind="fee")
    assert Fact.objects.of(customer).by_kind() == {"loan": 3, "fee": 1}


def test_a_file_with_titles_is_refused_and_no_table_has_a_place_for_one(take_in: Any) -> None:
    CustomerFactory(number="1000001")
    header = "id;klantnummer;soort;tijdstip;wereld;genre;titel"
    with pytest.raises(Refused, match="titel"):
        take_in("facts", header, "U1;1000001;uitlening;2026-05-31;reizen;reisgidsen;Noorwegen in een week")
    assert not Fact.objects.exists()
    named = {field.name for field in Fact._meta.get_fields()} | set(FACT_COLUMNS)
    assert not {name for name in named if "title" in name or "titel" in name or name == "text"}


def test_an_own_kind_comes_in_with_a_file_by_its_name(take_in: Any) -> None:
    CustomerFactory(number="1000001")
    header = "id;klantnummer;soort;tijdstip;bedrag"
    told = "W1;1000001;Grote workshop;2026-05-31;12,50"
    assert take_in("facts", header, told).refused_count == 1
    add_kind(name="Grote workshop", verb="deed een workshop", has_amount=True, by=None, now=NOW)
    assert take_in("facts", header, told).new_count == 1
    fact = Fact.objects.get()
    assert (fact.kind, fact.amount_cents) == ("grote-workshop", 1250)
    assert "grote-workshop" in income()


def test_a_kind_that_another_process_makes_is_known_within_seconds() -> None:
    assert "workshop" not in fact_kinds
    KindSetting.objects.create(code="workshop", is_own=True, name="Workshop")
    fact_kinds._read_at -= fact_kinds.FRESH_SECONDS  # so much time goes by
    assert fact_kinds["workshop"].name == "Workshop"
    assert "workshop" in [kind.code for kind in kinds()]
    KindSetting.objects.all().delete()
    fact_kinds.forget()
    assert fact_kinds.get("workshop") is None


def test_kinds_of_the_code_never_ask_the_database(django_assert_num_queries: Any) -> None:
    fact_kinds.forget()
    with django_assert_num_queries(0):
        assert "loan" in fact_kinds
        assert fact_kinds["loan"].dutch == "uitlening"
    with django_assert_num_queries(1):
        for _use in range(3):
            list(fact_kinds)
            fact_kinds.get("unknown")
