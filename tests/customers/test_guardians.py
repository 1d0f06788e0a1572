from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User

from common.errors import Refused
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
