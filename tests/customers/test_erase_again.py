"""After a back-up was restored, who was erased since it was made is erased again; who was let in again stays."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.serializers import deserialize, serialize

from customers.actions import add_customer, ensure_base_data, run_import, upload_import
from customers.actions.privacy import erase_customer, release_address
from customers.actions.privacy.again import erase_again
from customers.models import ContactPoint, Customer, ErasedKey, Erasure
from customers.privacy import journal, keys
from mailings.models import Suppression
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = dt.timedelta(hours=1)
REQUEST = Erasure.Ground.REQUEST


@pytest.fixture(autouse=True)
def journal_file(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT, settings.IMPORT_FOLDER = tmp_path / "media", tmp_path / "imports"
    settings.ERASURE_JOURNAL = tmp_path / "elders" / "erased.jsonl"
    ensure_base_data()
    return Path(settings.ERASURE_JOURNAL)


def back_up() -> str:
    """Keep the customers as they are now, as a dump of the database does."""
    kept = [*Customer.everyone.all(), *ContactPoint.objects.all(), *Suppression.objects.all()]
    return serialize("json", kept)


def restore(dump: str) -> None:
    ErasedKey.objects.all().delete()
    Erasure.objects.all().delete()
    for row in deserialize("json", dump):
        row.save()


def run() -> str:
    out = io.StringIO()
    call_command("erase_again", stdout=out)
    return out.getvalue()


def test_a_restored_back_up_brings_nobody_back(now: dt.datetime) -> None:
    gone = CustomerFactory(email="weg@example.nl", created_at=now - HOUR)
    old = CustomerFactory(merged_into=gone, created_at=now - HOUR)
    stays = CustomerFactory(email="hier@example.nl", created_at=now - HOUR)
    Suppression.objects.create(address="weg@example.nl", reason="bounce", since=now)
    dump = back_up()
    erase_customer(gone, ground=REQUEST, by="Anna", now=now)
    restore(dump)
    assert Customer.everyone.count() == 3
    assert "1 persons and 0 addresses erased again, 0 left" in run()
    assert list(Customer.everyone.all()) == [stays]
    assert not Suppression.objects.exists()
    assert Erasure.objects.get().erased_by == "erase_again"
    assert keys.is_erased("email", "weg@example.nl")
    assert keys.is_erased("number", old.number)
    assert "0 persons and 0 addresses erased again, 0 left" in run()


def test_who_went_by_age_or_by_mistake_goes_again_and_may_come_back(now: dt.datetime) -> None:
    customers = [CustomerFactory(created_at=now - HOUR) for _number in range(2)]
    dump = back_up()
    for customer, ground in zip(customers, (Erasure.Ground.RETENTION, Erasure.Ground.ERROR), strict=True):
        erase_customer(customer, ground=ground, by="", now=now)
    restore(dump)
    assert run().startswith("2 persons")
    assert not Customer.objects.exists()
    assert not ErasedKey.objects.exists()
    assert set(Erasure.objects.values_list("ground", flat=True)) == {"retention", "error"}


def test_who_was_let_in_again_since_stays(now: dt.datetime) -> None:
    customer = CustomerFactory(email="terug@example.nl", created_at=now - HOUR)
    dump = back_up()
    erase_customer(customer, ground=REQUEST, by="", now=now)
    release_address("terug@example.nl", by="", now=now)
    restore(dump)
    assert run().startswith("0 persons")
    assert Customer.objects.get() == customer


def test_a_namesake_who_went_by_age_later_does_not_let_in_who_asked_to_go(now: dt.datetime) -> None:
    home = {"last_name": "Bos", "first_name": "Jan", "initials": "J.", "postal_code": "1441AB", "house_number": "1"}
    asked = CustomerFactory(created_at=now - HOUR, **home)
    namesake = CustomerFactory(created_at=now - HOUR, **home)
    erase_customer(asked, ground=REQUEST, by="", now=now)
    known = set(ErasedKey.objects.values_list("what", flat=True))
    assert "home" in known
    erase_customer(namesake, ground=Erasure.Ground.RETENTION, by="", now=now + HOUR)
    run()
    assert set(ErasedKey.objects.values_list("what", flat=True)) == known


def test_who_came_with_that_number_after_the_erasure_stays(now: dt.datetime) -> None:
    customer = CustomerFactory(number="777", created_at=now - HOUR)
    erase_customer(customer, ground=Erasure.Ground.ERROR, by="", now=now)
    again = CustomerFactory(number="777", created_at=now + HOUR)
    assert run().startswith("0 persons")
    assert Customer.objects.get() == again


def test_an_address_without_a_customer_goes_too(now: dt.datetime) -> None:
    customer = CustomerFactory(email="weg@example.nl", created_at=now - HOUR)
    erase_customer(customer, ground=REQUEST, by="", now=now)
    Suppression.objects.create(address="weg@example.nl", reason="bounce", since=now - HOUR)
    Suppression.objects.create(address="ander@example.nl", reason="bounce", since=now - HOUR)
    assert "0 persons and 1 addresses" in run()
    assert Suppression.objects.get().address == "ander@example.nl"


def test_who_cannot_be_erased_yet_is_named_and_the_command_says_so(now: dt.datetime) -> None:
    customer = CustomerFactory(created_at=now - HOUR)
    dump = back_up()
    erase_customer(customer, ground=REQUEST, by="", now=now)
    restore(dump)
    file = io.BytesIO(b"klantnummer;achternaam;soort\n1;A;lid\n")
    waiting = upload_import(format="customers", source_code="library", file=file, file_name="a.csv", by=None, now=now)
    with pytest.raises(SystemExit):
        run()
    assert Customer.objects.filter(pk=customer.pk).exists()
    run_import(waiting, now=now)
    assert run().startswith("1 persons")


def test_the_journal_tells_nothing_but_hashes(now: dt.datetime, journal_file: Path) -> None:
    gone = CustomerFactory(number="KL-4711", email="weg@example.nl")  # a number that no hash has in it
    erase_customer(gone, ground=REQUEST, by="Anna", now=now)
    text = journal_file.read_text()
    for word in ("KL-4711", "weg@", "Anna"):
        assert word not in text
    assert {what for what, _digest in json.loads(text)["keys"]} >= {"number", "email"}
    assert journal_file.stat().st_mode & 0o077 == 0


def test_a_line_that_was_broken_off_spoils_no_other(now: dt.datetime, journal_file: Path) -> None:
    erase_customer(CustomerFactory(), ground=REQUEST, by="", now=now)
    whole = journal_file.read_text()
    journal_file.write_text(whole + whole[:40])
    erase_customer(CustomerFactory(), ground=REQUEST, by="", now=now)
    assert len(list(journal.read(journal_file))) == 2


def test_a_file_that_is_no_journal_changes_nothing(now: dt.datetime, tmp_path: Path) -> None:
    keys.remember([("email", "a@b.nl")], now=now)
    other = tmp_path / "klanten.csv"
    other.write_text("klantnummer;achternaam\n1;Jansen\n")
    with pytest.raises(CommandError):
        call_command("erase_again", other)
    with pytest.raises(CommandError):
        call_command("erase_again", tmp_path / "er-is-niets.jsonl")
    assert keys.is_erased("email", "a@b.nl")
    assert erase_again(None, now=now).persons == 0


def test_a_journal_that_cannot_be_written_does_not_bring_anybody_back(now: dt.datetime, settings: Any) -> None:
    settings.ERASURE_JOURNAL = Path(__file__) / "nergens"
    customer = CustomerFactory()
    erase_customer(customer, ground=REQUEST, by="", now=now)
    assert not Customer.everyone.filter(pk=customer.pk).exists()


def test_the_counter_lets_a_whole_person_in_by_number_and_a_housemate_by_e_mail_alone(now: dt.datetime) -> None:
    home = {"postal_code": "1441AB", "house_number": "1", "first_name": "Zoë", "last_name": "Wit"}
    known = {**home, "kind": "member", "by": "Anna", "source_code": "counter", "now": now - HOUR}
    gone = add_customer(number="900", email="zoe@example.nl", **known)
    erase_customer(gone, ground=REQUEST, by="", now=now)
    add_customer(number="901", email="zoe@example.nl", **{**known, "first_name": "Bo", "now": now})
    assert keys.is_erased("number", "900")
    assert not keys.is_erased("email", "zoe@example.nl")
    add_customer(number="900", **{**known, "now": now})
    assert not ErasedKey.objects.exists()
