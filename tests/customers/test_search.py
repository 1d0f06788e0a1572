"""People are found by what one has at hand: name, number, address, also with a typing error."""

from __future__ import annotations

import pytest

from customers.models import Customer
from customers.names import fold_name
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> None:
    CustomerFactory(
        number="1000001", first_name="Anja", name_prefix="de", last_name="Wit", email="anja.dewit@example.nl",
        phone="+31612340001", postal_code="1441AB", house_number="12",
    )  # fmt: skip
    CustomerFactory(number="1000002", first_name="Piet", last_name="Jansen", postal_code="1441AB", house_number="14")
    CustomerFactory(number="K-3", first_name="Édith", name_prefix="van der", last_name="Møller", postal_code="1135CD")
    CustomerFactory(number="2000004", first_name="Jan", last_name="Janssen", postal_code="1131XX")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1000001", ["1000001"]),
        ("10000", ["1000001", "1000002"]),
        ("k-3", ["K-3"]),
        ("anja.dewit@example.nl", ["1000001"]),
        ("ANJA.DEWIT@", ["1000001"]),
        ("1441 ab", ["1000001", "1000002"]),
        ("1441ab 14", ["1000002"]),
        ("1135", ["K-3"]),
        ("06-12340001", ["1000001"]),
        ("wit", ["1000001"]),
        ("Anja de Wit", ["1000001"]),
        ("de wit anja", ["1000001"]),
        ("edith moller", ["K-3"]),
        ("MØLLER", ["K-3"]),
        ("piet jansn", ["1000002"]),
        ("nobody at all", []),
        ("()", []),
    ],
)
def test_search(people: None, text: str, numbers: list[str]) -> None:
    assert [customer.number for customer in Customer.objects.search(text)] == numbers


def test_the_best_match_comes_first(people: None) -> None:
    assert Customer.objects.search("jansen")[0].last_name == "Jansen"
    assert {customer.last_name for customer in Customer.objects.search("jansen")} == {"Jansen", "Janssen"}


def test_an_empty_search_leaves_the_list_as_it_is(people: None) -> None:
    assert Customer.objects.search("  ").count() == 4


@pytest.mark.parametrize("text", ["%", "_", "'; DROP TABLE customers_customer; --", "\\", "a" * 500])
def test_strange_searches_find_nobody_by_accident(people: None, text: str) -> None:
    found = Customer.objects.search(text)
    assert found.count() == 0


@pytest.mark.parametrize("name", ["Édith van der Møller", "Straßburg", "ŠIMŮNEK  Jr.", "Ægir", "José", "O'Neill"])
def test_search_words_and_stored_names_are_folded_alike(name: str) -> None:
    customer = CustomerFactory(last_name=name, first_name="", initials="")
    customer.refresh_from_db()
    assert " ".join(customer.name_key.split()) == fold_name(name)


def test_reachable_customers() -> None:
    everything = CustomerFactory(phone="+31612340001")
    nothing = CustomerFactory(email="", street="")
    assert list(Customer.objects.with_email()) == [everything]
    assert list(Customer.objects.with_phone()) == [everything]
    assert list(Customer.objects.with_address()) == [everything]
    values = {customer.pk: (customer.email, customer.phone) for customer in Customer.objects.with_contact_values()}
    assert values == {everything.pk: (f"klant{everything.number}@example.nl", "+31612340001"), nothing.pk: ("", "")}
