"""The tally of facts equals the facts, however often it is counted."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from common.time import AMSTERDAM
from customers.actions import record_fact
from customers.actions.tallies import tally_facts
from customers.models import Fact, FactTally
from tests.factories import NOW, CustomerFactory, SourceFactory

pytestmark = pytest.mark.django_db


def test_it_equals_the_facts_per_kind_source_and_month_of_amsterdam() -> None:
    customer = CustomerFactory()
    SourceFactory(code="theatre")
    for number in range(40):
        record_fact(
            customer, kind=("loan", "ticket")[number % 2], source_code=("library", "theatre")[number % 3 == 0],
            occurred_at=NOW - dt.timedelta(days=9 * number), external_id=str(number),
        )  # fmt: skip
    midnight = dt.datetime(2026, 2, 1, 0, 30, tzinfo=AMSTERDAM)  # January in UTC
    record_fact(customer, kind="loan", source_code="library", occurred_at=midnight, external_id="nacht")
    told = Counter(
        (fact.kind, fact.source_id, fact.occurred_at.astimezone(AMSTERDAM).date().replace(day=1))
        for fact in Fact.objects.all()
    )
    for _time in range(2):
        tally_facts(now=NOW)
        found = {(row.kind, row.source_id, row.month): row.count for row in FactTally.objects.all()}
        assert found == told
    assert FactTally.objects.order_by("-last_at")[0].last_at == NOW
    Fact.objects.all().delete()
    assert tally_facts(now=NOW) == 0
    assert not FactTally.objects.exists()
