"""The right of access: everything, for people and for computers, made in a task and gone after two weeks."""

from __future__ import annotations

import datetime as dt
import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pypdf import PdfReader

from common.personal import personal_tables
from customers.actions import change_customer, ensure_base_data
from customers.actions.guardians import add_guardian
from customers.actions.notes import write_note
from customers.actions.privacy import expire_copies, make_waiting_copies, request_access
from customers.consents import record_consent
from customers.models import AccessRequest, Customer, Purpose
from customers.privacy.copies import read, write_json
from customers.privacy.persons import identify
from customers.privacy.printing import _words
from labels.actions import create_label, give_label
from tests.factories import CustomerFactory, FactFactory, SourceFactory, SubscriptionFactory

State = AccessRequest.State


@pytest.fixture(autouse=True)
def _own_media(db: None, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    ensure_base_data()


@pytest.fixture
def customer(now: dt.datetime) -> Customer:
    made: Customer = CustomerFactory(
        number="200001",
        first_name="Sanne",
        last_name="de Boer",
        email="sanne@example.nl",
        birth_date=dt.date(1980, 3, 14),
    )
    SubscriptionFactory(customer=made, source=SourceFactory(code="library"))
    FactFactory(customer=made, world="reizen", source=SourceFactory(code="library"))
    marketing = Purpose.objects.get(code="marketing")
    record_consent(
        made, purpose=marketing, channel="email", state="granted", source_code="mijnmenu", actor="customer",
        event_at=now, evidence={"page": "mijnmenu"},
    )  # fmt: skip
    return change_customer(made, by="Anna", now=now, city="Edam", street="Dam", house_number="1", postal_code="1135AB")


def copy_of(customer: Customer, now: dt.datetime, **fields: Any) -> AccessRequest:
    request = request_access(customer, by="customer", now=now, **fields)
    assert make_waiting_copies(now=now) == 1
    request.refresh_from_db()
    return request


def tables_of(request: AccessRequest) -> dict[str, Any]:
    with request.json.open("rb") as file:
        return {table["table"]: table for table in json.load(file)["tables"]}


def text_of(request: AccessRequest) -> str:
    with request.pdf.open("rb") as file:
        return " ".join(" ".join(page.extract_text() for page in PdfReader(file).pages).split())


def test_the_file_for_computers_has_every_table_and_names_its_columns(customer: Customer, now: dt.datetime) -> None:
    tables = tables_of(copy_of(customer, now))
    assert set(tables) == {table.code for table in personal_tables if table.shown}
    own = tables["customers_customer"]
    assert own["rows"][0]["number"] == "200001"
    assert own["rows"][0]["birth_date"] == "1980-03-14"
    assert set(own["columns"]) == set(own["rows"][0])
    consent = tables["customers_consent"]["rows"][0]
    assert (consent["state"], consent["source"], consent["evidence"]) == ("granted", "MijnMenu", {"page": "mijnmenu"})
    assert {row["source"] for row in tables["customers_sourcerecord"]["rows"]} >= {"Werkbank"}


def test_the_pdf_reads_in_dutch_and_says_what_it_is_for(customer: Customer, now: dt.datetime) -> None:
    text = text_of(copy_of(customer, now))
    for words in ("200001", "Sanne", "14 maart 1980", "sanne@example.nl", "Edam", "Volwassenenabonnement", "Reizen"):
        assert words in text
    for words in ("Uw rechten", "Hoe lang we ze bewaren", "Aanbiedingen en activiteiten"):
        assert words in text


def test_nothing_of_others_is_in_it(customer: Customer, now: dt.datetime) -> None:
    CustomerFactory(number="999999", first_name="Geheim", last_name="Persoon", email="geheim@example.nl")
    request = copy_of(customer, now)
    written = request.json.read().decode() + text_of(request)
    assert "999999" not in written
    assert "geheim" not in written.lower()


def test_names_of_staff_and_numbers_of_parents_stay_out(
    customer: Customer, administrator: User, now: dt.datetime
) -> None:
    administrator.first_name, administrator.last_name = "Wilhelmina", "Kassier"
    administrator.save()
    parent = CustomerFactory(number="700007", last_name="Ouderwijs", birth_date=dt.date(1950, 1, 1))
    Customer.objects.filter(pk=customer.pk).update(birth_date=now.date() - dt.timedelta(days=3650))
    customer.refresh_from_db()
    add_guardian(customer, parent, by=administrator, now=now)
    write_note(customer, kind="call", text="Belde over de pas", by=administrator, now=now)
    label = create_label(name="Vriend", kind="own", now=now)
    give_label(label, Customer.objects.filter(pk=customer.pk), by="wilhelmina", reason="", now=now)
    request = copy_of(customer, now)
    written = request.json.read().decode() + text_of(request)
    for word in ("Wilhelmina", "Kassier", "wilhelmina", "administrator", "700007", "Ouderwijs"):
        assert word not in written
    assert "onze medewerkers" in written
    assert "Belde over de pas" in written
    assert "uzelf" in written


def test_every_word_of_the_pdf_is_dutch(customer: Customer, now: dt.datetime) -> None:
    """No code of ours stands in it, and no English word of a table or column."""
    text = text_of(copy_of(customer, now)).lower()
    words = set(re.findall(r"[a-z_]{3,}", text))
    english = {"customer", "member", "granted", "withdrawn", "loan", "kind", "source", "when", "channel", "state", "by"}
    assert not words & english
    assert not {word for word in words if "_" in word}


def test_it_is_in_the_language_of_who_asked(customer: Customer, now: dt.datetime) -> None:
    request = copy_of(customer, now, language="en")
    assert "Your rights" in text_of(request)
    assert tables_of(request)["customers_customer"]["name"] == "Who you are"


def test_who_was_merged_is_in_it(customer: Customer, now: dt.datetime) -> None:
    absorbed = CustomerFactory(number="300003")
    FactFactory(customer=absorbed)
    Customer.everyone.filter(pk=absorbed.pk).update(merged_into=customer)
    tables = tables_of(copy_of(customer, now))
    assert {row["number"] for row in tables["customers_customer"]["rows"]} == {"200001", "300003"}
    assert len(tables["customers_fact"]["rows"]) == 2


def test_asking_twice_in_a_day_is_one_copy(customer: Customer, now: dt.datetime) -> None:
    first = request_access(customer, by="customer", now=now)
    assert request_access(customer, by="customer", now=now) == first
    make_waiting_copies(now=now)
    assert request_access(customer, by="customer", now=now + dt.timedelta(hours=2)) == first
    assert request_access(customer, by="customer", now=now + dt.timedelta(days=2)) != first


def test_after_two_weeks_the_files_are_gone(customer: Customer, now: dt.datetime) -> None:
    request = copy_of(customer, now)
    paths = [Path(request.pdf.path), Path(request.json.path)]
    assert request.expires_at == now + dt.timedelta(days=14)
    assert expire_copies(now=now + dt.timedelta(days=13)) == 0
    assert all(path.exists() for path in paths)
    assert expire_copies(now=now + dt.timedelta(days=14)) == 1
    assert not any(path.exists() for path in paths)
    request.refresh_from_db()
    assert (request.state, request.pdf.name, request.json.name) == (State.EXPIRED, "", "")


def test_a_copy_that_fails_is_tried_three_times_and_until_somebody_asks_again(
    customer: Customer, now: dt.datetime, settings: Any, tmp_path: Path
) -> None:
    request = request_access(customer, by="customer", now=now)
    (tmp_path / "a-file").write_text("no folder")
    good, settings.MEDIA_ROOT = settings.MEDIA_ROOT, tmp_path / "a-file"
    assert [make_waiting_copies(now=now) for _ in range(5)] == [0] * 5
    request.refresh_from_db()
    assert (request.state, request.attempts) == (State.WAITING, 3)
    settings.MEDIA_ROOT = good
    assert make_waiting_copies(now=now) == 0
    request_access(customer, by="customer", now=now)
    assert make_waiting_copies(now=now) == 1


def test_file_names_tell_nothing(customer: Customer, now: dt.datetime) -> None:
    request = copy_of(customer, now)
    for name in (request.pdf.name, request.json.name):
        assert "200001" not in str(name)
        assert len(Path(str(name)).stem) == 32


def test_ten_thousand_facts_fit_in_little_memory(customer: Customer, now: dt.datetime) -> None:
    source = SourceFactory(code="library")
    from customers.models import Fact

    Fact.objects.bulk_create(
        [
            Fact(
                customer=customer, kind="loan", source=source, external_id=f"u{number}", world="reizen",
                occurred_at=now - dt.timedelta(hours=number),
            )
            for number in range(10_000)
        ],
        batch_size=2000,
    )  # fmt: skip
    persons = identify([customer.pk], now=now)
    tracemalloc.start()
    size = sum(len(piece) for piece in write_json(persons, now=now))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 1_500_000
    assert peak < 8_000_000
    facts = personal_tables["customers_fact"]
    assert sum(1 for _row in read(facts, persons)) == 10_001
    request = copy_of(customer, now)
    assert len(tables_of(request)["customers_fact"]["rows"]) == 10_001
    assert "10.001" in text_of(request)
    with request.pdf.open("rb") as file:
        assert len(PdfReader(file).pages) < 30


def test_the_words_of_one_table_are_not_those_of_another() -> None:
    redeemed, said = personal_tables["vouchers_redemption"], personal_tables["customers_consent"]
    assert dict(_words(redeemed, {"channel": "api"})) == {"channel": str(redeemed.words["channel"]["api"])}
    assert dict(_words(said, {"channel": "api"})) == {"channel": "api"}
