"""Adding and changing people by hand, by themselves and through the API."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User

from common.errors import Refused
from customers.actions import add_customer, change_customer
from customers.models import Customer, CustomerChange
from tests.factories import NOW, BranchFactory, ContactPointFactory, CustomerFactory, SourceFactory

pytestmark = pytest.mark.django_db


def test_a_new_customer_is_kept_in_normal_forms(marketeer: User) -> None:
    customer = add_customer(
        number=" 7 ", kind="member", by=marketeer, now=NOW, first_name="Bo", last_name="Wit", email=" Bo@Example.NL ",
        phone="06 1234 0001", street="Dijk", house_number="3", postal_code="1441 ab", city="Edam",
    )  # fmt: skip
    assert (customer.number, customer.postal_code) == ("7", "1441AB")
    assert customer.household is not None
    assert customer.household.key == "1441AB|3|"
    assert {point.value for point in customer.contact_points.all()} == {"bo@example.nl", "+31612340001"}
    assert (customer.created_at, customer.source.code) == (NOW, "workbench")
    change = customer.changes.get()
    assert (change.fields, change.changed_by, change.user) == ({"number": ["", "7"]}, "marketeer", marketeer)


def test_a_number_is_taken_once() -> None:
    CustomerFactory(number="7")
    with pytest.raises(Refused) as refused:
        add_customer(number="7", kind="member", by=None, now=NOW)
    assert (refused.value.code, refused.value.field) == ("number_taken", "number")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "bo(at)example.nl"),
        ("phone", "12"),
        ("postal_code", "1441"),
        ("birth_date", dt.date(2026, 6, 16)),
        ("birth_date", dt.date(1899, 12, 31)),
        ("kind", "friend"),
    ],
)
def test_a_wrong_value_is_refused_and_nothing_written(field: str, value: Any) -> None:
    customer = CustomerFactory(first_name="Anna")
    fields: Any = {"first_name": "Bo", field: value}
    with pytest.raises(Refused) as refused:
        change_customer(customer, by="x", now=NOW, **fields)
    assert refused.value.field == field
    customer.refresh_from_db()
    assert customer.first_name == "Anna"


def test_a_field_that_is_no_field_is_an_error() -> None:
    fields: Any = {"link_version": 3}
    with pytest.raises(TypeError, match="link_version"):
        change_customer(CustomerFactory(), by="x", now=NOW, **fields)


def test_a_change_keeps_before_and_after(marketeer: User) -> None:
    edam = BranchFactory(code="EDA")
    customer = CustomerFactory(first_name="Anna", birth_date=None, email="oud@example.nl")
    later = NOW + dt.timedelta(hours=1)
    changed = change_customer(
        customer, by=marketeer, now=later, first_name="Anne", birth_date=dt.date(1980, 1, 2), branch=edam,
        email="nieuw@example.nl", city="Purmerend",
    )  # fmt: skip
    assert changed.updated_at == later
    change = CustomerChange.objects.get()
    assert change.fields == {
        "first_name": ["Anna", "Anne"],
        "birth_date": ["", "1980-01-02"],
        "branch": ["", "EDA"],
        "email": ["oud@example.nl", "nieuw@example.nl"],
    }
    assert change.user == marketeer


def test_what_does_not_differ_is_not_written() -> None:
    customer = CustomerFactory(email="anna@example.nl")
    change_customer(
        customer,
        by="x",
        now=NOW + dt.timedelta(days=1),
        city="Purmerend",
        email="Anna@Example.nl",
        postal_code="1441 ab",
    )
    assert not CustomerChange.objects.exists()
    customer.refresh_from_db()
    assert customer.updated_at == NOW


def test_moving_changes_the_household_and_an_incomplete_address_has_none() -> None:
    first, second = CustomerFactory(), CustomerFactory()
    for customer in (first, second):
        change_customer(customer, by="x", now=NOW, postal_code="1135AB", house_number="8", house_number_addition="A")
    assert Customer.objects.values("household__key").distinct().get()["household__key"] == "1135AB|8|a"
    assert change_customer(first, by="x", now=NOW, house_number="").household is None


def test_a_new_address_becomes_the_primary_one_and_the_file_keeps_its_own() -> None:
    customer = CustomerFactory(email="file@example.nl")
    change_customer(customer, by="customer", now=NOW, source_code="mijnmenu", email="own@example.nl")
    assert dict(customer.contact_points.values_list("value", "is_primary")) == {
        "own@example.nl": True,
        "file@example.nl": False,
    }


def test_choosing_a_known_address_makes_it_primary_again() -> None:
    customer = CustomerFactory(email="first@example.nl")
    ContactPointFactory(
        customer=customer, value="second@example.nl", is_primary=False, source=SourceFactory(code="theatre")
    )
    change_customer(customer, by="x", now=NOW, email="second@example.nl")
    assert customer.contact_points.get(is_primary=True).value == "second@example.nl"
    assert customer.contact_points.count() == 2


def test_removing_an_address_removes_all_that_are_known() -> None:
    customer = CustomerFactory(email="first@example.nl")
    ContactPointFactory(customer=customer, value="second@example.nl", is_primary=False)
    change_customer(customer, by="x", now=NOW, email="")
    assert not customer.contact_points.exists()


def test_one_address_per_channel_is_primary_whatever_is_changed() -> None:
    customer = CustomerFactory(phone="+31612340001")
    for number in range(4):
        change_customer(customer, by="x", now=NOW, email=f"{number % 2}@example.nl", phone=f"061234000{number}")
    primary = customer.contact_points.filter(is_primary=True)
    assert sorted(primary.values_list("channel", "value")) == [("email", "1@example.nl"), ("phone", "+31612340003")]
