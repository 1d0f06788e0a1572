from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import close_old_connections, connection

from common.errors import Refused
from customers.models import Customer
from tests.factories import CustomerFactory, DefinitionFactory
from vouchers import codes
from vouchers.actions import issue_anonymous, issue_vouchers, issue_vouchers_sql, pause
from vouchers.models import Definition, Voucher

pytestmark = pytest.mark.django_db

ALL = Customer.objects.all


def test_each_customer_gets_a_code_of_his_own(definition: Definition, now: dt.datetime) -> None:
    customers = CustomerFactory.create_batch(5)
    assert issue_vouchers(definition, ALL(), origin="by hand:1", now=now) == 5
    vouchers = Voucher.objects.all()
    assert {voucher.customer for voucher in vouchers} == set(customers)
    assert all(codes.is_well_formed(voucher.code) for voucher in vouchers)
    assert {(v.state, v.uses, v.origin, v.issued_at, v.valid_from, v.valid_until) for v in vouchers} == {
        ("issued", 0, "by hand:1", now, dt.date(2026, 6, 15), None)
    }


def test_repeating_an_issue_gives_nobody_a_second(definition: Definition, now: dt.datetime) -> None:
    CustomerFactory.create_batch(3)
    issue_vouchers(definition, ALL(), origin="mailing:1", now=now)
    CustomerFactory.create_batch(2)
    assert issue_vouchers(definition, ALL(), origin="mailing:1", now=now) == 2
    assert issue_vouchers(definition, ALL(), origin="mailing:1", now=now) == 0
    assert Voucher.objects.count() == 5


def test_another_occasion_gives_another_voucher(definition: Definition, customer: Customer, now: dt.datetime) -> None:
    issue_vouchers(definition, ALL(), origin="mailing:1", now=now)
    assert issue_vouchers(definition, ALL(), origin="mailing:2", now=now) == 1


def test_nobody_to_give_to_is_no_error(definition: Definition, now: dt.datetime) -> None:
    assert issue_vouchers(definition, Customer.objects.none(), origin="x", now=now) == 0


def test_a_query_may_name_a_customer_twice_and_hold_percent_signs(
    definition: Definition, customer: Customer, now: dt.datetime
) -> None:
    twice = (
        "SELECT id FROM customers_customer WHERE last_name LIKE 'de%%' UNION ALL "
        "SELECT id FROM customers_customer WHERE '{braces}' <> ''"
    )
    assert issue_vouchers_sql(definition, twice, origin="x", now=now) == 1


def test_the_number_of_statements_does_not_grow_with_the_customers(
    definition: Definition, now: dt.datetime, django_assert_max_num_queries: object
) -> None:
    def statements(origin: str) -> int:
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            issue_vouchers(definition, ALL(), origin=origin, now=now)
        return len(captured)

    CustomerFactory()
    one = statements("a")
    CustomerFactory.create_batch(20)
    assert statements("b") == one


def test_an_issue_on_a_summer_evening_falls_on_the_amsterdam_day(customer: Customer) -> None:
    definition = DefinitionFactory(valid_days=1)
    late = dt.datetime(2026, 6, 15, 22, 30, tzinfo=dt.UTC)
    issue_vouchers(definition, ALL(), origin="x", now=late)
    voucher = Voucher.objects.get()
    assert (voucher.valid_from, voucher.valid_until) == (dt.date(2026, 6, 16), dt.date(2026, 6, 17))


@pytest.mark.parametrize("state", ["draft", "paused", "closed"])
def test_only_an_active_voucher_is_given_out(customer: Customer, now: dt.datetime, state: str) -> None:
    with pytest.raises(Refused) as refused:
        issue_vouchers(DefinitionFactory(state=state), ALL(), origin="x", now=now)
    assert refused.value.code == "not_active"
    assert not Voucher.objects.exists()


def test_a_stale_definition_in_memory_does_not_get_past_a_pause(
    definition: Definition, customer: Customer, now: dt.datetime
) -> None:
    stale = Definition.objects.get(pk=definition.pk)
    pause(definition)
    with pytest.raises(Refused):
        issue_vouchers(stale, ALL(), origin="x", now=now)


def test_a_voucher_past_its_last_day_is_not_given_out(customer: Customer, now: dt.datetime) -> None:
    definition = DefinitionFactory(valid_until=dt.date(2026, 6, 14))
    with pytest.raises(Refused) as refused:
        issue_vouchers(definition, ALL(), origin="x", now=now)
    assert refused.value.code == "expired"


def test_the_last_day_itself_still_counts(customer: Customer, now: dt.datetime) -> None:
    definition = DefinitionFactory(valid_until=dt.date(2026, 6, 15))
    assert issue_vouchers(definition, ALL(), origin="x", now=now) == 1


def test_above_the_limit_nobody_gets_one(now: dt.datetime) -> None:
    definition = DefinitionFactory(limit_issued=4)
    CustomerFactory.create_batch(3)
    issue_vouchers(definition, ALL(), origin="x", now=now)
    CustomerFactory.create_batch(2)
    with pytest.raises(Refused) as refused:
        issue_vouchers(definition, ALL(), origin="x", now=now)
    assert refused.value.code == "limit"
    assert Voucher.objects.count() == 3


def test_a_code_that_exists_already_is_replaced_by_another(
    definition: Definition, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    CustomerFactory.create_batch(2)
    (taken,) = codes.generate(1)
    # by chance two codes are the same once in many billions: chance is made to repeat itself
    rounds = iter([[taken, taken], list(codes.generate(1))])
    monkeypatch.setattr(codes, "generate", lambda _count: iter(next(rounds)))
    assert issue_vouchers(definition, ALL(), origin="x", now=now) == 2
    assert Voucher.objects.filter(code=taken).count() == 1


def test_codes_without_a_name_are_brought_up_to_the_number_asked(now: dt.datetime) -> None:
    definition = DefinitionFactory(holder="anyone")
    assert issue_anonymous(definition, count=7, origin="flyer", now=now) == 7
    assert issue_anonymous(definition, count=10, origin="flyer", now=now) == 3
    assert issue_anonymous(definition, count=2, origin="flyer", now=now) == 0
    assert Voucher.objects.filter(customer=None).count() == 10


def test_a_voucher_in_a_name_is_not_given_out_without_one(definition: Definition, now: dt.datetime) -> None:
    with pytest.raises(Refused) as refused:
        issue_anonymous(definition, count=1, origin="flyer", now=now)
    assert refused.value.code == "holder_needed"


@pytest.mark.django_db(transaction=True)
def test_two_runs_for_one_occasion_at_once_give_each_customer_one(now: dt.datetime) -> None:
    definition = DefinitionFactory()
    CustomerFactory.create_batch(50)

    def run(_number: int) -> int:
        try:
            return issue_vouchers(definition, ALL(), origin="mailing:1", now=now)
        finally:
            connection.close()

    close_old_connections()
    with ThreadPoolExecutor(4) as pool:
        issued = list(pool.map(run, range(4)))
    assert sorted(issued) == [0, 0, 0, 50]
    assert Voucher.objects.count() == 50
