"""The database role of the web processes: everything the product does works with it, and the ledger is out of reach."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from common.sql import execute, rows
from common.time import clock
from customers.actions.ledger import check_ledger
from customers.actions.merging import merge_customers
from customers.models import Consent, Customer, Erasure, LedgerCheck, Purpose
from mailings.actions import run_publication, save_publication
from mijnmenu.actions import save_preferences
from tests.factories import NOW, ConsentFactory, CustomerFactory

pytestmark = pytest.mark.django_db
ROLE = "wise_web_test"


@pytest.fixture
def hardened(settings: Any) -> str:
    settings.WEB_DATABASE_PASSWORD = "geheim'; DROP TABLE x; --"
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    call_command("harden_database", ROLE, create=True, skip_checks=False)
    return ROLE


@contextmanager
def web() -> Iterator[None]:
    """Go on as the web processes do, until the end of the block."""
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute(f"SET LOCAL ROLE {ROLE}")
    try:
        yield
    finally:
        execute("RESET ROLE")


def refused(statement: str) -> str:
    try:
        with transaction.atomic():
            execute(statement)
    except DatabaseError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM customers_consent",
        "TRUNCATE customers_consent",
        "TRUNCATE customers_customer CASCADE",
        "UPDATE customers_consent SET state = 'objected'",
        "UPDATE customers_consent SET hash = ''",
        "UPDATE customers_consent SET event_at = now(), customer_id = 1",
        "ALTER TABLE customers_consent DISABLE TRIGGER ALL",
        "ALTER TABLE customers_consent DISABLE TRIGGER consent_append_only",
        "DROP TRIGGER consent_chain ON customers_consent",
        "DROP TABLE customers_consent CASCADE",
        "CREATE OR REPLACE FUNCTION customers_consent_chain() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
        "ALTER FUNCTION customers_consent_text(customers_consent) RENAME TO x",
        "SET session_replication_role = replica",
        "CREATE RULE quiet AS ON INSERT TO customers_consent DO INSTEAD NOTHING",
        "UPDATE customers_ledgercheck SET row_count = 0",
        "DELETE FROM customers_ledgercheck",
        "DELETE FROM customers_erasure",
        "UPDATE customers_purposechannelevent SET basis = 'service'",
        "DELETE FROM customers_wordingevent",
    ],
)
def test_the_ledger_and_its_proof_are_out_of_reach(hardened: str, statement: str) -> None:
    ConsentFactory()
    LedgerCheck.objects.create(started_at=NOW)
    with web():
        execute("SET LOCAL wise.erasing = 'on'")
        execute("SET LOCAL wise.merging = 'on'")
        message = refused(statement)
    assert "permission denied" in message or "must be owner" in message, message
    assert Consent.objects.count() == 1


def test_a_row_with_a_hash_of_ones_own_gets_the_real_one(hardened: str) -> None:
    consent = ConsentFactory()
    with web():
        execute(
            "INSERT INTO customers_consent (customer_id, purpose_id, channel, state, source_id, actor, wording_version,"
            " evidence, event_at, received_at, subject_id, position, hash) SELECT customer_id, purpose_id, channel,"
            " 'objected', source_id, '', '', '{}', event_at, '2001-01-01', 999, 7, 'zelfgemaakt' FROM customers_consent"
        )
    forged = Consent.objects.get(state="objected")
    assert (forged.subject_id, forged.position) == (consent.subject_id, 2)
    assert forged.received_at.year > 2001
    assert check_ledger(now=NOW).is_whole


def test_rows_go_only_while_somebody_is_erased(hardened: str) -> None:
    consent = ConsentFactory()
    with web():
        assert "nobody is being erased" in refused(f"SELECT customers_consent_erase(ARRAY[{consent.customer_id}])")
        Erasure.objects.create(ground="request", erased_by="x", erased_at=NOW, counts={"customers_customer": 1})
        assert "nobody is being erased" in refused(f"SELECT customers_consent_erase(ARRAY[{consent.customer_id}])")
    assert Consent.objects.count() == 1


def test_staff_and_customers_do_their_work_with_it(
    hardened: str, administrator: User, client_of: Callable[[User], Client], settings: Any, tmp_path: Any
) -> None:
    settings.PUBLICATION_FOLDER = tmp_path
    desk, marketing = client_of(administrator), Purpose.objects.get(code="marketing")
    anna, bert = CustomerFactory(email="anna@example.nl"), CustomerFactory(birth_date=dt.date(1980, 1, 1))
    ConsentFactory(customer=bert, purpose=marketing)
    with web():
        said = {"purpose": marketing.pk, "channel": "email", "state": "granted", "source": "counter"}
        assert desk.post(f"/customers/{anna.pk}/consents/record/", said).status_code == 302
        shown = {("marketing", "email")}
        assert save_preferences(anna, shown=shown, wanted=set(), now=clock()) == 1
        publication = save_publication(
            None, name="Post", purpose=marketing, channel="post", columns=["number"], has_file=True, webhook_url="",
            daily_at=dt.time(5), is_active=True, by=administrator, now=NOW,
        )  # fmt: skip
        run_publication(publication, now=NOW)
        for address in ("/", "/customers/", f"/customers/{anna.pk}/", "/purposes/", f"/publications/{publication.pk}/"):
            assert desk.get(address).status_code == 200, address
        merge_customers(anna, bert, by=administrator, now=clock())
        assert Consent.objects.filter(customer=anna).count() == 3
        url = f"/customers/{anna.pk}/privacy/erase/"
        assert desk.post(url, {"ground": "request", "number": anna.number, "confirm": anna.number}).status_code == 302
    assert not Customer.everyone.filter(pk__in=[anna.pk, bert.pk]).exists()
    assert not Consent.objects.exists()
    assert Erasure.objects.get().counts["customers_consent"] == 3
    assert check_ledger(now=clock()).is_whole


def test_running_it_again_gives_new_tables_and_a_new_password(hardened: str, settings: Any) -> None:
    execute("CREATE TABLE brand_new (id int)")
    with web():
        assert "permission denied" in refused("SELECT * FROM brand_new")
    settings.WEB_DATABASE_PASSWORD = "een-ander"
    call_command("harden_database", ROLE, create=True, skip_checks=False)
    with web():
        assert not refused("SELECT * FROM brand_new")
        assert "permission denied" in refused("DELETE FROM customers_consent")


def test_the_owner_who_does_not_exist_and_no_password_are_refused(settings: Any) -> None:
    settings.WEB_DATABASE_PASSWORD = ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        owner = cursor.fetchone()[0]
    for role in (owner, "bestaat-niet"):
        with pytest.raises(CommandError):
            call_command("harden_database", role)
    with pytest.raises(CommandError, match="WEB_DATABASE_PASSWORD"):
        call_command("harden_database", "nieuw", create=True)
    assert not rows("SELECT FROM pg_roles WHERE rolname = 'nieuw'")
