"""Erasure: whoever is erased is nowhere any more, and what belongs to others stays."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import InternalError, connection, transaction
from django.test import Client

from common.errors import Refused
from common.personal import personal_tables
from common.sql import rows
from common.tokens import make_token
from common.traces import traces
from customers.actions import add_customer, change_customer, ensure_base_data, record_fact, run_import, upload_import
from customers.actions.merging import merge_customers, undo_merge
from customers.actions.notes import correct_note, write_note
from customers.actions.privacy import erase_customer, erase_many
from customers.consents import record_consent
from customers.models import Customer, Purpose
from customers.models.customers import Guardianship, Household
from customers.models.imports import ImportChange, ImportRun
from customers.models.privacy import AccessRequest, ErasedKey, Erasure, ErasureRequest
from customers.models.records import MatchPair
from customers.privacy import keys
from labels.actions import create_label, give_label
from mailings.actions import (
    change_sending_settings,
    print_letters,
    save_content,
    start_mailing,
    suppress_address,
)
from mailings.models import LetterBatch, Link, Mailing, Message, Suppression
from mailings.tasks import send_queued
from mijnmenu.actions import ask_for_address, ask_for_link
from mijnmenu.models import LinkRequest
from tests.factories import (
    BranchFactory,
    CustomerFactory,
    DefinitionFactory,
    FactFactory,
    SourceFactory,
    SubscriptionFactory,
    follow_link,
)
from tests.smtp_sink import Sink
from vouchers.actions import issue_vouchers, redeem, reverse_redemption
from vouchers.models import Attempt, Redemption, Reversal, Voucher

REQUEST = Erasure.Ground.REQUEST
PAST = dt.timedelta(days=4)  # letters may go


def dump() -> Iterator[tuple[str, str]]:
    """Yield (table, all its rows as text), of the whole database."""
    tables = rows(
        """
        SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
        """
    )
    with connection.cursor() as cursor:
        for table in tables:
            text = io.StringIO()
            cursor.copy_expert(f"COPY {table['name']} TO STDOUT", text)
            yield table["name"], text.getvalue()


def found(canaries: list[str]) -> list[tuple[str, str]]:
    """Return (place, canary) for each canary that sits somewhere in the database or in a stored file."""
    places = [(name, text.lower()) for name, text in dump()]
    root = Path(settings.MEDIA_ROOT)
    files = [path for path in root.rglob("*") if path.is_file()] if root.exists() else []
    places += [(str(path), (path.name + path.read_bytes().decode("latin-1")).lower()) for path in files]
    return sorted({(name, canary) for name, text in places for canary in canaries if canary.lower() in text})


@pytest.fixture(autouse=True)
def _own_house(db: None, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    ensure_base_data()
    change_sending_settings(
        organisation="Bibliotheek Waterland",
        postal_address="Postbus 12, 1440 AA Purmerend",
        sender_name="Bibliotheek Waterland",
        sender_email="post@waterland.example",
    )


def take_in(kind: str, *lines: str, now: dt.datetime, source: str = "library") -> ImportRun:
    file = io.BytesIO("\n".join([*lines, ""]).encode())
    run = upload_import(format=kind, source_code=source, file=file, file_name=f"{kind}.csv", by=None, now=now)
    return run_import(run, now=now)


CANARIES = [
    "kanarienummer", "kanarievoor", "kanarieachter", "kanariestraat", "kanariestad", "9876qk", "1931-03-07",
    "kanarie@kanariedomein.example", "kanarie-nieuw@kanariedomein.example", "kanarie-gevraagd@kanariedomein.example",
    "kanarie-fout", "+31687651234", "kanarieabonnement", "kanariefeit", "kanariebewijs", "kanarielabel",
    "kanariegesprek", "kanarieeerder", "kanarieoud", "kanarievroeger", "kanarie-aanmelding@kanariedomein.example",
    "kanariebezwaar", "kanariekassa", "kanariesleutel", "kanarieterug", "kanarieinzage",
]  # fmt: skip


@pytest.fixture
def canary(
    marketeer: User, counter_staff: User, client: Client, smtp_sink: Sink, now: dt.datetime
) -> Callable[[], Customer]:
    """Make a customer who can appear everywhere appear everywhere, by what people and systems really do."""

    def make() -> Customer:
        header = "klantnummer;voornaam;achternaam;geboortedatum;straat;huisnummer;postcode;plaats;email;telefoon;soort"
        row = (
            "KanarieNummer;KanarieVoor;KanarieAchter;07-03-1931;Kanariestraat;12;9876 QK;Kanariestad;"
            "Kanarie@KanarieDomein.example;06-87651234;lid"
        )
        other = "200002;Piet;Jansen;01-02-1970;Kerkstraat;1;1441 AB;Purmerend;piet@example.nl;;lid"
        assert take_in("customers", header, row, other, now=now).new_count == 2
        changed = row.replace(";12;", ";14;")
        assert take_in("customers", header, changed, now=now).changed_count == 1
        wrong = row.replace("Kanarie@KanarieDomein.example", "kanarie-fout@@example")
        assert take_in("customers", header, wrong, now=now).refused_count == 1
        customer = Customer.objects.get(number="KanarieNummer")
        customer = change_customer(customer, by=marketeer, now=now, email="kanarie-nieuw@kanariedomein.example")
        SubscriptionFactory(customer=customer, number="KanarieAbonnement")
        record_fact(customer, kind="loan", occurred_at=now, source_code="library", external_id="KanarieFeit")
        _say(customer, now)
        _write(customer, marketeer, now)
        _merge(customer, now)
        _reach(customer, now, smtp_sink)
        _vouch(customer, counter_staff, now)
        _ask(customer, client, now)
        return customer

    return make


def _say(customer: Customer, now: dt.datetime) -> None:
    for purpose in ("marketing", "profiling"):
        record_consent(
            customer, purpose=Purpose.objects.get(code=purpose), channel="email", state="granted",
            source_code="workbench", actor="KanarieBezwaar", event_at=now, evidence={"note": "KanarieBewijs"},
        )  # fmt: skip
    label = create_label(name="Vriend", kind="own", now=now)
    give_label(label, Customer.objects.filter(pk=customer.pk), by="x", reason="KanarieLabel", now=now)
    other = Customer.objects.get(number="200002")
    library = SourceFactory(code="library")
    Guardianship.objects.create(child=other, guardian=customer, source=library, created_at=now)
    first, second = sorted([customer.pk, other.pk])
    MatchPair.objects.create(first_id=first, second_id=second, score=60, reasons=[], found_at=now)


def _write(customer: Customer, staff: User, now: dt.datetime) -> None:
    note = write_note(customer, kind="call", text="KanarieEerder", by=staff, now=now)
    correct_note(note, kind="call", text="KanarieGesprek", happened_at=now, by=staff, now=now)


def _merge(customer: Customer, now: dt.datetime) -> None:
    """Two more rows of the same person: one stays merged, the other merge was taken apart and made again."""
    older = add_customer(
        number="KanarieOud", kind="former", last_name="KanarieVroeger", by="x", now=now - dt.timedelta(days=1),
        source_code="counter", email="kanarie-aanmelding@kanariedomein.example",
    )  # fmt: skip
    merge = merge_customers(customer, older, by="x", now=now)
    undo_merge(merge, by="x", now=now + dt.timedelta(minutes=1))
    older = Customer.objects.get(number="KanarieOud")
    merge_customers(Customer.objects.get(pk=customer.pk), older, by="x", now=now + dt.timedelta(minutes=2))


def _reach(customer: Customer, now: dt.datetime, sink: Sink) -> None:
    blocks = [
        {"type": "text", "data": {"text": "<p>Dag {{ first_name }}</p>"}},
        {"type": "button", "data": {"text": "Kom", "url": "https://www.example.nl/agenda"}},
    ]
    content = save_content(None, name="Voorjaar", subject="Dag {{ first_name }}", blocks=blocks, now=now)
    known = {"purpose": Purpose.objects.get(code="marketing"), "content": content, "now": now, "origin": "action:1"}
    both = Customer.objects.all()
    start_mailing(name="Mail", due_key="a", channels="email", candidates=both, **known)
    send_queued()
    assert sink.to("kanarie-nieuw@kanariedomein.example")
    message = Message.objects.get(customer=customer)
    follow_link(message, Link.objects.get().position, now=now)
    letters = start_mailing(name="Brief", due_key="b", channels="letter", candidates=both, **known)
    print_letters(letters, by=None, now=now)
    suppress_address("kanarie-nieuw@kanariedomein.example", detail="KanarieBezwaar", now=now)


def _vouch(customer: Customer, staff: User, now: dt.datetime) -> None:
    SourceFactory(code="vouchers")
    definition = DefinitionFactory(uses_per_code=2, holder="customer")
    issue_vouchers(definition, Customer.objects.filter(pk=customer.pk), origin="by hand:1", now=now)
    voucher = Voucher.objects.get(customer=customer)
    asked = {
        "branch": BranchFactory(), "staff": staff, "channel": "api", "order_cents": 1000, "now": now,
        "customer_number": "KanarieNummer",
    }  # fmt: skip
    taken = redeem(voucher.code, reference="KanarieKassa", idempotency_key="KanarieSleutel", **asked)
    reverse_redemption(taken, reason="KanarieTerug", staff=staff, now=now)
    redeem(voucher.code, reference="KanarieKassa2", idempotency_key="KanarieSleutel2", **asked)
    with pytest.raises(Refused):
        redeem(voucher.code, idempotency_key="3", **{**asked, "customer_number": "200002"})


def _ask(customer: Customer, client: Client, now: dt.datetime) -> None:
    client.get(f"/mijn/enter/{make_token('mijnmenu', [customer.pk, customer.link_version])}/")
    ask_for_link("kanarie-nieuw@kanariedomein.example", now=now)
    ask_for_address(customer, address="kanarie-gevraagd@kanariedomein.example", now=now)
    request = AccessRequest(customer=customer, asked_by="KanarieInzage", asked_at=now)
    request.pdf.save("kanarie.pdf", io.BytesIO(b"KanarieInzage"), save=False)
    request.json.save("kanarie.json", io.BytesIO(b"KanarieInzage"), save=False)
    request.save()
    ErasureRequest.objects.create(customer=customer, asked_at=now, note="KanarieInzage")


def test_no_canary_is_left_anywhere(canary: Callable[[], Customer], now: dt.datetime) -> None:
    customer = canary()
    voucher = Voucher.objects.get(customer=customer)
    seen = {canary for _place, canary in found([*CANARIES, voucher.code])}
    assert seen == {*CANARIES, voucher.code}, "the test itself must put each somewhere"

    erasure = erase_customer(customer, ground=REQUEST, by="medewerker", now=now + PAST)

    assert found([*CANARIES, voucher.code]) == []
    assert erasure.persons == 1
    assert {"customers_customer", "customers_fact", "mailings_message", "vouchers_voucher"} <= set(erasure.counts)


def test_others_lose_nothing(canary: Callable[[], Customer], now: dt.datetime) -> None:
    customer = canary()
    other = Customer.objects.get(number="200002")
    FactFactory(customer=other)

    def everything() -> dict[str, list[dict[str, Any]]]:
        tables = [table for table in personal_tables if table.holds == "customer" and table.order != 0]
        return {
            table.code: rows(f"SELECT * FROM {table.table} WHERE {table.column} = {other.pk} ORDER BY {table.key}")  # noqa: S608
            for table in tables
            if not table.code.startswith(("customers_guardianship", "customers_matchpair"))
        }

    before = everything()
    erase_customer(customer, ground=REQUEST, by="", now=now + PAST)
    assert everything() == before
    assert not Guardianship.objects.exists()
    assert not MatchPair.objects.exists()


def test_the_books_of_vouchers_keep_the_money_and_lose_the_person(
    canary: Callable[[], Customer], now: dt.datetime
) -> None:
    erase_customer(canary(), ground=REQUEST, by="", now=now + PAST)
    voucher = Voucher.objects.get()
    taken = Redemption.objects.order_by("pk").last()
    assert taken is not None
    assert (voucher.customer, taken.customer) == (None, None)
    assert (voucher.uses, taken.order_cents, taken.reference) == (1, 1000, "")
    assert voucher.state == "blocked"
    assert Reversal.objects.get().reason == ""
    assert set(Attempt.objects.values_list("code", flat=True)) == {""}


def test_erasing_twice_is_refused_in_words(now: dt.datetime) -> None:
    customer = CustomerFactory()
    erase_customer(customer, ground=REQUEST, by="", now=now)
    with pytest.raises(Refused) as refused:
        erase_customer(customer, ground=REQUEST, by="", now=now)
    assert refused.value.code == "gone"
    assert Erasure.objects.count() == 1


def test_who_was_merged_goes_along_whichever_row_is_named(now: dt.datetime) -> None:
    kept = CustomerFactory(email="een@example.nl")
    absorbed = CustomerFactory(email="twee@example.nl")
    deeper = CustomerFactory()
    Customer.everyone.filter(pk=deeper.pk).update(merged_into=absorbed)
    Customer.everyone.filter(pk=absorbed.pk).update(merged_into=kept)
    erasure = erase_customer(absorbed, ground=REQUEST, by="", now=now)
    assert not Customer.everyone.exists()
    assert erasure.counts["customers_customer"] + erasure.counts["customers_customer:merged_into_id"] == 3
    assert erasure.persons == 1
    assert all(keys.is_erased("email", email) for email in ("een@example.nl", "twee@example.nl"))
    assert keys.is_erased("number", deeper.number)


def test_an_address_that_somebody_else_has_too_is_not_erased(now: dt.datetime) -> None:
    customer = CustomerFactory(email="samen@example.nl")
    CustomerFactory(email="samen@example.nl")
    Suppression.objects.create(address="samen@example.nl", reason="bounce", since=now)
    LinkRequest.objects.create(address="samen@example.nl", asked_at=now)
    erase_customer(customer, ground=REQUEST, by="", now=now)
    assert not keys.is_erased("email", "samen@example.nl")
    assert Suppression.objects.exists()
    assert LinkRequest.objects.exists()
    assert keys.is_erased("number", customer.number)


def test_an_erased_address_is_recognised_in_every_way_of_writing(now: dt.datetime) -> None:
    keys.remember([("email", "weg@example.nl"), ("phone", "+31612345678"), ("number", "W-7")], now=now)
    gone = {"weg@example.nl", " Weg@Example.nl", "06-12345678", "+31612345678", "7", " 7"}
    assert keys.erased_among({*gone, "ander@example.nl", "W-7", "8", ""}, prefix="W-") == gone


@pytest.mark.parametrize("ground", [Erasure.Ground.RETENTION, Erasure.Ground.ERROR])
def test_only_a_request_keeps_somebody_from_coming_back(ground: str, now: dt.datetime) -> None:
    erase_customer(CustomerFactory(email="terug@example.nl"), ground=ground, by="", now=now)
    assert not ErasedKey.objects.exists()


def test_the_receipt_tells_nothing_but_counts(now: dt.datetime) -> None:
    customer = CustomerFactory(number="987654", email="weg@example.nl")
    FactFactory.create_batch(3, customer=customer)
    erasure = erase_customer(customer, ground=REQUEST, by="Anna", now=now)
    known = {table.code for table in personal_tables} | {trace.code for trace in traces}
    assert set(erasure.counts) <= known
    assert all(type(count) is int for count in erasure.counts.values())
    assert erasure.counts["customers_fact"] == 3
    assert (erasure.erased_by, erasure.ground, erasure.erased_at) == ("Anna", "request", now)


def test_an_import_that_waits_stands_in_the_way_and_says_so(now: dt.datetime) -> None:
    customer = CustomerFactory()
    file = io.BytesIO(b"klantnummer;achternaam;soort\n1;A;lid\n")
    run = upload_import(format="customers", source_code="library", file=file, file_name="a.csv", by=None, now=now)
    with pytest.raises(Refused, match=r".") as refused:
        erase_customer(customer, ground=REQUEST, by="", now=now)
    assert refused.value.code == "import_values"
    assert Customer.objects.filter(pk=customer.pk).exists()
    run_import(run, now=now)
    erase_customer(customer, ground=REQUEST, by="", now=now)
    run.refresh_from_db()
    assert not run.file


def test_a_letter_just_printed_stands_in_the_way(canary: Callable[[], Customer], now: dt.datetime) -> None:
    customer = canary()
    with pytest.raises(Refused) as refused:
        erase_customer(customer, ground=REQUEST, by="", now=now + dt.timedelta(days=1))
    assert refused.value.code == "letters"
    erase_customer(customer, ground=REQUEST, by="", now=now + PAST)
    batch = LetterBatch.objects.get()
    assert (batch.file.name, batch.letter_count) == ("", 2)


def test_a_message_under_way_stands_in_the_way(canary: Callable[[], Customer], now: dt.datetime) -> None:
    customer = canary()
    mailing = Mailing.objects.get(name="Mail")
    Message.objects.filter(customer=customer, mailing=mailing).update(state="sending")
    with pytest.raises(Refused) as refused:
        erase_customer(customer, ground=REQUEST, by="", now=now + PAST)
    assert refused.value.code == "message_under_way"


def test_a_batch_leaves_out_whom_something_stands_in_the_way_of(
    canary: Callable[[], Customer], now: dt.datetime
) -> None:
    busy, free = canary(), CustomerFactory()
    Message.objects.filter(customer=busy).update(state="sending")
    erasure = erase_many([busy.pk, free.pk], ground=Erasure.Ground.RETENTION, by="bewaartermijn", now=now + PAST)
    assert erasure is not None
    assert erasure.persons == 1
    assert Customer.objects.filter(pk=busy.pk).exists()
    assert not Customer.objects.filter(pk=free.pk).exists()
    assert erase_many([busy.pk], ground=Erasure.Ground.RETENTION, by="", now=now + PAST) is None


def test_a_household_stays_while_somebody_lives_there(now: dt.datetime) -> None:
    home = Household.objects.create(key="1441AB|1|")
    leaves, stays = CustomerFactory(household=home), CustomerFactory(household=home)
    erase_customer(leaves, ground=REQUEST, by="", now=now)
    assert Household.objects.filter(pk=home.pk).exists()
    erase_customer(stays, ground=REQUEST, by="", now=now)
    assert not Household.objects.filter(pk=home.pk).exists()


def test_notes_of_imports_about_the_person_go(canary: Callable[[], Customer], now: dt.datetime) -> None:
    customer, other = canary(), Customer.objects.get(number="200002")
    run = ImportRun.objects.order_by("pk").first()
    assert run is not None
    for one in (customer, other):
        ImportChange.objects.create(run=run, table="customers_customer", row_id=one.pk, before={}, after={})
    erase_customer(customer, ground=REQUEST, by="", now=now + PAST)
    assert set(ImportChange.objects.filter(table="customers_customer").values_list("row_id", flat=True)) == {other.pk}


def test_the_session_of_mijnmenu_ends(canary: Callable[[], Customer], client: Client, now: dt.datetime) -> None:
    customer = canary()
    erase_customer(customer, ground=REQUEST, by="", now=now + PAST)
    assert client.get("/mijn/").status_code == 302
    assert not any("mijnmenu" in session.get_decoded() for session in Session.objects.all())


def test_the_books_stay_closed_to_everything_else(canary: Callable[[], Customer]) -> None:
    canary()
    with pytest.raises(InternalError), transaction.atomic():
        Redemption.objects.update(reference="")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL wise.erasing = 'on'")
    with pytest.raises(InternalError), transaction.atomic():
        Redemption.objects.update(discount_cents=0)


def test_files_taken_in_wait_for_their_own_period_when_only_age_erases(
    canary: Callable[[], Customer], now: dt.datetime
) -> None:
    customer = canary()
    files = ImportRun.objects.exclude(file="").count()
    erase_customer(customer, ground=Erasure.Ground.RETENTION, by="", now=now + PAST)
    assert ImportRun.objects.exclude(file="").count() == files > 0
