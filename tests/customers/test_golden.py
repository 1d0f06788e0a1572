"""The one view of a person, from what the sources say; held against a plain fold of the same records."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.sql import rows
from customers.actions import add_customer, change_customer
from customers.golden import adopt_sql, provenance, refresh
from customers.models import ContactPoint, Customer, FieldRank, Household, Source, SourceRecord
from tests.factories import NOW, BranchFactory, CustomerFactory, SourceFactory
from tests.tries import tries

pytestmark = pytest.mark.django_db

PARTS = ["street", "house_number", "house_number_addition", "postal_code", "city"]


def say(customer: Customer, code: str, *, at: dt.datetime = NOW, changed: Any = None, **values: str) -> SourceRecord:
    return SourceRecord.objects.create(
        source=SourceFactory(code=code), key=customer.number, customer=customer, values=values, changed=changed or {},
        created_at=at, updated_at=at,
    )  # fmt: skip


def later(days: int) -> dt.datetime:
    return NOW + dt.timedelta(days=days)


def test_the_source_with_the_lowest_rank_is_believed() -> None:
    customer = CustomerFactory(email="")
    say(customer, "library", first_name="Anna", city="Edam")
    say(customer, "theatre", at=later(1), first_name="An", phone="+31612340001")
    assert refresh([customer.pk], now=later(2)) == 1
    customer.refresh_from_db()
    assert (customer.first_name, customer.city, customer.updated_at) == ("Anna", "Edam", later(2))
    assert customer.contact_points.get().source.code == "theatre"
    assert refresh([customer.pk], now=later(3)) == 0


def test_a_field_may_belong_to_another_source() -> None:
    customer = CustomerFactory(email="")
    say(customer, "library", first_name="Anna", last_name="Wit")
    say(customer, "theatre", first_name="An", last_name="Witte")
    FieldRank.objects.create(source=Source.objects.get(code="theatre"), field="first_name", rank=1)
    refresh([customer.pk], now=NOW)
    customer.refresh_from_db()
    assert (customer.first_name, customer.last_name) == ("An", "Wit")


def test_staff_hold_until_the_library_says_something_new() -> None:
    customer = add_customer(number="7", kind="member", last_name="Wit", by="x", now=NOW, source_code="library")
    change_customer(customer, by="x", now=later(1), last_name="Witte")
    refresh([customer.pk], now=later(2))
    assert Customer.objects.get().last_name == "Witte"
    record = SourceRecord.objects.get(source__code="library")
    record.values["last_name"], record.changed["last_name"] = "de Wit", later(3).isoformat()
    record.save()
    refresh([customer.pk], now=later(3))
    assert Customer.objects.get().last_name == "de Wit"


def test_what_staff_say_again_counts_anew() -> None:
    customer = add_customer(number="7", kind="member", last_name="Wit", by="x", now=NOW, source_code="library")
    change_customer(customer, by="x", now=later(1), last_name="Witte")
    record = SourceRecord.objects.get(source__code="library")
    record.values["last_name"], record.changed["last_name"] = "de Wit", later(2).isoformat()
    record.save()
    refresh([customer.pk], now=later(2))
    assert change_customer(Customer.objects.get(), by="x", now=later(3), last_name="Witte").last_name == "Witte"


def test_an_address_is_one_statement() -> None:
    customer = CustomerFactory(street="", house_number="", postal_code="", city="", email="")
    say(customer, "library", street="Dam", house_number="1", postal_code="1135AB", city="Edam")
    say(customer, "theatre", street="Kade", house_number="2", house_number_addition="b", postal_code="1441AB")
    refresh([customer.pk], now=NOW)
    customer.refresh_from_db()
    assert customer.address_lines == ["Dam 1", "1135 AB  Edam"]
    assert Household.objects.get(pk=customer.household_id).key == "1135AB|1|"
    FieldRank.objects.create(source=Source.objects.get(code="theatre"), field="postal_code", rank=1)
    refresh([customer.pk], now=NOW)
    customer.refresh_from_db()
    assert [getattr(customer, part) for part in PARTS] == ["Kade", "2", "b", "1441AB", ""]


def test_a_new_address_clears_what_the_post_said() -> None:
    customer = CustomerFactory(email="", address_state="returned")
    say(customer, "library", **{part: getattr(customer, part) for part in PARTS}, first_name="Bo")
    refresh([customer.pk], now=NOW)
    assert Customer.objects.get().address_state == "returned"
    change_customer(customer, by="x", now=later(1), house_number="903")
    assert Customer.objects.get().address_state == ""


def test_empty_counts_from_people_only() -> None:
    customer = CustomerFactory(email="")
    say(customer, "library", first_name="", phone="", kind="member")
    say(customer, "theatre", first_name="An", phone="+31612340001", kind="prospect")
    say(customer, "workbench", first_name="", kind="", at=later(1))
    refresh([customer.pk], now=NOW)
    customer.refresh_from_db()
    assert (customer.first_name, customer.kind) == ("", "member")
    assert customer.contact_points.get().value == "+31612340001"


def test_a_number_that_people_remove_stays_away() -> None:
    customer = CustomerFactory(email="")
    say(customer, "library", email="a@example.nl")
    say(customer, "theatre", email="b@example.nl")
    refresh([customer.pk], now=NOW)
    assert dict(customer.contact_points.values_list("value", "is_primary")) == {
        "a@example.nl": True,
        "b@example.nl": False,
    }
    change_customer(customer, by="customer", now=later(1), source_code="mijnmenu", email="")
    assert not customer.contact_points.exists()
    assert "email" not in provenance(customer)


def test_what_no_record_mentions_stays_as_it_is() -> None:
    customer = CustomerFactory(first_name="Anna", email="a@example.nl")
    say(customer, "library", last_name="Wit")
    refresh([customer.pk], now=NOW)
    customer.refresh_from_db()
    assert (customer.first_name, customer.last_name) == ("Anna", "Wit")
    assert ContactPoint.objects.get().value == "a@example.nl"


def test_who_was_known_without_records_gets_them_once() -> None:
    customer = CustomerFactory(email="a@example.nl", branch=BranchFactory(code="PUR"))
    for count in (1, 0):
        assert adopt_sql("SELECT id FROM customers_customer") == count
    record = SourceRecord.objects.get()
    assert (record.key, record.values["email"], record.values["branch"]) == (customer.number, "a@example.nl", "PUR")
    before = Customer.objects.values().get(), ContactPoint.objects.values().get()
    household = rows("SELECT customers_household_key(postal_code, house_number, '') AS key FROM customers_customer")
    customer.household = Household.objects.create(key=household[0]["key"])
    customer.save()
    assert refresh([customer.pk], now=later(1)) == 0
    assert (Customer.objects.values().get() | {"household_id": None}, ContactPoint.objects.values().get()) == before


def test_each_field_tells_who_said_it_and_when() -> None:
    customer = CustomerFactory(email="")
    say(customer, "library", first_name="Anna", city="Edam", changed={"first_name": later(3).isoformat()})
    say(customer, "theatre", first_name="An", phone="")
    told = provenance(customer)
    assert (told["first_name"].source.code, told["first_name"].value, told["first_name"].at) == (
        "library", "Anna", later(3),
    )  # fmt: skip
    assert [(other.source.code, other.value) for other in told["first_name"].others] == [("theatre", "An")]
    assert (told["city"].at, told["city"].others) == (NOW, ())
    assert "phone" not in told


# --- against a plain fold ---------------------------------------------------------------------------------------------

SOURCES = [("a", "system"), ("b", "system"), ("c", "people")]
FIELDS = ["first_name", "birth_date", "phone", "street", "city"]
VALUES = {
    "first_name": ["", "Anna", "Bo"],
    "birth_date": ["", "1980-01-02", "1990-02-03"],
    "phone": ["", "+31612340001", "+31612340002"],
    "street": ["", "Dam"],
    "city": ["", "Edam", "Hoorn"],
}
WORD = st.fixed_dictionaries({}, optional={field: st.sampled_from(VALUES[field]) for field in FIELDS})
RECORD = st.tuples(
    st.sampled_from(range(3)), WORD, st.integers(0, 4), st.dictionaries(st.sampled_from(FIELDS), st.integers(5, 9))
)


def fold(
    records: list[Any], ranks: list[int], exceptions: dict[tuple[int, str], int], field: str, own: int
) -> str | None:
    """Say it once more, one record after the other: who comes later takes over unless he is believed less."""
    best: Any = None
    for place, (source, word, created, changed) in enumerate(records):
        group = ["street", "city"] if field in ("street", "city") else [field]
        if not any(part in word for part in group):
            continue
        said = [word.get(part, "") for part in group]
        counts = any(said) or SOURCES[source][1] == "people"
        rank = min([exceptions[source, part] for part in group if (source, part) in exceptions] or [ranks[source]])
        moment = max([changed[part] for part in group if part in changed] or [created])
        weight = (counts, -rank, moment, place == own, place)
        if best is None or weight > best[0]:
            best = (weight, word.get(field, ""))
    return None if best is None else best[1]


@settings(max_examples=tries(50), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    records=st.lists(RECORD, min_size=0, max_size=5),
    ranks=st.lists(st.sampled_from([1, 2]), min_size=3, max_size=3),
    exceptions=st.dictionaries(st.tuples(st.integers(0, 2), st.sampled_from(FIELDS)), st.sampled_from([0, 1, 3])),
    own=st.integers(0, 5),
)
def test_precedence_is_what_a_plain_fold_says(
    db: None, records: list[Any], ranks: list[int], exceptions: dict[tuple[int, str], int], own: int
) -> None:
    for model in (SourceRecord, ContactPoint, Customer, FieldRank):
        model.objects.all().delete()
    sources = [
        Source.objects.update_or_create(code=f"test-{code}", defaults={"name": code, "kind": kind, "rank": rank})[0]
        for (code, kind), rank in zip(SOURCES, ranks, strict=True)
    ]
    for (place, field), rank in exceptions.items():
        FieldRank.objects.create(source=sources[place], field=field, rank=rank)
    customer = CustomerFactory(first_name="-", birth_date=None, street="-", city="-", email="", source=sources[0])
    for number, (place, word, created, changed) in enumerate(records):
        SourceRecord.objects.create(
            source=sources[place], key=customer.number if number == own else f"no-{number}", customer=customer,
            values=word, created_at=later(created),
            changed={field: later(moment).isoformat() for field, moment in changed.items()}, updated_at=NOW,
        )  # fmt: skip
    refresh([customer.pk], now=NOW)
    customer.refresh_from_db()
    told = provenance(customer)
    phone = customer.contact_points.filter(is_primary=True).values_list("value", flat=True).first()
    for field, untouched in (("first_name", "-"), ("street", "-"), ("city", "-"), ("birth_date", ""), ("phone", "")):
        expected = fold(records, ranks, exceptions, field, own)
        if expected is None and field in ("street", "city"):
            expected = None if fold(records, ranks, exceptions, "street", own) is None else ""
        stands = (phone or "") if field == "phone" else str(getattr(customer, field) or "")
        assert stands == (untouched if expected is None else expected), field
        assert (told[field].value if field in told else "") == (expected or ""), field
