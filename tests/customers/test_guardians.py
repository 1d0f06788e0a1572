from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.errors import Refused
from common.traces import Persons, traces
from customers.actions.guardians import add_guardian, end_guardian
from customers.models import Customer, Guardianship
from tests.factories import NOW, CustomerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def parent() -> Customer:
    return CustomerFactory(birth_date=dt.date(1980, 3, 14))


@pytest.fixture
def child() -> Customer:
    return CustomerFactory(birth_date=dt.date(2015, 3, 14))


def test_a_parent_is_recorded_with_who_said_so(parent: Customer, child: Customer, marketeer: User) -> None:
    bond = add_guardian(child, parent, by=marketeer, now=NOW)
    assert (bond.child, bond.guardian, bond.source.code) == (child, parent, "workbench")
    assert child.changes.get().fields == {"guardian": ["", parent.number]}


def test_ending_it_leaves_a_trace(parent: Customer, child: Customer, marketeer: User) -> None:
    end_guardian(add_guardian(child, parent, by=marketeer, now=NOW), by=marketeer, now=NOW)
    assert not Guardianship.objects.exists()
    assert child.changes.first().fields == {"guardian": [parent.number, ""]}


def test_what_cannot_be_is_refused(parent: Customer, child: Customer, marketeer: User) -> None:
    def refusal(one: Customer, other: Customer) -> str:
        with pytest.raises(Refused) as refused:
            add_guardian(one, other, by=marketeer, now=NOW)
        return refused.value.code

    baby = CustomerFactory(birth_date=dt.date(2020, 1, 1))
    unknown = CustomerFactory(birth_date=None)
    assert refusal(child, child) == "same_customer"
    assert refusal(parent, unknown) == "of_age"
    assert refusal(child, baby) == "not_older"
    add_guardian(unknown, child, by=marketeer, now=NOW)
    assert refusal(child, unknown) == "other_way"
    add_guardian(child, parent, by=marketeer, now=NOW)
    assert refusal(child, parent) == "known_already"


def test_changes_about_a_parent_are_found_without_reading_all_changes(parent: Customer, child: Customer) -> None:
    persons = Persons(ids=(parent.pk,), numbers=(parent.number,), emails=(), phones=(), now=NOW)
    with CaptureQueriesContext(connection) as queries:
        traces["guardians"].remove(persons)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {queries[-1]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "change_of_guardian" in plan, plan
