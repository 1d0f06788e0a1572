"""People are found by what one has at hand: name, number, address, also with a typing error."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, SourceRecord
from customers.names import fold_name
from customers.numbers import find
from tests.factories import NOW, CustomerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> None:
    CustomerFactory(
        number="1000001", first_name="Anja", name_prefix="de", last_name="Wit", email="anja.dewit@example.nl",
        phone="+31612340001", postal_code="1441AB", house_number="12",
    )  # fmt: skip
    CustomerFactory(number="1000002", first_name="Piet", last_name="Jansen", postal_code="1441AB", house_number="14")
    CustomerFactory(number="K-3", first_name="Édith", name_prefix="van der", last_name="Møller", postal_code="1135CD")
    CustomerFactory(
        number="2000004", first_name="Jan", last_name="Janssen", postal_code="1131XX", card_number="29001234",
        birth_date=dt.date(1979, 3, 14), email="jan@voorbeeld.nl",
    )  # fmt: skip
    gone = CustomerFactory(number="3000005", last_name="Wit", first_name="Anja", card_number="29009999")
    Customer.objects.filter(pk=gone.pk).update(merged_into=Customer.objects.get(number="1000001"))


@pytest.fixture
def crowd() -> None:
    """More people with names that resemble each other than are compared to find the best."""
    like = CustomerFactory(number="2000000", first_name="Bo", name_prefix="", last_name="Jansma")
    Customer.objects.bulk_create(
        Customer(
            number=f"{3_000_000 + at}", kind="member", first_name="Bo", last_name=f"Jansma{at}", source=like.source,
            created_at=NOW, updated_at=NOW,
        )
        for at in range(1000)
    )  # fmt: skip


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
        ("14-03-1979", ["2000004"]),
        ("14/3/1979", ["2000004"]),
        ("1979-03-14", ["2000004"]),
        ("14031979", ["2000004"]),
        ("31-02-1979", []),
        ("janssen 14-03-1979", ["2000004"]),
        ("jansen 14-03-1979", []),
        ("wit 1441ab", ["1000001"]),
        ("1441AB 12 wit", ["1000001"]),
        ("29001234", ["2000004"]),
        ("290012", ["2000004"]),
        ("29009999", ["1000001"]),
        ("3000005", ["1000001"]),
        ("30000", ["1000001"]),
        ("061234", ["1000001"]),
        ("anja.dewit@gmial.com", ["1000001"]),
        ("anja.dewit", ["1000001"]),
        ("voorbeeld", []),
        ("nobody at all", []),
        ("wit, anja de", ["1000001"]),
        ("A. de Wit", ["1000001"]),
        ("mevrouw A. de Wit", ["1000001"]),
        ("v.d. Möller", ["K-3"]),
        ("v.d. jansen", ["1000002", "2000004"]),
        ("jansn piet", ["1000002"]),
        ("peit jansen", ["1000002"]),
        ("anja iwt", ["1000001"]),
        ("mevr. a. de wti", ["1000001"]),
        ("vander moller", ["K-3"]),
        ("vandermoller", ["K-3"]),
        ("iwt", ["1000001"]),
        ("14 maart 1979", ["2000004"]),
        ("janssen 1979", ["2000004"]),
        ("wit 1441", ["1000001"]),
        ("1441AB-12", ["1000001"]),
        ("612340001", ["1000001"]),
        ("anja\u200f wit", ["1000001"]),
        ("()", []),
    ],
)
def test_search(people: None, text: str, numbers: list[str]) -> None:
    assert [customer.number for customer in Customer.objects.search(text)] == numbers


def test_the_best_match_comes_first(people: None) -> None:
    assert Customer.objects.search("jansen")[0].last_name == "Jansen"
    assert {customer.last_name for customer in Customer.objects.search("jansen")} == {"Jansen", "Janssen"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1000001", "number"), ("29001234", "card"), ("anja.dewit@", "email"), ("0612340001", "phone"),
        ("1441ab 12", "address"), ("14-03-1979", "born"), ("anja", "name"), ("piet jansn", "similar"),
        ("3000005", "earlier"), ("29009999", "earlier_card"),
    ],
)  # fmt: skip
def test_it_tells_why_somebody_was_found(people: None, text: str, why: str) -> None:
    assert Customer.objects.search(text)[0].why == why  # type: ignore[attr-defined]


def test_the_number_of_who_was_merged_is_told_with_who_was_kept(people: None) -> None:
    found = Customer.objects.search("3000005")[0]
    assert (found.number, found.why, found.matched) == ("1000001", "earlier", "3000005")  # type: ignore[attr-defined]
    assert find("3000005") == find("29009999") == found


def test_what_a_source_calls_somebody_finds_him(people: None) -> None:
    from customers.actions.people import add_customer

    add_customer(number="T-77", by="x", now=NOW, source_code="theatre", kind="prospect", last_name="Bos")
    SourceRecord.objects.filter(customer__number="T-77").update(key="00077")
    found = Customer.objects.search("00077")[0]
    assert (found.number, found.why) == ("T-77", "elsewhere")  # type: ignore[attr-defined]
    assert found.matched.endswith(" 00077")  # type: ignore[attr-defined]


def test_who_is_meant_by_a_misspelt_name_is_found_in_a_crowd_that_resembles_it(crowd: None) -> None:
    CustomerFactory(number="1000009", first_name="Zoë", name_prefix="", last_name="Janssen")
    for text in ("zoe jansn", "zoe jnassen", "zoe ajnssen", "janssen zeo", "zoe van jansse", "z. jansn"):
        assert Customer.objects.search(text)[0].number == "1000009", text
    CustomerFactory(number="1000010", first_name="Anna", name_prefix="", last_name="Bakker-Jansen")
    assert "1000010" in {found.number for found in Customer.objects.search("bakkr anna")}


def test_a_misspelt_last_name_finds_all_who_are_called_so_before_who_only_resembles(crowd: None) -> None:
    CustomerFactory.create_batch(30, name_prefix="", last_name="Jansen")
    found = [customer.last_name for customer in Customer.objects.search("jnsen", limit=40)]
    assert found[:30] == ["Jansen"] * 30


def test_a_common_beginning_keeps_out_nobody_who_is_called_exactly_so(crowd: None) -> None:
    """Last names that begin so fill the list by themselves; first names and last names that are so come first."""
    CustomerFactory(number="1000011", first_name="Jans", name_prefix="", last_name="Zwart")
    CustomerFactory(number="1000012", first_name="Tom", name_prefix="", last_name="Jans")
    assert [found.number for found in Customer.objects.search("jans")[:2]] == ["1000012", "1000011"]
    CustomerFactory(number="1000013", first_name="Jans", name_prefix="van", last_name="Jansma500")
    for text in ("jans jansma500", "jansma500 jans", "jans van jansma500", "van jansma500 jans"):
        assert Customer.objects.search(text)[0].number == "1000013", text


def test_who_is_narrowed_to_is_found_by_a_misspelt_name_too(crowd: None) -> None:
    CustomerFactory(number="1000009", first_name="Zoë", name_prefix="", last_name="Janssen", kind="former")
    former = Customer.objects.filter(kind="former")
    assert [found.number for found in former.search("jansn")] == ["1000009"]


def test_a_misspelt_name_is_looked_up_without_trigrams_when_that_fills_the_list(crowd: None) -> None:
    CustomerFactory.create_batch(20, first_name="Anna", name_prefix="", last_name="Jansen")
    with CaptureQueriesContext(connection) as queries:
        assert Customer.objects.search("anna jansn", limit=9).count() == 9
    assert not [query["sql"] for query in queries if "%>" in query["sql"]]


def test_surnames_that_are_titles_and_short_names_are_names() -> None:
    for first, prefix, last in (("Kees", "de", "Heer"), ("Bo", "", "Smit"), ("Sean", "", "O'Neill"), ("Al", "", "Xu")):
        CustomerFactory(first_name=first, name_prefix=prefix, last_name=last)
    CustomerFactory(first_name="Özlem", name_prefix="", last_name="Yıldız")
    for text, first in (("de heer", "Kees"), ("bo", "Bo"), ("oneill", "Sean"), ("xu", "Al"), ("Yıldız", "Özlem")):
        assert [found.first_name for found in Customer.objects.search(text)] == [first], text


def test_a_search_stops_at_the_best_and_keeps_to_what_was_chosen_before(people: None) -> None:
    CustomerFactory.create_batch(30, last_name="Jansen", first_name="Ab", kind="former")
    assert Customer.objects.search("jansen", limit=10).count() == 10
    members = Customer.objects.filter(kind="member").search("jansen", limit=10)
    assert [customer.number for customer in members] == ["1000002", "2000004"]


def test_a_search_leaves_the_planner_as_it_was(people: None) -> None:
    Customer.objects.search("jansen")
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_seqscan")
        assert cursor.fetchone() == ("on",)


@pytest.mark.parametrize(
    "text",
    [
        "jansen",
        "1000001",
        "2900",
        "anja.dewit@",
        "0612340001",
        "1441ab 12",
        "14-03-1979",
        "piet jansn",
        "1441",
        "bo",
        "brgg",
        "jansen 1979",
        "v.d. jansen",
    ],
)
def test_no_way_of_searching_reads_the_whole_table(people: None, text: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        list(Customer.objects.search(text))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in queries:
            if "customers_customer" in query["sql"] or "customers_contactpoint" in query["sql"]:
                cursor.execute(f"EXPLAIN {query['sql']}")
                plan = "\n".join(row[0] for row in cursor.fetchall())
                assert "Seq Scan on customers_customer" not in plan, plan
                assert "Seq Scan on customers_contactpoint" not in plan, plan


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
