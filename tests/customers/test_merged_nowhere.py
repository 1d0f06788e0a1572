"""Who was merged into another is in no list, count, selection, label, mailing or file, and his number leads on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from common.time import clock
from customers.actions.merging import merge_customers
from customers.models import Consent, Customer
from labels.actions import refresh_system_labels
from labels.models import Assignment, Label
from mailings.gate import Terms, decide, preview
from mailings.links import preferences_url
from mailings.models import Content, Mailing, Message
from mijnmenu.session import customer_of
from selections.compiler import members
from selections.models import Selection
from tests.factories import (
    NOW,
    ConsentFactory,
    CustomerFactory,
    FactFactory,
    PurposeFactory,
    SubscriptionFactory,
    VoucherFactory,
)
from vouchers.actions import redeem
from vouchers.models import Definition
from workbench import figures

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair() -> tuple[Customer, Customer]:
    """Somebody who was kept and who was merged into him; both had the same loan, subscription and yes."""
    kept, absorbed = (CustomerFactory(first_name="Anna", last_name="Bosman") for _ in range(2))
    for one in (kept, absorbed):
        FactFactory(customer=one, external_id="same")
        SubscriptionFactory(customer=one, number="A1")
        ConsentFactory(customer=one)
    merge_customers(kept, absorbed, by="Mia", now=NOW)
    absorbed.refresh_from_db()
    assert absorbed.facts.exists()
    assert absorbed.subscriptions.exists()
    return kept, absorbed


def mailing() -> Mailing:
    content = Content.objects.create(name="x", subject="x", blocks=[], updated_at=NOW)
    return Mailing.objects.create(
        name="x", origin="x", due_key=f"x{content.pk}", purpose=PurposeFactory(), channels="email", content=content,
        created_at=NOW,
    )  # fmt: skip


def test_no_selection_search_or_count_has_him(pair: tuple[Customer, Customer]) -> None:
    kept, absorbed = pair
    everybody = Selection(name="x", rule={"version": 2, "op": "all", "children": []}, created_at=NOW, updated_at=NOW)
    assert list(Customer.objects.all()) == list(Customer.objects.search("Bosman")) == [kept]
    assert list(members(everybody, now=NOW)) == [kept]
    assert figures.customers(NOW).total == 1
    assert absorbed not in Customer.objects.filter(facts__isnull=False)


def test_no_system_label_is_given_to_him(pair: tuple[Customer, Customer]) -> None:
    kept, _absorbed = pair
    refresh_system_labels(now=NOW, due_key="x")
    assert set(Assignment.objects.open().values_list("customer", flat=True)) == {kept.pk}
    assert Label.objects.with_counts().get(code="household-1").holders == 1


def test_the_gate_does_not_know_him_even_when_he_is_named(pair: tuple[Customer, Customer]) -> None:
    kept, _absorbed = pair
    named = Customer.everyone.all()
    assert sum(preview(Terms(PurposeFactory(), "email"), candidates=named, now=NOW).values()) == 1
    one = mailing()
    assert decide(one, named, now=NOW) == 1
    assert one.decisions.get().customer == kept


def test_a_message_that_stayed_behind_is_not_sent() -> None:
    from uuid import uuid4

    from mailings import queue

    kept, absorbed, one = CustomerFactory(email="a@example.nl"), CustomerFactory(email="a@example.nl"), mailing()
    Mailing.objects.filter(pk=one.pk).update(state="sending")
    for customer in (kept, absorbed):
        ConsentFactory(customer=customer)
        Message.objects.create(
            mailing=one, customer=customer, channel="email", address="a@example.nl",
            state_at=NOW, next_attempt_at=NOW - dt.timedelta(days=365),
        )  # fmt: skip
    merge_customers(kept, absorbed, by="Mia", now=NOW)
    token = uuid4()
    Message.objects.update(next_attempt_at=clock())
    claimed = queue.claim(one, token=token, limit=10)
    assert len(claimed) == 2
    going = queue.mark(one, [message for message, _customer in claimed], token=token, now=NOW)
    assert list(Message.objects.filter(pk__in=going).values_list("customer", flat=True)) == [kept.pk]
    assert absorbed.messages.get().state == "withdrawn"


def test_his_number_leads_to_who_was_kept(
    pair: tuple[Customer, Customer], integrator: User, marketeer: User, client_of: Callable[[User], Client]
) -> None:
    kept, absorbed = pair
    api = APIClient()
    api.force_authenticate(integrator)
    assert api.get(f"/api/v1/customers/{absorbed.number}/").json()["number"] == kept.number
    answer = api.patch(f"/api/v1/customers/{absorbed.number}/", {"city": "Hoorn"}, format="json")
    assert answer.json()["number"] == kept.number
    fact = {"customer": absorbed.number, "kind": "loan", "occurred_at": NOW, "source": "library", "external_id": "9"}
    assert api.post("/api/v1/facts/", [fact], format="json").status_code == 201
    assert kept.facts.filter(external_id="9").exists()
    found = client_of(marketeer).get("/customers/", {"q": absorbed.number})
    assert found.status_code == 200


def test_links_in_his_mails_open_the_page_of_who_was_kept(pair: tuple[Customer, Customer]) -> None:
    kept, absorbed = pair
    token = preferences_url(absorbed.pk, absorbed.link_version).rstrip("/").rpartition("/")[2]
    assert customer_of(token) == kept


@pytest.mark.django_db(transaction=True)
def test_a_voucher_that_stayed_behind_can_be_redeemed_with_either_number(marketeer: User) -> None:
    kept, absorbed = CustomerFactory(), CustomerFactory()
    mine = VoucherFactory(customer=kept, definition__holder=Definition.Holder.CUSTOMER)
    theirs = VoucherFactory(customer=absorbed, definition=mine.definition)
    merge_customers(kept, absorbed, by="Mia", now=NOW)
    for voucher, number in ((mine, absorbed.number), (theirs, kept.number)):
        taken = redeem(
            voucher.code, customer_number=number, branch=None, staff=marketeer, channel="counter",
            idempotency_key=voucher.code, order_cents=1000, now=NOW,
        )  # fmt: skip
        assert taken.customer == kept


def test_consents_count_once(pair: tuple[Customer, Customer]) -> None:
    kept, _absorbed = pair
    assert Consent.objects.filter(customer=kept).count() == 1
