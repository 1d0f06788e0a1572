"""Totals of what customers did: asked at once at the present, brought back to a moment in the past."""

from __future__ import annotations

import datetime as dt

import pytest

from customers.actions import record_fact
from customers.criteria.facts import totals
from customers.models import Customer
from tests.factories import NOW, CustomerFactory, SourceFactory

pytestmark = pytest.mark.django_db


def lent(customer: Customer, days_ago: int) -> None:
    moment = NOW - dt.timedelta(days=days_ago)
    name = f"{customer.pk}-{days_ago}"
    record_fact(customer, kind="loan", occurred_at=moment, source_code="library", external_id=name)


def test_only_when_somebody_did_it_later_is_his_total_brought_back() -> None:
    SourceFactory(code="library")
    anna, bram = CustomerFactory(), CustomerFactory()
    lent(anna, 100)
    lent(bram, 5)
    since = NOW - dt.timedelta(days=110)
    for until, found in ((NOW - dt.timedelta(days=90), {anna}), (NOW, {anna, bram})):
        present = Customer.objects.filter(totals.last_within("loan", since, until, now=NOW))
        assert set(present) == found
        assert "UNION ALL" not in str(present.query)
    earlier = NOW - dt.timedelta(days=50)
    lent(anna, 20)
    lent(bram, 101)
    past = Customer.objects.filter(totals.last_within("loan", since, earlier, now=earlier))
    assert set(past) == {anna, bram}
    assert "UNION ALL" in str(past.query)
