"""Purposes and their grounds: what the law leaves open, what was answered stays, and the pages on which it is done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from common.errors import Refused
from common.sql import as_subquery, execute, rows
from customers.actions.purposes import (
    bases_for,
    change_channel,
    confirm_relation,
    create_purpose,
    current_wording,
    save_wording,
)
from customers.consents import states_of, verdicts_sql
from customers.consents.channels import grounds_at
from customers.models import Customer, LedgerCheck, Purpose, PurposeChannel, Wording
from tests.factories import NOW, ConsentFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def marketing() -> Purpose:
    return Purpose.objects.get(code="marketing")


@pytest.fixture
def client(administrator: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(administrator)


@pytest.mark.parametrize(
    ("code", "channel", "bases"),
    [
        ("marketing", "email", {"consent", "customer_relation", "none"}),
        ("marketing", "sms", {"consent", "customer_relation", "none"}),
        ("marketing", "phone", {"consent", "none"}),  # since 1 July 2026
        ("marketing", "post", {"legitimate_interest", "consent", "none"}),
        ("newsletter", "email", {"consent", "none"}),
        ("service", "email", {"service", "consent", "none"}),
        ("profiling", "email", {"consent", "legitimate_interest", "none"}),
        ("profiling", "post", {"none"}),
        ("open_tracking", "email", {"consent", "none"}),
    ],
)
def test_the_law_leaves_open_these_grounds(code: str, channel: str, bases: set[str]) -> None:
    purpose = Purpose.objects.get(code=code)
    assert {basis.value for basis in bases_for(purpose, channel)} == bases
    for basis in PurposeChannel.Basis.values:
        if basis not in bases:
            with pytest.raises(Refused, match="grond"):
                change_channel(purpose, channel, basis=basis, by=None, now=NOW)


def test_a_new_purpose_starts_with_the_grounds_of_its_sort(administrator: User) -> None:
    purpose = create_purpose(code="uitjes", name="Uitjes", rule="marketing", by=administrator)
    rows = {row.channel: (row.basis, row.is_confirmed) for row in purpose.channels.all()}
    assert rows["email"] == ("customer_relation", False)
    assert rows["post"] == ("legitimate_interest", False)
    with pytest.raises(Refused):
        create_purpose(code="uitjes", name="Nog eens", rule="marketing", by=administrator)


def test_who_confirmed_the_relation_stands_in_the_history(marketing: Purpose, administrator: User) -> None:
    change_channel(marketing, "email", same_entity=False, by=None, now=NOW)
    row = confirm_relation(marketing, "email", by=administrator, now=NOW)
    assert row.effective == "customer_relation"
    event = row.events.order_by("-pgh_id").first()
    assert event.pgh_context.metadata["user"] == administrator.pk


def test_the_newest_wording_that_has_begun_is_in_use(marketing: Purpose) -> None:
    for version, days in (("1", -20), ("2", -10), ("3", 10)):
        save_wording(marketing, version=version, text=f"Tekst {version}", valid_from=NOW + days * DAY, by=None)
    found = current_wording(marketing, now=NOW)
    assert found is not None
    assert found.version == "2"
    assert current_wording(Purpose.objects.get(code="service"), now=NOW) is None


def test_a_wording_changes_until_somebody_answered_it(marketing: Purpose) -> None:
    save_wording(marketing, version="2024-3", text="Eerst", valid_from=NOW, by=None)
    wording = save_wording(marketing, version="2024-3", text="Beter", valid_from=NOW, by=None)
    ConsentFactory(purpose=marketing, wording_version="2024-3")
    with pytest.raises(Refused) as refused:
        save_wording(marketing, version="2024-3", text="Anders", valid_from=NOW, by=None)
    assert refused.value.field == "version"
    assert save_wording(marketing, version="2024-3", text="Beter", valid_from=NOW, by=None) == wording


def test_the_database_keeps_an_answered_wording_whatever_the_code_does(marketing: Purpose) -> None:
    wording = save_wording(marketing, version="2024-3", text="Ja", valid_from=NOW, by=None)
    ConsentFactory(purpose=marketing, wording_version="2024-3")
    with pytest.raises(IntegrityError, match="answered"), transaction.atomic():
        Wording.objects.filter(pk=wording.pk).update(text="Nee")
    with pytest.raises(IntegrityError, match="answered"), transaction.atomic():
        wording.delete()


# --- the pages ---


def test_the_list_says_prominently_that_the_relation_is_not_confirmed(client: Client, marketing: Purpose) -> None:
    assert "nog niet bevestigd" not in client.get("/purposes/").content.decode()
    change_channel(marketing, "email", could_refuse=False, by=None, now=NOW)
    assert "De klantrelatie is nog niet bevestigd" in client.get("/purposes/").content.decode()
    assert "niet bevestigd" in client.get(f"/purposes/{marketing.pk}/").content.decode()


def test_staff_confirm_the_conditions_on_the_page(client: Client, marketing: Purpose) -> None:
    change_channel(marketing, "email", same_entity=False, was_informed=False, by=None, now=NOW)
    conditions = dict.fromkeys(("same_entity", "was_informed", "could_refuse", "own_similar"), "on")
    address = f"/purposes/{marketing.pk}/email/"
    assert client.get(address).status_code == 200
    assert client.post(address, {"basis": "customer_relation", **conditions}).status_code == 302
    assert marketing.channels.get(channel="email").effective == "customer_relation"
    assert "Gewijzigd" in client.get(f"/purposes/{marketing.pk}/").content.decode()


def test_a_ground_that_the_law_does_not_allow_is_not_offered(client: Client, marketing: Purpose) -> None:
    assert client.post(f"/purposes/{marketing.pk}/phone/", {"basis": "customer_relation"}).status_code == 422
    assert client.get(f"/purposes/{marketing.pk}/fax/").status_code == 404


def test_a_purpose_is_made_and_changed_on_the_pages(client: Client) -> None:
    told = {"name": "Panel", "code": "panel", "rule": "opt_in", "description": "Meedenken.", "is_public": "on"}
    assert client.post("/purposes/add/", told).status_code == 302
    purpose = Purpose.objects.get(code="panel")
    client.post(f"/purposes/{purpose.pk}/change/", {"name": "Klantenpanel", "description": "Meedenken."})
    purpose.refresh_from_db()
    assert (purpose.name, purpose.is_public) == ("Klantenpanel", False)


def test_a_wording_is_added_on_the_page_and_its_answers_are_counted(client: Client, marketing: Purpose) -> None:
    told = {"version": "2026-1", "text": "Ja, mail mij.", "valid_from": "2026-01-01T00:00"}
    assert client.post(f"/purposes/{marketing.pk}/wordings/add/", told).status_code == 302
    for _time in range(2):
        ConsentFactory(purpose=marketing, wording_version="2026-1")
    ConsentFactory(purpose=marketing, wording_version="oud-7")
    page = client.get(f"/purposes/{marketing.pk}/").content.decode()
    assert "Ja, mail mij." in page
    assert "2 antwoorden" in page
    assert "oud-7" in page
    assert client.post(f"/purposes/{marketing.pk}/wordings/add/", {**told, "text": "Iets anders"}).status_code == 422


def test_a_ledger_that_is_not_whole_shows_at_the_top(client: Client) -> None:
    assert "Nog niet gecontroleerd" in client.get("/purposes/").content.decode()
    LedgerCheck.objects.create(started_at=NOW, finished_at=NOW, row_count=9, broken_count=1, broken=[[4711, "changed"]])
    page = client.get("/purposes/").content.decode()
    assert "niet heel" in page
    assert "4711" in page


# --- the ground that held then ---


def verdict_at(customer: Customer, purpose: Purpose, moment: dt.datetime) -> tuple[str, str]:
    everybody = as_subquery(Customer.objects.filter(pk=customer.pk).values("pk"))
    [found] = rows(verdicts_sql(everybody, purpose=purpose, channel="email", as_of=moment), {})
    for state in states_of(customer, now=moment):
        if (state.purpose, state.channel) == (purpose, "email"):
            assert (state.verdict, state.basis) == (found["verdict"], found["basis"])
    return found["verdict"], found["basis"]


def test_what_was_allowed_then_follows_from_the_ground_that_held_then(marketing: Purpose) -> None:
    member, day = SubscriptionFactory(started_on=dt.date(2020, 1, 1)).customer, DAY
    change_channel(marketing, "email", basis="consent", by=None, now=NOW)
    change_channel(marketing, "email", basis="customer_relation", own_similar=False, by=None, now=NOW + day)
    confirm_relation(marketing, "email", by=None, now=NOW + 2 * day)
    change_channel(marketing, "email", basis="none", by=None, now=NOW + 3 * day)
    moments = [NOW + number * day + dt.timedelta(hours=1) for number in range(4)]
    assert [verdict_at(member, marketing, moment) for moment in moments] == [
        ("no_permission", ""), ("no_permission", ""), ("allowed", "customer_relation"), ("no_permission", ""),
    ]  # fmt: skip
    assert verdict_at(member, marketing, NOW + 2 * day)[0] == "allowed"  # from that very moment
    assert verdict_at(member, marketing, NOW + 2 * day - dt.timedelta(microseconds=1))[0] == "no_permission"


def test_saving_what_was_so_already_leaves_the_moment(marketing: Purpose) -> None:
    change_channel(marketing, "email", basis="consent", by=None, now=NOW)
    row = change_channel(marketing, "email", basis="consent", by=None, now=NOW + DAY)
    assert row.since == NOW


def test_a_channel_that_was_loaded_without_history_counts(marketing: Purpose) -> None:
    row = marketing.channels.get(channel="email")
    execute("ALTER TABLE customers_purposechannel DISABLE TRIGGER USER")
    try:
        PurposeChannel.objects.filter(pk=row.pk).delete()
        execute("DELETE FROM customers_purposechannelevent")
        PurposeChannel.objects.create(purpose=marketing, channel="email", basis="none")
    finally:
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        execute("ALTER TABLE customers_purposechannel ENABLE TRIGGER USER")
    assert grounds_at(NOW)[marketing.pk, "email"] == "none"
