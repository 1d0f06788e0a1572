"""Facts whose retention is over become counts: each exactly once, whatever breaks off, and totals stay as they were."""

from __future__ import annotations

import datetime as dt
import signal
import time
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.db import connection
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import Refused
from common.time import local_date, start_of_day
from customers.actions import record_fact, run_import, undo_import
from customers.actions import retention as retention_module
from customers.actions.kinds import set_retention
from customers.actions.merging import merge_customers, undo_merge
from customers.actions.retention import retention_of_facts
from customers.models import Customer, Fact, FactCount, FactRemainder, FactTotal, KindSetting
from customers.recording import recount_totals
from tests.factories import NOW, BranchFactory, CustomerFactory, SourceFactory
from tests.killable import killable
from tests.tries import tries

TODAY = local_date(NOW)


def keep(kind: str, months: int | None) -> None:
    KindSetting.objects.update_or_create(code=kind, defaults={"keep_months": months})


def record(customer: Customer, external_id: str, **fields: Any) -> bool:
    told: dict[str, Any] = {"kind": "loan", "occurred_at": NOW, "source_code": "library"} | fields
    return record_fact(customer, external_id=external_id, **told)


def months_ago(months: int) -> dt.datetime:
    return NOW - relativedelta(months=months)


def totals() -> dict[tuple[int, str], tuple[Any, ...]]:
    return {
        (row.customer_id, row.kind): (row.first_at, row.last_at, row.count, row.quantity, row.amount_cents)
        for row in FactTotal.objects.all()
    }


@pytest.mark.django_db
def test_old_facts_become_counts_and_younger_ones_stay() -> None:
    customer, branch = CustomerFactory(), BranchFactory()
    record(customer, "old", occurred_at=months_ago(30), world="reizen", branch=branch, quantity=3, amount_cents=250)
    record(customer, "old too", occurred_at=months_ago(30) + dt.timedelta(days=1), world="reizen", branch=branch)
    record(customer, "young", occurred_at=months_ago(23))
    keep("loan", 24)
    assert retention_of_facts(day=TODAY, now=NOW) == {"loan": 2}
    assert list(Fact.objects.values_list("external_id", flat=True)) == ["young"]
    count = FactCount.objects.get()
    assert (count.month, count.kind, count.world, count.branch) == (dt.date(2023, 12, 1), "loan", "reizen", branch)
    assert (count.count, count.quantity, count.amount_cents) == (2, 4, 250)
    assert retention_of_facts(day=TODAY, now=NOW) == {}


@pytest.mark.django_db
def test_whole_months_stay_so_that_a_count_is_of_a_whole_month() -> None:
    customer = CustomerFactory()
    first = start_of_day(dt.date(2024, 6, 1))
    record(customer, "last of May", occurred_at=first - dt.timedelta(seconds=1))
    record(customer, "first of June", occurred_at=first)
    keep("loan", 24)
    for day in (dt.date(2026, 6, 1), dt.date(2026, 6, 30)):
        retention_of_facts(day=day, now=NOW)
        assert Fact.objects.get().external_id == "first of June"
    retention_of_facts(day=dt.date(2026, 7, 1), now=NOW)
    assert not Fact.objects.exists()


@pytest.mark.django_db
def test_what_nobody_set_stays() -> None:
    record(CustomerFactory(), "old", occurred_at=months_ago(120))
    assert retention_of_facts(day=TODAY, now=NOW) == {}
    keep("loan", None)
    assert retention_of_facts(day=TODAY, now=NOW) == {}
    assert Fact.objects.exists()


@pytest.mark.django_db
def test_totals_stay_as_they_were_so_that_labels_and_selections_do() -> None:
    customer = CustomerFactory()
    record(customer, "first", occurred_at=months_ago(60))
    record(customer, "last", occurred_at=months_ago(30))
    before = totals()
    keep("loan", 24)
    retention_of_facts(day=TODAY, now=NOW)
    assert not Fact.objects.exists()
    assert totals() == before
    recount_totals("SELECT id FROM customers_customer")
    assert totals() == before
    remainder = FactRemainder.objects.get()
    assert (remainder.customer, remainder.count, remainder.first_at) == (customer, 2, months_ago(60))


@pytest.mark.django_db
def test_a_file_with_old_facts_taken_in_again_counts_nothing_twice() -> None:
    customer = CustomerFactory()
    record(customer, "old", occurred_at=months_ago(30))
    keep("loan", 24)
    retention_of_facts(day=TODAY, now=NOW)
    assert not record(customer, "old", occurred_at=months_ago(30))
    assert record(customer, "old", occurred_at=months_ago(30), kind="fee"), "other kinds have a term of their own"
    keep("loan", 120)  # a longer term does not bring back what has become counts
    retention_of_facts(day=TODAY, now=NOW)
    assert not record(customer, "old", occurred_at=months_ago(30))
    assert FactCount.objects.get().count == 1


@pytest.mark.django_db
def test_a_merge_that_is_undone_after_it_gives_each_his_own_totals_back() -> None:
    first, second, third = CustomerFactory(), CustomerFactory(), CustomerFactory()
    for number, customer in enumerate((first, second, third), 1):
        for fact in range(number):
            record(customer, f"{customer.pk}-{fact}", occurred_at=months_ago(30 + fact), quantity=number)
        record(customer, f"{customer.pk}-young", occurred_at=months_ago(2))
    before = totals()
    inner = merge_customers(second, third, by="x", now=NOW)
    outer = merge_customers(first, second, by="x", now=NOW + dt.timedelta(minutes=1))
    keep("loan", 24)
    assert retention_of_facts(day=TODAY, now=NOW) == {"loan": 6}
    assert FactTotal.objects.get().count == 9
    assert set(FactRemainder.objects.values_list("origin", flat=True)) == {first.pk, second.pk, third.pk}
    undo_merge(outer, by="x", now=NOW + dt.timedelta(hours=1))
    undo_merge(inner, by="x", now=NOW + dt.timedelta(hours=2))
    assert totals() == before
    recount_totals("SELECT id FROM customers_customer")
    assert totals() == before
    assert FactCount.objects.aggregate(n=Sum("count"))["n"] == 6


@pytest.mark.django_db
def test_a_merge_in_the_middle_of_a_chain_is_undone_too_and_what_fades_in_two_nights_is_one_remainder() -> None:
    first, second, third = CustomerFactory(), CustomerFactory(), CustomerFactory()
    for customer in (first, second, third):
        for months in (40, 30):
            record(customer, f"{customer.pk}-{months}", occurred_at=months_ago(months))
    before = totals()
    inner = merge_customers(second, third, by="x", now=NOW)
    merge_customers(first, second, by="x", now=NOW + dt.timedelta(minutes=1))
    for term in (36, 24):
        keep("loan", term)
        assert retention_of_facts(day=TODAY, now=NOW) == {"loan": 3}
    assert FactRemainder.objects.count() == 3
    undo_merge(inner, by="x", now=NOW + dt.timedelta(hours=1))
    own = FactTotal.objects.get(customer=third)
    assert (own.count, own.last_at) == (2, before[third.pk, "loan"][1])
    assert FactTotal.objects.get(customer=first).count == 4


@pytest.mark.django_db
def test_an_import_is_undone_after_it_without_losing_who_is_counted(take_in: Any) -> None:
    take_in("customers", "klantnummer;achternaam;soort", "1000001;Wit;lid")
    rows = [f"U{number};1000001;uitlening;{2020 + number}-01-05" for number in range(6)]
    run = take_in("facts", "id;klantnummer;soort;tijdstip", *rows)
    keep("loan", 24)
    assert retention_of_facts(day=TODAY, now=NOW) == {"loan": 5}
    run_import(undo_import(run, by=None, now=NOW), now=NOW)
    assert not Fact.objects.exists()
    assert FactCount.objects.aggregate(n=Sum("count"))["n"] == 5
    assert FactTotal.objects.get().count == 5, "what became a count cannot be taken back"


@pytest.mark.django_db
def test_totals_are_counted_anew_from_facts_and_remainders() -> None:
    customer, other = CustomerFactory(), CustomerFactory()
    record(customer, "1", quantity=2, amount_cents=100)
    record(customer, "2", kind="fee", amount_cents=500)
    record(other, "3")
    expected = totals()
    FactTotal.objects.filter(kind="loan", customer=customer).update(count=99, first_at=months_ago(99))
    FactTotal.objects.filter(kind="fee").delete()
    FactTotal.objects.create(
        customer=customer, kind="ticket", first_at=NOW, last_at=NOW, count=1, quantity=1, amount_cents=0
    )
    recount_totals("SELECT %(who)s::bigint", {"who": customer.pk})
    assert totals() == expected


@pytest.mark.django_db
def test_a_term_shorter_than_labels_look_back_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        set_retention("loan", months=12, by=None, now=NOW)
    assert "24" in str(refused.value)
    set_retention("loan", months=24, by=None, now=NOW)
    assert KindSetting.objects.get(code="loan").keep_months == 24


@pytest.mark.django_db
def test_an_unknown_kind_has_no_term() -> None:
    with pytest.raises(Refused):
        set_retention("gossip", months=24, by=None, now=NOW)


FACTS = st.lists(
    st.tuples(
        st.integers(0, 1),  # whose
        st.sampled_from(["loan", "fee"]),
        st.integers(0, 30),  # months ago
        st.integers(1, 3),  # number
        st.integers(1, 4),  # quantity
        st.sampled_from(["", "reizen", "spanning"]),
    ),
    max_size=12,
)
STEPS = st.lists(st.one_of(FACTS, st.tuples(st.sampled_from(["loan", "fee"]), st.integers(1, 28))), max_size=8)


@pytest.mark.django_db
@settings(max_examples=tries(16), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_facts_told_and_terms_set_in_any_order_count_each_fact_once(db: None, steps: list[Any]) -> None:
    for model in (Fact, FactTotal, FactCount, FactRemainder, KindSetting):
        model.objects.all().delete()
    people = [CustomerFactory(), CustomerFactory()]
    taken: dict[tuple[int, str], tuple[str, int]] = {}
    for step in steps:
        if isinstance(step, tuple):
            keep(*step)
            retention_of_facts(day=TODAY, now=NOW)
            continue
        for who, kind, months, number, quantity, world in step:
            fact = {"kind": kind, "occurred_at": months_ago(months), "quantity": quantity, "world": world}
            external_id = f"{kind}-{months}-{number}"  # what happened, and when, does not change
            known = (who, external_id) in taken
            if record(people[who], external_id, **fact):
                assert not known, "a fact that was taken in came in again"
                taken[who, external_id] = (kind, quantity)
            else:
                assert known or KindSetting.objects.get(code=kind).kept_from > fact["occurred_at"]
    for kind in ("loan", "fee"):
        told = [quantity for what, quantity in taken.values() if what == kind]
        rows = Fact.objects.filter(kind=kind)
        left = FactCount.objects.filter(kind=kind).aggregate(n=Sum("count", default=0), q=Sum("quantity", default=0))
        assert rows.count() + left["n"] == len(told)
        assert (rows.aggregate(q=Sum("quantity", default=0))["q"]) + left["q"] == sum(told)
        remembered = FactRemainder.objects.filter(kind=kind).aggregate(n=Sum("count", default=0))["n"]
        assert remembered == left["n"]
    before = totals()
    recount_totals("SELECT id FROM customers_customer")
    assert totals() == before


def told() -> int:
    """Facts and counts in one look, since the server may still be at the last statement of who was killed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM customers_fact) + (SELECT coalesce(sum(count), 0) FROM customers_factcount)"
        )
        return int(cursor.fetchone()[0])


KILLS = tries(5)
ROWS = 1000 * KILLS
CHILD = """
from customers.actions import retention
retention.BATCH = 50
from common.time import clock, local_date
retention.retention_of_facts(day=local_date(clock()), now=clock())
"""


@pytest.mark.django_db(transaction=True)
def test_killing_it_again_and_again_loses_and_doubles_nothing(process_environment: dict[str, str]) -> None:
    customers = [CustomerFactory() for _number in range(20)]
    source, old = SourceFactory(), timezone.now() - relativedelta(months=40)
    Fact.objects.bulk_create(
        Fact(
            customer=customers[number % 20], kind="loan", occurred_at=old - dt.timedelta(hours=number),
            world=f"w{number % 7}", quantity=2, source=source, external_id=str(number),
        )
        for number in range(ROWS)
    )  # fmt: skip
    recount_totals("SELECT id FROM customers_customer")
    before = totals()
    keep("loan", 24)
    broken_off = 0
    with killable(process_environment, "import customers.actions, common.time") as child:
        for _kill in range(KILLS):
            child.start(CHILD)
            had = FactCount.objects.aggregate(n=Sum("count", default=0))["n"]
            until = time.monotonic() + 60
            while FactCount.objects.aggregate(n=Sum("count", default=0))["n"] < had + 200 and not child.is_over:
                assert time.monotonic() < until, "it does nothing"
            broken_off += child.kill() == -signal.SIGKILL
            assert told() == ROWS
    assert broken_off > KILLS / 2, "it was too quick to be killed"
    retention_of_facts(day=local_date(timezone.now()), now=timezone.now())
    assert not Fact.objects.exists()
    left = FactCount.objects.aggregate(n=Sum("count"), q=Sum("quantity"))
    assert left == {"n": ROWS, "q": 2 * ROWS}
    assert totals() == before
    recount_totals("SELECT id FROM customers_customer")
    assert totals() == before


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_who_still_inserts_by_an_older_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    # it gives up after two minutes of trying, which a test cannot wait for
    monkeypatch.setattr(retention_module, "TRIES", 1)
    monkeypatch.setattr(retention_module, "PATIENCE", "50ms")
    record(CustomerFactory(), "old", occurred_at=months_ago(30))
    keep("loan", 24)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [retention_module.INSERT_LOCK])
            assert retention_of_facts(day=TODAY, now=NOW) == {}
            assert Fact.objects.exists()
            cursor.execute("COMMIT")
        assert retention_of_facts(day=TODAY, now=NOW) == {"loan": 1}
    finally:
        other.close()
